package recon

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Errors of resolving what reconciliation could not explain.
var (
	ErrNoBreak   = fault.New(fault.NotFound, "breaks.not_found", "There is no such break.")
	ErrResolved  = fault.New(fault.Conflict, "breaks.resolved", "This break has been resolved already.")
	ErrPieces    = fault.New(fault.Invalid, "breaks.pieces", "The parts do not make up the break.")
	ErrTarget    = fault.New(fault.Invalid, "breaks.target", "This cannot be what the line is about; name a payout, refund, operation, charge or line.")
	ErrUnfit     = fault.New(fault.Conflict, "breaks.unfit", "The line and what it is matched with do not agree.")
	ErrSecond    = fault.New(fault.Conflict, "breaks.second", "A statement has shown this before: match the line with the bank's correction once it comes, or write it off.")
	ErrUntil     = fault.New(fault.Invalid, "breaks.until", "Snooze until a time that lies ahead, at most 30 days.")
	ErrMoneyless = fault.New(fault.Invalid, "breaks.no_money", "This break is about no amount: close it with write_off and a note, or snooze it.")
)

// A BreakKind says what is the matter.
type BreakKind string

// The kinds.
const (
	KindUnmatched  BreakKind = "unmatched"  // a movement that is not booked
	KindSuspense   BreakKind = "suspense"   // money that came; its owner is not known
	KindUnreadable BreakKind = "unreadable" // a file
	KindGap        BreakKind = "gap"        // no statement leads up to another
	KindClosed     BreakKind = "closed"     // a day changed after it was closed
)

// A BreakState is where a break stands.
type BreakState string

// The states.
const (
	Open     BreakState = "open"
	Snoozed  BreakState = "snoozed"
	Resolved BreakState = "resolved"
)

const (
	breakID   id.Kind = "brk"
	timerWake string  = "recon.wake"
	// longestSnooze is how long people may look away.
	longestSnooze time.Duration = 30 * 24 * time.Hour
)

// A Suggestion is how a break could be resolved, and why one might think so. It
// is never carried out by itself. By is empty when there is only a reason.
type Suggestion struct {
	By     string       `json:"by,omitempty" enum:"match,split,fee,write_off"`
	To     string       `json:"to,omitempty"`
	Fee    *money.Money `json:"fee,omitempty"`
	Reason string       `json:"reason" required:"true"`
}

// A Piece is what one part of a break is.
type Piece struct {
	By     string       `json:"by" required:"true" enum:"match,fee,write_off"`
	To     string       `json:"to,omitempty" maxLength:"64" description:"For match: the payout, refund, operation, charge or line it is; of our own account also «capital», «vat» or «booked»."`
	Amount money.Money  `json:"amount" required:"true" description:"Above zero, whichever way the money went."`
	Fee    *money.Money `json:"fee,omitempty" description:"What the acquirer kept, when it is matched with a charge."`
}

// A Resolution is what people made of a break.
type Resolution struct {
	By     string  `json:"by" required:"true"`
	Pieces []Piece `json:"parts,omitempty"`
	Note   string  `json:"note,omitempty"`
}

// hash stands for exactly this resolution of exactly this break.
func (r Resolution) hash(b Break) []byte {
	text, err := json.Marshal(struct {
		Break, Line string
		Amount      *int64
		R           Resolution
	}{b.ID, b.line(), b.Amount, r})
	if err != nil {
		panic("recon: " + err.Error()) // a resolution is plain data
	}
	h := sha256.Sum256(text)
	return h[:]
}

// costs is how much of it nobody else explains, in centimes: what is given up,
// and what one of us says is a fee.
func (r Resolution) costs() (sum int64) {
	for _, p := range r.Pieces {
		if p.By == byWriteOff || p.By == byFee {
			sum += p.Amount.Centimes()
		}
		if p.Fee != nil {
			sum += p.Fee.Centimes()
		}
	}
	return sum
}

// A Break is one thing that people must look at.
type Break struct {
	ID           string
	Kind         BreakKind
	Bank         string
	About        string
	Line         *string
	Part         *int
	Statement    *string
	File         *string
	Amount       *int64 // + came, - left, centimes
	Currency     string
	Why          string
	Suggestion   *Suggestion
	Proposed     *Resolution // waits for a second person
	State        BreakState
	SnoozedUntil *time.Time
	Resolution   *Resolution
	ResolvedBy   *string
	ResolvedAt   *time.Time
	Version      int64
	CreatedAt    time.Time
}

