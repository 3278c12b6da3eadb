package recon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/operations"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// only is the one break there is.
func (h *hub) only() recon.BreakView {
	h.t.Helper()
	all := h.breaks()
	if len(all) != 1 {
		h.t.Fatalf("%d breaks, want one: %+v", len(all), all)
	}
	return all[0]
}

func TestANetSettlementIsBookedWhenTheContractSaysItsFee(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Fee = func(_ string, gross money.Money) (money.Money, bool) {
		return money.Dirhams(gross.Centimes() * 18 / 1000), true
	}
	h.open()
	h.sales["A"], h.sales["B"] = 10000, 5000
	net := func(ref string, amount int64) bank.Detail { return settled(ref, amount, 0) }
	if r := h.read(entry(9820, net("A", 9820))); r.Matched != 1 {
		t.Errorf("exactly the contract's fee: %+v, want it matched", r)
	}
	h.has("psp_cost", 180)
	h.has("bank:bank:transit", 180)
	if r := h.read(entry(4900, net("B", 4900))); r.Unmatched != 1 {
		t.Errorf("ten centimes more than the contract's fee: %+v, want it for people", r)
	}
	b := h.only()
	if b.Suggestion == nil || b.Suggestion.To != "chg_B" || !b.Suggestion.Fee.Equal(money.Dirhams(100)) {
		t.Errorf("suggestion %+v, want chg_B with 1.00 as its fee", b.Suggestion)
	}
}

func TestAnAcquirersDeductionIsNettedWhenItIsKnown(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"], h.sales["B"] = 0, 5000 // A was settled before
	back := func(ref string, amount int64) bank.Detail { return settled(ref, -amount, 0) }
	if r := h.read(entry(1900, settled("B", 5000, 100), back("A", 3000))); r.Matched != 1 {
		t.Errorf("read %+v", r)
	}
	h.has("psp:acq:clearing", -2000)
	if r := h.read(entry(-3000, back("A", 3000))); r.Matched != 1 {
		t.Errorf("a settlement below zero: %+v", r)
	}
	h.has("psp:acq:clearing", 1000)
	h.has("bank:bank:safeguard", -1100)
	if r := h.read(entry(-2999, back("NOBODY", 2999))); r.Unmatched != 1 {
		t.Errorf("a deduction that nobody knows: %+v", r)
	}
	h.has("psp:acq:clearing", 1000)
	if r := h.read(entry(-3500, back("A", 3000), back("NOBODY", 500))); r.Partly != 1 {
		t.Errorf("one that is known and one that is not: %+v", r)
	}
	h.has("psp:acq:clearing", 4000)
	h.has("bank:bank:safeguard", -4100)
}

func (h *hub) inFile(file string, refs ...string) {
	h.t.Helper()
	for _, ref := range refs {
		if _, err := h.db.Exec(h.t.Context(), `update operations.operation set file = $1 where ref = $2`, file, ref); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestALineThatCarriesOutAWholeFileMatchesEachOfItsPayments(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.payout("PAY2", 3000)
	h.payout("PAY3", 1000)
	h.inFile("fil_x", "PAY1", "PAY2", "PAY3")
	batch := func(amount int64) bank.Entry {
		e := entry(amount)
		e.Batch = "FILX"
		return e
	}
	if r := h.read(batch(-8000)); r.Unmatched != 1 || h.state("PAY1") != operations.Accepted {
		t.Errorf("another sum than the file's: %+v, a payout is %s", r, h.state("PAY1"))
	}
	if r := h.read(batch(-9000)); r.Matched != 1 {
		t.Errorf("the file's sum: %+v", r)
	}
	for _, ref := range []string{"PAY1", "PAY2", "PAY3"} {
		if got := h.state(ref); got != operations.Confirmed {
			t.Errorf("%s is %s", ref, got)
		}
	}
	h.has("bank:bank:safeguard", -9000)
	if r := h.read(batch(-9000)); r.Unmatched != 1 {
		t.Errorf("the file a second time: %+v", r)
	}
	h.has("bank:bank:safeguard", -9000)
}

// notice is a notification of entries, within the day.
func (h *hub) notice(entries ...bank.Entry) {
	h.t.Helper()
	h.day++
	st := bank.Statement{Kind: bank.Notification, ID: fmt.Sprintf("NTF-%d", h.day), Account: safeguard, Currency: money.MAD, Page: 1, LastPage: true, Entries: entries}
	if _, err := h.take(st.ID, bank.Message{Statements: []bank.Statement{st}}); err != nil {
		h.t.Fatal(err)
	}
	h.day--
}

func TestWhatANotificationToldIsCountedOnceAndUsed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.payout("PAY2", 3000)
	told := entry(-8000, paid("PAY1", 5000), paid("PAY2", 3000))
	told.BankRef = "EX1"
	h.notice(told)
	if got := h.state("PAY1"); got != operations.Accepted {
		t.Errorf("a notification made the payout %s", got)
	}
	bare := entry(-8000)
	bare.BankRef = "EX1"
	if r := h.read(bare); r.Matched != 1 {
		t.Errorf("the statement's line without details: %+v", r)
	}
	if h.state("PAY1") != operations.Confirmed || h.state("PAY2") != operations.Confirmed {
		t.Errorf("the payouts are %s and %s", h.state("PAY1"), h.state("PAY2"))
	}
	h.has("bank:bank:safeguard", -8000)
	h.notice(told)
	h.has("bank:bank:safeguard", -8000)
}

func TestAMovementInTwoStatementsIsBookedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"] = 1000
	e := entry(1000, settled("A", 1000, 0))
	e.BankRef = "EX1"
	h.read(e)
	if r := h.read(e); r.Unmatched != 1 {
		t.Errorf("read %+v", r)
	}
	h.has("bank:bank:safeguard", 1000)
	b := h.only()
	if b.Suggestion == nil || !strings.HasPrefix(b.Suggestion.To, "lin_") {
		t.Fatalf("suggestion %+v, want the line it repeats", b.Suggestion)
	}
	if v := h.must(recon.ResolveInput{Break: b.ID, By: "match", To: b.Suggestion.To}); v.State != recon.Resolved {
		t.Errorf("it is %s", v.State)
	}
	h.has("bank:bank:safeguard", 1000)
}

