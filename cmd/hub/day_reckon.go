package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"tiwiza/payments/invariants"
	"tiwiza/pkg/pg"
)

// What the interface and the partners say at the end.
type (
	breakNow struct {
		ID, Kind, About, Why, Line, State string
		Amount                            *moneyView
	}
	cashNow struct {
		Order, Carrier, State string
		Collected, Owed, Lost moneyView
	}
	chargebackNow struct {
		ID, Case, Charge, State string
		Amount, Fee             moneyView
	}
	sheetNow struct {
		Role                     string
		Closing, Books, Unbooked moneyView
		Lines, Unmatched         int64
		Equal                    bool
	}
	closingNow struct {
		Day, Hash string
		Changed   bool
		Accounts  []sheetNow
	}
	caseNow struct {
		ID, Ref, State string
		Amount, Fee    moneyView
	}
)

// ends are all of it, read once when everything is quiet.
type ends struct {
	orders      map[string]orderView
	truth       []executed
	cases       []caseNow
	payouts     []payoutNow
	cash        []cashNow
	chargebacks []chargebackNow
	breaks      []breakNow
	closings    []closingNow
	safeguard   sheetNow
	operating   sheetNow
	trial       []trialLine
}

// A trialLine is an account's balance: debits above zero, in centimes.
type trialLine struct {
	code string
	sum  int64
}

// pages reads a whole list of the interface, as the operator.
func pages[T any](ctx context.Context, d *day, path string) (all []T, err error) {
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	for cursor := ""; ; {
		var page struct {
			Data []T
			Next *string
		}
		if err := d.get(ctx, d.operator(), path+sign+"limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all, nil
		}
		cursor = *page.Next
	}
}

func (d *day) breaks(ctx context.Context, state string) ([]breakNow, error) {
	return pages[breakNow](ctx, d, "/v1/breaks?state="+state)
}

func (d *day) ends(ctx context.Context) (e ends, err error) {
	e.orders = map[string]orderView{}
	for _, er := range d.script {
		for _, o := range er.rec.Orders {
			if e.orders[o.ID], err = d.player.order(ctx, d.operator(), o.ID); err != nil {
				return e, err
			}
		}
	}
	if e.truth, err = d.truth(ctx, ""); err != nil {
		return e, err
	}
	var cases struct{ Cases []caseNow }
	if err := d.standIn(ctx, "GET", "/cases", nil, &cases); err != nil {
		return e, err
	}
	e.cases = cases.Cases
	if e.payouts, err = pages[payoutNow](ctx, d, "/v1/payouts"); err != nil {
		return e, err
	}
	if e.cash, err = pages[cashNow](ctx, d, "/v1/cash"); err != nil {
		return e, err
	}
	if e.chargebacks, err = pages[chargebackNow](ctx, d, "/v1/chargebacks"); err != nil {
		return e, err
	}
	for _, state := range []string{"open", "snoozed"} {
		some, err := d.breaks(ctx, state)
		if err != nil {
			return e, err
		}
		e.breaks = append(e.breaks, some...)
	}
	if err := d.sheets(ctx, &e); err != nil {
		return e, err
	}
	e.trial, err = d.trial(ctx)
	return e, err
}

// sheets are the closed days, and the bank's accounts on the last of them.
func (d *day) sheets(ctx context.Context, e *ends) (err error) {
	if e.closings, err = pages[closingNow](ctx, d, "/v1/closings"); err != nil {
		return err
	}
	for i := range e.closings {
		c := &e.closings[i]
		if err := d.get(ctx, d.operator(), "/v1/closings/"+c.Day, c); err != nil {
			return err
		}
		for _, s := range c.Accounts {
			switch {
			case i > 0: // the newest comes first
			case s.Role == "safeguard":
				e.safeguard = s
			default:
				e.operating = s
			}
		}
	}
	return nil
}

func (d *day) trial(ctx context.Context) (lines []trialLine, err error) {
	var t struct {
		Accounts []struct{ Code, Debit, Credit string }
	}
	if err := d.get(ctx, d.operator(), "/v1/ledger/trial-balance", &t); err != nil {
		return nil, err
	}
	for _, a := range t.Accounts {
		debit, err := centimes(a.Debit)
		if err != nil {
			return nil, err
		}
		credit, err := centimes(a.Credit)
		if err != nil {
			return nil, err
		}
		lines = append(lines, trialLine{a.Code, debit - credit})
	}
	return lines, nil
}

