package quotations

import (
	"context"
	"fmt"
	"slices"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

func has(all []string, one string) bool { return slices.Contains(all, one) }

// MakeOffer offers something for a request. The seller's earlier offer stands no
// more; what was accepted is never changed.
func (s *Service) MakeOffer(ctx context.Context, tx *pg.Tx, in OfferInput) (v OfferView, err error) {
	r, me, err := s.lockAsked(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	if r.State != Open || !tx.Now().Before(r.Deadline) {
		return v, ErrState.Say("This request takes no more offers.").At("/state", string(Closed))
	}
	o, err := in.offer(r, me.seller, tx.Now())
	if err != nil {
		return v, err
	}
	if err := s.sellable(ctx, tx, o); err != nil {
		return v, err
	}
	if !me.asked || me.declined != "" {
		join(tx, r.ID, me, "")
	}
	before, err := latest(ctx, tx, r.ID, me.seller)
	if err != nil {
		return v, err
	}
	o.Revision = 1
	if len(before) > 0 {
		o.Revision = before[0].Revision + 1
		if before[0].State == Standing {
			if _, err := s.turn(ctx, tx, r, before[0], Replaced, ""); err != nil {
				return v, err
			}
		}
	}
	if o.Revision > 20 {
		return v, ErrRevisions
	}
	insertOffer(tx, o)
	job.Set(tx, timerValid, o.ID, o.ValidUntil)
	audit.Record(tx, "quotations.offer", o.ID, authz.Policy(ctx), map[string]string{"request": r.ID})
	return o.view(), tx.Publish(ctx, OfferMoved{o.ID, r.ID, o.Seller, r.Buyer, o.State})
}

// sellable refuses an offer of a seller that does not sell now, or of what is not
// its own or not on offer.
func (s *Service) sellable(ctx context.Context, tx *pg.Tx, o Offer) error {
	if err := s.active(ctx, tx, o.Seller); err != nil {
		return err
	}
	ids := make([]string, len(o.Lines))
	for i, l := range o.Lines {
		ids[i] = l.Variant
	}
	items, err := s.Goods.Items(ctx, tx, ids)
	if err != nil {
		return err
	}
	wrong := ErrInvalid
	for i, l := range o.Lines {
		if item := items[l.Variant]; item.Seller != o.Seller || !item.Published {
			wrong = wrong.At(fmt.Sprintf("/lines/%d/variant", i), "Offer an article of your own that is published.")
		}
	}
	if len(wrong.Details) > 0 {
		return wrong
	}
	return nil
}

// active refuses a seller that does not sell now.
func (s *Service) active(ctx context.Context, tx *pg.Tx, seller string) error {
	all, err := s.Sellers.Sellers(ctx, tx, []string{seller})
	if err == nil && !all[seller].Active {
		err = ErrSeller
	}
	return err
}

// lockOffer locks the request of an offer, and then the offer.
func lockOffer(ctx context.Context, tx *pg.Tx, offer string) (r Request, o Offer, err error) {
	request, err := requestOf(ctx, tx, offer)
	if err != nil {
		return r, o, err
	}
	if r, err = lockRequest(ctx, tx, request); err != nil {
		return r, o, err
	}
	o, err = byOffer(ctx, tx, offer)
	return r, o, err
}

// WithdrawOffer is a seller's word that its offer stands no more. Again is
// harmless.
func (s *Service) WithdrawOffer(ctx context.Context, tx *pg.Tx, in OneOffer) (v OfferView, err error) {
	r, o, err := lockOffer(ctx, tx, in.Offer)
	if err != nil {
		return v, err
	}
	if o.Seller != auth.From(ctx).Subject {
		return v, ErrNoOffer
	}
	if o.State != Withdrawn {
		if o, err = s.turn(ctx, tx, r, o, Withdrawn, ""); err != nil {
			return v, err
		}
		audit.Record(tx, "quotations.withdraw", o.ID, authz.Policy(ctx), nil)
	}
	return o.view(), nil
}

// RefuseOffer is the buyer's word that an offer is not wanted, and why. Again is
// harmless.
func (s *Service) RefuseOffer(ctx context.Context, tx *pg.Tx, in RefuseInput) (v OfferView, err error) {
	r, o, err := lockOffer(ctx, tx, in.Offer)
	if err != nil {
		return v, err
	}
	if !auth.From(ctx).Owns(r.Buyer) {
		return v, ErrNoOffer
	}
	if o.State != Declined {
		if o, err = s.turn(ctx, tx, r, o, Declined, in.Reason); err != nil {
			return v, err
		}
		audit.Record(tx, "quotations.refuse", o.ID, authz.Policy(ctx), in)
	}
	return o.view(), nil
}

// Accept makes an offer an agreement, and gives its buyer a basket that is full of
// it. Nothing is paid or reserved yet: the basket is quoted and ordered like any
// other, until the offer's time is over.
func (s *Service) Accept(ctx context.Context, tx *pg.Tx, in OneOffer) (v AcceptedView, err error) {
	r, o, err := lockOffer(ctx, tx, in.Offer)
	if err != nil {
		return v, err
	}
	if !auth.From(ctx).Owns(r.Buyer) {
		return v, ErrNoOffer
	}
	if !tx.Now().Before(o.ValidUntil) && o.State == Standing {
		return v, ErrOffer.Say("This offer is expired; look at what stands now.").At("/state", string(Expired))
	}
	if err := s.active(ctx, tx, o.Seller); err != nil {
		return v, err
	}
	if o, err = o.To(Accepted); err != nil {
		return v, err
	}
	if r, err = s.move(ctx, tx, r, Award); err != nil {
		return v, err
	}
	a, err := s.Agreed.Make(ctx, tx, o.agreement(r))
	if err != nil {
		return v, err
	}
	o.Agreement = a.ID
	o.Version++
	saveOffer(tx, o)
	job.Clear(tx, timerValid, o.ID)
	v = AcceptedView{o.view(), a.View(), s.Baskets.Fill(tx, a)}
	audit.Record(tx, "quotations.accept", o.ID, authz.Policy(ctx), map[string]string{"agreement": a.ID, "basket": v.Basket})
	return v, tx.Publish(ctx, OfferMoved{o.ID, r.ID, o.Seller, r.Buyer, o.State})
}

// expire ends an offer that nobody accepted in time.
func (s *Service) expire(ctx context.Context, tx *pg.Tx, offer string) error {
	r, o, err := lockOffer(ctx, tx, offer)
	if err != nil || o.State != Standing || tx.Now().Before(o.ValidUntil) {
		return err
	}
	_, err = s.turn(ctx, tx, r, o, Expired, "")
	return err
}

// Subscribe has quotations hear what becomes of agreements and their orders.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "quotations", s.lapsed)
	event.Subscribe(bus, "quotations", s.paid)
}

// lapsed opens a request for its other offers again when the one that was
// accepted was not paid in time.
func (s *Service) lapsed(ctx context.Context, tx *pg.Tx, e agreements.Moved) error {
	if e.Kind != kind || e.State != agreements.Ended {
		return nil
	}
	r, o, err := lockOffer(ctx, tx, e.Source)
	if err != nil || o.State != Accepted {
		return err
	}
	if _, err = s.turn(ctx, tx, r, o, Lapsed, ""); err != nil || r.State != Awarded {
		return err
	}
	_, err = s.move(ctx, tx, r, Lapse)
	return err
}

// paid ends a request whose order is paid, or will be at the door. Its other
// offers stand no more.
func (s *Service) paid(ctx context.Context, tx *pg.Tx, e orders.AgreementKept) error {
	all, err := s.Agreed.OfOrder(ctx, tx, e.Order, kind)
	if err != nil {
		return err
	}
	for _, a := range all {
		r, _, err := lockOffer(ctx, tx, a.Source)
		if err != nil {
			return err
		}
		if r.State != Awarded {
			continue
		}
		rest, err := liveOffers(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if r, err = s.move(ctx, tx, r, Pay); err != nil {
			return err
		}
		for _, o := range rest {
			if o.State != Standing {
				continue
			}
			if _, err := s.turn(ctx, tx, r, o, Passed, ""); err != nil {
				return err
			}
		}
	}
	return nil
}