func TestAStatementUnderAnotherNameIsTheSame(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	st := h.statement(entry(700))
	first, err := h.take("a", bank.Message{Statements: []bank.Statement{st}})
	if err != nil {
		t.Fatal(err)
	}
	st.ID = "BIS"
	again, err := h.take("b", bank.Message{Statements: []bank.Statement{st}})
	if err != nil || cmp.Diff(first, again) != "" {
		t.Errorf("under another name: %+v, %v; want %+v", again, err, first)
	}
	h.has("bank:bank:safeguard", 700)
	if n := len(h.breaks()); n != 1 {
		t.Errorf("%d breaks, want the one in suspense", n)
	}
}

func TestAMissingNumberIsSeenThoughBalancesAgree(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read()
	two := h.statement(entry(100), entry(-100))
	h.read()
	b := h.only()
	if b.Kind != recon.KindGap || !strings.Contains(b.Why, "2 to 2 are missing") {
		t.Errorf("break %+v, want the gap", b)
	}
	if _, err := h.take("late", bank.Message{Statements: []bank.Statement{two}}); err != nil {
		t.Fatal(err)
	}
	for _, b := range h.breaks() {
		if b.Kind == recon.KindGap {
			t.Errorf("still open: %+v", b)
		}
	}
}

func TestABanksChargeIsBookedByItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	fee := entry(-250)
	fee.Charge, fee.Code = true, "ACMT/MDOP/CHRG"
	named := entry(-5000, paid("PAY1", 5000)) // the code is wrong: it names a payout
	named.Charge = true
	if r := h.read(fee, named); r.Matched != 2 {
		t.Errorf("read %+v", r)
	}
	for account, want := range map[string]int64{"psp_cost": 250, "bank:bank:transit": 250, "bank:bank:operating": -250, "bank:bank:safeguard": -5250} {
		h.has(account, want)
	}
	if got := h.state("PAY1"); got != operations.Confirmed {
		t.Errorf("the payout is %s", got)
	}
}

// Amount, day and name are a reason to suggest, never to book.
func TestWhatOnlyLooksLikeOursIsSuggested(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Receiver = func(_ context.Context, _ pg.DB, subject string) (string, string, error) {
		return map[string]string{"pay_PAY1": "Coopérative Amal", "pay_PAY2": "Coopérative Tissir"}[subject], "", nil
	}
	h.open()
	h.payout("PAY1", 5000)
	h.payout("PAY2", 5000)
	h.payout("PAY3", 700)
	h.sales["AMINE"], h.sales["BAHIA"] = 6000, 6000
	to := func(amount int64, name string) bank.Entry {
		e := entry(amount, bank.Detail{Amount: money.Dirhams(amount), Gross: money.Dirhams(amount), Counterparty: name})
		e.BookedOn = time.Now()
		return e
	}
	h.read(to(-5000, "TISSIR COOPERATIVE"), to(-5000, "SOMEONE"), to(-700, ""), to(6000, "MME EXEMPLE ELODIE BAHIA"), to(-50, ""))
	want := map[string]string{"-50.00 pay_PAY2": "match", "-50.00 ": "", "-7.00 pay_PAY3": "match", "60.00 chg_BAHIA": "match", "-0.50 ": "fee"}
	got := map[string]string{}
	for _, b := range h.breaks() {
		got[b.Amount.Amount()+" "+b.Suggestion.To] = b.Suggestion.By
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suggestions (-want +got):\n%s", diff)
	}
	for _, ref := range []string{"PAY1", "PAY2", "PAY3"} {
		if s := h.state(ref); s != operations.Accepted {
			t.Errorf("%s is %s", ref, s)
		}
	}
}

func TestAnotherCurrencyIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	st := h.statement()
	st.Entries = []bank.Entry{{Amount: money.FromCentimes(100, "EUR"), Details: nil}}
	if _, err := h.take("x", bank.Message{Statements: []bank.Statement{st}}); !errors.Is(err, recon.ErrMixed) {
		t.Errorf("error %v, want ErrMixed", err)
	}
}

func TestABankHandsInItsOwnStatementsOnly(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const elsewhere = "011519000001205000534921"
	other := recon.House{Bank: bank.New("other", &paperbank.Bank{}, bank.Options{}), Safeguard: elsewhere}
	h.ties.Owner = func(_ context.Context, name string) (string, error) { return "org_" + name, nil }
	h.recon = recon.New(h.db, h.books, h.sales, h.engine, h.words, []recon.House{h.house, other}, h.ties)
	hand := func(who auth.Principal, name string, st bank.Statement) error {
		ctx := auth.With(t.Context(), who)
		f := paperbank.Received("f", bank.Message{ID: who.Subject + name, Statements: []bank.Statement{st}})
		return h.db.InTx(ctx, func(tx *pg.Tx) error {
			_, err := h.recon.Upload(ctx, tx, recon.UploadInput{Bank: name, File: rest.File{Name: f.Name, Bytes: f.Bytes}})
			return err
		})
	}
	mine, theirs := h.statement(entry(100)), h.statement(entry(100))
	theirs.Account = elsewhere
	key := func(org string) auth.Principal { return auth.Principal{Subject: org, Role: auth.Bank} }
	for _, c := range []struct {
		who  auth.Principal
		name string
		st   bank.Statement
		want error
	}{
		{key("org_bank"), "", theirs, recon.ErrForeign},
		{key("org_bank"), "other", theirs, recon.ErrNoBank},
		{key("org_nobody"), "", mine, recon.ErrNoBank},
		{key(""), "bank", mine, recon.ErrNoBank},
		{auth.Principal{Subject: "per_1", Role: auth.Operator}, "", mine, recon.ErrNoBank}, // which of two
		{key("org_bank"), "", mine, nil},
	} {
		if err := hand(c.who, c.name, c.st); !errors.Is(err, c.want) {
			t.Errorf("%s hands in a statement of %s for bank %q: %v, want %v", c.who.Subject, c.st.Account, c.name, err, c.want)
		}
	}
}

func TestAPaymentThatPeopleConfirmedIsNoSecondOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	op := h.payout("PAY1", 5000)
	err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.engine.Heard(t.Context(), tx, op, operations.Inquiry, succeeded, "by people")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := h.read(entry(-5000, paid("PAY1", 5000))); r.Matched != 1 {
		t.Errorf("shown for the first time: %+v", r)
	}
	if r := h.read(entry(-5000, paid("PAY1", 5000))); r.Unmatched != 1 {
		t.Errorf("shown a second time: %+v", r)
	}
	h.has("bank:bank:safeguard", -5000)
}

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// However many lines there are, each new one is looked up by its name.
func TestAStatementReadsNoTableThrough(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Owner = func(context.Context, string) (string, error) { return "org_bank", nil }
	h.open()
	h.payout("PAY1", 5000)
	h.sales["A"] = 1000
	old := make([]bank.Entry, 200)
	for i := range old {
		old[i] = entry(100)
		old[i].BankRef = fmt.Sprint("OLD", i)
	}
	h.read(old...)
	gathers := entry(-5000)
	gathers.Batch = "FIL01"
	lines := []bank.Entry{gathers, entry(-5000, paid("PAY1", 5000)), entry(1000, settled("A", 1000, 0)), entry(700)}
	for i := range lines {
		lines[i].BankRef = fmt.Sprint("EX", i)
	}
	f := paperbank.Received("f", bank.Message{Statements: []bank.Statement{h.statement(lines...)}})
	ctx := auth.With(t.Context(), auth.Principal{Subject: "org_bank", Role: auth.Bank})
	err := h.db.InTx(ctx, func(tx *pg.Tx) error {
		return pgtest.Through(ctx, t, tx, func() error {
			v, err := h.recon.Upload(ctx, tx, recon.UploadInput{File: rest.File{Name: f.Name, Bytes: f.Bytes}})
			if err == nil && v.Matched != 2 {
				t.Errorf("read %+v", v)
			}
			return err
		}, "recon.line", "operations.operation", "operations.evidence", "ledger.transfer", "ledger.entry", "ledger.account", "ledger.balance")
	})
	if err != nil {
		t.Fatal(err)
	}
}
