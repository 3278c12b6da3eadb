package policies

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/accords"
	"tiwiza/payments/files"
	"tiwiza/payments/operations"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// firstPeriod names the premium that a policy is bound with.
const firstPeriod = "first"

// Take takes a quote: what the member agreed to is written down, the premium leaves
// its balance, and the insurer is asked to bind, all of it or nothing. A balance
// that is short is refused. The policy is pending until the insurer has bound.
func (s *Service) Take(ctx context.Context, tx *pg.Tx, in TakeInput) (v PolicyView, err error) {
	member, err := own(ctx)
	if err != nil {
		return v, err
	}
	q, err := lockQuote(ctx, tx, in.Quote)
	if err != nil {
		return v, err
	}
	if q.Member != member {
		return v, ErrNotFound
	}
	p, err := loadProduct(ctx, tx, q.Product)
	if err != nil {
		return v, err
	}
	now := tx.Now()
	switch {
	case q.State != QuoteOpen:
		return v, ErrQuote.Say("This quote is %s.", q.State)
	case !now.Before(*q.ValidUntil):
		return v, ErrQuote
	case p.State != Approved:
		return v, ErrProduct
	}
	if err := s.open(ctx, tx, q.Insurer); err != nil {
		return v, err
	}
	if q.Order != "" { // it may have left since
		if _, err := s.unsent(ctx, tx, member, q.Order); err != nil {
			return v, err
		}
	}
	names, err := s.names(ctx, tx, q.Insurer)
	if err != nil {
		return v, err
	}
	text, hash := Consent(q, p, names[q.Insurer], in.Consent.Lang)
	if in.Consent.TextHash != hash {
		return v, ErrConsent.At("/consent/text_hash", "the hash of the text in this language, as the quote shows it")
	}
	who := auth.From(ctx)
	y := Policy{
		ID: id.New(id.Policy), Quote: q.ID, Product: p.ID, Insurer: q.Insurer, Member: member, Order: q.Order, SumInsured: q.SumInsured, Premium: q.Premium, Commission: q.Commission, Currency: q.Currency,
		Period: p.Doc.Premium.Period, State: insurance.PolicyPending, Starts: q.Starts, Ends: q.Ends, Documents: q.Documents,
		ConsentLang: in.Consent.Lang, ConsentText: text, ConsentHash: hash, ConsentBy: by(who), ConsentWay: way(who), ConsentAt: now, Periods: 1, AskedAt: now, Version: 1,
	}
	y.Ref = files.RefOf(y.ID)
	q.State = QuoteUsed
	saveQuote(tx, q)
	pr, err := s.Premiums.Take(ctx, tx, premiums.Taking{
		Policy: y.ID, Period: firstPeriod, Member: member, Insurer: q.Insurer, Amount: q.money(q.Premium), Commission: q.money(q.Commission),
	})
	if err != nil {
		return v, err
	}
	y.First = pr.ID
	insertPolicy(tx, y)
	accords.Record(tx, y.accord(ctx))
	s.Engine.Intend(tx, operations.Intention{Subject: y.ID, Kind: KindPolicy, Connector: y.Insurer, Ref: y.Ref, Amount: q.money(q.Premium)})
	audit.Record(tx, "insurance.take", y.ID, authz.Policy(ctx), map[string]any{
		"quote": q.ID, "product": p.ID, "premium": q.money(q.Premium), "consent": hash, "lang": y.ConsentLang, "way": y.ConsentWay,
	})
	return y.view(p, names[y.Insurer], nil, now), tx.Publish(ctx, y.moved())
}

// accord is what the member agreed to, as the ledger writes it.
func (p Policy) accord(ctx context.Context) accords.Accord {
	sum := sha256.Sum256([]byte(p.ConsentText))
	return accords.Accord{Who: p.Member, Subject: accords.Insurance, About: p.ID, Word: accords.Given, Text: accords.Made(p.ConsentLang, sum[:]), Channel: accords.ChannelOf(ctx)}
}

