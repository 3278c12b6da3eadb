package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tiwiza/pkg/money"
)

// play plays the script: three days on which buyers order, then the days on
// which parcels arrive, people complain, banks return, and what nobody does is
// done by time.
func (d *day) play(ctx context.Context) error {
	for n := 1; n <= sellingDays; n++ {
		of := func(e *errand) bool { return e.day == n }
		if err := d.act(ctx, n, 9, "buyers order and pay", of, func(e *errand) scene { return (*day).place }); err != nil {
			return err
		}
		if n == sellingDays {
			if err := d.changesAccount(ctx); err != nil {
				return err
			}
		}
		if err := d.act(ctx, n, 12, "sellers send, some orders are cancelled", of, func(e *errand) scene { return e.noon }); err != nil {
			return err
		}
		if err := d.evening(ctx); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		day  int
		what string
		of   func(*errand) scene
		then func(context.Context) error
	}{
		{4, "parcels arrive: accepted, complained of, refused, paid in cash", func(e *errand) scene { return e.day4 }, d.day4Ends},
		{5, "disputes are ruled, chargebacks decided, more is given back", func(e *errand) scene { return e.day5 }, d.day5Ends},
		{6, "", nil, nil},
		{7, "", nil, nil},
		{8, "what was not paid, answered or confirmed is over", func(e *errand) scene { return e.d8 }, nil},
		{9, "", nil, nil},
		{10, "", nil, nil},
		{11, "", nil, nil},
		{12, "the withdrawal window is over: what is left is released", nil, d.day12Ends},
		{13, "our own money is moved: costs topped up, fees swept out", nil, nil},
	} {
		if err := d.act(ctx, s.day, 9, s.what, func(*errand) bool { return true }, s.of); err != nil {
			return err
		}
		if s.then != nil {
			if err := s.then(ctx); err != nil {
				return fmt.Errorf("day %d: %w", s.day, err)
			}
		}
		if err := d.evening(ctx); err != nil {
			return fmt.Errorf("the evening of day %d: %w", s.day, err)
		}
	}
	return d.closesLast(ctx)
}

// act has each errand play its scene, eight at a time.
func (d *day) act(ctx context.Context, n, hour int, what string, of func(*errand) bool, pick func(*errand) scene) error {
	began := time.Now()
	if err := d.at(ctx, n, hour); err != nil {
		return err
	}
	var errs []error
	var mu sync.Mutex
	var all sync.WaitGroup
	gate, played := make(chan struct{}, 8), 0
	for _, e := range d.script {
		if pick == nil || !of(e) || pick(e) == nil {
			continue
		}
		played += len(e.shops)
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			if err := pick(e)(d, ctx, e); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s, %s: %w", e.way, e.name, err))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if what != "" && len(errs) == 0 {
		times := ""
		if played > 0 {
			times = fmt.Sprintf(" (%d)", played)
		}
		d.step("day %2d, %02d:00  %-70s %5.1f s", n, hour, what+times, time.Since(began).Seconds())
	}
	return errors.Join(errs...)
}

// day4Ends: the carrier remits, somebody nobody knows transfers something, and
// the bank's answer to a payout is lost.
func (d *day) day4Ends(ctx context.Context) error {
	var list struct {
		Reference string
		Net       moneyView
	}
	body := map[string]any{"carrier": "demo", "orders": d.remit, "handling": mad(fmt.Sprintf("%d.00", len(d.remit)))}
	if err := d.commit(ctx, d.operator(), "/v1/remittances", body, &list); err != nil {
		return err
	}
	d.remits, d.lists = list.Net, 1
	if err := d.credit(ctx, list.Net, "REMISE "+list.Reference, "TRANSPORTEUR EXEMPLE", false); err != nil {
		return err
	}
	d.stray = money.Dirhams(437_50)
	if err := d.credit(ctx, d.stray, strayText, "INCONNU EXEMPLE", false); err != nil {
		return err
	}
	if err := d.fault(ctx, "bank", "execute_then_drop"); err != nil {
		return err
	}
	var err error
	if d.unheard, err = d.isPaidOut(ctx, d.shops[unheardShop].key, ""); err == nil {
		d.step("day  4         the bank drops the line after paying %s: its statement tells, it is not sent twice", d.unheard.Amount)
	}
	return err
}

const strayText = "COTISATION ANNUELLE"

