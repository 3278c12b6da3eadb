package certify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// together does something as often as a step says, at once or one after the other.
func together(h how, do func() error) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range max(h.Times, h.AtOnce, 1) {
		one := func() {
			if err := do(); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		}
		if all.Go(one); h.AtOnce == 0 {
			all.Wait()
		}
	}
	all.Wait()
	return failed
}

// keep puts many people, orders and points, changes many of them, and reads all
// back: each once, as it was said last.
func (r *runner) keep(ctx context.Context, s keepStep) error {
	people := make([]*person, s.Contacts)
	for i := range people {
		people[i] = r.invent("")
	}
	if err := r.putAll(ctx, people); err != nil {
		return err
	}
	for _, p := range people {
		switch r.random.IntN(4) {
		case 0:
			p.Name = fmt.Sprintf("Nom changé %d (exemple)", r.random.IntN(1000))
		case 1:
			p.Phone = r.phone("")
		case 2:
			p.Withdrawn = true
		}
	}
	if err := r.putAll(ctx, people); err != nil {
		return err
	}
	if r.relation.crm.KeepsPoints() {
		if err := r.pointsOfAll(ctx, people); err != nil {
			return err
		}
	}
	deals, err := r.dealsOf(ctx, people, s.Deals)
	if err != nil {
		return err
	}
	return r.readBack(ctx, people, deals)
}

// putAll puts people, and none is refused.
func (r *runner) putAll(ctx context.Context, people []*person) error {
	all, by := make([]crm.Contact, len(people)), map[string]*person{}
	for i, p := range people {
		all[i], by[p.ID] = p.Contact, p
	}
	puts, res := r.relation.crm.PutContacts(ctx, all)
	if res.Outcome != outbound.Succeeded {
		return because(fmt.Sprintf("%d contacts", len(all)), res)
	}
	for _, put := range puts {
		p := by[put.ID]
		switch {
		case put.Refused != "":
			return fmt.Errorf("contact %s is refused as %s", put.ID, put.Refused)
		case p.RemoteID != "" && p.RemoteID != put.RemoteID:
			return fmt.Errorf("contact %s put again is %s, and was %s", put.ID, put.RemoteID, p.RemoteID)
		}
		p.RemoteID = put.RemoteID
	}
	return nil
}

// pointsOfAll puts everybody's points, and for some then an older version.
func (r *runner) pointsOfAll(ctx context.Context, people []*person) error {
	var now, late []crm.Points
	for _, p := range people {
		x := crm.Points{ID: p.ID, ContactID: p.RemoteID, Points: r.random.Int64N(10_000), Tier: "argent", Version: 2 + r.random.Int64N(100)}
		p.points, now = &x, append(now, x)
		if old := x; r.random.IntN(2) == 0 {
			old.Points, old.Version = x.Points+1000, x.Version-1
			late = append(late, old)
		}
	}
	for _, all := range [][]crm.Points{now, late} {
		puts, res := r.relation.crm.PutPoints(ctx, all)
		if res.Outcome != outbound.Succeeded {
			return because("points", res)
		}
		for _, put := range puts {
			if put.Refused != "" {
				return fmt.Errorf("points of %s are refused as %s", put.ID, put.Refused)
			}
		}
	}
	return nil
}

// dealsOf puts orders of some people, which move on.
func (r *runner) dealsOf(ctx context.Context, people []*person, n int) ([]crm.Deal, error) {
	deals := make([]crm.Deal, n)
	at := map[string]*crm.Deal{}
	for i := range deals {
		deals[i] = crm.Deal{
			ID: id.New(id.Order), ContactID: people[r.random.IntN(len(people))].RemoteID, Name: fmt.Sprintf("Commande %d (exemple)", i), Amount: money.Dirhams(1 + r.random.Int64N(500_000)),
			At: r.o.Now().UTC().Truncate(time.Second).Add(-time.Duration(r.random.IntN(1000)) * time.Hour),
		}
		at[deals[i].ID] = &deals[i]
	}
	for range 2 {
		for i := range deals {
			deals[i].Stage = crm.Stages[r.random.IntN(len(crm.Stages))]
		}
		puts, res := r.relation.crm.PutDeals(ctx, deals)
		if res.Outcome != outbound.Succeeded {
			return nil, because("deals", res)
		}
		for _, put := range puts {
			if put.Refused != "" {
				return nil, fmt.Errorf("deal %s is refused as %s", put.ID, put.Refused)
			}
			at[put.ID].RemoteID = put.RemoteID
		}
	}
	return deals, nil
}

// readBack asks for all of them, no faster than the manifest says.
func (r *runner) readBack(ctx context.Context, people []*person, deals []crm.Deal) error {
	pause := time.Second / time.Duration(max(r.manifest.Rate.PerSecond, 1))
	for _, p := range people {
		time.Sleep(pause)
		if err := r.knownContact(ctx, *p, knownStep{}); err != nil {
			return err
		}
	}
	for _, d := range deals {
		time.Sleep(pause)
		if err := r.knownDeal(ctx, d, knownStep{}); err != nil {
			return err
		}
	}
	return nil
}
