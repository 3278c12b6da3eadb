package relations

import (
	"context"

	"tiwiza/marketplace/accords"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// StanceInput asks for one's stance.
type StanceInput struct {
	Lang string `query:"lang" maxLength:"3" description:"fr, ar or en: the text's."`
}

// Stance shows what the caller agreed to, and the text in force.
func (s *Service) Stance(ctx context.Context, in StanceInput) (StanceView, error) {
	st, err := stanceOf(ctx, s.db, auth.From(ctx).Subject)
	return st.view(in.Lang), err
}

// WishInput says whether the caller wants to be written to.
type WishInput struct {
	Granted bool   `json:"granted" required:"true"`
	Text    string `json:"text,omitempty" maxLength:"64" description:"The hash of the text that was read; needed to agree."`
}

// Say writes down what the caller wishes, and has all systems hear of it.
func (s *Service) Say(ctx context.Context, tx *pg.Tx, in WishInput) (v StanceView, err error) {
	w := Wish{Person: auth.From(ctx).Subject, Granted: in.Granted, Source: ByPerson}
	if in.Granted {
		var ok bool
		if w.Lang, ok = langOf(in.Text); !ok {
			return v, ErrText.At("/text", "Give the text_hash of GET /v1/wishes/marketing.")
		}
		w.TextHash = in.Text
	}
	st, err := s.wish(ctx, tx, w)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "wishes.say", w.Person, authz.Policy(ctx), map[string]any{"purpose": Marketing, "granted": in.Granted})
	return st.view(w.Lang), nil
}

// wish writes a wish down and makes it the person's stance. Of two the later
// holds; what does not come from the person itself can only take back.
func (s *Service) wish(ctx context.Context, tx *pg.Tx, w Wish) (standing, error) {
	st, err := lockStance(ctx, tx, w.Person)
	if err != nil || st.Version > 0 && st.Granted == w.Granted && (!w.Granted || st.TextHash == w.TextHash) {
		return st, err
	}
	w.ID, w.Purpose, w.At = id.New(id.Wish), Marketing, tx.Now()
	insertWish(tx, w)
	accords.Record(tx, w.accord(ctx, st.Granted))
	st.Stance = Stance{Person: w.Person, Purpose: w.Purpose, Granted: w.Granted, Wish: w.ID, At: w.At, Version: st.Version + 1}
	st.TextHash, st.Source = w.TextHash, w.Source
	saveStance(tx, st.Stance)
	if err := s.resolve(ctx, tx, w.Person, w.Granted); err != nil {
		return st, err
	}
	return st, tx.Publish(ctx, WishChanged{Person: w.Person, Purpose: w.Purpose, Granted: w.Granted, Source: w.Source})
}

// accord is a wish as the ledger writes it, by whether there was an agreement before.
func (w Wish) accord(ctx context.Context, agreed bool) accords.Accord {
	a := accords.Accord{Who: w.Person, Subject: accords.Marketing, Word: accords.Refused, Channel: accords.ChannelOf(ctx)}
	switch w.Source {
	case ByCRM:
		a.Channel = accords.Partner
	case ByErasure:
		a.Channel = accords.ByHub
	}
	if t, ok := accords.Shown(accords.Marketing, w.TextHash); ok && w.Granted {
		a.Word, a.Text = accords.Given, &t
	} else if agreed {
		a.Word = accords.Withdrawn
	}
	return a
}

// resolve has all systems hear that a person agrees, or does not any more: who
// does is put there with all there is to say of it, and of who does not only that
// is said, where it is known.
func (s *Service) resolve(ctx context.Context, tx *pg.Tx, person string, granted bool) error {
	all, err := s.systems(ctx, tx)
	if err != nil {
		return err
	}
	if granted {
		for _, x := range all {
			want(tx, x.ID, entitiesOf(x), person)
		}
		wantAgain(tx, person, "")
	} else {
		wantAgain(tx, person, Contact)
		wantAgain(tx, person, Consent)
	}
	s.wake(tx, all)
	return nil
}

// ListInput asks for one's wishes.
type ListInput struct {
	rest.Paging
}

// Wishes lists what the caller said, the newest first.
func (s *Service) Wishes(ctx context.Context, in ListInput) (p rest.Page[WishView], err error) {
	below, err := in.After(id.Wish)
	if err != nil {
		return p, err
	}
	rows, err := listWishes(ctx, s.db, auth.From(ctx).Subject, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Wish.view, func(v WishView) any { return v.ID }), nil
}
