package iso20022_test

import (
	"encoding/xml"
	"math/big"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
)

func coded(code string) string {
	return strings.Replace(ntry("2.50", "DBIT", tx("a", "2.50", "DBIT", "")), "<BkTxCd/>", "<BkTxCd>"+code+"</BkTxCd>", 1)
}

func domain(domain, family, sub string) string {
	return "<Domn><Cd>" + domain + "</Cd><Fmly><Cd>" + family + "</Cd><SubFmlyCd>" + sub + "</SubFmlyCd></Fmly></Domn>"
}

func TestTheCodeSaysWhatABankTakesForItself(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		text   string
		charge bool
	}{
		domain("PMNT", "ICDT", "CHRG"):  {"PMNT/ICDT/CHRG", true},
		domain("ACMT", "MDOP", "FEES"):  {"ACMT/MDOP/FEES", true},
		domain("ACMT", "MDOP", "COMM"):  {"ACMT/MDOP/COMM", true},
		domain("PMNT", "ICDT", "DMCT"):  {"PMNT/ICDT/DMCT", false},
		domain("ACMT", "MDOP", "TAXE"):  {"ACMT/MDOP/TAXE", false},
		"<Prtry><Cd>FRAIS</Cd></Prtry>": {"FRAIS", false},
		"":                              {"", false},
	} {
		m, err := read(t, stmt("10.00", "7.50", coded(code)))
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if e := m.Statements[0].Entries[0]; e.Code != want.text || e.Charge != want.charge {
			t.Errorf("%s is read as %q, charge %v", code, e.Code, e.Charge)
		}
	}
	twice := domain("PMNT", "ICDT", "DMCT") + domain("PMNT", "ICDT", "CHRG")
	if _, err := read(t, stmt("10.00", "7.50", coded(twice))); err == nil {
		t.Error("two codes on one entry were taken")
	}
}

func TestALineOfAWholeFileSaysWhich(t *testing.T) {
	t.Parallel()
	for details, want := range map[string]string{
		`<NtryDtls><Btch><MsgId>FIL01</MsgId><NbOfTxs>3</NbOfTxs></Btch></NtryDtls>`:                           "FIL01",
		`<NtryDtls><Btch><PmtInfId>FIL01</PmtInfId></Btch></NtryDtls>`:                                         "FIL01",
		`<NtryDtls><Btch><MsgId>A</MsgId></Btch></NtryDtls><NtryDtls><Btch><MsgId>B</MsgId></Btch></NtryDtls>`: "",
		`<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch></NtryDtls>`:                                               "",
		`<NtryDtls><Btch><MsgId>FIL01</MsgId></Btch>` + tx("a", "2.50", "DBIT", "") + `</NtryDtls>`:            "FIL01",
	} {
		text := strings.Replace(ntry("2.50", "DBIT", ""), "<NtryDtls></NtryDtls>", details, 1)
		m, err := read(t, stmt("10.00", "7.50", text))
		if err != nil || m.Statements[0].Entries[0].Batch != want {
			t.Errorf("%s: %v, %+v; want %q", details, err, m.Statements, want)
		}
	}
}

func TestAStatementIsOfTheDayOfItsClosingBalance(t *testing.T) {
	t.Parallel()
	m, err := read(t, stmt("10.00", "10.00", ""))
	if err != nil || !m.Statements[0].Day().Equal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %+v", err, m.Statements)
	}
	none := bank.Statement{Created: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)}
	if got := none.Day(); got.Day() != 22 || got.Hour() != 0 {
		t.Errorf("without one it is of %s", got)
	}
}

// older is the same file in the schema's first version, where an entry's state
// is bare and a party stands without its choice.
func TestBothVersionsOfBothMessagesAreRead(t *testing.T) {
	t.Parallel()
	newer := stmt("10.00", "7.50", coded(domain("PMNT", "ICDT", "CHRG")))
	for _, v := range []struct {
		space, sts string
		note       bool
	}{
		{"camt.053.001.08", "<Sts><Cd>BOOK</Cd></Sts>", false},
		{"camt.053.001.02", "<Sts>BOOK</Sts>", false},
		{"camt.054.001.08", "<Sts><Cd>BOOK</Cd></Sts>", true},
		{"camt.054.001.02", "<Sts>BOOK</Sts>", true},
	} {
		text := strings.Replace(strings.Replace(newer, "camt.053.001.08", v.space, 1), "<Sts><Cd>BOOK</Cd></Sts>", v.sts, 1)
		if v.note {
			text = strings.NewReplacer("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn", "<Stmt>", "<Ntfctn>", "</Stmt>", "</Ntfctn>", bal("OPBD", "10.00"), "", bal("CLBD", "7.50"), "").Replace(text)
		}
		m, err := read(t, text)
		if err != nil {
			t.Errorf("%s: %v", v.space, err)
			continue
		}
		s := m.Statements[0]
		if e := s.Entries[0]; !e.Booked || e.Amount.Centimes() != -250 || !e.Charge || s.HasBalances == v.note || s.Check() != nil {
			t.Errorf("%s: %+v", v.space, s)
		}
	}
}

// plainly is a second reader, which knows only entries and their amounts.
type plainly struct {
	Stmt []struct {
		Ntry []struct{ Amt, CdtDbtInd string }
	} `xml:"BkToCstmrStmt>Stmt"`
}

// agrees compares what was read of a statement with what the second reader
// adds up.
func agrees(t *testing.T, b []byte, m bank.Message) {
	t.Helper()
	if len(m.Statements) == 0 || m.Statements[0].Kind != bank.OfAccount {
		return
	}
	var p plainly
	dec := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff")))
	if dec.Decode(&p) != nil || len(p.Stmt) != len(m.Statements) {
		return // another encoding, or elements of the same name elsewhere
	}
	for i, s := range m.Statements {
		if len(s.Entries) != len(p.Stmt[i].Ntry) {
			t.Fatalf("statement %d has %d entries, want %d", i, len(s.Entries), len(p.Stmt[i].Ntry))
		}
		if s.Currency != "MAD" || s.Check() != nil {
			continue
		}
		got, want := new(big.Rat), new(big.Rat)
		for j, e := range s.Entries {
			if e.Amount.Currency() != "MAD" {
				return
			}
			a, ok := new(big.Rat).SetString(strings.TrimSpace(p.Stmt[i].Ntry[j].Amt))
			if !ok {
				t.Fatalf("entry %d: %q was read as %s", j, p.Stmt[i].Ntry[j].Amt, e.Amount)
			}
			if strings.TrimSpace(p.Stmt[i].Ntry[j].CdtDbtInd) == "DBIT" {
				a.Neg(a)
			}
			want.Add(want, a)
			got.Add(got, big.NewRat(e.Amount.Centimes(), 100))
		}
		if got.Cmp(want) != 0 {
			t.Fatalf("the entries make %s, want %s", got, want)
		}
	}
}
