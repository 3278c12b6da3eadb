package recon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// The ways to resolve a break.
const (
	byMatch    = "match"
	bySplit    = "split"
	byFee      = "fee"
	byWriteOff = "write_off"
	bySnooze   = "snooze"
)

// WriteOffAlone is the amount in centimes up to which one person may give a
// line up, within what rules allow a day. A second payment of ours always takes
// two.
const WriteOffAlone = 100_00

const kindWriteOff = "recon.write_off"

// ResolveInput says what a break is.
type ResolveInput struct {
	Break string       `path:"break"`
	By    string       `json:"by" required:"true" enum:"match,split,fee,write_off,snooze"`
	To    string       `json:"to,omitempty" maxLength:"64" description:"For match: the payout, refund, operation, charge or line it is; of our own account also «capital», «vat» or «booked»."`
	Fee   *money.Money `json:"fee,omitempty" description:"What the acquirer kept, when it is matched with a charge."`
	Parts []Piece      `json:"parts,omitempty" maxItems:"200" description:"For split: together exactly the break's amount."`
	Until *time.Time   `json:"until,omitempty" description:"For snooze."`
	Note  string       `json:"note,omitempty" maxLength:"1000" description:"Why, for those who read it later; write_off needs one."`
}

// Resolve carries out what a person says a break is: each way posts what it
// says, is written into the audit trail, and shows in the line. A write-off
// above the limit waits for a second person. The operator calls it.
func (s *Service) Resolve(ctx context.Context, tx *pg.Tx, in ResolveInput) (BreakView, error) {
	b, err := s.takeUp(ctx, tx, in.Break)
	if err != nil {
		return BreakView{}, err
	}
	if b.State == Resolved {
		return BreakView{}, ErrResolved
	}
	if in.By == bySnooze {
		return s.snooze(ctx, tx, b, in)
	}
	r := Resolution{By: in.By, Pieces: in.Parts, Note: strings.TrimSpace(in.Note)}
	if in.By == byWriteOff && r.Note == "" {
		return BreakView{}, ErrPieces.At("/note", "say why it is given up").Say("A write-off needs a note.")
	}
	if b.Amount == nil {
		if in.By != byWriteOff {
			return BreakView{}, ErrMoneyless
		}
		return s.done(ctx, tx, b, Resolution{By: in.By, Note: r.Note}, auth.From(ctx).Person())
	}
	if in.By != bySplit {
		if len(in.Parts) > 0 {
			return BreakView{}, ErrPieces.At("/parts", "give parts for split only")
		}
		r.Pieces = []Piece{{By: in.By, To: in.To, Amount: money.FromCentimes(b.size(), b.Currency), Fee: in.Fee}}
	}
	if err := b.Plan(r); err != nil {
		return BreakView{}, err
	}
	two, err := s.needsTwo(ctx, tx, b, r)
	if err != nil {
		return BreakView{}, err
	}
	if two {
		return s.propose(ctx, tx, b, r)
	}
	return s.carryOut(ctx, tx, b, r, auth.From(ctx).Person())
}

// takeUp locks a break, behind its bank's statements.
func (s *Service) takeUp(ctx context.Context, tx *pg.Tx, brk string) (Break, error) {
	b, err := loadBreak(ctx, tx, brk)
	if err != nil {
		return b, err
	}
	if err := oneAtATime(ctx, tx, b.Bank); err != nil {
		return b, err
	}
	return lockBreak(ctx, tx, brk)
}

func (s *Service) snooze(ctx context.Context, tx *pg.Tx, b Break, in ResolveInput) (BreakView, error) {
	if in.Until == nil {
		return BreakView{}, ErrUntil.At("/until", "say until when")
	}
	b, err := b.Snooze(in.Until.UTC(), tx.Now())
	if err != nil {
		return BreakView{}, err
	}
	saveBreak(tx, b)
	job.Set(tx, timerWake, b.ID, *b.SnoozedUntil)
	audit.Record(tx, "breaks.resolve", b.ID, authz.Policy(ctx), map[string]any{"by": bySnooze, "until": b.SnoozedUntil, "note": in.Note})
	return b.view(), nil
}

