package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// hledger runs Debian's hledger over a journal.
func hledger(t *testing.T, journal []byte, args ...string) string {
	t.Helper()
	bin, err := exec.LookPath("hledger")
	if err != nil {
		t.Skip("hledger is not installed (apt-get install hledger), so nobody else reads the export")
	}
	file := filepath.Join(t.TempDir(), "books.journal")
	if err := os.WriteFile(file, journal, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{"-f", file}, args...)...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("hledger %v: %v\n%s\n%s", args, err, out, journal)
	}
	return string(out)
}

// texts are what may stand in a transfer's words.
var texts = []string{
	`"quoted" and 'so'`, "two\nlines\r\n\tand a tab", "دفعة للتعاونية ؛ شكرا", "; a comment", "* starred", "! marked", "(code) x", "=2020-01-01 x",
	"date: 2026-13-77, date2:x [2026-99-99]", "a | b", "~ every day", "@@ 5 EUR", "2026-01-01 x", "\u2028sep\u0085", "end  ; of line", "",
	strings.Repeat("long ", 200), "%25 account x", "{a} [b] <c>", "comment", "include /etc/passwd",
}

func TestHledgerAgreesWithTheBooks(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i, s := range texts {
		kind := s
		if kind == "" {
			kind = "escrow.fund"
		}
		for j, cur := range []string{"MAD", "EUR"} {
			err := b.do(func(ctx context.Context, tx *pg.Tx) error {
				return b.Post(ctx, tx, ledger.Transfer{
					Key: fmt.Sprint(i, j, s), Kind: kind, Order: s, Note: s, Currency: cur, Effective: b.now().AddDate(0, 0, -i),
					Legs: []ledger.Leg{ledger.Debit("psp:p:clearing", int64(100+i)), ledger.Credit(fmt.Sprintf("escrow:ord%d; x", i%4), int64(60+i)), ledger.Credit("fees", 40)},
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	b.must("all", ledger.Debit("escrow:ord1; x", 1), ledger.Credit("seller:تعاونية:available", 1))
	b.must("back", ledger.Debit("seller:تعاونية:available", 1), ledger.Credit("escrow:ord1; x", 1))
	if _, err := b.reverse("undo", "back"); err != nil {
		t.Fatal(err)
	}
	var journal bytes.Buffer
	if err := b.Journal(t.Context(), &journal); err != nil {
		t.Fatal(err)
	}
	hledger(t, journal.Bytes(), "check", "--strict")
	if n := strings.Count(hledger(t, journal.Bytes(), "print"), "; id:"); n != 2*len(texts)+3 {
		t.Errorf("hledger sees %d transfers, want %d", n, 2*len(texts)+3)
	}
	kinds := strings.Split(hledger(t, journal.Bytes(), "descriptions"), "\n")
	for _, k := range []string{`"quoted" and 'so'`, "two lines   and a tab", "دفعة للتعاونية ؛ شكرا", ", a comment", "_* starred", "_(code) x", "end  , of line", "reversal"} {
		if !slices.Contains(kinds, k) {
			t.Errorf("hledger reads no %q; it reads %q", k, kinds)
		}
	}
	v, err := b.TrialBalance(t.Context(), ledger.TrialInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, a := range v.Accounts {
		amount := a.Debit
		if a.Debit == "0.00" {
			amount = "-" + a.Credit
		}
		want[encoded.Replace(a.Code)+" "+a.Currency] = amount
	}
	got := map[string]string{}
	for i, line := range strings.Split(strings.TrimSpace(hledger(t, journal.Bytes(), "bal", "--flat", "--no-total", "-O", "csv", "--layout=tidy")), "\n") {
		f := strings.Split(line, ",")
		if i == 0 || len(f) < 2 {
			continue
		}
		for k := range f {
			f[k] = strings.Trim(f[k], `"`)
		}
		if v := f[len(f)-1]; v != "0" && v != "0.00" {
			got[f[0]+" "+f[len(f)-2]] = v
		}
	}
	if len(got) != len(want) {
		t.Errorf("hledger has %d balances, the books %d", len(got), len(want))
	}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("hledger has %s in %s, the books %s", got[k], k, w)
		}
	}
}

// encoded is how codes stand in the journal.
var encoded = strings.NewReplacer(";", "%3B", " ", "%20", "تعاونية", "%D8%AA%D8%B9%D8%A7%D9%88%D9%86%D9%8A%D8%A9")

func TestAJournalOfManyIsOfOneMoment(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("0", ledger.Debit("psp:p:clearing", 1), ledger.Credit("fees", 1))
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				b.must(fmt.Sprint(i), ledger.Debit("psp:p:clearing", 1), ledger.Credit(fmt.Sprintf("escrow:new%d", i), 1))
			}
		}
	}()
	for range 5 {
		var journal bytes.Buffer
		if err := b.Journal(t.Context(), &journal); err != nil {
			t.Fatal(err)
		}
		hledger(t, journal.Bytes(), "check", "--strict") // no account without its directive
	}
	close(stop)
	<-stopped
}

func TestAStatementRunsOn(t *testing.T) {
	t.Parallel()
	b := open(t)
	began := b.now()
	for i := range 30 {
		at := began.Add(-time.Duration(i%7) * time.Hour)
		err := b.do(func(ctx context.Context, tx *pg.Tx) error {
			return b.Post(ctx, tx, ledger.Transfer{Key: fmt.Sprint(i), Kind: "test", Currency: "MAD", Effective: at, Legs: []ledger.Leg{
				ledger.Debit("psp:p:clearing", 10), ledger.Credit("escrow:A", int64(i%3+1)), ledger.Credit("fees", int64(9-i%3)),
			}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(from *time.Time, limit int) (seen []ledger.EntryView) {
		in := ledger.EntriesInput{Code: "escrow:A", Currency: "MAD", From: from}
		in.Limit = limit
		for {
			p, err := b.Entries(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, p.Data...)
			if p.Next == nil {
				return seen
			}
			in.Cursor = *p.Next
			if len(seen) == limit { // what comes between two pages is on neither
				b.must("between"+fmt.Sprint(limit), ledger.Debit("psp:p:clearing", 1), ledger.Credit("escrow:A", 1))
			}
		}
	}
	check := func(seen []ledger.EntryView, start int64) {
		t.Helper()
		for i, e := range seen {
			if start += e.Amount.Centimes(); e.Balance.Centimes() != start || e.Side != "credit" {
				t.Fatalf("entry %d says %s on the %s side, want %d", i, e.Balance, e.Side, start)
			}
			if i > 0 && e.EffectiveAt.Before(seen[i-1].EffectiveAt) {
				t.Errorf("entry %d counts before the one ahead of it", i)
			}
		}
	}
	all := read(nil, 7)
	if len(all) != 30 {
		t.Errorf("%d entries, want 30", len(all))
	}
	check(all, 0)
	from := began.Add(-3 * time.Hour)
	before, err := b.BalanceAt(t.Context(), b.db, "escrow:A", "MAD", from.Add(-time.Microsecond), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	some := read(&from, 5)
	if len(some) == 0 || len(some) >= 31 || before == 0 {
		t.Errorf("%d entries since %s, %d before", len(some), from, before)
	}
	check(some, before)
	if last := some[len(some)-1].Balance.Centimes(); last != all[29].Balance.Centimes()+1 {
		t.Errorf("the statement ends with %d, want %d", last, all[29].Balance.Centimes()+1)
	}
}

func TestTheTrialBalanceOfThePastIsThatOfThen(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("fees", 100))
	then := b.now()
	before, err := b.TrialBalance(t.Context(), ledger.TrialInput{})
	if err != nil {
		t.Fatal(err)
	}
	b.must("2", ledger.Debit("psp:p:clearing", 50), ledger.Credit("escrow:A", 50))
	b.must("3", ledger.Debit("escrow:A", 50), ledger.Credit("seller:s:available", 50))
	for name, in := range map[string]ledger.TrialInput{"at": {At: &then}, "known": {KnownAt: &then}} {
		v, err := b.TrialBalance(t.Context(), in)
		if err != nil || fmt.Sprint(v) != fmt.Sprint(before) {
			t.Errorf("%s then: %+v (%v), want %+v", name, v, err, before)
		}
	}
	v, err := b.TrialBalance(t.Context(), ledger.TrialInput{})
	if err != nil || len(v.Accounts) != 3 || v.Totals[0].Difference != "0.00" || v.Totals[0].Debit != "1.50" {
		t.Errorf("now: %+v (%v), want three accounts, the one at zero left out", v, err)
	}
}
