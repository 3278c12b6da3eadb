package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"tiwiza/marketplace/notices"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/vault"
)

// People says by what somebody is known.
type People interface {
	Subject(ctx context.Context, db pg.DB, person string) (personal.Subject, error)
}

// Courier tells people.
type Courier interface {
	TellOwner(ctx context.Context, tx *pg.Tx, t notices.Telling) error
}

// Letters are what somebody may object to: to be written to about goods.
type Letters interface {
	Refuse(ctx context.Context, tx *pg.Tx, person string) error
}

// Needs are the others that privacy works with.
type Needs struct {
	People People
	// Holders are the rooms with personal data. They forget in this order: the first
	// is who lets people sign in, so that nothing new comes while the others forget.
	Holders []personal.Holder
	Courier Courier
	Letters Letters
	Systems Systems      // nil: there are none
	Vault   *vault.Vault // nil: no copies are made, and nobody is forgotten
	Numbers Numbers      // the commission's
	URL     string       // of the pages
}

// Service keeps what the market owes people about their data.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service. It holds some of people's data itself, and forgets last.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n}
	s.Holders = append(append([]personal.Holder{}, n.Holders...), s.Personal())
	return s
}

// Timers of copies and erasures; their subjects are these.
const (
	timerCollect = "privacy.collect"
	timerGone    = "privacy.gone"
	timerErase   = "privacy.erase"
)

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) {
	timers.Handle(timerCollect, s.collect)
	timers.Handle(timerGone, s.goes)
	timers.Handle(timerErase, s.erase)
	timers.Handle(timerPass, s.pass)
}

// me is the person who asks: whoever signed in, also at an organisation's desk, or
// the buyer whose key it is. Others have no data of their own here.
func me(ctx context.Context) (string, error) {
	who := auth.From(ctx)
	if id.Is(id.Person, who.Human) && who.For == "" {
		return who.Human, nil
	}
	if who.Role == auth.Buyer && id.Is(id.Person, who.Subject) && who.For == "" {
		return who.Subject, nil
	}
	return "", ErrNotFound
}

// seal seals something for a place; ErrNoVault.
func (s *Service) seal(place string, v any) ([]byte, error) {
	if s.Vault == nil {
		return nil, ErrNoVault
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", place, err)
	}
	return s.Vault.Seal(place, string(b)), nil
}

// unseal reads what was sealed for a place.
func (s *Service) unseal(place string, sealed []byte, v any) error {
	if s.Vault == nil {
		return ErrNoVault
	}
	text, err := s.Vault.Open(place, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), v)
}

// left are the rooms that are not among those that were asked, in their order. They
// are told apart by their names: a hub that came after another may have more of them.
func (s *Service) left(asked []string) (all []personal.Holder) {
	for _, h := range s.Holders {
		if !slices.Contains(asked, h.Name()) {
			all = append(all, h)
		}
	}
	return all
}

// bars are all that stands in the way of forgetting somebody, in some rooms.
func bars(ctx context.Context, db pg.DB, rooms []personal.Holder, who personal.Subject) ([]personal.Bar, error) {
	all := []personal.Bar{}
	for _, h := range rooms {
		some, err := h.Bars(ctx, db, who)
		if err != nil {
			return nil, fmt.Errorf("look what %s of %s is open: %w", h.Name(), who.Person, err)
		}
		all = append(all, some...)
	}
	return all, nil
}
