package notices

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Subscribe has notices hear of what people want to know. It is told in a unit of
// work of the event, never in the one in which money moved.
func Subscribe(bus *event.Bus, s *Service) {
	const who = "notices"
	event.Subscribe(bus, who, s.placed)
	event.Subscribe(bus, who, s.paid)
	event.Subscribe(bus, who, s.confirmed)
	event.Subscribe(bus, who, s.gatheredOrder)
	buyerOf(bus, s, OrderAccepted, func(e orders.OrderAccepted) orders.Moved { return e.Moved })
	buyerOf(bus, s, OrderShipped, func(e orders.OrderShipped) orders.Moved { return e.Moved })
	buyerOf(bus, s, OrderDelivered, func(e orders.OrderDelivered) orders.Moved { return e.Moved })
	buyerOf(bus, s, OrderLate, func(e orders.OrderLate) orders.Moved { return e.Moved })
	event.Subscribe(bus, who, s.cancelled)
	event.Subscribe(bus, who, s.written)
	event.Subscribe(bus, who, s.returning)
	event.Subscribe(bus, who, s.released)
	event.Subscribe(bus, who, s.paidOut)
	event.Subscribe(bus, who, s.refunding)
	event.Subscribe(bus, who, s.refunded)
	event.Subscribe(bus, who, s.refundWaits)
	event.Subscribe(bus, who, s.disputed)
	event.Subscribe(bus, who, s.answered)
	event.Subscribe(bus, who, s.ruled)
	event.Subscribe(bus, who, s.account)
	event.Subscribe(bus, who, s.signedIn)
	subscribeMembers(bus, s)
	subscribeFinance(bus, s)
	subscribeProcedures(bus, s)
	subscribePolicies(bus, s)
	subscribeTrade(bus, s)
}

// buyerOf tells an order's buyer that the order went on.
func buyerOf[E pg.Event](bus *event.Bus, s *Service, k Kind, of func(E) orders.Moved) {
	event.Subscribe(bus, "notices", func(ctx context.Context, tx *pg.Tx, e E) error {
		return s.tellBuyer(ctx, tx, k, of(e).Order, nil, "")
	})
}

// facts are what a kind may say of an order.
func (s *Service) facts(b orders.Brief) map[string]string {
	return map[string]string{
		"order": Number(b.ID), "amount": b.Total.Amount(), "seller": name(b.SellerNames), "code": b.Code, "link": s.URL + "/o/" + b.ID,
	}
}

// Number is how people say an order: the last six signs of its name.
func Number(order string) string { return strings.ToUpper(order[max(0, len(order)-6):]) }

func name(names map[string]string) string { return cmp.Or(in("fr", names), "le vendeur") }

// in is a name in a language, or in the next best.
func in(lang string, names map[string]string) string {
	return cmp.Or(names[lang], names["fr"], names["ar"], names["en"])
}

// about is what a kind says, of all that could be said.
func about(k Kind, all map[string]string) map[string]string {
	out := map[string]string{}
	for _, q := range k.spec().params {
		out[q.name] = all[q.name]
	}
	return out
}

// tellBuyer tells an order's buyer something, at the address it was ordered with.
// more is put over what the order says; key tells apart what happens to one order
// more than once.
func (s *Service) tellBuyer(ctx context.Context, tx *pg.Tx, k Kind, order string, more map[string]string, key string) error {
	b, err := s.Orders.Brief(ctx, tx, order)
	if err != nil {
		return gone(err)
	}
	return s.tellOf(ctx, tx, k, b, more, key)
}

// tellOf tells the buyer of an order that was read already.
func (s *Service) tellOf(ctx context.Context, tx *pg.Tx, k Kind, b orders.Brief, more map[string]string, key string) error {
	return s.Tell(ctx, tx, Telling{
		Owner: b.Buyer, Phone: b.Phone, Email: b.Email, Kind: k, Params: about(k, merged(s.facts(b), more)), Key: string(k) + ":" + b.ID + ":" + key,
	})
}

