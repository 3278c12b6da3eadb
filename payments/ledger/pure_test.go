package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/clock"
)

func TestEachAccountHasItsName(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		ledger.Escrow("o"): "escrow:o", ledger.Available("s"): "seller:s:available", ledger.Reserve("s"): "seller:s:reserve",
		ledger.Receivable("s"): "seller:s:receivable", ledger.Payout("p"): "payout:p", ledger.Refund("r"): "refund:r",
		ledger.Suspense("x"): "suspense:x", ledger.Clearing("a"): "psp:a:clearing", ledger.Disputed("a"): "psp:a:disputed",
		ledger.COD("c"): "carrier:c:cod", ledger.Safeguard("b"): "bank:b:safeguard", ledger.Transit("b"): "bank:b:transit",
		ledger.Operating("b"): "bank:b:operating", ledger.CarrierPayable("c"): "payable:carrier:c", ledger.InsurerPayable("i"): "payable:insurer:i",
	} {
		if got != want {
			t.Errorf("an account is %q, want %q", got, want)
		}
		if _, err := ledger.Find(got); err != nil {
			t.Errorf("the chart has no %s", got)
		}
	}
}

// What clients' money lies in, what is owed to clients, and what is neither.
func TestTheChartSaysWhoseMoneyItIs(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"bank:b:safeguard": 1, "bank:b:transit": 1, "psp:p:clearing": 1, "carrier:c:cod": 1,
		"escrow:o": -1, "seller:s:available": -1, "seller:s:reserve": -1, "payout:p": -1, "refund:r": -1,
		"payable:carrier:c": -1, "payable:insurer:i": -1, "suspense:x": -1,
		"bank:b:operating": 0, "psp:p:disputed": 0, "seller:s:receivable": 0, "payable:vat": 0, "fees": 0, "capital": 0, "loss": 0, "": 0,
	} {
		if got := ledger.Client(code); got != want {
			t.Errorf("Client(%q) = %d, want %d", code, got, want)
		}
	}
}

func TestADebitGoesInAndACreditOut(t *testing.T) {
	t.Parallel()
	if d, c := ledger.Debit("fees", 7), ledger.Credit("fees", 7); d.Amount != 7 || c.Amount != -7 || d.Account != "fees" || c.Account != "fees" {
		t.Errorf("Debit and Credit of 7 are %+v and %+v", d, c)
	}
}

func TestCheckDropsEmptyLegsAndNeedsTwo(t *testing.T) {
	t.Parallel()
	legs := []ledger.Leg{ledger.Debit("fees", 5), ledger.Debit("loss", 0), ledger.Credit("capital", 5)}
	whole := ledger.Transfer{Key: "k", Kind: "test", Legs: legs}
	got, err := whole.Check()
	if err != nil || len(got.Legs) != 2 || len(legs) != 3 || legs[1].Account != "loss" {
		t.Errorf("Check = %+v, %v; the caller's legs are %+v", got.Legs, err, legs)
	}
	for name, change := range map[string]func(*ledger.Transfer){
		"no key":     func(t *ledger.Transfer) { t.Key = "" },
		"no kind":    func(t *ledger.Transfer) { t.Kind = "" },
		"no legs":    func(t *ledger.Transfer) { t.Legs = nil },
		"empty legs": func(t *ledger.Transfer) { t.Legs = []ledger.Leg{{Account: "fees"}, {Account: "loss"}} },
		"a sum":      func(t *ledger.Transfer) { t.Legs = []ledger.Leg{ledger.Debit("fees", 5), ledger.Debit("loss", 5)} },
	} {
		bad := whole
		change(&bad)
		if _, err := bad.Check(); !errors.Is(err, ledger.ErrUnbalanced) {
			t.Errorf("%s: %v, want ErrUnbalanced", name, err)
		}
	}
}

