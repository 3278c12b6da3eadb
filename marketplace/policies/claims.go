package policies

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/media"
	"tiwiza/payments/files"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// mostEvidence is how many papers a claim has.
const mostEvidence = 20

// Declare declares a claim, a member for itself: what happened, when, for how much,
// with photographs that it uploaded. The insurer is told in its own time.
func (s *Service) Declare(ctx context.Context, tx *pg.Tx, in ClaimInput) (v ClaimView, err error) {
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
	if p.State == insurance.PolicyPending || p.State == insurance.PolicyRefused {
		return v, ErrState.Say("This policy is %s.", p.State)
	}
	now := tx.Now()
	wrong := ErrInvalid
	if at := in.EventAt; at.Before(p.Starts) || at.After(p.Ends) || at.After(now) {
		wrong = wrong.At("/event_at", fmt.Sprintf("When it happened, from %s on and not after the policy's end.", p.Starts.Format("2006-01-02")))
	}
	if in.Amount.Currency() != p.Currency || in.Amount.Sign() <= 0 || in.Amount.Centimes() > p.SumInsured {
		wrong = wrong.At("/amount", fmt.Sprintf("Above 0.00, at most the sum insured, %s.", p.money(p.SumInsured)))
	}
	if len(wrong.Details) > 0 {
		return v, wrong
	}
	c := Claim{
		ID: id.New(id.Claim), Policy: p.ID, Insurer: p.Insurer, Member: member, EventAt: in.EventAt.UTC(), Kind: in.Type, Description: strings.TrimSpace(in.Description),
		Amount: in.Amount.Centimes(), Currency: p.Currency, State: insurance.ClaimNotified, Asks: []string{}, Filed: 1, AnswerBy: now.Add(answerWithin), MadeBy: auth.From(ctx).Person(), MadeAt: now, Version: 1,
	}
	c.Ref = files.RefOf(c.ID)
	insertClaim(tx, c)
	all, err := s.attach(ctx, tx, c, in.Evidence)
	if err != nil {
		return v, err
	}
	s.send(tx, c.Insurer, errandClaim, c.ID)
	job.Set(tx, timerAnswer, c.ID, c.AnswerBy)
	job.Set(tx, timerAsk, c.ID, now.Add(s.Every))
	audit.Record(tx, "insurance.claim", c.ID, authz.Policy(ctx), map[string]any{"policy": p.ID, "type": c.Kind, "amount": c.money(c.Amount), "evidence": len(all)})
	return c.view(all), tx.Publish(ctx, c.moved())
}