// refundOf tells a buyer of money that goes back, of an order or, when it had come
// too late or was too much, of none: then it is told of the first that it was for.
func (s *Service) refundOf(ctx context.Context, tx *pg.Tx, k Kind, order, charge string, amount money.Money, key string) error {
	if order != "" {
		return s.tellBuyer(ctx, tx, k, order, amountOf(amount), key)
	}
	b, err := s.Orders.BriefOfCharge(ctx, tx, charge)
	if err != nil {
		return gone(err)
	}
	return s.tellOf(ctx, tx, k, b, amountOf(amount), key)
}

// tellSeller tells an order's seller something.
func (s *Service) tellSeller(ctx context.Context, tx *pg.Tx, k Kind, order string, more map[string]string, amount int64, key string) error {
	b, err := s.Orders.Brief(ctx, tx, order)
	if err != nil {
		return gone(err)
	}
	if amount == 0 {
		amount = b.Total.Centimes()
	}
	facts := s.facts(b)
	facts["link"] = s.URL + "/v/commandes/" + b.ID
	return s.TellOwner(ctx, tx, Telling{
		Owner: b.Seller, Kind: k, Params: about(k, merged(facts, more)), Amount: amount, Key: string(k) + ":" + order + ":" + key + ":seller",
	})
}

// gone swallows that there is no such order: nobody waits to hear of it.
func gone(err error) error {
	if errors.Is(err, orders.ErrNotFound) {
		return nil
	}
	return err
}

// amountOf puts a sum in the place of the order's.
func amountOf(m money.Money) map[string]string { return map[string]string{"amount": m.Amount()} }

