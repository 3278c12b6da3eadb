package disputes

import (
	"context"
	"strings"

	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Escrows hold the money that disputes are about.
type Escrows interface {
	LockOrder(ctx context.Context, tx *pg.Tx, order string) (escrow.Hold, error)
	Freeze(ctx context.Context, tx *pg.Tx, order string, c escrow.Case) (escrow.Hold, error)
	Thaw(ctx context.Context, tx *pg.Tx, order, caseID string) (escrow.Hold, error)
	Rule(ctx context.Context, tx *pg.Tx, r escrow.Ruling) (escrow.Hold, error)
}

// Refunds send money back. Whoever takes money out of an escrow for a buyer
// locks its charge first, as partners' evidence does.
type Refunds interface {
	Lock(ctx context.Context, tx *pg.Tx, charge string) error
	Refund(ctx context.Context, tx *pg.Tx, in charges.RefundOrder) (charges.Refund, error)
}

// Approvals are the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Service is what others may ask of disputes.
type Service struct {
	db        *pg.Store
	escrows   Escrows
	refunds   Refunds
	approvals Approvals
	judge     Judge
}

// kindRuling names rulings among the approvals.
const kindRuling = "disputes.rule"

// New makes the service and registers what follows a second person's word.
func New(db *pg.Store, e Escrows, r Refunds, a Approvals, j Judge) *Service {
	s := &Service{db, e, r, a, j}
	a.Handle(kindRuling, s.approved)
	return s
}

// An Opening is what a buyer says is wrong.
type Opening struct{ Order, Reason, Wish, Text string }

// Open makes a dispute about an order whose money is held, and freezes it. The
// buyer may until the window after delivery ends, the hub itself at any time.
// Of a dispute and a release at once, one wins; the other is told which.
func (s *Service) Open(ctx context.Context, tx *pg.Tx, o Opening) (Dispute, error) {
	h, err := s.escrows.LockOrder(ctx, tx, o.Order)
	if err != nil {
		return Dispute{}, err
	}
	who := auth.From(ctx)
	switch {
	case len(h.Cases) > 0:
		return Dispute{}, escrow.ErrFrozen.Say("Case %s is open about this order already.", strings.Join(h.Cases, ", ")).At("/case", h.Cases[0])
	case h.Held() == 0:
		return Dispute{}, ErrHeld.Say("The money of this order is %s, and nothing is held; write to the market's operator.", h.State).At("/state", string(h.State))
	case who.Role == auth.Buyer && h.ReleaseDue != nil && !tx.Now().Before(*h.ReleaseDue):
		return Dispute{}, ErrLate
	}
	due := tx.Now().Add(ReplyWithin)
	d := Dispute{
		ID: id.New(id.Dispute), Order: h.Order, Seller: h.Seller, Buyer: h.Buyer, Charge: h.Charge, Currency: h.Currency,
		Reason: o.Reason, Wish: o.Wish, Text: o.Text, State: Open, OpenedBy: string(who.Role), OpenedAt: tx.Now(), Deadline: &due,
	}
	insert(tx, d)
	job.Set(tx, timerDue, d.ID, due)
	if _, err := s.escrows.Freeze(ctx, tx, d.Order, d.kase()); err != nil {
		return d, err
	}
	return d, tx.Publish(ctx, Opened{d.ID, d.Order, d.Seller, d.Buyer, d.Reason})
}

// lock locks a dispute: the charge and the escrow first, as everybody does.
func (s *Service) lock(ctx context.Context, tx *pg.Tx, dispute string) (Dispute, escrow.Hold, error) {
	d, err := load(ctx, tx, dispute)
	if err != nil {
		return d, escrow.Hold{}, err
	}
	if err := s.refunds.Lock(ctx, tx, d.Charge); err != nil {
		return d, escrow.Hold{}, err
	}
	h, err := s.escrows.LockOrder(ctx, tx, d.Order)
	if err != nil {
		return d, h, err
	}
	d, err = lock(ctx, tx, dispute)
	return d, h, err
}

// mine is lock for a caller who must be allowed to.
func (s *Service) mine(ctx context.Context, tx *pg.Tx, dispute, action string) (d Dispute, h escrow.Hold, policy string, err error) {
	if d, h, err = s.lock(ctx, tx, dispute); err != nil {
		return d, h, "", err
	}
	policy, err = s.judge.May(auth.From(ctx), action, authz.Resource{Seller: d.Seller, Buyer: d.Buyer})
	if err != nil {
		return d, h, "", ErrNotFound
	}
	return d, h, policy, nil
}

// ReplyInput is the seller's word.
type ReplyInput struct {
	Dispute string `path:"dispute"`
	Text    string `json:"text,omitempty" maxLength:"4000" description:"Needed unless the seller accepts."`
	Accept  bool   `json:"accept,omitempty" description:"The buyer gets back all that is held; also after another answer, until somebody rules."`
}

// Reply takes in the seller's word. A seller who accepts gives all that is held
// back to the buyer, which ends the dispute.
func (s *Service) Reply(ctx context.Context, tx *pg.Tx, in ReplyInput) (View, error) {
	d, h, policy, err := s.mine(ctx, tx, in.Dispute, "disputes.reply")
	if err != nil {
		return View{}, err
	}
	if strings.TrimSpace(in.Text) == "" && !in.Accept {
		return View{}, ErrInvalid.At("/text", "Say what happened, or accept.")
	}
	if in.Accept {
		d, err = d.Accept(in.Text, tx.Now())
	} else {
		d, err = d.Answer(in.Text, tx.Now())
	}
	if err != nil {
		return View{}, err
	}
	audit.Record(tx, "disputes.reply", d.ID, policy, map[string]bool{"accept": in.Accept})
	if in.Accept {
		d, err = s.decide(ctx, tx, d, h, toBuyer(h, "accepted by the seller", auth.From(ctx).Person()))
		return d.view(), err
	}
	return s.keep(ctx, tx, d)
}

// keep saves a dispute that goes on, with its timer and its case.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, d Dispute) (View, error) {
	d = save(tx, d)
	switch d.State {
	case Answered:
		job.Set(tx, timerDue, d.ID, *d.Deadline)
	case Mediation:
		job.Clear(tx, timerDue, d.ID)
	}
	if _, err := s.escrows.Freeze(ctx, tx, d.Order, d.kase()); err != nil {
		return View{}, err
	}
	return d.view(), tx.Publish(ctx, Moved{d.ID, d.Order, d.State})
}