// The time a transfer counts from and its note are part of what its key stands
// for, but only if they are given.
func TestHashCoversTimeAndNote(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	base := ledger.Transfer{Kind: "a", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("fees", 1), ledger.Credit("loss", 1)}}
	seen := map[string]string{}
	for name, change := range map[string]func(*ledger.Transfer){
		"nothing":      func(*ledger.Transfer) {},
		"a time":       func(t *ledger.Transfer) { t.Effective = at },
		"another time": func(t *ledger.Transfer) { t.Effective = at.Add(time.Microsecond) },
		"a note":       func(t *ledger.Transfer) { t.Note = "x" },
		"another note": func(t *ledger.Transfer) { t.Note = "y" },
	} {
		other := base
		change(&other)
		h := string(other.Hash())
		if before, ok := seen[h]; ok {
			t.Errorf("%s and %s have the same hash", before, name)
		}
		seen[h] = name
		if h != string(other.Hash()) {
			t.Errorf("%s has two hashes", name)
		}
	}
	utc, local := base, base
	utc.Effective, local.Effective = at, at.In(clock.Morocco)
	if !bytes.Equal(utc.Hash(), local.Hash()) {
		t.Error("the same instant in another zone has another hash")
	}
}

// Hashes are kept with their transfers for ever: what they are of may grow, and
// what they were may not change.
func TestHashIsAsItWasWrittenDown(t *testing.T) {
	t.Parallel()
	plain := ledger.Transfer{Kind: "a", Order: "b", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("fees", 1), ledger.Credit("loss", 1)}}
	legs := "fees\x00\x00\x00\x00\x00\x00\x00\x00\x01loss\x00\xff\xff\xff\xff\xff\xff\xff\xff"
	dated, noted := plain, plain
	dated.Effective, noted.Note = time.UnixMicro(258), "why"
	for of, tr := range map[string]ledger.Transfer{
		"a\x00b\x00MAD\x00" + legs:                                                         plain,
		"a\x00b\x00MAD\x00\x00\x00\x00\x00\x00\x00\x01\x02" + legs:                         dated,
		"a\x00b\x00MAD\x00" + legs + "\x00note\x00why\x00\x00\x00\x00\x00\x00\x00\x00\x00": noted,
	} {
		if want := sha256.Sum256([]byte(of)); !bytes.Equal(tr.Hash(), want[:]) {
			t.Errorf("the hash of %+v is %x, want %x", tr, tr.Hash(), want)
		}
	}
}

