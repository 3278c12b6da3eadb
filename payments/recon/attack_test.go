package recon_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/mt940"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// contract is 1.8 %.
func contract(_ string, gross money.Money) (money.Money, bool) {
	return money.Dirhams(gross.Centimes() * 18 / 1000), true
}

// whole is an amount with everything a payer may say of it.
func whole(centimes int64, d bank.Detail) bank.Detail {
	d.Amount = money.Dirhams(centimes)
	if d.Gross.Currency() == "" {
		d.Gross, d.Fee = d.Amount, money.Dirhams(0)
	}
	return d
}

// swift is a statement of one line in MT940, as the bank writes it.
func (h *hub) swift(t *testing.T, in mt940.Dialect, centimes int64, remark string) recon.Read {
	t.Helper()
	r, err := mt940.New(in)
	if err != nil {
		t.Fatal(err)
	}
	h.day++
	comma := func(c int64) string { return strings.Replace(money.Dirhams(c).Amount(), ".", ",", 1) }
	text := fmt.Sprintf(":20:S%[1]d\n:25:%[2]s\n:28C:%[1]d/1\n:60F:C260102MAD%[3]s\n:61:2601020102C%[4]sNTRFNONREF\n:86:%[5]s\n:62F:C260102MAD%[6]s\n-\n",
		h.day, safeguard, comma(h.at), comma(centimes), remark, comma(h.at+centimes))
	h.at += centimes
	m, err := r.Read(bank.Received{Name: "f", Bytes: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	reads, err := h.take(fmt.Sprint("f", h.day), m)
	if err != nil {
		t.Fatal(err)
	}
	return reads[0]
}

// A buyer never paid by card, and sends 1.00 with the acquirer's words in the
// purpose.
func TestAPayersWordsAreNoAcquirersFee(t *testing.T) {
	t.Parallel()
	for _, in := range []mt940.Dialect{mt940.Text, mt940.Slashes, mt940.Numbered, mt940.Plus} {
		h := newHub(t)
		h.ties.Fee = contract
		h.open()
		h.sales["OID"] = 93000
		for _, remark := range []string{
			"merci/EREF/OID/OCMT/MAD930,00/CHGS/MAD929,00",
			"/EREF/OID/OCMT/MAD930,00/CHGS/MAD929,00", // the bank itself gives its reference so
			"/REMI/merci/EREF/OID/IBAN/MA64" + acquires + "/OCMT/MAD930,00/CHGS/MAD929,00",
			"/EREF/OID/IBAN/999780000000000000030369/REMI//IBAN/" + acquires + "/OCMT/MAD930,00/CHGS/MAD929,00",
			"166?20EREF+OID?31999780000000000000030369?32X",
			"166?20merci EREF+OID?31" + acquires + "?31999780000000000000030369",
			"EREF+OID SVWZ+IBAN+" + acquires,
		} {
			if r := h.swift(t, in, 100, remark); r.Matched != 0 {
				t.Errorf("%s, %s: %+v", in, remark, r)
			}
		}
		if h.sales["OID"] != 93000 {
			t.Errorf("in %s 1.00 made the charge settled", in)
		}
		h.has("psp_cost", 0)
		h.has("bank:bank:safeguard", 700)
	}
}

// A stranger names a charge and sends all but the fee, in any format.
func TestOnlyItsAcquirerSettlesACharge(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Fee = contract
	h.open()
	h.sales["OID"] = 100000
	const other = "999780000000000000030369"
	for _, d := range []bank.Detail{
		whole(98200, bank.Detail{Ref: "OID", CounterpartyAccount: other}),
		whole(98200, bank.Detail{Ref: "OID"}),
		whole(100000, bank.Detail{Ref: "OID", CounterpartyAccount: other}),
		whole(98200, bank.Detail{Ref: "OID", Gross: money.Dirhams(100000), Fee: money.Dirhams(1800), CounterpartyAccount: other}),
	} {
		if r := h.read(entry(d.Amount.Centimes(), d)); r.Matched != 0 || h.sales["OID"] == 0 {
			t.Errorf("sent by %q: %+v, and the charge has %d to be settled", d.CounterpartyAccount, r, h.sales["OID"])
		}
	}
	for _, b := range h.breaks() {
		if b.Kind != recon.KindSuspense || !strings.Contains(b.Why, "its acquirer did not send it") {
			t.Errorf("break %+v", b)
		}
	}
	if r := h.read(entry(98200, whole(98200, bank.Detail{Ref: "OID", CounterpartyAccount: "MA64" + acquires}))); h.sales["OID"] != 0 {
		t.Errorf("sent by its acquirer: %+v", r)
	}
	h.has("psp_cost", 1800)
}

// Where the bank's own word for a line is known, it must be that of settlements;
// it is enough where the bank gives no account.
func TestTheBanksWordTellsASettlement(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.house.Settlements = []string{"NMSC"}
	h.open()
	h.sales["A"], h.sales["B"], h.sales["C"] = 1000, 1000, 1000
	of := func(code, from, ref string) bank.Entry {
		e := entry(1000, whole(1000, bank.Detail{Ref: ref, CounterpartyAccount: from}))
		e.Code = code
		return e
	}
	h.read(of("NTRF", acquires, "A"), of("NTRF", "", "A"), of("NMSCX", "", "A"), of("NMSC", "999780000000000000030369", "A"))
	if h.sales["A"] == 0 {
		t.Error("another kind of line, or another's, settled the charge")
	}
	h.read(of("NMSC 166", "", "B"), of("NMSC", acquires, "C"))
	if h.sales["B"] != 0 || h.sales["C"] != 0 {
		t.Errorf("the bank's own word did not settle: %v", h.sales)
	}
}

func TestAFeeAboveTheContractsIsForPeople(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Fee = func(_ string, gross money.Money) (money.Money, bool) {
		fee, _ := contract("", gross)
		return fee, gross.Centimes() < 2_000_000
	}
	h.open()
	h.sales["A"], h.sales["B"], h.sales["C"] = 93000, 10000, 3_000_000
	if r := h.read(entry(100, settled("A", 93000, 92900)), entry(8100, settled("B", 10000, 1900)), entry(2_980_000, settled("C", 3_000_000, 20000))); r.Matched != 0 {
		t.Errorf("read %+v", r)
	}
	h.has("psp_cost", 0)
	for ref, left := range map[string]int64{"A": 93000, "B": 10000, "C": 3_000_000} {
		if h.sales[ref] != left {
			t.Errorf("%s was settled", ref)
		}
	}
	for _, b := range h.breaks() {
		if !strings.Contains(b.Why, "is more than") {
			t.Errorf("break %+v", b)
		}
	}
	if r := h.read(entry(91326, settled("A", 93000, 1674)), entry(9819, settled("B", 10000, 181)), entry(2_990_000, settled("C", 3_000_000, 10000))); r.Matched != 3 {
		t.Errorf("the contract's fee, one a centime off, and a small one: %+v", r)
	}
}

// What a payer calls an acquirer's case is money that came.
func TestAStrangersCaseIsSuspense(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := h.read(entry(700, whole(700, bank.Detail{InstructionID: "CBK-1", CounterpartyAccount: "999780000000000000030369"})))
	if b := h.only(); r.Unmatched != 1 || b.Kind != recon.KindSuspense {
		t.Errorf("read %+v, break %+v", r, b)
	}
	h.has("bank:bank:safeguard", 700)
}

// came is a transfer without any reference of the bank's.
func came(centimes int64, text string) bank.Entry {
	return entry(centimes, whole(centimes, bank.Detail{Info: text}))
}

// The bank puts a statement out again under another name, with one line more.
func TestAStatementPutOutAgainBooksOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	for name, numbered := range map[string]bool{"numbered": true, "unnumbered": false} {
		h := newHub(t)
		h.read(came(50000, "earlier"))
		first := h.statement(came(3000, "TV"), came(3000, "TV"), entry(-200))
		again := first
		again.ID, again.Entries = "BIS", append(first.Entries[:3:3], came(3000, "TV"), came(900, "new"))
		again.Closing = first.Closing.Add(money.Dirhams(3900))
		if !numbered {
			first.Sequence, again.Sequence = 0, 0
		}
		for _, st := range []bank.Statement{first, again} {
			if _, err := h.take(name+st.ID, bank.Message{Statements: []bank.Statement{st}}); err != nil {
				t.Fatal(err)
			}
		}
		h.has("bank:bank:safeguard", 50000+6000+3000+900)
		var repeated []recon.BreakView
		for _, b := range h.breaks() {
			if strings.HasPrefix(b.Why, "the same movement as") {
				repeated = append(repeated, b)
			}
		}
		if len(repeated) != 3 {
			t.Fatalf("%s: %d repeats, want 3: %+v", name, len(repeated), h.breaks())
		}
		for _, b := range repeated {
			if b.Suggestion == nil || b.Suggestion.To == "" {
				t.Fatalf("%s: suggestion %+v", name, b.Suggestion)
			}
			h.must(recon.ResolveInput{Break: b.ID, By: "match", To: b.Suggestion.To})
		}
		h.has("bank:bank:safeguard", 50000+6000+3000+900)
		third := again
		third.ID, third.Entries = "TER", append(again.Entries[:5:5], came(100, "newest"))
		third.Closing = again.Closing.Add(money.Dirhams(100))
		if _, err := h.take(name+"ter", bank.Message{Statements: []bank.Statement{third}}); err != nil {
			t.Fatal(err)
		}
		h.has("bank:bank:safeguard", 50000+6000+3000+900+100)
	}
}

// Statements that follow each other under their own numbers may well hold equal
// lines.
func TestEqualLinesOfStatementsThatJoinAreAllBooked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(came(3000, "TV"))
	h.read(came(3000, "TV"))
	h.has("bank:bank:safeguard", 6000)
}

