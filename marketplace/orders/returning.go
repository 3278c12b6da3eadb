package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerReturn is the deadline of whoever is to act next, by return.
const timerReturn = "orders.return"

// remindAfter is how often a return is told of that waits for an agent.
const remindAfter = 3 * 24 * time.Hour

// RequestReturn has a buyer send goods back: all of an order or some of it. Its
// money stays where it is meanwhile. A withdrawal needs no leave of the seller's.
func (s *Service) RequestReturn(ctx context.Context, tx *pg.Tx, in ReturnInput) (v ReturnView, err error) {
	all, err := lockOrders(ctx, tx, []string{in.Order})
	if err != nil {
		return v, err
	}
	if len(all) == 0 {
		return v, ErrNotFound
	}
	o := all[0]
	policy, err := s.may(ctx, "returns.create", o.Seller, o.Buyer, ErrNotFound)
	if err != nil {
		return v, err
	}
	if err := o.window(in.Reason, tx.Now()); err != nil {
		return v, err
	}
	if err := s.calm(ctx, tx, o.ID); err != nil {
		return v, err
	}
	r, lines, err := o.sends(ctx, tx, in)
	if err != nil {
		return v, err
	}
	for i, p := range in.Photos {
		if _, err := s.Files.Use(ctx, tx, p, o.Buyer, media.Proof, r.ID); err != nil {
			return v, wrongFile(err, fmt.Sprintf("/photos/%d", i))
		}
	}
	insertReturn(tx, r, lines, in.Photos)
	job.Set(tx, timerReturn, r.ID, *r.Deadline)
	if _, err := s.Escrows.Freeze(ctx, tx, o.ID, r.kase()); err != nil {
		return v, err
	}
	audit.Record(tx, "returns.create", r.ID, policy, map[string]string{"order": o.ID, "reason": r.Reason})
	if err := s.tellReturn(ctx, tx, o, r); err != nil {
		return v, err
	}
	return r.view(parcelBack{lines, in.Photos}), nil
}

// wrongFile says which of the files that were named cannot be used.
func wrongFile(err error, pointer string) error {
	if errors.Is(err, media.ErrGone) {
		return media.ErrGone.At(pointer, "Upload it first, as a proof of your own.")
	}
	return err
}

// calm locks an order's escrow, and refuses while a case is open about it.
func (s *Service) calm(ctx context.Context, tx *pg.Tx, order string) error {
	h, err := s.hold(ctx, tx, order)
	if err == nil && len(h.Cases) > 0 {
		err = escrow.ErrFrozen.At("/case", h.Cases[0])
	}
	return err
}

// sends is the return that a buyer asks for.
func (o Order) sends(ctx context.Context, tx *pg.Tx, in ReturnInput) (r GoodsReturn, lines []ReturnLine, err error) {
	if in.Reason == Withdrawal && in.Wish == "replacement" {
		return r, nil, ErrReturnLines.At("/wish", "Who thinks better of a purchase gets the money back.")
	}
	bought, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return r, nil, err
	}
	if o.Rebate > 0 { // a place in a group is one line
		bought[0].Discount += o.Rebate
	}
	before, err := sentBack(ctx, tx, o.ID)
	if err != nil {
		return r, nil, err
	}
	lines, goods, whole, err := sendBack(bought, before, in.Reason, in.Lines)
	if err != nil {
		return r, nil, err
	}
	r = GoodsReturn{
		ID: id.New(id.Return), Order: o.ID, Seller: o.Seller, Buyer: o.Buyer, Currency: o.Currency, Reason: in.Reason, Wish: in.Wish,
		Text: in.Text, State: Requested, Goods: goods, RequestedAt: tx.Now(),
	}
	if r.Wish == "" {
		r.Wish = "refund"
	}
	if whole {
		r.Extra = o.Delivery + o.Fees
	}
	r = r.due(tx.Now().Add(AnswerWithin))
	if r.Reason == Withdrawal {
		r, err = r.Approve(tx.Now())
	}
	return r, lines, err
}

// back locks a return: its order first, then the charge and the escrow, as
// everybody does.
func (s *Service) back(ctx context.Context, tx *pg.Tx, ret string) (r GoodsReturn, o Order, h escrow.Hold, err error) {
	if r, err = loadReturn(ctx, tx, ret); err != nil {
		return r, o, h, err
	}
	all, err := lockOrders(ctx, tx, []string{r.Order})
	if err != nil {
		return r, o, h, err
	}
	o = all[0]
	if h, err = s.hold(ctx, tx, o.ID); err != nil {
		return r, o, h, err
	}
	r, err = lockReturn(ctx, tx, ret)
	return r, o, h, err
}

