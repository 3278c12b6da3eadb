package pools

import (
	"context"
	"errors"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerClear is the deadline of a pool, by pool.
const timerClear = "pools.clear"

// Work registers the timers of pools.
func (s *Service) Work(t *job.Timers) { t.Handle(timerClear, s.clear) }

// Subscribe has pools hear of what becomes of their deals.
func (s *Service) Subscribe(bus *event.Bus) {
	event.Subscribe(bus, "pools", s.agreementMoved)
	event.Subscribe(bus, "pools", s.paid)
}

// clear finds a pool's price, and makes an agreement of each match. A producer
// who does not sell any more is left out.
func (s *Service) clear(ctx context.Context, tx *pg.Tx, pool string) error {
	p, err := lock(ctx, tx, pool)
	switch {
	case err != nil:
		return err
	case p.State != Open:
		return nil
	case tx.Now().Before(p.Deadline):
		job.Set(tx, timerClear, p.ID, p.Deadline)
		return nil
	}
	all, err := pledges(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	able, err := s.able(ctx, tx, all)
	if err != nil {
		return err
	}
	p, c := p.clear(able, tx.Now())
	filled := map[string]int{}
	for _, m := range c.Matches {
		d := p.deal(m, tx)
		a, err := s.agreed.Make(ctx, tx, p.agreement(d))
		if err != nil {
			return err
		}
		d.Agreement = a.ID
		insertDeal(tx, d)
		if err := tx.Publish(ctx, d.news()); err != nil {
			return err
		}
		filled[m.Buy.ID] += m.Quantity
		filled[m.Sell.ID] += m.Quantity
	}
	for i := range all {
		all[i].State, all[i].Filled = Unmatched, filled[all[i].ID]
		if all[i].Filled > 0 {
			all[i].State = Matched
		}
	}
	savePledges(tx, all)
	return s.keep(ctx, tx, p)
}

// able are the pledges of those who can keep them.
func (s *Service) able(ctx context.Context, tx *pg.Tx, all []Pledge) (out []Pledge, err error) {
	var sellers, variants []string
	for _, p := range all {
		if p.Side == Sells {
			sellers, variants = append(sellers, p.Member), append(variants, p.Variant)
		}
	}
	if len(sellers) == 0 {
		return all, nil
	}
	who, err := s.sellers.Sellers(ctx, tx, sellers)
	if err != nil {
		return nil, err
	}
	items, err := s.catalogue.Items(ctx, tx, variants)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Side == Buys || who[p.Member].Active && items[p.Variant].Published {
			out = append(out, p)
		}
	}
	return out, nil
}

// agreementMoved has a deal follow its agreement, as that stands now.
func (s *Service) agreementMoved(ctx context.Context, tx *pg.Tx, e agreements.Moved) error {
	if e.Kind != Kind {
		return nil
	}
	return s.follow(ctx, tx, e.Agreement)
}

// paid has a deal follow its order, once that is paid.
func (s *Service) paid(ctx context.Context, tx *pg.Tx, e orders.OrderPaid) error {
	faces, err := s.orders.Faces(ctx, tx, []string{e.Order})
	if err != nil || faces[e.Order].Agreement == "" {
		return err
	}
	return s.follow(ctx, tx, faces[e.Order].Agreement)
}

// follow has the deal of an agreement, if it is one's, stand as the agreement and
// its order do. These are read under the deal's lock: of two that are told at
// once the later sees all that the earlier was told.
func (s *Service) follow(ctx context.Context, tx *pg.Tx, agreement string) error {
	p, d, err := lockDeal(ctx, tx, agreement)
	if errors.Is(err, ErrNoDeal) {
		return nil
	}
	if err != nil || d.over() {
		return err
	}
	var all []agreements.Agreement
	if err := pg.Together(ctx, tx, s.agreed.Of([]string{agreement}, &all)); err != nil || len(all) == 0 {
		return err
	}
	was := d.State
	switch a := all[0]; a.State {
	case agreements.Open:
		d.State, d.OrderID = Proposed, ""
	case agreements.Ended:
		d.State, d.OrderID = Lapsed, ""
	case agreements.Used:
		faces, err := s.orders.Faces(ctx, tx, []string{a.Order})
		if err != nil {
			return err
		}
		d.State, d.OrderID = Paid, a.Order
		if o := faces[a.Order].State; o == orders.PendingPayment || o == orders.ToConfirm || o == orders.Expired {
			d.State = Ordered
		}
	}
	if d.State == was {
		return nil
	}
	saveDeal(tx, d)
	if d.over() {
		p.Open--
		if p.Open == 0 {
			p, _ = p.do(Settle)
		}
		if err := s.keep(ctx, tx, p); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, d.news())
}
