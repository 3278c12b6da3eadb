package charges

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A card charge is sent to one acquirer's page. It goes to the next acquirer
// only while the one before has surely taken nothing: it was not to be reached
// when the page was to be handed out, or not when it was asked about a page
// later on. A page that was handed out can still be paid, but it only reserves
// money: what takes it is our word, and that is one operation a charge has once.
// So whichever page is paid first is captured, and what another one reserved is
// let go.

// openPage makes a card charge with the page of the first acquirer that answers.
// Those passed over have an operation each, which says so. When none answers
// the first may: a page can work though what is behind it does not.
func (s *Service) openPage(ctx context.Context, tx *pg.Tx, c Charge) (Charge, error) {
	all, err := s.cards(ctx, tx)
	if err != nil {
		return c, err
	}
	chosen, passed := choose(all)
	if chosen == nil {
		return c, ErrPartner
	}
	c.Acquirer, c.Ref = chosen.ID(), RefOf(c.ID)
	insert(tx, c)
	var before *operations.Operation
	for _, a := range append(passed, chosen) {
		in := s.page(c, a.ID())
		if a != chosen {
			in.State = ""
		}
		if before == nil {
			o := s.ops.Intend(tx, in)
			before = &o
			continue
		}
		next, err := s.ops.Elsewhere(tx, *before, in, "it was not sent there: "+whyNot(passed, before.Connector))
		if err != nil {
			return c, err
		}
		before = &next
	}
	job.Set(tx, timerWindow, c.ID, c.ExpiresAt)
	return c, nil
}

// page is the operation of a charge on an acquirer's page.
func (s *Service) page(c Charge, acquirer string) operations.Intention {
	return operations.Intention{
		Subject: c.ID, Kind: kindCharge, Connector: acquirer, Ref: c.Ref, Amount: c.Money(), State: operations.Accepted, Ask: askHosted,
	}
}

// choose is the acquirer that a buyer is sent to, and those before it that do
// not answer. None is chosen when people have stopped them all.
func choose(all []*card.Acquirer) (chosen *card.Acquirer, passed []*card.Acquirer) {
	for i, a := range all {
		if a.Ready() {
			return a, all[:i:i]
		}
	}
	for _, a := range all {
		if !a.Held() {
			return a, nil
		}
	}
	return nil, nil
}

func whyNot(all []*card.Acquirer, name string) string {
	for _, a := range all {
		if a.ID() == name && a.Held() {
			return "people have stopped it"
		}
	}
	return "it does not answer"
}

// other is the acquirer that a charge goes to when its own does not answer, or
// nil: one that answers, and that the charge has not been sent to before.
func (s *Service) other(ctx context.Context, db pg.DB, c Charge) (*card.Acquirer, error) {
	ops, err := s.ops.Of(ctx, db, c.ID)
	if err != nil {
		return nil, err
	}
	been := map[string]bool{}
	for _, o := range ops {
		been[o.Connector] = true
	}
	all, err := s.cards(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if !been[a.ID()] && a.Ready() {
			return a, nil
		}
	}
	return nil, nil
}

// goOn sends a charge to another acquirer, since its own was not to be reached
// when it was asked about the page. A charge of which money may be under way
// stays.
func (s *Service) goOn(ctx context.Context, tx *pg.Tx, chargeID, from, why string) error {
	c, err := lock(ctx, tx, chargeID)
	if err != nil || c.State != Accepted || c.Acquirer != from {
		return err
	}
	if op, err := s.live(ctx, tx, c, kindCapture); err != nil || op != nil {
		return err
	}
	to, err := s.other(ctx, tx, c)
	if err != nil || to == nil {
		return err
	}
	op, err := s.live(ctx, tx, c, kindCharge)
	if err != nil || op == nil || op.Connector != from {
		return err
	}
	return s.move(ctx, tx, c, *op, to.ID(), why)
}

// move takes a charge's page to another acquirer. The caller holds the charge;
// the operation is locked here.
func (s *Service) move(ctx context.Context, tx *pg.Tx, c Charge, op operations.Operation, to, why string) error {
	o, err := s.ops.ByID(ctx, tx, op.ID)
	if err != nil || o.Done() {
		return err
	}
	if _, err := s.ops.Elsewhere(tx, o, s.page(c, to), why); err != nil {
		return err
	}
	setAcquirer(tx, c, to)
	job.SetOnce(tx, timerStray, c.ID, clock.Later(c.ExpiresAt, tx.Now()).Add(strayAfter))
	slog.WarnContext(ctx, "a card charge goes to another acquirer", "charge", c.ID, "from", c.Acquirer, "to", to, "why", why)
	return tx.Publish(ctx, Moved{c.ID, c.Group, c.Acquirer, to, why})
}

// unreached says whether an inquiry without an answer means that the acquirer is
// not to be reached, and that the fault is its own: there was no connection, or
// its breaker is open.
func (s *Service) unreached(ctx context.Context, acquirer string, r outbound.Result) bool {
	if r.Answered() || r.Reason != "" && r.Reason != outbound.Open {
		return false
	}
	a, _, err := s.acquirer(ctx, s.db, acquirer)
	return err == nil && (r.Outcome == outbound.NotSent || !a.Ready())
}

