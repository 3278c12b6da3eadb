package directory

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/script"
)

// Members are who is looked up.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	AtWork(ctx context.Context, db pg.DB, after string, limit int) ([]members.Organisation, error)
	AllAtWork(ctx context.Context, db pg.DB, orgs []string) ([]string, error)
}

// Catalogue knows what they offer, and their labels.
type Catalogue interface {
	ShelvesOf(ctx context.Context, db pg.DB, sellers []string) (map[string][]string, error)
	BadgesOf(ctx context.Context, db pg.DB, sellers []string) (map[string][]catalog.Badge, error)
}

// Service keeps the directory.
type Service struct {
	db        *pg.Store
	members   Members
	catalogue Catalogue
}

// New makes the service.
func New(db *pg.Store, m Members, c Catalogue) *Service { return &Service{db, m, c} }

// Subscribe has what changes of a member be found at once.
func Subscribe(bus *event.Bus, s *Service) {
	const who = "directory"
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e members.Moved) error { return s.remake(ctx, tx, e.Organisation) })
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e catalog.LabelMoved) error { return s.remake(ctx, tx, e.Seller) })
	event.Subscribe(bus, who, func(_ context.Context, tx *pg.Tx, e catalog.OfferChanged) error { return soon(tx, e.Seller) })
	event.Subscribe(bus, who, func(_ context.Context, tx *pg.Tx, e catalog.Imported) error { return soon(tx, e.Seller) })
}

// soon has the trades of a seller be looked at again once, however many of its
// offers change meanwhile: its entry is made of all of them.
func soon(tx *pg.Tx, seller string) error {
	job.SetOnce(tx, timerOffers, seller, tx.Now().Add(calm))
	return nil
}

// remake makes the entry of a member anew, or takes it away.
func (s *Service) remake(ctx context.Context, tx *pg.Tx, org string) error {
	o, err := s.members.Of(ctx, tx, org)
	if errors.Is(err, members.ErrNotFound) {
		return nil // a label of the demonstration's own
	}
	if err != nil {
		return err
	}
	if o.State != members.Active {
		dropEntry(tx, org)
		return nil
	}
	return s.make(ctx, tx, []members.Organisation{o})
}

// make makes the entries of some members, in two reads whatever their number.
func (s *Service) make(ctx context.Context, tx *pg.Tx, all []members.Organisation) error {
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	trades, err := s.catalogue.ShelvesOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	badges, err := s.catalogue.BadgesOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, o := range all {
		if e, ok := entry(o, trades[o.ID], badges[o.ID], tx.Now()); ok {
			saveEntry(tx, e)
		}
	}
	return nil
}

// timerOffers makes the entry of a seller anew whose offers changed, when calm has
// gone by since the first of them did.
const (
	timerOffers = "directory.offers"
	calm        = 5 * time.Second
)

// timerSweep makes all entries anew, page after page: its subject is the organisation
// that it has come to. It begins again an hour after it began.
const (
	timerSweep = "directory.sweep"
	again      = time.Hour
	sweepPage  = 500
)

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) {
	timers.Handle(timerOffers, s.remake)
	timers.Handle(timerSweep, func(ctx context.Context, tx *pg.Tx, after string) error {
		from, last := strings.TrimPrefix(after, first), ""
		all, err := s.members.AtWork(ctx, tx, from, sweepPage)
		if err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, o := range all {
			ids[i] = o.ID
		}
		if after == first {
			job.Set(tx, timerSweep, first, tx.Now().Add(again))
		}
		if len(all) == sweepPage {
			last = ids[sweepPage-1]
			job.Set(tx, timerSweep, last, tx.Now())
		}
		dropOthers(tx, from, last, ids, tx.Now().Add(-again/2))
		return s.make(ctx, tx, all)
	})
}

// first is where a sweep begins.
const first = "-"

// Arm begins the first sweep. Every hub calls it at start.
func (s *Service) Arm(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		job.SetOnce(tx, timerSweep, first, tx.Now())
		return nil
	})
}

// reader is the caller as the directory knows it: an organisation at work, or anybody.
// The market's own people are anybody here.
func (s *Service) reader(ctx context.Context) (Reader, error) {
	who := auth.From(ctx)
	if who.Role == auth.Operator || !id.Is(id.Organisation, who.Subject) {
		return Reader{}, nil
	}
	o, err := s.members.Of(ctx, s.db, who.Subject)
	if errors.Is(err, members.ErrNotFound) || err == nil && o.State != members.Active {
		return Reader{}, nil
	}
	return Reader{o.ID, o.Kind}, err
}

// own says whether the caller is the organisation itself.
func own(ctx context.Context, org string) error {
	if who := auth.From(ctx); who.Role == auth.Operator || who.Subject == "" || who.Subject != org {
		return ErrNotFound
	}
	return nil
}

// Set says what a member shows, and to whom. Each organisation that is named is at
// work.
func (s *Service) Set(ctx context.Context, in SetInput) (v FieldView, err error) {
	if err := own(ctx, in.Org); err != nil {
		return v, err
	}
	f := Field{Organisation: in.Org, Code: in.Code, Value: strings.TrimSpace(in.Value), Shown: in.Shown, Kinds: unique(in.Kinds), Organisations: unique(in.Organisations)}
	if f.Value, err = check(f); err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		there, err := s.members.AllAtWork(ctx, tx, f.Organisations)
		if err != nil {
			return err
		}
		if len(there) != len(f.Organisations) {
			return ErrInvalid.At("/organisations", "Name organisations that are at work on this market.")
		}
		f.ChangedBy, f.ChangedAt = auth.From(ctx).Person(), tx.Now()
		saveField(tx, f)
		audit.Record(tx, "directory.set", f.Organisation, authz.Policy(ctx), map[string]any{"code": f.Code, "shown": f.Shown, "kinds": f.Kinds, "organisations": f.Organisations})
		v = f.view()
		return nil
	})
	return v, err
}

// check says what is wrong with a field, or writes its value as it is kept.
func check(f Field) (string, error) {
	if f.Value == "" || script.Hidden(f.Value) {
		return "", ErrInvalid.At("/value", "Write something that can be read.")
	}
	if named := len(f.Kinds)+len(f.Organisations) > 0; named != (f.Shown == Some) {
		return "", ErrInvalid.At("/shown", "Name kinds or organisations for «some», and for nothing else.")
	}
	switch f.Code {
	case "phone":
		number, ok := phone.E164(f.Value)
		if !ok {
			return "", ErrInvalid.At("/value", "Give a telephone number, as 05… or +212….")
		}
		return number, nil
	case "website":
		if u, err := url.Parse(f.Value); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return "", ErrInvalid.At("/value", "Give an address that begins with https://.")
		}
	case "email":
		if name, host, ok := strings.Cut(f.Value, "@"); !ok || name == "" || !strings.Contains(host, ".") || strings.ContainsAny(f.Value, " <>\"") {
			return "", ErrInvalid.At("/value", "Give an e-mail address.")
		}
	}
	return f.Value, nil
}

func unique[T ~string](all []T) []T {
	out := append([]T{}, all...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Clear takes a field away: nobody sees it from the next request on.
func (s *Service) Clear(ctx context.Context, in OneField) (v ClearedView, err error) {
	if err := own(ctx, in.Org); err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		dropField(tx, in.Org, in.Code)
		audit.Record(tx, "directory.clear", in.Org, authz.Policy(ctx), map[string]string{"code": in.Code})
		return nil
	})
	return ClearedView{in.Code}, err
}