// RuleInput shares what is held.
type RuleInput struct {
	Dispute string      `path:"dispute"`
	Refund  money.Money `json:"refund" required:"true" description:"Goes back to the buyer."`
	Release money.Money `json:"release" required:"true" description:"Goes to those it belongs to; together with the refund it is what is held."`
	Reason  string      `json:"reason" required:"true" minLength:"1" maxLength:"4000"`
}

// Rule is an agent's ruling. Where it takes two people it waits for the second
// one's approval.
func (s *Service) Rule(ctx context.Context, tx *pg.Tx, in RuleInput) (View, error) {
	d, h, policy, err := s.mine(ctx, tx, in.Dispute, "disputes.rule")
	if err != nil {
		return View{}, err
	}
	if err := d.in(Open, Answered, Mediation); err != nil {
		return View{}, err
	}
	p := Proposal{in.Refund.Centimes(), in.Release.Centimes(), in.Reason, auth.From(ctx).Person()}
	if err := fits(in, h); err != nil {
		return View{}, err
	}
	audit.Record(tx, "disputes.rule", d.ID, policy, p)
	if !d.NeedsTwo(tx.Now()) || h.Held() == 0 {
		d, err = s.decide(ctx, tx, d, h, p)
		return d.view(), err
	}
	if d.State != Mediation {
		if d, err = d.Escalate(); err != nil {
			return View{}, err
		}
	}
	d.Proposal = &p
	stake := in.Refund.Add(in.Release)
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindRuling, Subject: d.ID, Hash: d.Hash(p), Amount: &stake, Why: p.Reason,
		Evidence: "refund " + in.Refund.String() + ", release " + in.Release.String() + " of order " + d.Order,
	})
	if err != nil {
		return View{}, err
	}
	v, err := s.keep(ctx, tx, d)
	v.Approval = r.ID
	return v, err
}

