package relations

import (
	"context"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// A State is where an erasure stands.
type State string

// The states.
const (
	Asked  State = "asked"
	Done   State = "done"
	Failed State = "failed" // a person must see to it
)

// mostErasures is how often a system is asked to forget a person by itself.
const mostErasures = 20

// An Erasure is that a person is to be forgotten at a system.
type Erasure struct {
	ID      string
	Person  string
	Partner string
	State   State
	AskedBy string
	AskedAt time.Time
	DueAt   time.Time
	Tries   int
	Code    string
	Proof   *crm.Proof
	DoneAt  *time.Time
	Version int64
}

// EraseInput asks for somebody to be forgotten.
type EraseInput struct {
	Person string `json:"person,omitempty" maxLength:"40" description:"Whom; for operators, who must say it."`
}

// whose is the person a caller means: oneself, or by the operator whoever is named.
func whose(ctx context.Context, pointer, named string) (string, error) {
	who := auth.From(ctx)
	if who.Role != auth.Operator {
		if named != "" && named != who.Subject {
			return "", ErrNotFound
		}
		return who.Subject, nil
	}
	if !id.Is(id.Person, named) {
		return "", ErrInvalid.At(pointer, "Say whom.")
	}
	return named, nil
}

// Erase asks all systems to forget a person, who is not written to from now on.
func (s *Service) Erase(ctx context.Context, tx *pg.Tx, in EraseInput) (v ErasuresView, err error) {
	person, err := whose(ctx, "/person", in.Person)
	if err != nil {
		return v, err
	}
	if err := s.Forget(ctx, tx, person); err != nil {
		return v, err
	}
	audit.Record(tx, "erasures.ask", person, authz.Policy(ctx), nil)
	all, err := openErasures(ctx, tx, person)
	v.Data = make([]ErasureView, len(all))
	for i, e := range all {
		v.Data[i] = e.view()
	}
	return v, err
}

// Forget has all systems forget a person, and nobody write to it any more, as a step of
// the caller's unit of work. What each system made of it, Erasures says.
func (s *Service) Forget(ctx context.Context, tx *pg.Tx, person string) error {
	if err := s.Refuse(ctx, tx, person); err != nil {
		return err
	}
	systems, err := s.systems(ctx, tx)
	if err != nil {
		return err
	}
	for _, x := range systems {
		insertErasure(tx, Erasure{ID: id.New(id.Erasure), Person: person, Partner: x.ID, AskedBy: tx.Actor(), AskedAt: tx.Now()})
	}
	s.wake(tx, systems)
	return nil
}

// Refuse writes down that a person is not to be written to any more, as a step of the
// caller's unit of work: nobody but the person itself takes that back.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, person string) error {
	_, err := s.wish(ctx, tx, Wish{Person: person, Source: ByErasure})
	return err
}

// Forgotten are the systems that were asked to forget a person, and what became of it.
func (s *Service) Forgotten(ctx context.Context, db pg.DB, person string) ([]Erasure, error) {
	return listErasures(ctx, db, person, "", mostSystems)
}

// mostSystems is how many systems' answers are told at once.
const mostSystems = 100

// ErasuresInput asks for erasures.
type ErasuresInput struct {
	Person string `query:"person" maxLength:"40" description:"Whose; for operators, of all when left out."`
	rest.Paging
}

// Erasures lists the caller's, or to the operator anybody's, the newest first.
func (s *Service) Erasures(ctx context.Context, in ErasuresInput) (p rest.Page[ErasureView], err error) {
	person := in.Person
	if person != "" || auth.From(ctx).Role != auth.Operator {
		if person, err = whose(ctx, "?person", in.Person); err != nil {
			return p, err
		}
	}
	below, err := in.After(id.Erasure)
	if err != nil {
		return p, err
	}
	rows, err := listErasures(ctx, s.db, person, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Erasure.view, func(v ErasureView) any { return v.ID }), nil
}

// eraseSome has a system forget those who are to be forgotten, a few at a time.
func (s *Service) eraseSome(ctx context.Context, c *crm.CRM) (more bool, r outbound.Result, err error) {
	var all []Erasure
	var known map[string]string
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := partnerOf(ctx, tx, c.ID())
		if err != nil || p.Paused {
			return err
		}
		if all, err = dueErasures(ctx, tx, c.ID(), tx.Now(), fewer); err != nil {
			return err
		}
		persons := make([]string, len(all))
		for i, e := range all {
			persons[i] = e.Person
		}
		known, err = remotes(ctx, tx, c.ID(), persons)
		return err
	})
	if err != nil {
		return false, fine, err
	}
	for _, e := range all {
		proof, r := c.Erase(ctx, crm.Erasure{ID: e.Person, RemoteID: known[e.Person]})
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		err := s.db.InTx(last, func(tx *pg.Tx) error { return s.erased(last, tx, e, proof, r) })
		cancel()
		if err != nil || r.Outcome != outbound.Succeeded && r.Reason != outbound.Unfit {
			return false, r, err
		}
	}
	return len(all) == fewer, fine, nil
}

// erased writes down what a system did about a person that it was to forget.
func (s *Service) erased(ctx context.Context, tx *pg.Tx, e Erasure, proof crm.Proof, r outbound.Result) error {
	now := tx.Now()
	e.Tries, e.Code = e.Tries+1, r.Code
	switch {
	case r.Outcome == outbound.Succeeded:
		e.State, e.Proof, e.DoneAt = Done, &proof, &now
		forget(tx, e.Partner, e.Person)
	case r.Reason == outbound.Unfit || e.Tries >= mostErasures:
		e.State = Failed
		if e.Code == "" {
			e.Code = r.Text
		}
	default:
		e.DueAt = now.Add(pause(e.Tries))
	}
	saveErasure(tx, e)
	if e.State != Done {
		return nil
	}
	audit.Record(tx, "erasures.done", e.Person, "", map[string]any{"partner": e.Partner, "erasure": e.ID, "proof": proof})
	return tx.Publish(ctx, Erased{Person: e.Person, Partner: e.Partner, Erasure: e.ID})
}