// needsTwo says whether a second person must agree. What one gives up alone
// counts.
func (s *Service) needsTwo(ctx context.Context, tx *pg.Tx, b Break, r Resolution) (bool, error) {
	off := r.costs()
	if off == 0 || b.Line == nil {
		return false, nil
	}
	l, err := loadLine(ctx, tx, *b.Line)
	if two := off > WriteOffAlone || l.MatchedTo != "" && *b.Amount < 0; err != nil || two || s.ties.Alone == nil {
		return two, err
	}
	alone, err := s.ties.Alone(ctx, tx, auth.From(ctx).Person(), money.FromCentimes(off, b.Currency))
	return !alone, err
}

func (s *Service) propose(ctx context.Context, tx *pg.Tx, b Break, r Resolution) (BreakView, error) {
	amount := money.FromCentimes(r.costs(), b.Currency)
	a, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindWriteOff, Subject: b.ID, Hash: r.hash(b), Amount: &amount, Why: r.Note,
		Evidence: fmt.Sprintf("%s %s: %s", b.Kind, b.About, b.Why),
	})
	if err != nil {
		return BreakView{}, err
	}
	b.Proposed = &r
	saveBreak(tx, b)
	audit.Record(tx, "breaks.propose", b.ID, authz.Policy(ctx), r)
	v := b.view()
	v.Approval = a.ID
	return v, nil
}

// decided follows the second person's word.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, a approvals.Request) error {
	b, err := s.takeUp(ctx, tx, a.Subject)
	if err != nil {
		return err
	}
	if b.State == Resolved || b.Proposed == nil || !bytes.Equal(b.Proposed.hash(b), a.Hash) {
		return approvals.ErrChanged
	}
	if a.State == approvals.Approved {
		_, err = s.carryOut(ctx, tx, b, *b.Proposed, a.AskedBy+", "+auth.From(ctx).Person())
		return err
	}
	b.Proposed = nil
	saveBreak(tx, b)
	return nil
}

// carryOut books a resolution and writes it into the line.
func (s *Service) carryOut(ctx context.Context, tx *pg.Tx, b Break, r Resolution, by string) (BreakView, error) {
	l, err := lockLine(ctx, tx, *b.Line)
	if err != nil {
		return BreakView{}, err
	}
	w := work{s: s, tx: tx, b: b, l: l}
	given, err := w.receive(ctx, r)
	if err != nil {
		return BreakView{}, err
	}
	if given {
		v, err := s.done(ctx, tx, b, r, by)
		if err != nil {
			return v, err
		}
		return v, w.finish(ctx)
	}
	if err := w.unsuspend(ctx); err != nil {
		return BreakView{}, err
	}
	for i, p := range r.Pieces {
		if err := w.piece(ctx, i, p); err != nil {
			if p := pieceAt(r, i); p != "" {
				err = at(err, p)
			}
			return BreakView{}, err
		}
	}
	v, err := s.done(ctx, tx, b, r, by)
	if err != nil {
		return v, err
	}
	return v, w.finish(ctx)
}

// at points an error at a part of the request.
func at(err error, pointer string) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.At(pointer, e.Text)
	}
	return err
}

// done ends a break, whoever decided.
func (s *Service) done(ctx context.Context, tx *pg.Tx, b Break, r Resolution, by string) (BreakView, error) {
	proposed := b.Proposed != nil
	b, err := b.Resolve(r, by, tx.Now())
	if err != nil {
		return BreakView{}, err
	}
	saveBreak(tx, b)
	job.Clear(tx, timerWake, b.ID)
	if proposed { // by another way than was proposed; a decision is no longer open itself
		if err := s.approvals.Void(ctx, tx, kindWriteOff, b.ID); err != nil {
			return BreakView{}, err
		}
	}
	audit.Record(tx, "breaks.resolve", b.ID, authz.Policy(ctx), map[string]any{"resolution": r, "by": by, "line": b.line()})
	return b.view(), tx.Publish(ctx, BreakResolved{b.ID, b.line(), r.By})
}
