package payouts

import (
	"context"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A going is a payout among many that nothing holds.
type going struct {
	Payout
	covers []escrow.Cover
	orders []string // whose money it pays
}

// sweep is scheduled of many beneficiaries at once, in a handful of statements.
// It makes the payouts that go at once. Everything else is left to be looked at
// alone: what waits for something or is refused, what somebody else has locked,
// and carriers and insurers.
func (s *Service) sweep(ctx context.Context, tx *pg.Tx, named []string) (left []string, err error) {
	var sellers []string
	for _, n := range named {
		if b, ok := parse(n); ok && b.Payee == Seller {
			sellers = append(sellers, b.Name)
		} else {
			left = append(left, n)
		}
	}
	ours, err := lockFreeSellers(ctx, tx, sellers)
	if err != nil {
		return nil, err
	}
	all, err := settings(ctx, tx, Seller, ours...)
	if err != nil {
		return nil, err
	}
	able, err := s.able(ctx, tx, all)
	if err != nil {
		return nil, err
	}
	gone, err := s.passAll(ctx, tx, able)
	if err != nil {
		return nil, err
	}
	if err := s.goAll(ctx, tx, gone); err != nil {
		return nil, err
	}
	return append(left, s.next(tx, sellers, ours, all, able, gone)...), nil
}

// next sets the next time of all who are done with, and returns the others.
func (s *Service) next(tx *pg.Tx, asked, ours []string, all []Setting, able []candidate, gone []going) (left []string) {
	open := map[string]bool{} // who is to be looked at alone
	for _, seller := range asked {
		open[seller] = true
	}
	for _, seller := range ours {
		open[seller] = false // by hand, or below the minimum
	}
	for _, c := range able {
		open[c.Party] = true
	}
	for _, g := range gone {
		open[g.Seller] = false
	}
	var times job.Times
	for _, v := range all {
		if v.Schedule != Manual && !open[v.Party] {
			times.Add(Beneficiary{Seller, v.Party}.String(), v.Schedule.Next(tx.Now()))
		}
	}
	job.SetAll(tx, timerDue, times)
	for _, seller := range asked {
		if open[seller] {
			left = append(left, Beneficiary{Seller, seller}.String())
		}
	}
	return left
}

// A candidate is a seller who has enough to be paid.
type candidate struct {
	Setting
	want  int64
	money escrow.Covering
}

// able are those whose settled money that is due is something, and not less than
// their minimum.
func (s *Service) able(ctx context.Context, tx *pg.Tx, all []Setting) (able []candidate, err error) {
	codes, sellers := make([]string, 0, len(all)), make([]string, 0, len(all))
	for _, v := range all {
		if v.Schedule != Manual {
			codes, sellers = append(codes, ledger.Available(v.Party)), append(sellers, v.Party)
		}
	}
	if len(sellers) == 0 {
		return nil, nil
	}
	due, err := s.Books.Free(ctx, tx, money.MAD, codes...)
	if err != nil {
		return nil, err
	}
	settled, err := s.Escrows.Coverings(ctx, tx, money.MAD, sellers...)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		c := settled[v.Party]
		want := min(due[ledger.Available(v.Party)], c.Payable)
		if v.Schedule != Manual && want > 0 && want >= v.Minimum {
			able = append(able, candidate{v, want, c})
		}
	}
	return able, nil
}

