package recon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of reconciliation.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Commit("POST", "/v1/statements", "statements.create", "Take in a bank statement by hand", http.StatusCreated, s.Upload, rest.Body(20<<20), rest.Timeout(60*time.Second),
			rest.About("camt.053 and camt.054, MT940, and the CSV that is mapped for the bank. The same file again answers the same and changes nothing.")),
		rest.Handle("GET", "/v1/breaks", "breaks.list", "List what reconciliation could not explain, newest first", http.StatusOK, s.Breaks),
		rest.Handle("GET", "/v1/breaks/{break}", "breaks.show", "Show one thing that reconciliation could not explain", http.StatusOK, s.Break),
		rest.Commit("POST", "/v1/breaks/{break}/resolve", "breaks.resolve", "Say what a break is, give it up, or put it off", http.StatusOK, s.Resolve),
		rest.Handle("GET", "/v1/closings", "closings.list", "List the days that were closed, newest first", http.StatusOK, s.Closings),
		rest.Handle("GET", "/v1/closings/{day}", "closings.show", "Show the report of a closed day", http.StatusOK, s.Report),
		rest.Commit("POST", "/v1/closings", "closings.create", "Close a day, or close it anew after it changed", http.StatusCreated, s.CloseDay),
	}
}

// UploadInput is a statement file.
type UploadInput struct {
	Bank string    `query:"bank" description:"The bank's name here; may be left out when there is one, besides those that were registered by their address."`
	File rest.File `body:"file"`
}

// UploadView is what came of it.
type UploadView struct {
	ID        string `json:"id" required:"true" description:"Of the statement; empty while it waits for a second person."`
	Approval  string `json:"approval,omitempty" description:"Where a second person agrees that it is the bank's; until then nothing is booked."`
	Entries   int    `json:"entries" required:"true"`
	Matched   int    `json:"matched" required:"true"`
	Partly    int    `json:"partly" required:"true"`
	Unmatched int    `json:"unmatched" required:"true"`
}

// Upload takes in a statement that a bank sends, of its own house only. One that
// an operator hands in, or a key that an operator made, waits for a second
// person. The same file again answers the same and changes nothing.
func (s *Service) Upload(ctx context.Context, tx *pg.Tx, in UploadInput) (UploadView, error) {
	house, err := s.house(ctx, tx, in.Bank)
	if err != nil {
		return UploadView{}, err
	}
	sum := sha256.Sum256(in.File.Bytes)
	f := bank.Received{Name: in.File.Name, Bytes: in.File.Bytes, SHA256: hex.EncodeToString(sum[:])}
	if who := auth.From(ctx); who.Role != auth.Bank || who.Behind != "" {
		return s.hand(ctx, tx, house, f)
	}
	reads, err := s.take(ctx, tx, house, f)
	if err != nil {
		return UploadView{}, err
	}
	if len(reads) == 0 {
		return UploadView{}, ErrReport
	}
	return summary(reads), nil
}

// house is the bank that a caller may hand in statements of: a bank's key only
// its own, so that for it there are no others, and none while its organisation is
// suspended.
func (s *Service) house(ctx context.Context, tx *pg.Tx, name string) (House, error) {
	who := auth.From(ctx)
	if who.Role == auth.Bank && s.ties.Suspended != nil {
		if barred, err := s.ties.Suspended(ctx, tx, who.Subject); err != nil || barred {
			return House{}, cmp.Or(err, error(ErrBarred))
		}
	}
	houses, err := s.everywhere(ctx, tx)
	if err != nil {
		return House{}, err
	}
	var mine []House
	usual := 0 // of those that are built in, which come first
	for i, h := range houses {
		own := who.Role != auth.Bank
		if !own && s.ties.Owner != nil {
			owner, err := s.ties.Owner(ctx, h.Bank.ID())
			if err != nil {
				return House{}, err
			}
			own = owner != "" && owner == who.Subject
		}
		if own {
			mine = append(mine, h)
			if i < len(s.houses) {
				usual++
			}
		}
	}
	for _, h := range mine {
		if name == h.Bank.ID() || name == "" && (len(mine) == 1 || usual == 1) {
			return h, nil
		}
	}
	if who.Role == auth.Bank {
		return House{}, ErrNoBank.At("?bank", "leave it out: this key hands in the statements of its own bank only")
	}
	return House{}, ErrNoBank.At("?bank", "one of the banks on /v1/partners")
}

// BreakView is something that people must look at.
type BreakView struct {
	ID           string       `json:"id" required:"true"`
	Kind         BreakKind    `json:"kind" required:"true" enum:"unmatched,suspense,unreadable,gap,closed"`
	Bank         string       `json:"bank" required:"true"`
	About        string       `json:"about" required:"true" description:"The reference, statement, file or day it is about."`
	Why          string       `json:"why" required:"true"`
	Amount       *money.Money `json:"amount,omitempty" description:"Below zero when money left."`
	Line         string       `json:"line,omitempty"`
	Suggestion   *Suggestion  `json:"suggestion,omitempty"`
	State        BreakState   `json:"state" required:"true" enum:"open,snoozed,resolved"`
	SnoozedUntil *time.Time   `json:"snoozed_until,omitempty"`
	Proposed     *Resolution  `json:"proposed,omitempty" description:"Waits for a second person."`
	Approval     string       `json:"approval,omitempty" description:"Where the second person decides."`
	Resolution   *Resolution  `json:"resolution,omitempty"`
	ResolvedBy   string       `json:"resolved_by,omitempty"`
	ResolvedAt   *time.Time   `json:"resolved_at,omitempty"`
	CreatedAt    time.Time    `json:"created_at" required:"true"`
}

func (b Break) view() BreakView {
	v := BreakView{
		ID: b.ID, Kind: b.Kind, Bank: b.Bank, About: b.About, Why: b.Why, Line: b.line(), Suggestion: b.Suggestion, State: b.State,
		SnoozedUntil: rest.UTC(b.SnoozedUntil), Proposed: b.Proposed, Resolution: b.Resolution, ResolvedAt: rest.UTC(b.ResolvedAt), CreatedAt: b.CreatedAt.UTC(),
	}
	if b.Amount != nil && b.Currency != "" {
		m := money.FromCentimes(*b.Amount, b.Currency)
		v.Amount = &m
	}
	if b.ResolvedBy != nil {
		v.ResolvedBy = *b.ResolvedBy
	}
	return v
}

// BreaksInput pages through breaks.
type BreaksInput struct {
	State BreakState `query:"state" enum:"open,snoozed,resolved" default:"open"`
	Kind  BreakKind  `query:"kind" enum:"unmatched,suspense,unreadable,gap,closed" description:"Only those of this kind."`
	rest.Paging
}

// Breaks lists what reconciliation could not explain; the operator reads it.
func (s *Service) Breaks(ctx context.Context, in BreaksInput) (p rest.Page[BreakView], err error) {
	before, err := in.After(breakID)
	if err != nil {
		return p, err
	}
	if in.State == "" {
		in.State = Open
	}
	rows, err := listBreaks(ctx, s.db, string(in.State), string(in.Kind), before, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Break.view, func(v BreakView) any { return v.ID }), nil
}

// BreakInput names a break.
type BreakInput struct {
	Break string `path:"break"`
}

// Break shows one break; the operator reads it.
func (s *Service) Break(ctx context.Context, in BreakInput) (BreakView, error) {
	b, err := loadBreak(ctx, s.db, in.Break)
	return b.view(), err
}