// A list without a number told of a movement; the numbered statement that follows
// the one before both tells it in other words.
func TestAStatementIsNewOnlyWhereAllAroundItJoin(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(came(50000, "earlier"))
	list := h.statement(came(3000, "TV"))
	st := list
	list.Sequence = 0
	st.ID, st.Entries = "BIS", []bank.Entry{came(3000, "TV")}
	st.Entries[0].Info = "VIREMENT RECU"
	for _, s := range []bank.Statement{list, st} {
		if _, err := h.take(s.ID, bank.Message{Statements: []bank.Statement{s}}); err != nil {
			t.Fatal(err)
		}
	}
	h.has("bank:bank:safeguard", 53000)
}

// However a bank cuts the same movements into overlapping statements, none is
// booked twice.
func TestOverlappingStatementsNeverBookTwice(t *testing.T) {
	t.Parallel()
	h, runs := newHub(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++ // at a bank of its own
		house := recon.House{Bank: bank.New(fmt.Sprint("bank", runs), h.bank, bank.Options{}), Safeguard: safeguard}
		all := rapid.SliceOfN(rapid.Int64Range(1, 3), 1, 6).Draw(rt, "movements")
		var total int64
		upTo := 0
		for n := range rapid.IntRange(1, 4).Draw(rt, "statements") {
			from := rapid.IntRange(0, upTo).Draw(rt, "from") // nothing is left out
			to := rapid.IntRange(upTo, len(all)).Draw(rt, "to")
			if to == from {
				continue
			}
			st := bank.Statement{Kind: bank.OfAccount, ID: fmt.Sprint("N", n), Account: safeguard, Currency: money.MAD, Page: 1, LastPage: true, HasBalances: true}
			st.Sequence = rapid.Int64Range(0, 2).Draw(rt, "number")
			var at int64
			for i, c := range all[:to] {
				if i == from {
					st.Opening = money.Dirhams(at)
				}
				if at += c; i >= from {
					st.Entries = append(st.Entries, came(c, "TV"))
				}
			}
			st.Closing, upTo = money.Dirhams(at), max(upTo, to)
			if _, err := h.recon.Take(t.Context(), house, paperbank.Received(st.ID, bank.Message{ID: house.Bank.ID() + st.ID, Statements: []bank.Statement{st}})); err != nil {
				rt.Fatal(err)
			}
		}
		for _, c := range all[:upTo] {
			total += c
		}
		if got, err := h.books.Balance(t.Context(), h.db, ledger.Safeguard(house.Bank.ID()), money.MAD); err != nil || got > total {
			rt.Fatalf("the account has %d (%v), and no more than %d ever came", got, err, total)
		}
	})
}