// changesAccount gives a cooperative an account that is being closed: 48 hours
// later it may be paid there.
func (d *day) changesAccount(ctx context.Context) error {
	return d.account(ctx, d.shops[closingShop], closingRIB())
}

// day5Ends: that cooperative is paid, and three days later it is not.
func (d *day) day5Ends(ctx context.Context) error {
	if err := d.at(ctx, 5, 16); err != nil {
		return err
	}
	var err error
	if d.returned, err = d.isPaidOut(ctx, d.shops[closingShop].key, ""); err == nil {
		d.step("day  5, 16:00  %s are paid to an account that is being closed", d.returned.Amount)
	}
	return err
}

// day12Ends: every order has come to the end that was meant, and the carrier is
// paid, by two people.
func (d *day) day12Ends(ctx context.Context) error {
	if err := d.act(ctx, 12, 10, "each order ends as the script says", func(*errand) bool { return true }, func(*errand) scene { return (*day).arrives }); err != nil {
		return err
	}
	if err := d.payoutIs(ctx, d.operator(), d.returned.ID, "returned"); err != nil {
		return err
	}
	var p payoutNow
	body := map[string]any{"beneficiary": "carrier:demo", "account": map[string]string{"rib": number(24, 97), "holder": "Transporteur exemple"}}
	if err := d.commit(ctx, d.operator(), "/v1/payouts", body, &p); err != nil {
		return err
	}
	if err := d.commit(ctx, d.second(), "/v1/payouts/"+p.ID+"/approve", nil, nil); err != nil {
		return err
	}
	if err := d.payoutIs(ctx, d.operator(), p.ID, "paid"); err != nil {
		return err
	}
	d.step("day 12, 10:00  the carrier is paid %s, on the word of two people", p.Amount)
	return nil
}

// evening waits until the acquirer has settled, the bank has reported, and the
// hub has read it.
func (d *day) evening(ctx context.Context) error {
	noisy, quietSince := "", time.Time{}
	err := within(ctx, patience, "quiet", func() (bool, error) {
		var err error
		if noisy, err = d.noise(ctx); err != nil {
			return false, err
		}
		if noisy != "" || quietSince.IsZero() {
			quietSince = time.Now()
		}
		return noisy == "" && time.Since(quietSince) > 1500*time.Millisecond, nil
	})
	if errors.Is(err, errWaited) {
		return fmt.Errorf("%w: %s", err, noisy)
	}
	return err
}

// noise is what is still under way.
func (d *day) noise(ctx context.Context) (string, error) {
	files, err := filepath.Glob(filepath.Join(d.sim, "bank", "out", "*.xml"))
	if err != nil {
		return "", err
	}
	if len(files) > 0 {
		return fmt.Sprintf("%d files wait at the bank", len(files)), nil
	}
	var b struct{ Balance moneyView }
	if err := d.get(ctx, d.operator(), "/v1/ledger/accounts/psp:acquirer:clearing", &b); err != nil {
		return "", err
	}
	if !b.Balance.IsZero() {
		return fmt.Sprintf("the acquirer has not settled %s", b.Balance), nil
	}
	for _, state := range []string{"intent", "sending", "accepted", "unknown"} {
		var ops struct {
			Data []struct{ ID, Kind, Why string }
		}
		if err := d.get(ctx, d.operator(), "/v1/operations?limit=100&state="+state, &ops); err != nil {
			return "", err
		}
		for _, o := range ops.Data {
			if !strings.HasPrefix(o.Kind, "charge") { // a form that nobody has filled in
				return fmt.Sprintf("%s %s is %s %s", o.Kind, o.ID, state, o.Why), nil
			}
		}
	}
	return "", nil
}

// closesLast closes the last day by hand; those before were closed by
// themselves.
func (d *day) closesLast(ctx context.Context) error {
	if err := d.at(ctx, 14, 5); err != nil {
		return err
	}
	last := d.start.AddDate(0, 0, 12).Format(time.DateOnly)
	if err := d.commit(ctx, d.operator(), "/v1/closings", map[string]string{"day": last}, nil); err != nil {
		return fmt.Errorf("close %s: %w", last, err)
	}
	d.step("day 14, 05:00  the last day is closed: the books equal the bank's statements")
	return nil
}

// export leaves the books where they are wanted.
func (d *day) export(ctx context.Context) error {
	var journal []byte
	if err := d.get(ctx, d.operator(), "/v1/ledger/export.journal", &journal); err != nil {
		return err
	}
	return os.WriteFile(d.Journal, journal, 0o644)
}