// turn locks a return for something the caller does with it, has it done, and
// shows it afterwards. To strangers there is no such return.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, ret, action string, do func(o Order, h escrow.Hold, r GoodsReturn) (GoodsReturn, error)) (v ReturnView, err error) {
	r, o, h, err := s.back(ctx, tx, ret)
	if err != nil {
		return v, err
	}
	policy, err := s.may(ctx, action, r.Seller, r.Buyer, ErrNoReturn)
	if err != nil {
		return v, err
	}
	if r, err = do(o, h, r); err != nil {
		return v, err
	}
	audit.Record(tx, action, r.ID, policy, map[string]string{"order": o.ID, "state": string(r.State)})
	in, err := contents(ctx, tx, []string{r.ID})
	return r.view(in[r.ID]), err
}

// keepReturn keeps a return with its timer and its case, and tells of it.
func (s *Service) keepReturn(ctx context.Context, tx *pg.Tx, o Order, r GoodsReturn) (GoodsReturn, error) {
	r = saveReturn(tx, r)
	if r.Deadline != nil {
		job.Set(tx, timerReturn, r.ID, *r.Deadline)
	} else {
		job.Clear(tx, timerReturn, r.ID)
	}
	var err error
	if r.EndedAt == nil {
		_, err = s.Escrows.Freeze(ctx, tx, o.ID, r.kase())
	} else {
		if r.State != PaidBack {
			uncount(tx, r)
		}
		_, err = s.Escrows.Thaw(ctx, tx, o.ID, r.ID)
	}
	if err != nil {
		return r, err
	}
	return r, s.tellReturn(ctx, tx, o, r)
}

func (s *Service) tellReturn(ctx context.Context, tx *pg.Tx, o Order, r GoodsReturn) error {
	what := "return_" + string(r.State)
	if r.EndedAt != nil && (r.State == Rejected || r.State == Replaced) {
		what = "return_over"
	}
	note(ctx, tx, o.ID, what)
	return publishReturn(ctx, tx, o, r)
}

func publishReturn(ctx context.Context, tx *pg.Tx, o Order, r GoodsReturn) error {
	return tx.Publish(ctx, ReturnMoved{Moved{o.ID, o.Group, o.Seller, o.Buyer}, r.ID, r.State, r.Waits, r.EndedAt != nil})
}

// ApproveReturn is the seller's word that the goods may come back.
func (s *Service) ApproveReturn(ctx context.Context, tx *pg.Tx, in ReturnOne) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.approve", func(o Order, _ escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		r, err := r.Approve(tx.Now())
		if err != nil {
			return r, err
		}
		return s.keepReturn(ctx, tx, o, r)
	})
}

// RejectReturn is the seller's word that the goods are not taken back, or that
// what came is not what was sold. The buyer has three days to dispute it; an
// agent rejects what would be paid out of money that was released.
func (s *Service) RejectReturn(ctx context.Context, tx *pg.Tx, in RejectInput) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.reject", func(o Order, _ escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		r, err := r.Reject(in.Reason, in.Text, auth.From(ctx).Role == auth.Operator, tx.Now())
		if err != nil {
			return r, err
		}
		return s.keepReturn(ctx, tx, o, r)
	})
}

// SendReturn is the buyer's word that the goods are on their way back.
func (s *Service) SendReturn(ctx context.Context, tx *pg.Tx, in SendBackInput) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.send", func(o Order, _ escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		r, err := r.Send(in.Carrier, in.Tracking, tx.Now())
		if err != nil {
			return r, err
		}
		return s.keepReturn(ctx, tx, o, r)
	})
}

// ReceiveReturn is the seller's word that the goods came back, and which of them
// can be sold again. What is held for them goes back to the buyer at once; what
// was released an agent gives back.
func (s *Service) ReceiveReturn(ctx context.Context, tx *pg.Tx, in ArriveInput) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.receive", func(o Order, h escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		return s.arrive(ctx, tx, o, h, r, in.Restock)
	})
}

func (s *Service) arrive(ctx context.Context, tx *pg.Tx, o Order, h escrow.Hold, r GoodsReturn, whole []Wanted) (GoodsReturn, error) {
	r, err := r.Arrive(tx.Now())
	if err != nil {
		return r, err
	}
	lines, err := returnLines(ctx, tx, r.ID)
	if err != nil {
		return r, err
	}
	came := map[string]int{}
	for _, l := range lines {
		came[l.Variant] = l.Quantity
	}
	again, err := sellable(came, whole)
	if err != nil {
		return r, err
	}
	if len(again) > 0 {
		restockable(tx, r.ID, whole)
		if err := s.Catalogue.Restock(ctx, tx, r.ID, again); err != nil {
			return r, err
		}
	}
	if r.Wish == "replacement" {
		return s.keepReturn(ctx, tx, o, r)
	}
	return s.settleReturn(ctx, tx, o, h, r, false)
}

