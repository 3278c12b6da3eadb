package payouts

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/event"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// advance approves a draft that is ready, and writes down all that the others
// wait for.
func (s *Service) advance(ctx context.Context, tx *pg.Tx, p Payout, a Account, covers []escrow.Cover) (Payout, error) {
	was := p
	if p = p.Rebind(a); p.RIB != was.RIB || p.Holder != was.Holder {
		save(tx, p) // as a draft: what is approved keeps the account it was approved for
		p.Version++
	}
	st, err := s.standing(ctx, tx, p, a, covers)
	if err != nil {
		return p, err
	}
	p.NeedsTwo = p.NeedsTwo || st.two(p.Amount)
	p.Waits = p.WaitsFor(st, tx.Now())
	more, err := s.others(ctx, tx, []Payout{p})
	if err != nil {
		return p, err
	}
	if p.Waits = append(p.Waits, more[p.ID]...); len(p.Waits) == 0 {
		if p.Waits, err = s.limited(ctx, tx, p, covers); err != nil {
			return p, err
		}
	}
	if len(p.Waits) > 0 {
		save(tx, p)
		p.Version++
		job.Set(tx, timerReady, p.ID, lookAgain(p.Waits, tx.Now()))
		return p, s.ask(ctx, tx, p, a, st.Hash)
	}
	job.Clear(tx, timerReady, p.ID)
	if p, err = p.approve(tx.Now()); err != nil {
		return p, err
	}
	save(tx, p)
	p.Version++
	s.Files.Intend(tx, p.intention())
	return p, s.tell(ctx, tx, p)
}

// approve lets a draft go; it counts against the limits of its day.
func (p Payout) approve(at time.Time) (Payout, error) {
	p, err := p.Move(Approved, "", at)
	today := day(at)
	p.Day = &today
	return p, err
}

// intention is what the bank is asked for.
func (p Payout) intention() operations.Intention {
	return operations.Intention{Subject: p.ID, Kind: kindPayout, Connector: p.Bank, Ref: p.Ref, Amount: p.Money()}
}

// others is what the checks say, by payout.
func (s *Service) others(ctx context.Context, tx *pg.Tx, all []Payout) (map[string][]Wait, error) {
	waits := map[string][]Wait{}
	for _, check := range s.checks {
		more, err := check(ctx, tx, all)
		if err != nil {
			return nil, err
		}
		for p, w := range more {
			waits[p] = append(waits[p], w...)
		}
	}
	return waits, nil
}

// standing reads what decides whether a draft may go out. The limits come last:
// from then on other payouts wait for this one.
func (s *Service) standing(ctx context.Context, tx *pg.Tx, p Payout, a Account, covers []escrow.Cover) (Standing, error) {
	st := Standing{Account: a, Hash: p.Hash(covers)}
	settled, err := s.Escrows.AllSettled(ctx, tx, ids(covers))
	if err != nil {
		return st, err
	}
	st.Unsettled = !settled
	back, err := cameBack(ctx, tx, p.Payee, p.Seller)
	if err != nil {
		return st, err
	}
	st.Refused = back[payee{p.Seller, p.RIB}]
	if p.Payee == Seller {
		if st.Owes, err = s.Books.Balance(ctx, tx, ledger.Receivable(p.Seller), p.Currency); err != nil {
			return st, err
		}
	}
	limits, err := limitsAt(ctx, tx, tx.Now())
	if err != nil {
		return st, err
	}
	used, whole, err := usedOn(ctx, tx, p.Payee, day(tx.Now()), p.Seller)
	st.Limits, st.MemberDay, st.TotalDay = limits.Limits, used[p.Seller], whole
	return st, err
}

// limited asks the rules of risk, last of all, since who is let through counts.
// limits.ErrRefused when it can never go.
func (s *Service) limited(ctx context.Context, tx *pg.Tx, p Payout, covers []escrow.Cover) (waits []Wait, err error) {
	if p.Payee != Seller {
		return nil, nil
	}
	orders, err := s.Escrows.OrdersOf(ctx, tx, ids(covers))
	if err != nil {
		return nil, err
	}
	why, err := s.Risk.Payout(ctx, tx, limits.Payout{ID: p.ID, Seller: p.Seller, Amount: p.Money(), Orders: orders})
	for _, text := range why {
		waits = append(waits, Wait{Code: "limits", Text: text})
	}
	return waits, err
}

// refused ends a draft that the rules of risk will never let go.
func (s *Service) refused(ctx context.Context, tx *pg.Tx, p Payout, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) && errors.Is(err, limits.ErrRefused) {
		return s.end(ctx, tx, p, Rejected, f.Text)
	}
	return err
}

