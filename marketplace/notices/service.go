package notices

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// An Address is where somebody can be reached; Phone and Email may be "".
type Address struct{ Phone, Email, Lang string }

// People says where a person, or those of an organisation, can be reached.
type People interface {
	Reach(ctx context.Context, db pg.DB, subject string) ([]Address, error)
}

// Orders says what an order is, and whom its buyer named to be told of it.
type Orders interface {
	Brief(ctx context.Context, db pg.DB, order string) (orders.Brief, error)
	BriefOfCharge(ctx context.Context, db pg.DB, charge string) (orders.Brief, error)
}

// Needs are the others that notices work with.
type Needs struct {
	People   People
	Orders   Orders
	Carriers []*notify.Carrier // built in, one of a channel
	Plugged  Plugged           // those that are plugged in while the hub runs; nil: none
	Box      Box
	URL      string           // where the pages are, for links
	Ways     []notify.Channel // their order where nobody wishes another; none: what costs a person nothing first
}

// Plugged are carriers that are plugged in while the hub runs; of a channel they go
// before the one that is built in. Carriers are those that may bring messages now, one of a
// channel: what cannot be opened comes in the error, and keeps the others not. Carrier is
// one by its name, whose reports are heard even when it may bring nothing: ErrPartner.
type Plugged interface {
	Carriers(ctx context.Context, db pg.DB) ([]*notify.Carrier, error)
	Carrier(ctx context.Context, db pg.DB, name string) (*notify.Carrier, error)
}

// Service is what others may ask of notices.
type Service struct {
	db *pg.Store
	Needs
	carriers map[notify.Channel]*notify.Carrier
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n, carriers: map[notify.Channel]*notify.Carrier{}}
	if len(s.Ways) == 0 {
		s.Ways = usual
	}
	for _, c := range n.Carriers {
		s.carriers[c.Channel()] = c
	}
	return s
}

// serving are those who bring messages now, by their channels.
func (s *Service) serving(ctx context.Context, db pg.DB) map[notify.Channel]*notify.Carrier {
	if s.Plugged == nil {
		return s.carriers
	}
	found, err := s.Plugged.Carriers(ctx, db)
	if err != nil {
		slog.WarnContext(ctx, "some of those who bring messages cannot be reached; others do", "error", err)
	}
	if len(found) == 0 {
		return s.carriers
	}
	all := maps.Clone(s.carriers)
	for _, c := range found {
		all[c.Channel()] = c
	}
	return all
}

// Host is the name of the pages' host: browsers fill a code in there alone.
func (s *Service) Host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// A Telling is what somebody shall be told.
type Telling struct {
	Owner  string // a person or an organisation; "" when nobody's log shall show it
	Phone  string
	Email  string
	Kind   Kind
	Lang   string // whoever is told may wish another
	Params map[string]string
	Titles map[string]string // what it is about, by language: «title» in that of whoever is told
	Amount int64             // centimes, for the totals of a day
	Key    string            // what was told under a key is not told again; "" is always new
	Leave  string            // why it is only written down, and not sent
}

// Tell writes down what somebody shall be told, as a step of the caller's unit of
// work. It is brought after that has committed, and never if it has not.
func (s *Service) Tell(ctx context.Context, tx *pg.Tx, t Telling) error {
	params, secrets, err := t.split()
	if err != nil {
		return err
	}
	wishes, err := settingsOf(ctx, tx, t.Owner)
	if err != nil {
		return err
	}
	if wishes.Lang != "" {
		t.Lang = wishes.Lang
	}
	if len(t.Titles) > 0 {
		params["title"] = short(in(language(t.Lang), t.Titles))
	}
	now := tx.Now()
	n := Notice{
		ID: id.New(id.Notice), Owner: t.Owner, Kind: t.Kind, Lang: language(t.Lang), Phone: t.Phone, Email: t.Email, Params: params,
		Dedupe: t.Key, State: Waiting, DueAt: now, ExpiresAt: now.Add(t.Kind.spec().Valid), CreatedAt: now, Version: 1,
	}
	if n.Dedupe == "" {
		n.Dedupe = n.ID
	}
	if t.Amount != 0 {
		n.Amount = &t.Amount
	}
	if t.Leave != "" {
		n.State, n.Reason = Dropped, t.Leave
	} else {
		n.plan(wishes, now)
	}
	if n.State == Waiting {
		if n.Sealed, err = s.Box.close(n.ID, secrets); err != nil {
			return err
		}
	}
	fresh, err := insert(ctx, tx, n)
	if err != nil || !fresh {
		return err
	}
	s.arm(tx, n)
	return nil
}

// plan says what becomes of a notice at first: it is sent, at once or in the
// morning; told in the message of the day; or not at all.
func (n *Notice) plan(wishes Settings, now time.Time) {
	sp := n.Kind.spec()
	switch {
	case !notify.IsPhone(n.Phone) && !notify.IsEmail(n.Email):
		n.State, n.Reason, n.Phone, n.Email = Dropped, "no_address", "", ""
	case wishes.Muted(n.Kind):
		n.State, n.Reason = Dropped, "not_wished"
	case wishes.Digest && sp.tally != nil && n.Owner != "":
		n.State, n.DueAt = Gathered, Evening(now)
	case sp.Class == News:
		n.DueAt = Awake(now)
		n.ExpiresAt = n.ExpiresAt.Add(n.DueAt.Sub(now))
	}
}

// split takes the secrets out of what a notice says, and refuses what its kind
// does not say.
func (t Telling) split() (params, secrets map[string]string, err error) {
	if !t.Kind.Known() {
		return nil, nil, ErrKind.With(fmt.Errorf("no kind %q", t.Kind))
	}
	params, secrets = map[string]string{}, map[string]string{}
	for _, q := range t.Kind.spec().params {
		v, ok := t.Params[q.name]
		if !ok {
			return nil, nil, ErrKind.With(fmt.Errorf("%s without %s", t.Kind, q.name))
		}
		if q.Type == Secret {
			secrets[q.name] = v
		} else {
			params[q.name] = line(v, 500)
		}
	}
	if len(t.Params) != len(params)+len(secrets) {
		return nil, nil, ErrKind.With(fmt.Errorf("%s does not say all of %v", t.Kind, slices.Sorted(maps.Keys(t.Params))))
	}
	return params, secrets, nil
}

// TellOwner tells a person, or each of an organisation's people, what has this
// key.
func (s *Service) TellOwner(ctx context.Context, tx *pg.Tx, t Telling) error {
	all, err := s.addresses(ctx, tx, t.Owner)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return s.Tell(ctx, tx, t)
	}
	for i, a := range all {
		one := t
		one.Phone, one.Email, one.Lang = a.Phone, a.Email, a.Lang
		if i > 0 && one.Key != "" {
			one.Key += "/" + a.Phone + a.Email
		}
		if err := s.Tell(ctx, tx, one); err != nil {
			return err
		}
	}
	return nil
}

// addresses are where a person is told, or an organisation: where it has said, else
// each of its people.
func (s *Service) addresses(ctx context.Context, tx *pg.Tx, owner string) ([]Address, error) {
	wishes, err := settingsOf(ctx, tx, owner)
	if err != nil {
		return nil, err
	}
	if wishes.Phone != "" || wishes.Email != "" {
		return []Address{{Phone: wishes.Phone, Email: wishes.Email}}, nil
	}
	return s.People.Reach(ctx, tx, owner)
}