// passAll makes the payouts that nothing holds, and counts them where payouts are
// counted. Each is judged as if those before it had gone already.
func (s *Service) passAll(ctx context.Context, tx *pg.Tx, able []candidate) ([]going, error) {
	h, ok, err := s.Files.House(ctx, tx, "")
	if err != nil || !ok || len(able) == 0 {
		return nil, err
	}
	parties := make([]string, len(able))
	for i, c := range able {
		parties[i] = c.Party
	}
	accounts, err := s.Accounts.PayoutAccounts(ctx, tx, parties...)
	if err != nil {
		return nil, err
	}
	var all []going
	for _, c := range able {
		a := accounts[c.Party]
		covers, orders := c.money.Of(c.want)
		if a.RIB == "" || total(covers) != c.want { // none, or another payout is taking some of it
			continue
		}
		p := newPayout(Beneficiary{Seller, c.Party}, c.want, a, h.Bank.ID(), auth.From(ctx).Person(), tx.Now())
		all = append(all, going{p, covers, orders})
	}
	if all, err = s.unheld(ctx, tx, all, accounts); err != nil || len(all) == 0 {
		return nil, err
	}
	asks := make([]limits.Payout, len(all))
	for i, g := range all {
		asks[i] = limits.Payout{ID: g.ID, Seller: g.Seller, Amount: g.Money(), Orders: g.orders}
	}
	passes, err := s.Risk.Payouts(ctx, tx, asks) // last of all, since who is let through counts
	if err != nil {
		return nil, err
	}
	some := all[:0]
	for i, g := range all {
		if passes[i] {
			some = append(some, g)
		}
	}
	return some, nil
}

// unheld are those of drafts that wait for nothing; what each waits for is read
// in the order of standing.
func (s *Service) unheld(ctx context.Context, tx *pg.Tx, all []going, accounts map[string]Account) (some []going, err error) {
	parties, debts, drafts := make([]string, len(all)), make([]string, len(all)), make([]Payout, len(all))
	for i, g := range all {
		parties[i], debts[i], drafts[i] = g.Seller, ledger.Receivable(g.Seller), g.Payout
	}
	if len(all) == 0 {
		return nil, nil
	}
	back, err := cameBack(ctx, tx, Seller, parties...)
	if err != nil {
		return nil, err
	}
	owes, err := s.Books.Balances(ctx, tx, money.MAD, debts...)
	if err != nil {
		return nil, err
	}
	caps, err := limitsAt(ctx, tx, tx.Now())
	if err != nil {
		return nil, err
	}
	used, whole, err := usedOn(ctx, tx, Seller, day(tx.Now()), parties...)
	if err != nil {
		return nil, err
	}
	others, err := s.others(ctx, tx, drafts)
	if err != nil {
		return nil, err
	}
	for i, g := range all {
		st := Standing{
			Account: accounts[g.Seller], Refused: back[payee{g.Seller, g.RIB}], Limits: caps.Limits,
			MemberDay: used[g.Seller], TotalDay: whole, Owes: owes[debts[i]],
		}
		g.NeedsTwo = st.two(g.Amount)
		if len(g.WaitsFor(st, tx.Now())) == 0 && len(others[g.ID]) == 0 {
			whole += g.Amount
			some = append(some, g)
		}
	}
	return some, nil
}

// goAll writes payouts down and lets them go, as draft and advance do.
func (s *Service) goAll(ctx context.Context, tx *pg.Tx, all []going) error {
	if len(all) == 0 {
		return nil
	}
	var covers []escrow.Cover
	asked := make([]operations.Intention, len(all))
	events := make([]pg.Event, len(all))
	var approved Payout
	for i, g := range all {
		var err error
		if approved, err = g.approve(tx.Now()); err != nil {
			return err
		}
		covers = append(covers, g.covers...)
		asked[i], events[i] = approved.intention(), approved.moved()
	}
	insertAll(tx, all)
	s.Escrows.CoverAll(tx, covers)
	_, refused, err := ledger.PostEach(ctx, tx, s.Books, all, func(g going) ledger.Transfer { return g.intent() })
	if err != nil {
		return err
	}
	if len(refused) > 0 { // its money was there, and locked
		return ErrTooMuch.Say("The books refuse the payout to %s.", refused[0].To())
	}
	approveAll(tx, all, *approved.Day, approved.ChangedAt)
	s.Files.IntendAll(tx, approved.Bank, asked)
	return tx.PublishAll(ctx, events, nil)
}