// ask has a second person decide, unless one is asked for exactly this already.
func (s *Service) ask(ctx context.Context, tx *pg.Tx, p Payout, a Account, hash []byte) error {
	if !slices.ContainsFunc(p.Waits, func(w Wait) bool { return w.Code == "second_person" }) {
		return nil
	}
	open, err := s.Approvals.Of(ctx, tx, kindApproval, p.ID)
	if err == nil && open.State == approvals.Open && bytes.Equal(open.Hash, hash) {
		return nil
	}
	if err != nil && !errors.Is(err, approvals.ErrNotFound) {
		return err
	}
	amount, why := p.Money(), payTo
	if a.Suspended {
		why = payToSuspended
	}
	_, err = s.Approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindApproval, Subject: p.ID, Hash: hash, Amount: &amount,
		Why: why.Of(p.To(), p.RIB[20:], p.Holder),
	})
	return err
}

// decided carries out what the second person said of a payout.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	p, err := lock(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	covers, err := covered(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if p.State != Draft || !bytes.Equal(p.Hash(covers), r.Hash) {
		return approvals.ErrChanged
	}
	if r.State == approvals.Refused {
		return s.end(ctx, tx, p, Rejected, "a second person refused it")
	}
	p.ApprovedBy, p.ApprovedHash = strings.Join(r.By, ", "), r.Hash
	audit.Record(tx, "payouts.approve", p.ID, "payouts.four-eyes", map[string]string{
		"amount": p.Money().String(), "rib": p.RIB[20:], "created_by": p.CreatedBy, "approved_by": p.ApprovedBy,
	})
	return s.look(ctx, tx, p, covers)
}

// look looks again whether a locked draft is ready.
func (s *Service) look(ctx context.Context, tx *pg.Tx, p Payout, covers []escrow.Cover) error {
	a := Account{RIB: p.RIB, Holder: p.Holder, Verified: true} // a carrier's, as it was given
	if p.Payee == Seller {
		var err error
		if a, err = s.member(ctx, tx, p.Seller); err != nil {
			return err
		}
	}
	_, err := s.advance(ctx, tx, p, a, covers)
	return s.refused(ctx, tx, p, err)
}

// retry looks again whether a draft is ready.
func (s *Service) retry(ctx context.Context, tx *pg.Tx, payout string) error {
	p, err := lock(ctx, tx, payout)
	if err != nil || p.State != Draft {
		return err
	}
	covers, err := covered(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	return s.look(ctx, tx, p, covers)
}

// Subscribe has drafts looked at again when money is settled, and when a person
// lets go what the rules of risk held.
func (s *Service) Subscribe(b *event.Bus) {
	event.Subscribe(b, "payouts", func(ctx context.Context, tx *pg.Tx, e charges.Settled) error {
		releases, err := s.Escrows.ReleasesOf(ctx, tx, e.Charge)
		if err != nil {
			return err
		}
		return s.retryOver(ctx, tx, releases)
	})
	event.Subscribe(b, "payouts", func(ctx context.Context, tx *pg.Tx, e limits.Cleared) error {
		if e.What == limits.OfPayouts {
			return s.retry(ctx, tx, e.Ref)
		}
		releases, err := s.Escrows.ReleasesOfOrders(ctx, tx, e.Orders)
		if err != nil {
			return err
		}
		return s.retryOver(ctx, tx, releases)
	})
}

// retryOver looks again at the drafts that pay some releases.
func (s *Service) retryOver(ctx context.Context, tx *pg.Tx, releases []string) error {
	waiting, err := draftsOver(ctx, tx, releases)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		if err := s.retry(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// ApproveInput names a payout.
type ApproveInput struct {
	Payout string `path:"payout"`
}

// Approve is the second person's word on a payout: POST /v1/approvals/{id} in
// short. The operator calls it; the one who asked for the payout cannot.
func (s *Service) Approve(ctx context.Context, tx *pg.Tx, in ApproveInput) (View, error) {
	p, err := load(ctx, tx, in.Payout)
	if err != nil {
		return View{}, err
	}
	_, err = s.Approvals.Approve(ctx, tx, kindApproval, p.ID, "")
	if errors.Is(err, approvals.ErrNotFound) {
		return View{}, ErrState.Say("This payout is %s and does not wait for approval.", p.State)
	}
	if err != nil {
		return View{}, err
	}
	if p, err = load(ctx, tx, p.ID); err != nil {
		return View{}, err
	}
	covers, err := covered(ctx, tx, p.ID)
	return p.view(covers), err
}