// sellable are the goods that go back into stock: of each article at most as many
// as came.
func sellable(left map[string]int, whole []Wanted) ([]catalog.Line, error) {
	wrong := ErrReturnLines
	var out []catalog.Line
	for i, w := range whole {
		if w.Quantity > left[w.Variant] {
			wrong = wrong.At(fmt.Sprintf("/restock/%d", i), fmt.Sprintf("Of this article %d come back.", left[w.Variant]))
		}
		left[w.Variant] = 0 // each once
		out = append(out, catalog.Line{Variant: w.Variant, Quantity: w.Quantity})
	}
	if len(wrong.Details) > 0 {
		return nil, wrong
	}
	return out, nil
}

// owed is what goes back for a return, in centimes: at most what the buyer can
// still claim, of which delivery and fees are not for goods alone.
func (r GoodsReturn) owed(o Order, h escrow.Hold) int64 {
	most := h.Claim()
	if r.Extra == 0 {
		most -= o.Delivery + o.Fees
	}
	return max(0, min(r.Amount(), most))
}

// within is how much goes back for a return, in centimes, before it takes from
// what was released. A whole order's delivery is the seller's to bear.
func (r GoodsReturn) within(h escrow.Hold) int64 {
	if r.Extra > 0 {
		return h.Held()
	}
	return h.ForGoods()
}

// settleReturn pays for goods that came back, as soon as it can be: another case
// or cash on its way is waited for, and what was released only an agent gives
// back.
func (s *Service) settleReturn(ctx context.Context, tx *pg.Tx, o Order, h escrow.Hold, r GoodsReturn, agent bool) (GoodsReturn, error) {
	owed, soon, later := r.owed(o, h), tx.Now().Add(patience), tx.Now().Add(remindAfter)
	var err error
	switch {
	case owed == 0:
		r, err = r.Close("nothing_left", tx.Now())
	case len(h.Cases) > 1:
		r, err = r.Wait("case", &soon)
	case h.Cash && !h.Settled:
		r, err = r.Wait("cash", &soon)
	case owed > r.within(h) && !agent && r.Waits == "operator": // and nobody has decided
		r.Deadline = &later
		job.Set(tx, timerReturn, r.ID, later)
		return saveReturn(tx, r), publishReturn(ctx, tx, o, r)
	case owed > r.within(h) && !agent:
		r, err = r.Wait("operator", &later)
	default:
		return s.payReturn(ctx, tx, o, r, owed, id.New(id.Refund))
	}
	if err != nil {
		return r, err
	}
	return s.keepReturn(ctx, tx, o, r)
}

// payReturn ends the return's case and sends the money back.
func (s *Service) payReturn(ctx context.Context, tx *pg.Tx, o Order, r GoodsReturn, owed int64, refund string) (GoodsReturn, error) {
	r, err := r.Pay(refund, owed, tx.Now())
	if err != nil {
		return r, err
	}
	h, err := s.Escrows.Thaw(ctx, tx, o.ID, r.ID)
	if err != nil {
		return r, err
	}
	if _, err := s.giveBack(ctx, tx, h, escrow.Back{Refund: refund, Amount: owed, Delivery: r.Extra > 0}, "return "+r.ID); err != nil {
		return r, err
	}
	return s.keepReturn(ctx, tx, o, r)
}

// ReplaceReturn is the seller's word that other goods are on their way: they
// leave the stock.
func (s *Service) ReplaceReturn(ctx context.Context, tx *pg.Tx, in SendBackInput) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.replace", func(o Order, _ escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		r, err := r.Replace(in.Carrier, in.Tracking, tx.Now())
		if err != nil {
			return r, err
		}
		lines, err := returnLines(ctx, tx, r.ID)
		if err != nil {
			return r, err
		}
		var want []catalog.Line
		for _, l := range lines {
			want = append(want, catalog.Line{Variant: l.Variant, Quantity: l.Quantity})
		}
		if err := s.Catalogue.Reserve(ctx, tx, map[string][]catalog.Line{r.ID: want}); err != nil {
			return r, err
		}
		if err := s.Catalogue.Take(ctx, tx, r.ID); err != nil {
			return r, err
		}
		return s.keepReturn(ctx, tx, o, r)
	})
}