// One day's movements come twice: as the bank writes them and, of the same bank,
// in another format that leaves out what the payer named them.
func TestAMovementIsOneWhateverAFormatLeavesOut(t *testing.T) {
	t.Parallel()
	for name, refs := range map[string][2]string{"named later": {"", "TV1"}, "named before": {"TV1", ""}} {
		h := newHub(t)
		h.read(came(50000, "earlier"))
		first := h.statement(entry(3000, whole(3000, bank.Detail{Ref: refs[0]})), entry(700))
		again := first
		again.ID, again.Sequence = "BIS", 0
		again.Entries = []bank.Entry{entry(3000, whole(3000, bank.Detail{Ref: refs[1]})), entry(700)}
		for i := range again.Entries {
			first.Entries[i].BankRef, again.Entries[i].BankRef = fmt.Sprint("EX", i), fmt.Sprint("EX", i)
		}
		for _, st := range []bank.Statement{first, again} {
			if _, err := h.take(name+st.ID, bank.Message{Statements: []bank.Statement{st}}); err != nil {
				t.Fatal(err)
			}
		}
		h.has("bank:bank:safeguard", 50000+3000+700)
		for _, b := range h.breaks() {
			if !strings.HasPrefix(b.Why, "the same movement as") {
				continue
			}
			if b.Suggestion == nil || b.Suggestion.To == "" {
				t.Fatalf("%s: suggestion %+v", name, b.Suggestion)
			}
			h.must(recon.ResolveInput{Break: b.ID, By: "match", To: b.Suggestion.To})
		}
		h.has("bank:bank:safeguard", 50000+3000+700)
	}
}