func TestTakingBackWhatIsNeutralToClientsIsAllowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		legs []ledger.Leg
		want error
	}{
		"between two of one seller": {[]ledger.Leg{ledger.Debit("seller:s:reserve", 5), ledger.Credit("seller:s:available", 5)}, nil},
		"a commission":              {[]ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("fees", 5)}, ledger.ErrShort},
		"a loss":                    {[]ledger.Leg{ledger.Debit("loss", 1), ledger.Credit("escrow:o", 1)}, nil},
		"our own":                   {[]ledger.Leg{ledger.Debit("loss", 5), ledger.Credit("fees", 5)}, nil},
	} {
		if _, err := (ledger.Transfer{Legs: c.legs}).Mirror("k", "x"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A mirror turns each leg round, and never leaves clients short.
func TestAMirrorTakesBackAndNeverFromClients(t *testing.T) {
	t.Parallel()
	codes := []string{"escrow:o", "seller:s:available", "bank:b:safeguard", "bank:b:transit", "bank:b:operating", "psp:p:clearing", "fees", "loss", "payable:vat"}
	rapid.Check(t, func(t *rapid.T) {
		tr := ledger.Transfer{Key: "k", Kind: "x", Order: "o", Currency: "MAD"}
		var clients, sum int64
		for range rapid.IntRange(1, 6).Draw(t, "legs") {
			l := ledger.Leg{Account: rapid.SampledFrom(codes).Draw(t, "account"), Amount: rapid.Int64Range(-100, 100).Draw(t, "amount")}
			tr.Legs, sum = append(tr.Legs, l), sum+l.Amount
			if ledger.Client(l.Account) != 0 {
				clients += l.Amount
			}
		}
		m, err := tr.Mirror("back", "a slip")
		if short := clients > 0; short != errors.Is(err, ledger.ErrShort) {
			t.Fatalf("clients gained %d by it; taking it back: %v", clients, err)
		}
		if err != nil {
			return
		}
		if m.Key != "back" || m.Kind != "reversal" || m.Order != "o" || m.Currency != "MAD" || m.Note != "a slip" || len(m.Legs) != len(tr.Legs) {
			t.Fatalf("the mirror is %+v", m)
		}
		for i, l := range m.Legs {
			if l.Account != tr.Legs[i].Account || l.Amount != -tr.Legs[i].Amount {
				t.Fatalf("leg %d is %+v, of %+v", i, l, tr.Legs[i])
			}
		}
	})
}

func TestAJournalIsAsHledgerReadsIt(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	at := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC) // the next day in Morocco
	err := ledger.JournalTransfer(&b, ledger.Transfer{
		Kind: "escrow.fund", Currency: "MAD", Effective: at, Note: "a;b",
		Legs: []ledger.Leg{ledger.Debit("psp:a b:clearing", 12345), ledger.Credit("escrow:é", 12345)},
	}, 7, "key", "", at)
	want := `commodity 1000.00 MAD
account psp:a%20b:clearing
account escrow:%C3%A9

2026-11-22 escrow.fund
    ; id: 7
    ; key: key
    ; effective: 2026-11-22T00:30:00+01:00
    ; recorded: 2026-11-22T00:30:00+01:00
    ; note: a,b
    psp:a%20b:clearing  123.45 MAD
    escrow:%C3%A9  -123.45 MAD
`
	if err != nil || b.String() != want {
		t.Errorf("%v; it is\n%s\nwant\n%s", err, b.String(), want)
	}
}

func TestTextsInAJournalAreNothingButText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", " a ": "a", "a\nb\tc": "a b c", "x;y": "x,y", "* paid": "_* paid", "!": "_!", "(1) x": "_(1) x", "=x": "_=x", "|x": "_|x", "[x]": "_[x]",
		"a*": "a*", "\xff": "\uFFFD", "  *": "_*", "زيت": "زيت",
	} {
		if got := ledger.JournalText(in); got != want {
			t.Errorf("JournalText(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"az:AZ_09-.": "az:AZ_09-.", " ": "%20", "@[`{/": "%40%5B%60%7B%2F", "%": "%25", "ـ": "%D9%80",
	} {
		if got := ledger.JournalName(in); got != want {
			t.Errorf("JournalName(%q) = %q, want %q", in, got, want)
		}
	}
}

// No two names become one, and none has anything in it that ends a name or
// begins a comment. What is written is read again by any reader of URLs.
func FuzzJournalName(f *testing.F) {
	f.Add("escrow:ord_1")
	f.Add("a b;c\n%41")
	f.Fuzz(func(t *testing.T, code string) {
		name := ledger.JournalName(code)
		if back, err := url.PathUnescape(name); err != nil || back != code {
			t.Fatalf("%q became %q, which is %q again (%v)", code, name, back, err)
		}
		for _, c := range []byte(name) {
			if c <= ' ' || c > '~' || strings.IndexByte(";()[]*!=|\"", c) >= 0 {
				t.Fatalf("%q became %q, which has %q in it", code, name, c)
			}
		}
	})
}

// A text stays on its line, is no comment, and is itself when written again.
func FuzzJournalText(f *testing.F) {
	f.Add("* paid ; twice\n(x)")
	f.Add("\u2028\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := ledger.JournalText(s)
		if strings.ContainsAny(got, ";\n\r\x00") || got != strings.TrimSpace(got) || got != "" && strings.ContainsRune("*!(=|[", rune(got[0])) {
			t.Fatalf("%q became %q", s, got)
		}
		if again := ledger.JournalText(got); again != got {
			t.Fatalf("%q became %q, and then %q", s, got, again)
		}
	})
}
