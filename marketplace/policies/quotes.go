package policies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/files"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// kinds of subject by line.
var subjects = map[insurance.Line]string{insurance.Parcel: "shipment", insurance.Stock: "stock", insurance.Crop: "crop", insurance.Health: "person"}

// How long a policy is asked for at most, and one of a parcel.
const (
	longest  = 5 * 366 * 24 * time.Hour
	onItsWay = 60 * 24 * time.Hour
)

// Ask asks an insurer for its price, a member for itself. The answer is the
// quote's state: asked until the insurer has said something.
func (s *Service) Ask(ctx context.Context, tx *pg.Tx, in AskInput) (v QuoteView, err error) {
	member, err := own(ctx)
	if err != nil {
		return v, err
	}
	p, err := loadProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	if p.State != Approved {
		return v, ErrProduct
	}
	if err := s.open(ctx, tx, p.Insurer); err != nil {
		return v, err
	}
	o, err := s.Members.Of(ctx, tx, member)
	if err != nil {
		return v, err
	}
	now := tx.Now()
	starts := in.Starts.UTC()
	if in.Starts.IsZero() || starts.Before(now) && now.Sub(starts) < time.Hour {
		starts = now.Truncate(time.Second)
	}
	wrong := ErrInvalid
	if in.Sum.Currency() != money.MAD || in.Sum.Sign() <= 0 || in.Sum.Cmp(p.Doc.Most) > 0 {
		wrong = wrong.At("/sum", fmt.Sprintf("Above 0.00, at most %s.", p.Doc.Most))
	}
	if starts.Before(now.Add(-time.Hour)) || starts.After(now.AddDate(1, 0, 0)) {
		wrong = wrong.At("/starts", "From now on, within a year.")
	}
	ends := in.Ends.UTC()
	if in.Months > 0 {
		ends = monthsOn(starts, in.Months)
	}
	switch {
	case in.Ends.IsZero() == (in.Months == 0):
		wrong = wrong.At("/ends", "Either when it ends, or for how many months it is.")
	case !ends.After(starts) || ends.Sub(starts) > longest:
		wrong = wrong.At("/ends", "After its beginning, within five years.")
	}
	if wrong, err = s.parcel(ctx, tx, member, p, in, ends.Sub(starts), wrong); err != nil {
		return v, err
	}
	if len(wrong.Details) > 0 {
		return v, wrong
	}
	commune := in.Commune
	if commune == "" {
		commune = o.Commune
	}
	q := Quote{
		ID: id.New(id.InsuranceQuote), Product: p.ID, Insurer: p.Insurer, Member: member, AskedBy: auth.From(ctx).Person(),
		SumInsured: in.Sum.Centimes(), Currency: in.Sum.Currency(), Starts: starts, Ends: ends, State: QuoteAsked, Documents: []insurance.Document{}, AskedAt: now, Version: 1,
	}
	q.Ref = files.RefOf(q.ID)
	q.Order = in.Order
	q.Subject = insurance.Subject{Kind: subjects[p.Line], Ref: q.Ref, Commune: commune}
	insertQuote(tx, q)
	s.send(tx, q.Insurer, errandQuote, q.ID)
	names, err := s.names(ctx, tx, q.Insurer)
	return q.view(p, names[q.Insurer], now), err
}

// parcel adds what is wrong with asking for a parcel: its seller insures it, with
// the sale whose goods are in it, for what they were sold at, and until it has
// arrived. Its buyer needs no insurance: until the goods are there the money is held
// for the buyer.
func (s *Service) parcel(ctx context.Context, tx *pg.Tx, member string, p Product, in AskInput, long time.Duration, wrong *fault.Error) (*fault.Error, error) {
	switch {
	case p.Line != insurance.Parcel && in.Order != "":
		return wrong.At("/order", "Only a parcel is insured with a sale."), nil
	case p.Line != insurance.Parcel:
		return wrong, nil
	case in.Order == "":
		return wrong.At("/order", "Name the sale whose parcel it is."), nil
	}
	goods, err := s.unsent(ctx, tx, member, in.Order)
	if errors.Is(err, orders.ErrNotFound) {
		return wrong.At("/order", "You have no such sale."), nil
	}
	if err != nil {
		return wrong, err
	}
	if in.Sum.Cmp(goods) > 0 {
		wrong = wrong.At("/sum", fmt.Sprintf("At most %s, which is what the goods were sold for.", goods))
	}
	if long > onItsWay {
		wrong = wrong.At("/ends", "Within 60 days: a parcel is on its way for no longer.")
	}
	return wrong, nil
}

// unsent is what the goods of a member's sale were sold for, which must not have
// left yet: ErrParcel; orders.ErrNotFound of another's sale.
func (s *Service) unsent(ctx context.Context, tx *pg.Tx, member, order string) (sum money.Money, err error) {
	o, err := s.Orders.Bought(ctx, tx, order)
	if err == nil && o.Seller != member {
		err = orders.ErrNotFound
	}
	if err != nil {
		return sum, err
	}
	if !slices.Contains([]orders.State{orders.Paid, orders.Accepted, orders.Confirmed}, o.State) {
		return sum, ErrParcel.Say("A parcel is insured before it leaves; this sale is %s.", o.State)
	}
	var goods int64
	for _, l := range o.Lines {
		goods += l.Paid
	}
	return money.FromCentimes(goods, money.MAD), nil
}

