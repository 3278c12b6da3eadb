package recon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of reconciliation.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Commit("POST", "/v1/statements", "statements.create", "Take in a bank statement by hand", http.StatusCreated, s.Upload, rest.Body(20<<20), rest.Timeout(60*time.Second)),
		rest.Handle("GET", "/v1/breaks", "breaks.list", "List what reconciliation could not explain, newest first", http.StatusOK, s.Breaks),
	}
}

// UploadInput is a statement file.
type UploadInput struct {
	Bank string    `query:"bank" description:"The bank's name here; may be left out when there is one."`
	File rest.File `body:"file"`
}

// UploadView is what came of it.
type UploadView struct {
	ID        string `json:"id" required:"true"`
	Entries   int    `json:"entries" required:"true"`
	Matched   int    `json:"matched" required:"true"`
	Partly    int    `json:"partly" required:"true"`
	Unmatched int    `json:"unmatched" required:"true"`
}

// Upload takes in a statement that an operator or a bank sends. The same file
// again answers the same and changes nothing.
func (s *Service) Upload(ctx context.Context, tx *pg.Tx, in UploadInput) (UploadView, error) {
	var house *House
	for i := range s.houses {
		if in.Bank == s.houses[i].Bank.ID() || in.Bank == "" && len(s.houses) == 1 {
			house = &s.houses[i]
		}
	}
	if house == nil {
		return UploadView{}, ErrNoBank.At("?bank", "one of the banks on /v1/partners")
	}
	sum := sha256.Sum256(in.File.Bytes)
	reads, err := s.take(ctx, tx, *house, bank.Received{Name: in.File.Name, Bytes: in.File.Bytes, SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return UploadView{}, err
	}
	if len(reads) == 0 {
		return UploadView{}, ErrReport
	}
	v := UploadView{ID: reads[0].ID}
	for _, r := range reads {
		v.Entries, v.Matched, v.Partly, v.Unmatched = v.Entries+r.Entries, v.Matched+r.Matched, v.Partly+r.Partly, v.Unmatched+r.Unmatched
	}
	return v, nil
}

// BreakView is something that people must look at.
type BreakView struct {
	ID     string       `json:"id" required:"true"`
	Kind   string       `json:"kind" required:"true" enum:"partly,suspense,unmatched,unreadable,gap"`
	Bank   string       `json:"bank" required:"true"`
	About  string       `json:"about" required:"true" description:"The reference, statement or file it is about."`
	Why    string       `json:"why" required:"true"`
	Amount *money.Money `json:"amount,omitempty"`
}

// Breaks lists what reconciliation could not explain.
func (s *Service) Breaks(ctx context.Context, in rest.Paging) (rest.Page[BreakView], error) {
	var before string
	if err := rest.DecodeCursor(in.Cursor, &before); err != nil {
		return rest.Page[BreakView]{}, err
	}
	rows, err := breaks(ctx, s.db, before, in.Limit+1)
	if err != nil {
		return rest.Page[BreakView]{}, err
	}
	views := make([]BreakView, len(rows))
	for i, r := range rows {
		views[i] = BreakView{ID: r.ID, Kind: r.Kind, Bank: r.Bank, About: r.About, Why: r.Why}
		if r.Amount != nil && r.Currency != "" {
			m := money.FromCentimes(*r.Amount, r.Currency)
			views[i].Amount = &m
		}
	}
	return rest.Cut(views, in.Limit, func(v BreakView) any { return v.ID }), nil
}