// placed asks the buyers of cash orders to confirm them.
func (s *Service) placed(ctx context.Context, tx *pg.Tx, e orders.Placed) error {
	for _, o := range e.Orders {
		b, err := s.Orders.Brief(ctx, tx, o)
		if err != nil {
			return gone(err)
		}
		if b.State != orders.ToConfirm {
			continue
		}
		if err := s.tellBuyer(ctx, tx, CashConfirm, o, nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// paid tells a seller that there is something to pack, unless the order waits for
// its group buy, and the buyer that the money came.
func (s *Service) paid(ctx context.Context, tx *pg.Tx, e orders.OrderPaid) error {
	if err := s.tellBuyer(ctx, tx, OrderPaid, e.Order, nil, ""); err != nil {
		return err
	}
	return s.toPack(ctx, tx, e.Order)
}

func (s *Service) confirmed(ctx context.Context, tx *pg.Tx, e orders.OrderConfirmed) error {
	return s.toPack(ctx, tx, e.Order)
}

func (s *Service) gatheredOrder(ctx context.Context, tx *pg.Tx, e orders.OrderGathered) error {
	return s.toPack(ctx, tx, e.Order)
}

func (s *Service) toPack(ctx context.Context, tx *pg.Tx, order string) error {
	b, err := s.Orders.Brief(ctx, tx, order)
	if err != nil || b.Waits {
		return gone(err)
	}
	return s.tellSeller(ctx, tx, ToPack, order, nil, 0, "")
}

// cancelled tells both sides.
func (s *Service) cancelled(ctx context.Context, tx *pg.Tx, e orders.OrderCancelled) error {
	if err := s.tellSeller(ctx, tx, CancelledSeller, e.Order, nil, 0, ""); err != nil {
		return err
	}
	return s.tellBuyer(ctx, tx, OrderCancelled, e.Order, nil, "")
}

// written tells the other side of a message.
func (s *Service) written(ctx context.Context, tx *pg.Tx, e orders.MessageSent) error {
	if e.Sender == e.Buyer {
		return s.tellSeller(ctx, tx, MessageNew, e.Order, nil, 0, e.Message)
	}
	if e.Sender == e.Seller {
		return s.tellBuyer(ctx, tx, MessageNew, e.Order, nil, e.Message)
	}
	return nil
}

// returning tells whoever waits of the steps of a return.
func (s *Service) returning(ctx context.Context, tx *pg.Tx, e orders.ReturnMoved) error {
	switch e.State {
	case orders.Requested:
		return s.tellSeller(ctx, tx, ReturnAsked, e.Order, nil, 0, e.Return)
	case orders.Approved, orders.Rejected:
		return s.tellBuyer(ctx, tx, ReturnAnswered, e.Order, nil, e.Return+string(e.State))
	case orders.InTransit:
		return s.tellSeller(ctx, tx, ReturnSent, e.Order, nil, 0, e.Return)
	case orders.ArrivedBack:
		return s.tellBuyer(ctx, tx, ReturnReceived, e.Order, nil, e.Return)
	}
	return nil
}

// released tells a seller of money that is its own now.
func (s *Service) released(ctx context.Context, tx *pg.Tx, e escrow.Let) error {
	if e.Share.Sign() <= 0 {
		return nil
	}
	return s.tellSeller(ctx, tx, MoneyReleased, e.Order, amountOf(e.Share), e.Share.Centimes(), id.New(id.Notice))
}

// paidOut tells a seller of money that is at its bank, or came back from there.
func (s *Service) paidOut(ctx context.Context, tx *pg.Tx, e payouts.Moved) error {
	var k Kind
	switch e.State {
	case payouts.Paid:
		k = MoneyPaidOut
	case payouts.Returned, payouts.Rejected:
		k = PayoutFailed
	}
	if k == "" || e.Seller == "" {
		return nil
	}
	return s.TellOwner(ctx, tx, Telling{
		Owner: e.Seller, Kind: k, Amount: e.Amount.Centimes(), Params: about(k, map[string]string{"amount": e.Amount.Amount(), "link": s.URL + "/v/argent"}),
		Key: string(k) + ":" + e.Payout,
	})
}

func (s *Service) refunding(ctx context.Context, tx *pg.Tx, e charges.RefundMade) error {
	kind := RefundMade
	if e.Order == "" {
		kind = RefundLate
	}
	return s.refundOf(ctx, tx, kind, e.Order, e.Charge, e.Amount, e.Refund)
}

func (s *Service) refunded(ctx context.Context, tx *pg.Tx, e charges.Refunded) error {
	return s.refundOf(ctx, tx, RefundDone, e.Order, e.Charge, e.Amount, e.Refund)
}

// refundWaits asks for an account when the card or the wallet took nothing back.
func (s *Service) refundWaits(ctx context.Context, tx *pg.Tx, e charges.RefundWaits) error {
	return s.refundOf(ctx, tx, RefundAccount, e.Order, e.Charge, e.Amount, e.Refund+string(e.State))
}

func (s *Service) disputed(ctx context.Context, tx *pg.Tx, e disputes.Opened) error {
	return s.tellSeller(ctx, tx, DisputeOpened, e.Order, nil, 0, e.Dispute)
}

func (s *Service) answered(ctx context.Context, tx *pg.Tx, e disputes.Moved) error {
	if e.State != disputes.Answered {
		return nil
	}
	return s.tellBuyer(ctx, tx, DisputeAnswered, e.Order, nil, e.Dispute)
}

// ruled tells both sides how a dispute ended.
func (s *Service) ruled(ctx context.Context, tx *pg.Tx, e disputes.Settled) error {
	if err := s.tellSeller(ctx, tx, RuledSeller, e.Order, amountOf(e.Release), e.Release.Centimes(), e.Dispute); err != nil {
		return err
	}
	return s.tellBuyer(ctx, tx, DisputeRuled, e.Order, amountOf(e.Refund), e.Dispute)
}

// account tells a seller that a bank account was given for its payouts.
func (s *Service) account(ctx context.Context, tx *pg.Tx, e members.AccountGiven) error {
	return s.TellOwner(ctx, tx, Telling{
		Owner: e.Organisation, Kind: AccountChanged, Params: map[string]string{"account": e.Ends, "link": s.URL + "/aide"}, Key: "account:" + e.Account,
	})
}

// signedIn tells a person of a device that it has not signed in on before; of the
// first nobody needs to hear.
func (s *Service) signedIn(ctx context.Context, tx *pg.Tx, e members.SignedInAt) error {
	known, err := toldOf(ctx, tx, e.Person, NewDevice)
	if err != nil {
		return err
	}
	device := e.Device
	if device == "" {
		device = "?"
	}
	t := Telling{Owner: e.Person, Kind: NewDevice, Params: map[string]string{"device": device, "link": s.URL + "/aide"}, Key: "device:" + e.Person + ":" + device}
	if !known {
		t.Leave = "first_device"
	}
	return s.TellOwner(ctx, tx, t)
}
