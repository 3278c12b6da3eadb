package recon_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// years is a past of the clients' account: a statement a day, each day closed,
// and as many breaks as lines, all resolved. It ended long before 2026.
var years = []string{
	`insert into recon.statement (id, file, bank, account, role, statement_id, kind, sequence, page, currency, opening, closing, content, entries, matched, partly, unmatched, created_at, day, at)
		select 'stm_' || lpad(d::text, 8, '0'), 'x', 'bank', '` + safeguard + `', 'safeguard', 'S' || d, 'statement', d, 1, 'MAD', d * 1000 - 1000, d * 1000, decode(md5(d::text), 'hex'),
			10, 10, 0, 0, timestamptz '2024-01-01 12:00Z' + make_interval(days => d), date '2024-01-01' + d, timestamptz '2024-01-02Z' + make_interval(days => d) from generate_series(1, 600) d`,
	`insert into recon.line (id, statement, no, amount, currency, state, ref, bank_ref, matched_to, booked_on, at, booked)
		select 'lin_' || lpad(n::text, 8, '0'), 'stm_' || lpad((n / 10 + 1)::text, 8, '0'), n % 10 + 1, 100, 'MAD', 'matched', 'R' || n, 'OLD' || lpad(n::text, 20, '0'), 'chg_' || n,
			timestamptz '2024-01-01Z' + make_interval(days => n / 10 + 1), timestamptz '2024-01-01Z' + make_interval(days => n / 10 + 2), 100 from generate_series(0, 5999) n`,
	`insert into recon.break (id, kind, bank, about, line, part, amount, currency, why, state, resolution, resolved_by, resolved_at)
		select 'brk_' || substr(id, 5), 'unmatched', 'bank', '2026-01-02', id, 0, -amount, 'MAD', '', 'resolved', '{"by":"match"}', 'x', at from recon.line`,
	`insert into recon.closing (id, day, revision, report, hash, prev, by, at)
		select 'cls_' || lpad(d::text, 8, '0'), date '2024-01-01' + d, 1, 'x', sha256('x'), '', 'x', timestamptz '2024-01-02Z' + make_interval(days => d) from generate_series(1, 600) d`,
	`insert into recon.closed (closing, bank, account, hash) select c.id, 'bank', '` + safeguard + `', f.hash from recon.closing c join recon.fact f on f.day = c.day`,
}

// What a statement costs, and a closed day, does not grow with what the bank said
// in the years before.
func TestYearsOfStatementsCostNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, years...)
	h := newHubAt(t, url)
	h.at, h.day = 600_000, 600
	err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		return h.books.Post(t.Context(), tx, ledger.Transfer{Key: "past", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Safeguard("bank"), h.at), ledger.Credit(ledger.Capital, h.at),
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	tables := []string{"recon.line", "recon.statement", "recon.break", "recon.closing", "recon.closed", "recon.file"}
	through := func(what string, do func(tx *pg.Tx) error) {
		t.Helper()
		ctx := auth.With(t.Context(), auth.Principal{Subject: "per_1", Role: auth.Operator})
		if err := h.db.InTx(ctx, func(tx *pg.Tx) error {
			return pgtest.Through(ctx, t, tx, func() error { return do(tx) }, tables...)
		}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if t.Failed() {
			t.Fatalf("… for %s", what)
		}
	}
	hand := func(st bank.Statement) func(tx *pg.Tx) error {
		f := paperbank.Received(st.ID, bank.Message{Statements: []bank.Statement{st}})
		return func(tx *pg.Tx) error { _, err := h.recon.Step(t.Context(), tx, h.house, f); return err }
	}
	plain := under(100, "", "")
	first := h.statement(plain, under(100, "BANK20260102000177", ""), under(100, "BANK202601020002", ""), entry(-100))
	first.On = day(2)
	through("a statement", hand(first))
	for day, want := range map[string]error{"2026-01-02": nil, "2025-08-23": recon.ErrUnchanged} {
		through("closing "+day, func(tx *pg.Tx) error {
			if _, err := h.recon.CloseDay(t.Context(), tx, recon.CloseInput{Day: day}); !errors.Is(err, want) {
				return fmt.Errorf("%w, want %v", err, want)
			}
			return nil
		})
	}
	p, err := h.recon.Closings(t.Context(), recon.ClosingsInput{Paging: rest.Paging{Limit: 5}})
	if err != nil || len(p.Data) != 5 || p.Data[0].Day != "2026-01-02" || p.Data[0].Changed || p.Data[4].Changed {
		t.Errorf("closed: %+v, %v", p.Data, err)
	}
	again := first
	again.ID, again.Sequence = "BIS", 0
	again.Entries = []bank.Entry{plain, under(100, "BANK202601020001", ""), under(100, "BANK20260102000288", ""), entry(-100)}
	through("the same in another format", hand(again))
	repeats := 0
	for _, b := range h.breaks() {
		if b.Suggestion != nil && strings.HasPrefix(b.Suggestion.To, "lin_") && b.Suggestion.By == "match" {
			repeats++
		}
	}
	if repeats != 4 {
		t.Errorf("%d lines are known by what they repeat, want 4: %+v", repeats, h.breaks())
	}
	through("a day that is over", func(tx *pg.Tx) error { return h.recon.DayOver(t.Context(), tx, "2026-01-02") })
}