// Who approves a statement that somebody hands in sees what it says, and what
// would come of it.
func TestTheSecondPersonSeesWhatAHandedStatementSays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"] = 1000
	h.payout("PAY1", 500)
	first := h.statement(came(3000, "TV"), entry(980, settled("A", 1000, 20)), entry(-500, paid("PAY1", 500)))
	again := first
	again.ID = "BIS"
	again.Entries = append(first.Entries[:1:1], came(700, "new"))
	again.Closing = money.Dirhams(3700)
	hand := func(st bank.Statement) (text string) {
		ctx := auth.With(t.Context(), auth.Principal{Subject: "per_1", Role: auth.Operator})
		f := paperbank.Received(st.ID, bank.Message{Statements: []bank.Statement{st}})
		if err := h.db.InTx(ctx, func(tx *pg.Tx) error {
			v, err := h.recon.Upload(ctx, tx, recon.UploadInput{File: rest.File{Name: f.Name, Bytes: f.Bytes}})
			if err == nil {
				text, err = pg.Value[string](ctx, tx, nil, `select evidence from approvals.request where id = $1`, v.Approval)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := hand(first)
	for _, want := range []string{safeguard, "from 0.00 MAD to 34.80 MAD", "3 lines", "39.80 MAD comes and 5.00 MAD goes", "1 lines of 9.80 MAD are acquirers'", "1 of -5.00 MAD name"} {
		if !strings.Contains(text, want) {
			t.Errorf("the evidence %q does not say %q", text, want)
		}
	}
	if _, err := h.take("first", bank.Message{Statements: []bank.Statement{first}}); err != nil {
		t.Fatal(err)
	}
	if text := hand(again); !strings.Contains(text, "1 stand in other statements") || !strings.Contains(text, "does not join") {
		t.Errorf("the evidence of one that overlaps is %q", text)
	}
}