// noticed finds the charge that a notice is about, and locks it. Left is the
// page's operation when the charge is at another acquirer by now.
func (s *Service) noticed(ctx context.Context, tx *pg.Tx, a *card.Acquirer, ref string) (c Charge, left *operations.Operation, err error) {
	if c, err = lockByRef(ctx, tx, a.ID(), ref); !errors.Is(err, ErrNotFound) {
		return c, nil, err
	}
	op, err := s.ops.ByRef(ctx, tx, a.ID(), ref)
	if errors.Is(err, operations.ErrNotFound) || err == nil && op.Kind != kindCharge {
		return c, nil, ErrNotFound
	}
	if err != nil {
		return c, nil, err
	}
	if c, err = lock(ctx, tx, op.Subject); c.Acquirer != a.ID() {
		left = &op
	}
	return c, left, err
}

// paidThere is an approval on a page that the charge had left. If nothing is
// taken elsewhere, it is taken here; else, and where nobody was ever sent, what
// was reserved is let go.
func (s *Service) paidThere(ctx context.Context, tx *pg.Tx, a *card.Acquirer, c Charge, page operations.Operation) (card.Verdict, error) {
	op, err := s.live(ctx, tx, c, kindCapture)
	if err != nil {
		return card.Trouble, err
	}
	if op != nil || !c.Open() || page.Gone == 0 {
		audit.Record(tx, "callbacks.card", c.ID, "paid besides, at an acquirer that it had left", map[string]string{"acquirer": a.ID()})
		return card.Acknowledge, s.letGoAt(ctx, tx, c, a.ID())
	}
	return card.Capture, s.back(ctx, tx, c, a.ID(), operations.Sending)
}

// back takes a charge to an acquirer that it had left: its page there was paid
// first. The page at the other one ends; should it be paid too, that is let go.
func (s *Service) back(ctx context.Context, tx *pg.Tx, c Charge, to string, state operations.State) error {
	from := c.Acquirer
	page, err := s.live(ctx, tx, c, kindCharge)
	if err != nil {
		return err
	}
	setAcquirer(tx, c, to)
	c.Acquirer = to
	c.Version++
	if page != nil {
		r := outbound.Result{Outcome: outbound.Declined, Text: "paid at " + to}
		if _, err := s.ops.Heard(ctx, tx, page.ID, operations.Callback, r, "paid at "+to+" "+c.Ref); err != nil {
			return err
		}
	}
	if err := s.capture(ctx, tx, c, state); err != nil {
		return err
	}
	return tx.Publish(ctx, Moved{c.ID, c.Group, from, to, "paid there"})
}

// What a page that was left has reserved without a word is found by asking: once
// the window is over, and again while the acquirer does not answer, for as long
// as reservations live.
const (
	timerStray    = "charges.stray"
	strayAfter    = 2 * time.Minute
	strayAgain    = 30 * time.Minute
	strayAtLatest = 7 * 24 * time.Hour
)

type strayJob struct {
	Charge string `json:"charge"`
}

// Kind names the job.
func (strayJob) Kind() string { return "charges.stray" }

// strayDue has the acquirers asked that a charge has left.
func (s *Service) strayDue(ctx context.Context, tx *pg.Tx, chargeID string) error {
	c, err := load(ctx, tx, chargeID)
	if err != nil || tx.Now().After(c.CreatedAt.Add(strayAtLatest)) {
		return err
	}
	job.Set(tx, timerStray, c.ID, tx.Now().Add(strayAgain)) // until all have answered
	tx.Enqueue(strayJob{c.ID}, nil)
	return nil
}

// strayed says whether what an acquirer holds on a page of a charge is not what the
// charge waits for: it has left that page, or its window is over.
func (s *Service) strayed(c Charge, page operations.Operation) bool {
	return page.Kind == kindCharge && page.Gone > 0 && (page.Connector != c.Acquirer || c.State == Expired)
}

// strays asks the acquirers of pages that a charge has left whether they hold money
// for it, and lets that go, or takes it when none was taken elsewhere.
func (s *Service) strays(ctx context.Context, chargeID string) error {
	c, err := load(ctx, s.db, chargeID)
	if err != nil {
		return err
	}
	ops, err := s.ops.Of(ctx, s.db, chargeID)
	if err != nil {
		return err
	}
	answered := true
	for _, o := range ops {
		if !s.strayed(c, o) {
			continue
		}
		a, _, err := s.acquirer(ctx, s.db, o.Connector)
		if errors.Is(err, ErrPartner) {
			continue // it is no partner any more
		}
		if err != nil {
			return err
		}
		st := a.Query(ctx, c.Ref)
		answered = answered && st.Answered() && st.Outcome != outbound.Unknown
		if st.State != card.Authorized {
			continue
		}
		if err := s.db.InTx(ctx, func(tx *pg.Tx) error { return s.stray(ctx, tx, chargeID, a, st) }); err != nil {
			return err
		}
	}
	if !answered {
		return nil // the timer asks again
	}
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		if tx.Now().After(c.ExpiresAt) { // before that a page that was left can still be paid
			job.Clear(tx, timerStray, chargeID)
		}
		return nil
	})
}

// stray decides on money that an acquirer reserved for a charge that had left it.
func (s *Service) stray(ctx context.Context, tx *pg.Tx, chargeID string, a *card.Acquirer, st card.Status) error {
	c, err := lock(ctx, tx, chargeID)
	if err != nil || c.Acquirer == a.ID() && c.State != Expired {
		return err
	}
	op, err := s.live(ctx, tx, c, kindCapture)
	if err != nil {
		return err
	}
	if op != nil || !c.Open() || !st.Amount.Equal(c.Money()) {
		return s.letGoAt(ctx, tx, c, a.ID())
	}
	if err := s.reserved(ctx, tx, c); err != nil {
		return err
	}
	return s.back(ctx, tx, c, a.ID(), operations.Intent)
}
