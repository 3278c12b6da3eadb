package promotions

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// timerLapse ends what a person did not use in time.
const timerLapse = "promotions.lapse"

// A Gift is an amount that the market takes off one order of one person, and pays
// to its seller.
type Gift struct {
	Person  string
	Amount  int64 // centimes
	Names   map[string]string
	Until   time.Time
	MadeFor string // what it is given for, for those who hear of it
}

// gift is the promotion that a gift is.
func (g Gift) promotion(now time.Time) (Promotion, error) {
	var f faults
	p := Promotion{
		ID: id.New(id.Promotion), Payer: Market, Person: g.Person, MadeFor: g.MadeFor, Code: newCode(), Names: map[string]string{}, Kind: Amount, Amount: g.Amount,
		Offers: []string{}, Categories: []string{}, Since: now, Until: g.Until, Total: new(1), Budget: &g.Amount, MadeAt: now, AgreedAt: &now,
	}
	f.names(p.Names, g.Names)
	if g.Person == "" {
		f.say("/person", "Say whose it is.")
	}
	if g.Amount <= 0 || g.Amount > mostOff {
		f.say("/amount", "Above 0.00, at most %s.", money.Dirhams(mostOff).Amount())
	}
	if !g.Until.After(now) || g.Until.Sub(now) > 3*longest {
		f.say("/until", "A time to come, within three years.")
	}
	if f.wrong != nil {
		return p, f.wrong
	}
	return p, nil
}

// newCode is a code that nobody guesses: 80 random bits.
func newCode() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base32.StdEncoding.EncodeToString(b)
}

// Grant gives a person something to take off one order, as part of the caller's
// unit of work, who has decided that by then: it is used once, by its code, by
// that person alone, until its time is over. Used, GivenBack and Lapsed tell what
// becomes of it.
func (s *Service) Grant(ctx context.Context, tx *pg.Tx, g Gift) (promotion, code string, err error) {
	p, err := g.promotion(tx.Now())
	if err != nil {
		return "", "", err
	}
	insert(tx, p)
	job.Set(tx, timerLapse, p.ID, p.Until)
	return p.ID, p.Code, tx.Publish(ctx, Granted{p.ID, p.Person, p.MadeFor, p.Code, money.Dirhams(p.Amount)})
}

// Revoke takes back what a person has not used, as part of the caller's unit of
// work; what an order uses is ErrUsed. Again is harmless.
func (s *Service) Revoke(ctx context.Context, tx *pg.Tx, promotion string) error {
	p, err := lock(ctx, tx, promotion)
	switch {
	case err != nil:
		return err
	case p.Person == "":
		return ErrNotFound
	case p.Used > 0:
		return ErrUsed
	}
	return s.lapse(ctx, tx, p, true)
}

// lapseDue ends what was not used in time. What an order uses stays: if that ends
// unpaid, it lapses then.
func (s *Service) lapseDue(ctx context.Context, tx *pg.Tx, promotion string) error {
	p, err := lock(ctx, tx, promotion)
	switch {
	case err != nil || p.Used > 0:
		return err
	case p.Until.After(tx.Now()):
		job.Set(tx, timerLapse, p.ID, p.Until)
		return nil
	}
	return s.lapse(ctx, tx, p, false)
}

func (s *Service) lapse(ctx context.Context, tx *pg.Tx, p Promotion, revoked bool) error {
	if p.EndedAt != nil {
		return nil
	}
	end(tx, p.ID, tx.Now())
	job.Clear(tx, timerLapse, p.ID)
	return tx.Publish(ctx, Lapsed{p.ID, p.Person, p.MadeFor, revoked})
}

// Work registers the timers. It is called at start.
func (s *Service) Work(t *job.Timers) { t.Handle(timerLapse, s.lapseDue) }