// by is who agreed: the person, or the key's.
func by(who auth.Principal) string {
	if who.Human != "" {
		return who.Human
	}
	return who.Key
}

// way is how it was agreed to.
func way(who auth.Principal) string {
	switch {
	case who.For != "":
		return "agent"
	case who.Human != "":
		return "session"
	}
	return "key"
}

// bind asks an insurer for a policy: the engine calls it, once it has committed
// that it does.
func (s *Service) bind(ctx context.Context, o operations.Operation) outbound.Result {
	p, q, holder, err := s.toBind(ctx, o.Subject)
	i := s.at(ctx, s.db, o.Connector)
	if err != nil || i == nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "the policy cannot be read, or its insurer is not connected", Err: err}
	}
	said, r := i.Bind(ctx, insurance.Binding{
		Ref: p.Ref, Quote: q.Number, Holder: holder, Consent: insurance.Consent{TextHash: p.ConsentHash, At: p.ConsentAt.UTC()}, Payment: files.RefOf(p.First),
	})
	return bound(said, r, p.Ref)
}

// inquire asks an insurer whether it has bound a policy.
func (s *Service) inquire(ctx context.Context, o operations.Operation) outbound.Result {
	i := s.at(ctx, s.db, o.Connector)
	if i == nil {
		return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Paused, Text: "the insurer is not connected"}
	}
	said, r := i.FindPolicy(ctx, o.Ref)
	return bound(said, r, o.Ref)
}

// bound is what an insurer's answer about a binding means. One that is ended by now
// was bound.
func bound(said insurance.Policy, r outbound.Result, ref string) outbound.Result {
	if !done(r) {
		return r
	}
	if said.Ref != ref || said.ID == "" && said.State != insurance.PolicyRefused {
		r.Outcome, r.Reason, r.Text = outbound.Unknown, outbound.Differs, "the insurer speaks of another policy"
		return r
	}
	r.PartnerID = said.ID
	switch said.State {
	case insurance.PolicyPending:
		r.Outcome = outbound.Accepted
	case insurance.PolicyRefused:
		r.Outcome, r.Text = outbound.Declined, said.Reason
		if r.Code == "" {
			r.Code = "refused"
		}
	case insurance.PolicyActive, insurance.PolicyLapsed, insurance.PolicyCancelled, insurance.PolicyExpired, insurance.PolicyClaimed:
		r.Outcome = outbound.Succeeded
	default:
		r.Outcome, r.Text = outbound.Unknown, "the insurer says "+string(said.State)
	}
	return r
}

func (s *Service) toBind(ctx context.Context, policy string) (p Policy, q Quote, holder string, err error) {
	if p, err = loadPolicy(ctx, s.db, policy); err != nil {
		return p, q, "", err
	}
	if q, err = loadQuote(ctx, s.db, p.Quote); err != nil {
		return p, q, "", err
	}
	o, err := s.Members.Of(ctx, s.db, p.Member)
	return p, q, named(Texts(o.Names), "fr", p.Member), err
}

// bindingMoved makes a policy of a binding that came about, and gives the premium
// back of one that was refused.
func (s *Service) bindingMoved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	if o.State != operations.Confirmed && o.State != operations.Rejected {
		return nil
	}
	p, err := lockPolicy(ctx, tx, o.Subject)
	if err != nil {
		return err
	}
	if o.State == operations.Rejected {
		if p, err = p.Move(insurance.PolicyRefused, o.Why); err != nil {
			return err
		}
		savePolicy(tx, p)
		audit.Record(tx, "insurance.refused", p.ID, "", map[string]string{"why": o.Why})
		if err := s.Premiums.Undo(ctx, tx, p.First); err != nil {
			return err
		}
		return tx.Publish(ctx, p.moved())
	}
	if p, err = p.Move(insurance.PolicyActive, ""); err != nil {
		return err
	}
	p.PartnerID = o.PartnerID
	if p.PartnerID == "" { // two people said so
		p.PartnerID = o.Ref
	}
	p.NextDue = p.due()
	savePolicy(tx, p)
	if err := s.Premiums.Bind(ctx, tx, p.First); err != nil {
		return err
	}
	audit.Record(tx, "insurance.bound", p.ID, "", map[string]string{"insurer": p.Insurer, "their_id": p.PartnerID})
	s.send(tx, p.Insurer, errandPolicy, p.ID)
	job.Set(tx, timerTurn, p.ID, p.turn(tx.Now()))
	job.Set(tx, timerLook, p.ID, tx.Now().Add(24*time.Hour))
	return tx.Publish(ctx, p.moved())
}