func (b Break) line() string {
	if b.Line == nil {
		return ""
	}
	return *b.Line
}

// size is the break's amount without its sign.
func (b Break) size() int64 {
	if b.Amount == nil {
		return 0
	}
	return max(*b.Amount, -*b.Amount)
}

// Snooze puts a break off until a time.
func (b Break) Snooze(until, at time.Time) (Break, error) {
	if b.State == Resolved {
		return b, ErrResolved
	}
	if !until.After(at) || until.After(at.Add(longestSnooze)) {
		return b, ErrUntil
	}
	b.State, b.SnoozedUntil = Snoozed, &until
	return b, nil
}

// Wake brings a break back once it was put off long enough.
func (b Break) Wake(at time.Time) (Break, bool) {
	if b.State != Snoozed || b.SnoozedUntil.After(at) {
		return b, false
	}
	b.State, b.SnoozedUntil = Open, nil
	return b, true
}

// Resolve ends a break.
func (b Break) Resolve(r Resolution, by string, at time.Time) (Break, error) {
	if b.State == Resolved {
		return b, ErrResolved
	}
	b.State, b.SnoozedUntil, b.Proposed = Resolved, nil, nil
	b.Resolution, b.ResolvedBy, b.ResolvedAt = &r, &by, &at
	return b, nil
}

// Plan checks that a resolution makes up the break: each piece above zero, in
// the break's currency, together exactly its amount.
func (b Break) Plan(r Resolution) error {
	if b.Amount == nil {
		return ErrMoneyless
	}
	left := money.FromCentimes(b.size(), b.Currency)
	for i, p := range r.Pieces {
		at := pieceAt(r, i)
		if p.Amount.Sign() <= 0 || p.Amount.Currency() != b.Currency {
			return ErrPieces.At(at+"/amount", "above zero, in "+b.Currency)
		}
		if p.Fee != nil && (p.Fee.Sign() < 0 || p.Fee.Currency() != b.Currency || p.By != byMatch) {
			return ErrPieces.At(at+"/fee", "not below zero, in "+b.Currency+", of a match only")
		}
		if (p.By == byMatch) == (p.To == "") {
			return ErrTarget.At(at+"/to", "name it for a match, and for nothing else")
		}
		left = left.Sub(p.Amount)
	}
	if len(r.Pieces) == 0 || !left.IsZero() {
		return ErrPieces.At("/parts", "they are "+left.String()+" off "+money.FromCentimes(b.size(), b.Currency).String())
	}
	return nil
}

func pieceAt(r Resolution, i int) string {
	if r.By != bySplit {
		return ""
	}
	return fmt.Sprintf("/parts/%d", i)
}

// broken keeps each part of a line that is not explained as a break, with a
// suggestion where there is a reason for one.
func (s *Service) broken(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, e bank.Entry, l Line, parts []part) error {
	for i, p := range parts {
		if p.state != Unmatched && p.state != Suspense {
			continue
		}
		amount := p.Amount.Centimes()
		b := Break{
			ID: id.New(breakID), Kind: BreakKind(p.state), Bank: h.Bank.ID(), About: p.Ref, Line: &l.ID, Part: &i,
			Amount: &amount, Currency: l.Currency, Why: p.why,
		}
		if b.About == "" {
			b.About = st.ID
		}
		var err error
		if b.Suggestion, err = s.suggest(ctx, tx, h, st, e, l, p); err != nil {
			return err
		}
		insertBreak(tx, b)
	}
	return nil
}

// wake is the timer of a snoozed break.
func (s *Service) wake(ctx context.Context, tx *pg.Tx, brk string) error {
	b, err := lockBreak(ctx, tx, brk)
	if err != nil {
		return err
	}
	if next, ok := b.Wake(tx.Now()); ok {
		saveBreak(tx, next)
		slog.InfoContext(ctx, "a break is due again", "break", b.ID)
		return nil
	}
	if b.State == Snoozed { // it was put off anew
		job.Set(tx, timerWake, brk, *b.SnoozedUntil)
	}
	return nil
}