// RefundReturn pays for goods that came back: the seller who cannot replace them
// what is held, an agent also what was released. A large refund of what was
// released waits for a second person.
func (s *Service) RefundReturn(ctx context.Context, tx *pg.Tx, in ReturnOne) (ReturnView, error) {
	var approval string
	v, err := s.turn(ctx, tx, in.Return, "returns.refund", func(o Order, h escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		if err := r.in(ArrivedBack); err != nil {
			return r, err
		}
		agent, owed := auth.From(ctx).Role == auth.Operator, r.owed(o, h)
		if len(h.Cases) > 1 || h.Cash && !h.Settled {
			return r, ErrReturnWaits
		}
		if owed > r.within(h) && !agent {
			return r, ErrReturnRelease
		}
		two := false
		if agent {
			var err error
			if two, err = s.needsTwo(ctx, tx, h, owed, r.within(h)); err != nil {
				return r, err
			}
		}
		if two {
			a, err := s.askFor(ctx, tx, h, wanted{id.New(id.Refund), o.ID, owed, r.Extra > 0, false, "return " + r.ID, r.ID})
			approval = a.Approval
			return r, err
		}
		return s.settleReturn(ctx, tx, o, h, r, agent)
	})
	v.Approval = approval
	return v, err
}

// returnDecided carries out what two people have decided about a return, as long
// as it is still what they decided about.
func (s *Service) returnDecided(ctx context.Context, tx *pg.Tx, w wanted) error {
	r, o, h, err := s.back(ctx, tx, w.Return)
	if err != nil {
		return err
	}
	if r.State != ArrivedBack {
		return nil // it was rejected, or paid, meanwhile
	}
	if len(h.Cases) > 1 || h.Cash && !h.Settled {
		return ErrReturnWaits
	}
	if r.owed(o, h) != w.Amount {
		return ErrReturnState.Say("What the buyer can claim has changed since this was asked for; refuse it and ask again.")
	}
	_, err = s.payReturn(ctx, tx, o, r, w.Amount, w.Refund)
	return err
}

// WithdrawReturn is the buyer's word that nothing comes of it after all, or that
// it may be left as the seller has ended it.
func (s *Service) WithdrawReturn(ctx context.Context, tx *pg.Tx, in ReturnOne) (ReturnView, error) {
	return s.turn(ctx, tx, in.Return, "returns.withdraw", func(o Order, _ escrow.Hold, r GoodsReturn) (GoodsReturn, error) {
		var err error
		switch r.State {
		case Rejected, Replaced:
			r, err = r.End(tx.Now())
		case Requested, Approved:
			r, err = r.Close("withdrawn", tx.Now())
		default:
			err = r.in(Requested, Approved, Rejected, Replaced)
		}
		if err != nil {
			return r, err
		}
		return s.keepReturn(ctx, tx, o, r)
	})
}

// giveWay ends a return that was rejected or replaced, for the buyer disputes it.
func (s *Service) giveWay(ctx context.Context, tx *pg.Tx, o Order) error {
	if _, err := s.hold(ctx, tx, o.ID); err != nil {
		return err
	}
	r, err := openReturn(ctx, tx, o.ID)
	if errors.Is(err, ErrNoReturn) {
		return nil
	}
	if err != nil || r.State != Rejected && r.State != Replaced {
		return err
	}
	if r, err = r.End(tx.Now()); err != nil {
		return err
	}
	_, err = s.keepReturn(ctx, tx, o, r)
	return err
}

// returnDue acts on a deadline that has passed.
func (s *Service) returnDue(ctx context.Context, tx *pg.Tx, ret string) error {
	r, o, h, err := s.back(ctx, tx, ret)
	if err != nil || r.EndedAt != nil || r.Deadline == nil {
		return err
	}
	if r.Deadline.After(tx.Now()) {
		job.Set(tx, timerReturn, r.ID, *r.Deadline)
		return nil
	}
	switch r.State {
	case Requested: // a seller who says nothing has agreed
		r, err = r.Approve(tx.Now())
	case Approved:
		r, err = r.Close("not_sent", tx.Now())
	case InTransit: // nor has it missed them
		_, err := s.arrive(ctx, tx, o, h, r, nil)
		return err
	case ArrivedBack:
		_, err := s.settleReturn(ctx, tx, o, h, r, false)
		return err
	default:
		r, err = r.End(tx.Now())
	}
	if err != nil {
		return err
	}
	_, err = s.keepReturn(ctx, tx, o, r)
	return err
}