// bindingContradicted has people see to a policy that an insurer says otherwise of
// than it did: the premium has gone back, and there is a policy all the same.
func (s *Service) bindingContradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
	return s.gap(ctx, tx, Gap{
		Insurer: o.Connector, Kind: "policy_contradicted", Ref: o.Ref, Subject: o.Subject, Ours: &o.Amount,
		Detail:     fmt.Sprintf("The binding was %s, and the insurer says the opposite now.", was),
		Suggestion: "Have the insurer cancel the policy without a premium, or take the premium once more with the member's consent.",
	})
}

// look asks an insurer how a policy stands, and takes that over: its number and
// papers, and that it was ended there.
func (s *Service) look(ctx context.Context, i Insurer, policy string) (bool, error) {
	p, err := loadPolicy(ctx, s.db, policy)
	if err != nil {
		return true, err
	}
	if p.State == insurance.PolicyPending {
		return true, nil // the engine asks
	}
	said, r := i.FindPolicy(ctx, p.Ref)
	if r.Outcome == outbound.Declined || r.Outcome == outbound.NotFound || r.Reason == outbound.Differs {
		return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
			return s.gap(ctx, tx, Gap{
				Insurer: p.Insurer, Kind: "policy_contradicted", Ref: p.Ref, Subject: p.ID, Ours: &p.Premium,
				Detail: "The insurer bound this policy, and says now: " + r.Say() + ".", Suggestion: "Ask the insurer what holds; the member has paid and agreed.",
			})
		})
	}
	if !done(r) || said.Ref != p.Ref {
		return false, nil
	}
	return true, s.heard(ctx, policy, said)
}

// heard takes an insurer's word on a policy that it bound.
func (s *Service) heard(ctx context.Context, policy string, said insurance.Policy) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := lockPolicy(ctx, tx, policy)
		if err != nil || !p.Holds() {
			return err
		}
		was, ends := p.State, p.Ends
		p.Number = said.Number
		if len(said.Documents) > 0 {
			p.Documents = said.Documents
		}
		if said.Start.Before(said.End) && !said.Start.IsZero() {
			if p, err = s.dated(ctx, tx, p, said); err != nil {
				return err
			}
		}
		if said.State != p.State && policyMoves[p.State] != nil && said.State != insurance.PolicyPending && said.State != insurance.PolicyRefused {
			next, err := p.Move(said.State, said.Reason)
			if err == nil {
				p = next
			}
		}
		if p.State == insurance.PolicyCancelled {
			if p, err = s.givesBack(ctx, tx, p, said.Refund); err != nil {
				return err
			}
		}
		savePolicy(tx, p)
		switch {
		case !p.Holds():
			job.Clear(tx, timerTurn, p.ID)
		case !p.Ends.Equal(ends): // what is due by itself is looked at anew; otherwise its time stays as it is
			job.Set(tx, timerTurn, p.ID, tx.Now())
		}
		if p.State == was {
			return nil
		}
		audit.Record(tx, "insurance."+string(p.State), p.ID, "", map[string]any{"insurer": p.Insurer, "why": p.Why, "refund": p.money(p.Refund)})
		return tx.Publish(ctx, p.moved())
	})
}