// attach adds papers to a claim, which its member uploaded.
func (s *Service) attach(ctx context.Context, tx *pg.Tx, c Claim, in []EvidenceInput) (all []Evidence, err error) {
	ids := make([]string, len(in))
	for i, e := range in {
		ids[i] = e.File
	}
	found, err := s.Files.Files(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, e := range in {
		f, ok := found[e.File]
		if !ok || f.Owner != c.Member || seen[e.File] || f.Kind != media.Picture && f.Kind != media.Proof && f.Kind != media.Sound {
			return nil, ErrInvalid.At(fmt.Sprintf("/evidence/%d/file", i), "A photograph, a recording or a paper that you uploaded, each once.")
		}
		seen[e.File] = true
		if _, err := s.Files.Use(ctx, tx, f.ID, c.Member, f.Kind, c.ID); err != nil {
			return nil, err
		}
		sum := f.Blob
		if len(sum) < 64 || !hashShape(sum[:64]) {
			return nil, fmt.Errorf("file %s has no digest", f.ID)
		}
		x := Evidence{c.ID, f.ID, e.Kind, sum[:64], auth.From(ctx).Person(), tx.Now()}
		insertEvidence(tx, x)
		all = append(all, x)
	}
	return all, nil
}

// Add adds papers to a claim that the insurer has not decided on: those it asked
// for, say. One that was not told yet is told with them; of one that was, the
// insurer's people see them here, since the port tells a loss once.
func (s *Service) Add(ctx context.Context, tx *pg.Tx, in AddInput) (v ClaimView, err error) {
	member, err := own(ctx)
	if err != nil {
		return v, err
	}
	c, err := lockClaim(ctx, tx, in.Claim)
	if err != nil {
		return v, err
	}
	if c.Member != member {
		return v, ErrNotFound
	}
	if c.State != insurance.ClaimNotified && c.State != insurance.ClaimReview && c.State != insurance.ClaimRejected {
		return v, ErrState.Say("This claim is %s.", c.State)
	}
	before, err := evidenceOf(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	if len(before)+len(in.Evidence) > mostEvidence {
		return v, ErrInvalid.At("/evidence", fmt.Sprintf("A claim has at most %d papers.", mostEvidence))
	}
	for i, e := range in.Evidence {
		if slices.ContainsFunc(before, func(b Evidence) bool { return b.File == e.File }) {
			return v, ErrInvalid.At(fmt.Sprintf("/evidence/%d/file", i), "This paper is with the claim already.")
		}
	}
	all, err := s.attach(ctx, tx, c, in.Evidence)
	if err != nil {
		return v, err
	}
	saveClaim(tx, c)
	if c.Told == 0 {
		s.send(tx, c.Insurer, errandClaim, c.ID)
	}
	c.Version++
	if err := tx.Publish(ctx, c.moved()); err != nil {
		return v, err
	}
	audit.Record(tx, "insurance.evidence", c.ID, authz.Policy(ctx), map[string]any{"added": len(all)})
	return c.view(append(before, all...)), nil
}

// declare tells an insurer of a claim with its papers, once: it is one claim
// however often it is said, as long as nothing of it changes. Papers that came
// while an answer was lost make it another, and then the insurer is asked whether
// it has the claim.
func (s *Service) declare(ctx context.Context, i Insurer, claim string) (bool, error) {
	c, err := loadClaim(ctx, s.db, claim)
	if err != nil || c.Told == c.Filed || c.Observation != "" {
		return true, err
	}
	p, err := loadPolicy(ctx, s.db, c.Policy)
	if err != nil {
		return false, err
	}
	all, err := evidenceOf(ctx, s.db, c.ID)
	if err != nil {
		return false, err
	}
	l := insurance.Loss{Ref: c.Ref, Policy: p.PartnerID, At: c.EventAt.UTC(), Type: c.Kind, Description: c.Description, Amount: c.money(c.Amount)}
	for _, e := range all {
		l.Evidence = append(l.Evidence, insurance.Evidence{Kind: e.Kind, URL: s.URL + "/v1/insurance/claims/" + c.ID + "/evidence/" + e.File, SHA256: e.Digest})
	}
	said, r := i.Notify(ctx, l)
	if r.Code == "idempotency_conflict" {
		said, r = i.FindClaim(ctx, c.Ref)
	}
	if r.Outcome == outbound.Declined {
		said, r.Outcome = insurance.Claim{ID: r.PartnerID, Ref: c.Ref, State: insurance.ClaimRejected, Reason: r.Say()}, outbound.Succeeded
	}
	if r.Reason == outbound.Differs {
		return true, s.differs(ctx, c, r)
	}
	if !done(r) || said.Ref != c.Ref {
		return false, nil
	}
	return true, s.answered(ctx, claim, said, c.Filed)
}

// differs has a person look at an insurer's word on a claim whose sums do not fit.
func (s *Service) differs(ctx context.Context, c Claim, r outbound.Result) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		return s.gap(ctx, tx, Gap{
			Insurer: c.Insurer, Kind: "claim_sum", Ref: c.Ref, Subject: c.ID, Ours: c.Accepted,
			Detail: "The insurer's word on the claim was not taken: " + r.Text + ".", Suggestion: "Ask the insurer which sum holds.",
		})
	})
}

// lookAtClaim asks an insurer how a claim stands.
func (s *Service) lookAtClaim(ctx context.Context, i Insurer, claim string) (bool, error) {
	c, err := loadClaim(ctx, s.db, claim)
	if err != nil || c.State == insurance.ClaimPaid {
		return true, err
	}
	said, r := i.FindClaim(ctx, c.Ref)
	if r.Reason == outbound.Differs {
		return true, s.differs(ctx, c, r)
	}
	if r.Outcome == outbound.NotFound {
		return true, nil // it was not told yet
	}
	if !done(r) || said.Ref != c.Ref {
		return false, nil
	}
	return true, s.answered(ctx, claim, said, 0)
}

func (s *Service) answered(ctx context.Context, claim string, said insurance.Claim, told int) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := lockClaim(ctx, tx, claim)
		if err != nil {
			return err
		}
		_, err = s.hear(ctx, tx, c, said, told)
		return err
	})
}

// hear takes an insurer's word on a claim. What it accepts is owed to the member
// from then on.
func (s *Service) hear(ctx context.Context, tx *pg.Tx, c Claim, said insurance.Claim, told int) (Claim, error) {
	p, err := loadPolicy(ctx, tx, c.Policy)
	if err != nil {
		return c, err
	}
	was := c
	next, wrong := c.Hear(said, p.SumInsured)
	if wrong == "" && said.Transfer != "" && !premiums.IsTransfer(said.Transfer) {
		wrong = fmt.Sprintf("a transfer cannot be found by %q", said.Transfer)
	}
	if wrong == "" && said.Transfer != "" {
		of, err := s.Premiums.Named(ctx, tx, said.Transfer)
		if err != nil {
			return c, err
		}
		if of != "" && of != c.ID {
			wrong = fmt.Sprintf("the transfer %q is that of %s", said.Transfer, of)
		}
	}
	if wrong != "" {
		kind := "claim_sum"
		if c.Accepted != nil {
			kind = "claim_changed"
		}
		return c, s.gap(ctx, tx, Gap{
			Insurer: c.Insurer, Kind: kind, Ref: c.Ref, Subject: c.ID, Ours: c.Accepted, Theirs: centimes(said.Amount),
			Detail: "The insurer's word on the claim was not taken: " + wrong + ".", Suggestion: "Ask the insurer which of its answers holds.",
		})
	}
	next.Told = max(next.Told, told)
	saveClaim(tx, next)
	next.Version++
	if next.Accepted != nil && next.State == insurance.ClaimAccepted && (was.Accepted == nil || next.Transfer != was.Transfer || next.SetOff != was.SetOff) {
		err := s.Premiums.Indemnify(ctx, tx, premiums.Indemnity{
			Claim: c.ID, Policy: c.Policy, Member: c.Member, Insurer: c.Insurer, Amount: next.money(*next.Accepted), Transfer: next.Transfer, SetOff: next.SetOff,
		})
		if err != nil {
			return next, err
		}
	}
	if next.State != insurance.ClaimNotified && next.State != insurance.ClaimReview {
		job.Clear(tx, timerAnswer, c.ID)
	}
	if next.State == was.State && slices.Equal(next.Asks, was.Asks) {
		return next, nil
	}
	audit.Record(tx, "insurance.claim_"+string(next.State), c.ID, authz.Policy(ctx), map[string]any{"insurer": c.Insurer, "why": next.Why, "asks": next.Asks, "amount": said.Amount})
	return next, tx.Publish(ctx, next.moved())
}