// reckon says where each centime is and why.
func (d *day) reckon(ctx context.Context) (*report, error) {
	e, err := d.ends(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how it ended: %w", err)
	}
	r := &report{seed: d.Seed}
	d.tellOrders(r, e)
	d.tellMoney(r, e)
	if err := d.tellAccounts(ctx, r, e); err != nil {
		return nil, err
	}
	d.tellBreaks(r, e)
	d.tellDays(r, e)
	if err := d.tellOnce(ctx, r, e); err != nil {
		return nil, err
	}
	if err := d.proves(ctx, r); err != nil {
		return nil, err
	}
	if err := d.export(ctx); err != nil {
		return nil, fmt.Errorf("export the books: %w", err)
	}
	return r, d.asksHledger(ctx, r, e)
}

// proves runs every invariant.
func (d *day) proves(ctx context.Context, r *report) error {
	store, err := pg.Open(ctx, d.url, pg.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer store.Close()
	began := time.Now()
	findings, err := invariants.Check(ctx, store)
	if err != nil {
		return fmt.Errorf("prove the books: %w", err)
	}
	n := 0
	for _, f := range findings {
		n += f.Count
		for _, row := range f.Rows {
			r.bad("%s: %s", f.ID, row)
		}
	}
	r.checks = append(r.checks, fmt.Sprintf("verify: %d promises proved in %.1f s, violations: %d", len(findings), time.Since(began).Seconds(), n))
	if n > 0 {
		r.bad("violations: %d", n)
	}
	return nil
}

// tellBreaks names the cause of each thing that reconciliation leaves to people.
func (d *day) tellBreaks(r *report, e ends) {
	for _, b := range e.breaks {
		sum, why := int64(0), ""
		if b.Amount != nil {
			sum = b.Amount.Centimes()
		}
		if b.Kind == "suspense" && sum == d.stray.Centimes() {
			why = "meant: somebody unknown transferred it, «" + strayText + "»; it waits for a person"
		}
		if why == "" {
			r.bad("a break that nobody meant: %s %s, %s", b.Kind, b.About, b.Why)
			why = "NOT MEANT: " + b.Why
		}
		r.breaks = append(r.breaks, line{what: b.Kind, n: 1, sum: sum, note: why})
	}
}

// tellOnce looks whether a partner did anything twice, and whether each fault of
// the script was played.
func (d *day) tellOnce(ctx context.Context, r *report, e ends) error {
	var left struct{ Armed []struct{ Fault string } }
	if err := d.standIn(ctx, "GET", "/faults", nil, &left); err != nil {
		return err
	}
	for _, f := range left.Armed {
		r.bad("the fault %s was never played", f.Fault)
	}
	times := map[string]int{}
	for _, x := range e.truth {
		if x.Kind == "capture" || x.Kind == "payout" || x.Partner == "bank" && x.Kind == "refund" {
			times[x.Kind+" "+x.Ref]++
		}
	}
	for what, n := range times {
		if n > 1 {
			r.bad("%s was executed %d times", what, n)
		}
	}
	r.checks = append(r.checks, fmt.Sprintf("each of %d captures, payouts and transfers back was executed once, say the partners, lost answers included", len(times)))
	return nil
}

// tellDays looks at the days that were closed.
func (d *day) tellDays(r *report, e ends) {
	for _, c := range e.closings {
		for _, s := range c.Accounts {
			if !s.Equal {
				r.bad("%s: the bank has %s on the %s account, the books %s", c.Day, s.Closing, s.Role, s.Books)
			}
		}
		if c.Changed {
			r.bad("%s has changed since it was closed", c.Day)
		}
	}
	if len(e.closings) == 0 {
		r.bad("no day was closed")
		return
	}
	r.checks = append(r.checks, fmt.Sprintf("%d days closed, on each the books equal the bank’s statements; report of %s: %.16s…", len(e.closings), e.closings[0].Day, e.closings[0].Hash))
}