// dated takes over the days that an insurer says of a policy. A policy that would
// begin earlier, or last longer, than its member agreed to costs premiums that it
// did not agree to: then its days stay, and a person sees to it.
func (s *Service) dated(ctx context.Context, tx *pg.Tx, p Policy, said insurance.Policy) (Policy, error) {
	q, err := loadQuote(ctx, tx, p.Quote)
	if err != nil {
		return p, err
	}
	if day := 24 * time.Hour; said.Start.Before(q.Starts.Add(-day)) || said.End.After(q.Ends.Add(day)) {
		return p, s.gap(ctx, tx, Gap{
			Insurer: p.Insurer, Kind: "policy_contradicted", Ref: p.Ref, Subject: p.ID, Ours: &p.Premium,
			Detail: fmt.Sprintf("The insurer says that the policy is from %s to %s; its member agreed to %s to %s.",
				said.Start.Format(time.DateOnly), said.End.Format(time.DateOnly), q.Starts.Format(time.DateOnly), q.Ends.Format(time.DateOnly)),
			Suggestion: "Ask the insurer to correct it: nothing is taken beyond what the member agreed to.",
		})
	}
	p.Starts, p.Ends = said.Start.UTC(), said.End.UTC()
	return p, nil
}

// givesBack has an insurer owe what it gives back of a cancelled policy. More than
// its last premium is wrong: then nothing is booked, and a person sees to it.
func (s *Service) givesBack(ctx context.Context, tx *pg.Tx, p Policy, refund money.Money) (Policy, error) {
	if refund.IsZero() {
		return p, nil
	}
	all, err := s.Premiums.OfPolicy(ctx, tx, p.ID)
	if err != nil {
		return p, err
	}
	var last premiums.Premium
	for _, pr := range all {
		if pr.State == premiums.Bound {
			last = pr
		}
	}
	if last.ID == "" || refund.Currency() != p.Currency || refund.Sign() < 0 || refund.Cmp(last.Money()) > 0 {
		return p, s.gap(ctx, tx, Gap{
			Insurer: p.Insurer, Kind: "refund_sum", Ref: p.cancelRef(), Subject: p.ID, Ours: &last.Amount, Theirs: centimes(refund),
			Detail: fmt.Sprintf("%s would be given back of a premium of %s.", refund, last.Money()), Suggestion: "Ask the insurer what it gives back, and pay it by hand.",
		})
	}
	if err := s.Premiums.GiveBack(ctx, tx, p.ID, last.ID, refund, p.cancelRef()); err != nil {
		return p, err
	}
	p.Refund = refund.Centimes()
	return p, nil
}

// Cancel ends a policy before its time, its member for itself: in the cooling-off
// time. What the insurer gives back goes into the balance.
func (s *Service) Cancel(ctx context.Context, tx *pg.Tx, in CancelInput) (v PolicyView, err error) {
	member, err := own(ctx)
	if err != nil {
		return v, err
	}
	p, err := lockPolicy(ctx, tx, in.Policy)
	if err != nil {
		return v, err
	}
	if p.Member != member {
		return v, ErrNotFound
	}
	d, err := loadProduct(ctx, tx, p.Product)
	if err != nil {
		return v, err
	}
	now := tx.Now()
	switch {
	case p.State == insurance.PolicyPending:
		return v, ErrState.Say("The insurer has not answered yet; cancel once the policy is there, or wait for its answer.")
	case !p.Holds():
		return v, ErrState.Say("This policy is %s.", p.State)
	case p.CancelRef != "":
		return v, ErrState.Say("The insurer was asked to cancel this policy already.")
	case now.After(p.freeUntil(d)):
		return v, ErrCooling.Say("This policy could be cancelled freely for %d days; that time is over.", d.Doc.CoolingOff)
	}
	p.CancelRef, p.CancelWhy, p.CancelAt = p.cancelRef(), strings.TrimSpace(in.Reason), &now
	savePolicy(tx, p)
	p.Version++
	s.send(tx, p.Insurer, errandCancel, p.ID)
	audit.Record(tx, "insurance.cancel", p.ID, authz.Policy(ctx), map[string]string{"why": p.CancelWhy})
	names, err := s.names(ctx, tx, p.Insurer)
	return p.view(d, names[p.Insurer], nil, now), err
}