// Answer is the word of an insurer's people on a claim, at the desk: as if their
// system had said it.
func (s *Service) Answer(ctx context.Context, tx *pg.Tx, in AnswerInput) (v ClaimView, err error) {
	w, err := s.whose(ctx, tx)
	if err != nil {
		return v, err
	}
	c, err := lockClaim(ctx, tx, in.Claim)
	if err != nil {
		return v, err
	}
	if !w.sees(c.Member, c.Insurer) || w.Insurers == nil {
		return v, ErrNotFound
	}
	if c.State == insurance.ClaimAccepted || c.State == insurance.ClaimPaid {
		if in.State != string(insurance.ClaimAccepted) || c.State == insurance.ClaimPaid {
			return v, ErrState.Say("This claim is %s.", c.State)
		}
	}
	said := insurance.Claim{ID: c.PartnerID, Ref: c.Ref, State: insurance.ClaimState(in.State), Reason: strings.TrimSpace(in.Reason), Asks: in.Asks, Transfer: in.Transfer, Amount: money.Dirhams(0)}
	wrong := ErrInvalid
	switch said.State {
	case insurance.ClaimAccepted:
		if in.Amount == nil {
			wrong = wrong.At("/amount", "Say how much is accepted.")
			break
		}
		said.Amount = *in.Amount
		if in.SetOff {
			said.State = insurance.ClaimPaid
		}
		if in.SetOff == (in.Transfer != "") {
			wrong = wrong.At("/transfer_ref", "Either the name of your transfer, or set_off.")
		}
		if in.Transfer != "" && !premiums.IsTransfer(in.Transfer) {
			wrong = wrong.At("/transfer_ref", "One word of 4 to 64 letters and digits, one digit at least, as it will stand on the bank's statement.")
		}
	case insurance.ClaimRejected:
		if said.Reason == "" {
			wrong = wrong.At("/reason", "Say why, in words that the insured understands.")
		}
	case insurance.ClaimReview:
		if len(in.Asks) == 0 {
			wrong = wrong.At("/asks", "Say which papers are missing.")
		}
	}
	if len(wrong.Details) > 0 {
		return v, wrong
	}
	p, err := loadPolicy(ctx, tx, c.Policy)
	if err != nil {
		return v, err
	}
	if _, text := c.Hear(said, p.SumInsured); text != "" {
		return v, ErrInvalid.At("/amount", text)
	}
	if of, err := s.Premiums.Named(ctx, tx, said.Transfer); err != nil || of != "" && of != c.ID {
		return v, cmp.Or(err, error(premiums.ErrTransfer.At("/transfer_ref", "Each claim's transfer has a name of its own.")))
	}
	c, err = s.hear(ctx, tx, c, said, 0)
	if err != nil {
		return v, err
	}
	all, err := evidenceOf(ctx, tx, c.ID)
	return c.view(all), err
}

// Paper is a paper of a claim, for its member, its insurer's people and operators.
func (s *Service) Paper(ctx context.Context, in PaperInput) (b rest.Blob, err error) {
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return b, err
	}
	c, err := loadClaim(ctx, s.db, in.Claim)
	if err != nil {
		return b, err
	}
	if !w.sees(c.Member, c.Insurer) {
		return b, ErrNotFound
	}
	all, err := evidenceOf(ctx, s.db, c.ID)
	if err != nil {
		return b, err
	}
	if !slices.ContainsFunc(all, func(e Evidence) bool { return e.File == in.File }) {
		return b, ErrNotFound
	}
	found, err := s.Files.Files(ctx, s.db, []string{in.File})
	if err != nil {
		return b, err
	}
	bytes, err := s.Files.Content(ctx, in.File)
	return rest.Blob{ContentType: found[in.File].Type, FileName: found[in.File].Name, Bytes: bytes, Foreign: true}, err
}