// fits says whether a ruling is about exactly what is held.
func fits(in RuleInput, h escrow.Hold) error {
	switch {
	case in.Refund.Currency() != h.Currency:
		return escrow.ErrShares.At("/refund/currency", "the escrow is in "+h.Currency)
	case in.Release.Currency() != h.Currency:
		return escrow.ErrShares.At("/release/currency", "the escrow is in "+h.Currency)
	case in.Refund.Sign() < 0 || in.Release.Sign() < 0 || in.Refund.Add(in.Release).Centimes() != h.Held():
		held := money.FromCentimes(h.Held(), h.Currency)
		return escrow.ErrShares.Say("Refund and release must together be what is held: %s.", held).At("/refund", "with release it must make "+held.Amount())
	}
	return nil
}

// approved follows the second person's word on a ruling.
func (s *Service) approved(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	d, h, err := s.lock(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if d.Proposal == nil || string(d.Hash(*d.Proposal)) != string(r.Hash) {
		return approvals.ErrChanged
	}
	p := *d.Proposal
	if r.State == approvals.Refused {
		d.Proposal = nil
		_, err := s.keep(ctx, tx, d)
		return err
	}
	p.By += ", " + auth.From(ctx).Person()
	d.Proposal = nil // it is being decided
	_, err = s.decide(ctx, tx, d, h, p)
	return err
}

// decide shares what is held, and ends the dispute. A ruling that waited for a
// second person is void.
func (s *Service) decide(ctx context.Context, tx *pg.Tx, d Dispute, h escrow.Hold, p Proposal) (Dispute, error) {
	var refund string
	if p.Back > 0 {
		refund = id.New(id.Refund)
	}
	if h.Held() == 0 && p.Back == 0 && p.Release == 0 { // a chargeback took all of it meanwhile
		if _, err := s.escrows.Thaw(ctx, tx, d.Order, d.ID); err != nil {
			return d, err
		}
	} else if _, err := s.escrows.Rule(ctx, tx, escrow.Ruling{Order: d.Order, Case: d.ID, Refund: refund, Back: p.Back, Release: p.Release}); err != nil {
		return d, err
	}
	if p.Back > 0 {
		_, err := s.refunds.Refund(ctx, tx, charges.RefundOrder{
			ID: refund, Order: d.Order, Charge: d.Charge, Amount: d.money(p.Back), Reason: "dispute " + d.ID, By: p.By,
		})
		if err != nil {
			return d, err
		}
	}
	return s.resolve(ctx, tx, d, p, refund)
}

// moot ends a dispute of which a chargeback took all the money: nothing is left
// to share.
func (s *Service) moot(ctx context.Context, tx *pg.Tx, d Dispute, h escrow.Hold) error {
	_, err := s.decide(ctx, tx, d, h, Proposal{Reason: "the buyer's bank took the money back", By: "hub"})
	return err
}

func (s *Service) resolve(ctx context.Context, tx *pg.Tx, d Dispute, p Proposal, refund string) (Dispute, error) {
	waits := d.Proposal != nil
	d, err := d.Resolve(p, refund, tx.Now())
	if err != nil {
		return d, err
	}
	if waits {
		if err := s.approvals.Void(ctx, tx, kindRuling, d.ID); err != nil {
			return d, err
		}
	}
	d = save(tx, d)
	job.Clear(tx, timerDue, d.ID)
	return d, tx.Publish(ctx, Settled{d.ID, d.Order, d.Seller, d.Buyer, d.money(p.Back), d.money(p.Release)})
}

// Waiting is how many disputes wait for a ruling, counted up to 100.
func (s *Service) Waiting(ctx context.Context, db pg.DB) (int, error) { return waiting(ctx, db) }