// cancelThere has an insurer cancel a policy: asked twice by one name it is
// cancelled once. What it refuses lets the policy go on.
func (s *Service) cancelThere(ctx context.Context, i Insurer, policy string) (bool, error) {
	p, err := loadPolicy(ctx, s.db, policy)
	if err != nil || !p.Holds() || p.CancelRef == "" {
		return true, err
	}
	said, r := i.Cancel(ctx, insurance.Cancellation{Ref: p.CancelRef, Policy: p.PartnerID, Reason: p.CancelWhy})
	if r.Outcome == outbound.Declined {
		return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
			p, err := lockPolicy(ctx, tx, policy)
			if err != nil || !p.Holds() || p.CancelRef == "" {
				return err
			}
			p.CancelRef, p.CancelAt, p.Why = "", nil, "The insurer did not cancel it: "+r.Say()
			savePolicy(tx, p)
			audit.Record(tx, "insurance.cancel_refused", p.ID, "", map[string]string{"why": r.Say()})
			return tx.Publish(ctx, p.moved())
		})
	}
	if r.Reason == outbound.Differs {
		return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
			return s.gap(ctx, tx, Gap{
				Insurer: p.Insurer, Kind: "refund_sum", Ref: p.CancelRef, Subject: p.ID,
				Detail: "The insurer's answer to the cancelling was not taken: " + r.Text + ".", Suggestion: "Ask the insurer what it gives back.",
			})
		})
	}
	if !done(r) || said.State != insurance.PolicyCancelled {
		return false, nil
	}
	return true, s.heard(ctx, policy, said)
}

// tellPaid tells an insurer that a later period was paid for.
func (s *Service) tellPaid(ctx context.Context, i Insurer, of string) (bool, error) {
	policy, premium, _ := strings.Cut(of, "/")
	p, err := loadPolicy(ctx, s.db, policy)
	if err != nil {
		return true, err
	}
	all, err := s.Premiums.OfPolicy(ctx, s.db, policy)
	if err != nil {
		return false, err
	}
	for _, pr := range all {
		if pr.ID != premium {
			continue
		}
		r := i.Paid(ctx, insurance.Payment{Ref: files.RefOf(pr.ID), Policy: p.PartnerID, Period: pr.Period, Amount: pr.Money()})
		return done(r) || r.Outcome == outbound.Declined, nil // what it refuses shows in its statement
	}
	return true, nil
}

// Hear takes an insurer's event: it says only that something has changed, and what
// that is the insurer is asked. An event about nothing of ours changes nothing, and
// is taken all the same: its sender would send it again for days.
func (s *Service) Hear(ctx context.Context, insurer string, e insurance.Event) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := policyByRef(ctx, tx, insurer, e.Ref)
		if err == nil {
			if p.State != insurance.PolicyPending {
				s.send(tx, insurer, errandPolicy, p.ID)
				return nil
			}
			o, err := s.Engine.Find(ctx, tx, insurer, p.Ref)
			if err != nil {
				return err
			}
			s.Engine.AskNow(tx, o)
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		c, err := claimByRef(ctx, tx, insurer, e.Ref)
		if errors.Is(err, ErrNotFound) {
			slog.WarnContext(ctx, "an insurer speaks of nothing of ours", "insurer", insurer, "kind", e.Kind, "ref", e.Ref)
			return nil
		}
		if err == nil {
			s.send(tx, insurer, errandAsk, c.ID)
		}
		return err
	})
}
