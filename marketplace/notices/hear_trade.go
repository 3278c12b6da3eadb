package notices

import (
	"context"
	"strconv"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/pools"
	"tiwiza/marketplace/quotations"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// subscribeTrade has notices hear of labels, stock, quotations, and what is bought
// together.
func subscribeTrade(bus *event.Bus, s *Service) {
	const who = "notices"
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e catalog.LabelExpiring) error {
		last, err := time.Parse(time.DateOnly, e.Last)
		if err != nil {
			return err
		}
		return s.tellMember(ctx, tx, e.Seller, LabelEnding, map[string]string{"title": short(e.Code), "date": last.Format("02/01/2006")}, e.Label+":"+e.Last+":"+strconv.Itoa(e.Days))
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e catalog.LabelMoved) error {
		kind, ok := map[catalog.LabelState]Kind{
			catalog.Verified: LabelShown, catalog.Refused: LabelRefused, catalog.Expired: LabelEnded, catalog.Revoked: LabelEnded,
		}[e.State]
		if !ok {
			return nil
		}
		return s.tellMember(ctx, tx, e.Seller, kind, map[string]string{"title": short(e.Code)}, e.Label+":"+string(e.State))
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e catalog.AvailabilityChanged) error {
		if e.Available {
			return nil
		}
		return s.tellTitled(ctx, tx, e.Seller, SoldOut, e.Names, map[string]string{"link": s.URL + "/v/produits"}, e.Variant+":"+today(tx))
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e catalog.ChangeDecided) error {
		kind, ok := map[catalog.ChangeState]Kind{catalog.Approved: MentionShown, catalog.Rejected: MentionRefused}[e.State]
		if !ok {
			return nil
		}
		return s.tellMember(ctx, tx, e.Seller, kind, map[string]string{"link": s.URL + "/v/produits"}, e.Change)
	})
	event.Subscribe(bus, who, s.reviewed)
	event.Subscribe(bus, who, s.asked)
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e quotations.RequestOpened) error {
		return s.askedOf(ctx, tx, today(tx), e.Sellers)
	})
	event.Subscribe(bus, who, s.offered)
	event.Subscribe(bus, who, s.pooled)
	event.Subscribe(bus, who, s.grouped)
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e loyalty.Expiring) error {
		on := e.On.In(clock.Morocco).Format("02/01/2006")
		return s.tellPerson(ctx, tx, e.Person, PointsEnding, map[string]string{"count": strconv.FormatInt(e.Points, 10), "date": on}, e.Person+":"+on)
	})
}

// reviewed tells a seller of a review, and its buyer of the answer. One that was
// hidden is told to nobody.
func (s *Service) reviewed(ctx context.Context, tx *pg.Tx, e orders.ReviewMoved) error {
	switch {
	case e.State != "shown":
		return nil
	case e.Replied:
		return s.tellBuyer(ctx, tx, ReviewReplied, e.Order, nil, e.Review)
	}
	return s.tellSeller(ctx, tx, ReviewCame, e.Order, map[string]string{"count": strconv.Itoa(e.Stars)}, 0, e.Review)
}

// asked tells those whom a buyer asks for offers by name.
func (s *Service) asked(ctx context.Context, tx *pg.Tx, e quotations.RequestMoved) error {
	if e.State != quotations.Open {
		return nil
	}
	return s.askedOf(ctx, tx, e.Request, e.Sellers)
}

// today is the day in Morocco. What anybody may bring about again and again is told
// once a day.
func today(tx *pg.Tx) string { return tx.Now().In(clock.Morocco).Format(time.DateOnly) }

// askedOf tells sellers that they are asked for offers, once by key.
func (s *Service) askedOf(ctx context.Context, tx *pg.Tx, key string, sellers []string) error {
	for _, seller := range sellers {
		if err := s.tellMember(ctx, tx, seller, QuotationAsked, nil, key+":"+seller); err != nil {
			return err
		}
	}
	return nil
}

// offered tells a buyer of an offer, and a seller that its offer was accepted.
func (s *Service) offered(ctx context.Context, tx *pg.Tx, e quotations.OfferMoved) error {
	switch e.State {
	case quotations.Standing:
		return s.tellPerson(ctx, tx, e.Buyer, QuotationCame, nil, e.Offer)
	case quotations.Accepted:
		return s.tellMember(ctx, tx, e.Seller, QuotationTaken, nil, e.Offer)
	}
	return nil
}

// pooled tells a buyer what it has to pay of a pool. Its producer hears of the
// order.
func (s *Service) pooled(ctx context.Context, tx *pg.Tx, e pools.DealMoved) error {
	if e.State != pools.Proposed {
		return nil
	}
	sum := money.Dirhams(e.Price).Times(int64(e.Quantity))
	return s.tellPerson(ctx, tx, e.Buyer, PoolWon, amountOf(sum), e.Deal)
}

// grouped tells a seller that a group buy of its article is proposed and, with
// whoever organised it, that it was decided.
func (s *Service) grouped(ctx context.Context, tx *pg.Tx, e groupbuys.Moved) error {
	if e.State == groupbuys.Asked {
		return s.tellMember(ctx, tx, e.Seller, GroupAsked, nil, e.Seller+":"+today(tx))
	}
	if e.State != groupbuys.Ordered && e.State != groupbuys.Failed {
		return nil
	}
	if err := s.tellMember(ctx, tx, e.Seller, GroupDecided, nil, e.Group); err != nil || e.Organiser == e.Seller {
		return err
	}
	return s.tellPerson(ctx, tx, e.Organiser, GroupDecided, nil, e.Group+":organiser")
}

// tellPerson tells a buyer something that is about no order; key tells apart what
// happens more than once.
func (s *Service) tellPerson(ctx context.Context, tx *pg.Tx, person string, k Kind, params map[string]string, key string) error {
	return s.TellOwner(ctx, tx, Telling{
		Owner: person, Kind: k, Key: string(k) + ":" + key,
		Params: about(k, merged(map[string]string{"link": s.URL + "/moi"}, params)),
	})
}