// pseudonym is how a member is called until a policy is made: only the hub can
// resolve it.
func (q Quote) pseudonym() string {
	h := sha256.Sum256([]byte(q.ID + "|" + q.Member))
	return "INS-" + hex.EncodeToString(h[:10])
}

// askInsurer has an insurer price a quote. Asked twice it answers for one.
func (s *Service) askInsurer(ctx context.Context, i Insurer, quote string) (bool, error) {
	q, err := loadQuote(ctx, s.db, quote)
	if err != nil || q.State != QuoteAsked {
		return true, err
	}
	p, err := loadProduct(ctx, s.db, q.Product)
	if err != nil {
		return false, err
	}
	said, r := i.Quote(ctx, insurance.Ask{
		Ref: q.Ref, Product: p.Code, Version: p.Number, Insured: q.pseudonym(), Subject: q.Subject, Sum: q.money(q.SumInsured), Start: q.Starts, End: q.Ends,
	})
	if !done(r) && r.Outcome != outbound.Declined && r.Reason != outbound.Differs {
		return false, nil
	}
	return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
		q, err := lockQuote(ctx, tx, quote)
		if err != nil || q.State != QuoteAsked {
			return err
		}
		wrong := r.Text
		if r.Reason != outbound.Differs {
			wrong = Priced(said, q, p, tx.Now())
		}
		switch {
		case r.Outcome == outbound.Declined:
			q.State, q.Why = QuoteRefused, r.Say()
		case wrong != "":
			q.State, q.Why = QuoteRefused, "The insurer's price was not right; it has been told."
			if err := s.gap(ctx, tx, Gap{
				Insurer: q.Insurer, Kind: "quote_sum", Ref: q.Ref, Subject: q.ID, Theirs: centimes(said.Premium),
				Detail: "The quote was not taken: " + wrong + ".", Suggestion: "Ask the insurer how it came to this price.",
			}); err != nil {
				return err
			}
		default:
			until := said.ValidUntil.UTC()
			q.State, q.Number, q.Premium, q.Taxes, q.Commission = QuoteOpen, said.ID, said.Premium.Centimes(), said.Taxes.Centimes(), said.Commission.Centimes()
			q.ValidUntil, q.Documents = &until, some(said.Documents)
		}
		saveQuote(tx, q)
		return tx.Publish(ctx, q.moved())
	})
}

func some(d []insurance.Document) []insurance.Document {
	if d == nil {
		return []insurance.Document{}
	}
	return d
}

func centimes(m money.Money) *int64 {
	if m.Currency() == "" {
		return nil
	}
	c := m.Centimes()
	return &c
}

// done says whether an insurer gave what it was asked for.
func done(r outbound.Result) bool {
	return r.Outcome == outbound.Succeeded || r.Outcome == outbound.Accepted
}

// The errands: what insurers are asked or told besides binding. Each can be run
// again without harm.
const (
	errandQuote   = "quote"
	errandPolicy  = "policy" // how it stands
	errandCancel  = "cancel"
	errandPaid    = "paid"
	errandClaim   = "claim"   // told, or told more
	errandAsk     = "ask"     // how a claim stands
	errandObserve = "observe" // an index
	errandMonth   = "month"   // a statement
	errandFetch   = "fetch"   // products
)

// Errand is a job that speaks with an insurer about one thing.
type Errand struct {
	What    string `json:"what"`
	Insurer string `json:"insurer"`
	Of      string `json:"of"`
}

// subject is what the errand's timer is about.
func (e Errand) subject() string { return e.What + " " + e.Insurer + " " + e.Of }

// Kind names the job.
func (Errand) Kind() string { return "policies.errand" }

// The timers.
const (
	timerErrand = "policies.errand" // an errand that has not been run to its end
	timerTurn   = "policies.turn"   // of a policy
	timerAnswer = "policies.answer" // of a claim that its insurer has not answered
	timerAsk    = "policies.ask"    // how an open claim stands
	timerLook   = "policies.look"   // how a policy that holds stands
	timerMonth  = "policies.month"  // of an insurer's statement
	timerMeet   = "policies.meet"   // insurers that came
)

// runAgain is how long an errand waits that came to nothing, and overdue when
// people are told of one.
const (
	runAgain = 2 * time.Minute
	overdue  = 3 * 24 * time.Hour
)

// send has a job speak with an insurer; should that come to nothing, a timer
// sends another.
func (s *Service) send(tx *pg.Tx, insurer, what, of string) {
	e := Errand{what, insurer, of}
	job.Set(tx, timerErrand, e.subject(), tx.Now().Add(runAgain))
	began(tx, e, tx.Now())
	tx.Enqueue(e, s.Engine.Queue(insurer))
}
