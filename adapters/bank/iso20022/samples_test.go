package iso20022_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/adapters/bank"
)

func sample(t *testing.T, name string) bank.Message {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(specs(t), "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := offline(t, profiles["RIB"]).Read(bank.Received{Name: name, Bytes: b})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// line is the gist of an entry: its amount in smallest units, currency and
// marks, then each detail's amount and reference.
func line(e bank.Entry) string {
	out := strconv.FormatInt(e.Amount.Centimes(), 10) + " " + e.Amount.Currency()
	if e.Booked {
		out += " booked"
	}
	if e.Reversal {
		out += " reversal"
	}
	out += " " + e.BookedOn.Format(time.DateOnly) + " " + e.ValueOn.Format(time.DateOnly)
	for _, d := range e.Details {
		out += "; " + strconv.FormatInt(d.Amount.Centimes(), 10) + " " + d.Amount.Currency() + " " + strings.TrimSpace(d.Ref+" "+d.ReturnReason)
	}
	return out
}

func lines(s bank.Statement) (out []string) {
	for _, e := range s.Entries {
		out = append(out, line(e))
	}
	return out
}

func TestSamplesAreReadRight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, id, account string
		statements        int
		at                int // which statement is looked at
		sequence          int64
		opening, closing  int64
		balances          bool
		balanced          bool
		lines             []string
	}{
		{
			"camt053.v2.minimal.xml", "253EURNL26VAYB8060476890", "NL26VAYB8060476890", 1, 0, 12312, 1815, -2700, true, false,
			[]string{"885 EUR booked 2014-12-31 2015-01-02; 885 EUR "},
		},
		{
			"camt053.v2.multi.statement.xml", "253EURNL26VAYB8060476890", "NL26VAYB8060476890", 2, 0, 12312, 1815, 2700, true, true,
			[]string{"885 EUR booked 2014-12-31 2015-01-02; 885 EUR 000000001"},
		},
		{
			"camt053.v2.multi.statement.xml", "254EURNL26VAYB8060476890", "NL26VAYB8060476890", 2, 1, 0, 2700, 2000, true, true,
			[]string{"-700 EUR booked 2014-12-31 2015-01-02; -700 EUR 000000002"},
		},
		{
			"camt054.v8.xml", "AAAASESS-FP-ACCR001", "CH2801234000123456789", 1, 0, 12312, 0, 0, false, true,
			[]string{"-20000000 SEK booked 2007-10-18 2007-10-18; -310 CHF UXC06170000006PI00001EE00001; -320 CHF UXC06170000006PI00001EE00002; -320 CHF UXC06170000006PI00001EE00002"},
		},
		{
			"camt.054.001.08-debit.xml", "NTF-1-1", "001810007800020110620318", 1, 0, 0, 0, 0, false, true,
			[]string{"-100000 MAD booked 2026-11-23 2026-11-23; -100000 MAD HUB-PO-2026-000001"},
		},
		{
			"postfinance-camt.053.xml", "20201124375204229003973", "CH2909000000250094239", 1, 0, 118, 21199319, 21511221, true, false,
			[]string{
				"450 CHF booked 2020-11-24 2020-11-24; 450 CHF ", "-7770 CHF booked 2020-11-24 2020-11-24; -7770 CHF ",
				"150000 CHF booked 2020-11-24 2020-11-24; 150000 CHF ", "153700 CHF booked 2020-11-24 2020-11-25; 153700 CHF ",
				"169222 CHF booked 2020-11-24 2020-11-24; 169222 CHF ",
			},
		},
		{
			"postfinance-camt.054-returns.xml", "20201124375204228763930", "CH5109000000250092291", 1, 0, 0, 0, 0, false, true,
			[]string{"50000 CHF booked reversal 2020-11-24 2020-11-24; 50000 CHF EndToEndId-001-03-04 AC01"},
		},
	} {
		m := sample(t, c.file)
		if len(m.Statements) != c.statements {
			t.Fatalf("%s: %d statements, want %d", c.file, len(m.Statements), c.statements)
		}
		s := m.Statements[c.at]
		if s.ID != c.id || s.Account != c.account || s.Sequence != c.sequence || s.HasBalances != c.balances || s.Opening.Centimes() != c.opening || s.Closing.Centimes() != c.closing {
			t.Errorf("%s: %+v", c.file, s)
		}
		if diff := cmp.Diff(c.lines, lines(s)); diff != "" {
			t.Errorf("%s: entries (-want +got):\n%s", c.file, diff)
		}
		if err := s.Check(); (err == nil) != c.balanced || err != nil && !errors.Is(err, bank.ErrUnbalanced) {
			t.Errorf("%s: Check = %v, want balanced %v", c.file, err, c.balanced)
		}
	}
}

func TestSamplesSayMoreThanAmounts(t *testing.T) {
	t.Parallel()
	s := sample(t, "camt054.v8.xml").Statements[0]
	if s.Kind != bank.Notification || s.Page != 2 || !s.LastPage || s.From.UTC() != time.Date(2007, 10, 18, 7, 0, 0, 0, time.UTC) || s.To.UTC() != time.Date(2007, 10, 18, 11, 30, 0, 0, time.UTC) {
		t.Errorf("notification = %+v", s)
	}
	e := s.Entries[0]
	want := bank.Detail{
		Ref: "UXC06170000006PI00001EE00001", InstructionID: "UXC06170000006PI00001II00001", Info: "Unstructured Remittance Information V1",
		Counterparty: "Example Creditor 3 - V1", CounterpartyAccount: "CH4112345003131313131",
	}
	got := e.Details[0]
	got.Amount, got.Gross, got.Fee = want.Amount, want.Gross, want.Fee
	if got != want || e.BankRef != "ACSR160617103200001" || e.Info != "Order" || e.Explained() {
		t.Errorf("entry %+v", e)
	}
	if info := e.Details[2].Info; info != "Unstructured Remittance Information V3 block 1 Unstructured Remittance Information V3 block 2" {
		t.Errorf("two lines of text are %q", info)
	}
	first := sample(t, "camt053.v2.minimal.xml").Statements[0].Entries[0].Details[0]
	if first.Info != "4654654654654654" || first.Counterparty != "NAME NAME" || first.Ref != "" {
		t.Errorf("structured detail = %+v", first)
	}
	back := sample(t, "postfinance-camt.054-returns.xml").Statements[0].Entries[0].Details[0]
	if back.ReturnReason != "AC01" || back.ReturnText != "Kontonummer falsch" || back.Counterparty != "Robert Schneider SA" || back.Info != "Kontouebertrag" {
		t.Errorf("returned payment = %+v", back)
	}
}

func TestReportsAreReadRight(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bank.Report{
		"pain.002.001.10-part.xml": {
			ID: "BANK-RPT-1", OriginalID: "HUB-20261121-0001", Group: bank.Partial,
			Items: []bank.Item{{Ref: "HUB-PO-2026-000001", Standing: bank.Settled}, {Ref: "HUB-PO-2026-000002", Standing: bank.Rejected, Reason: "AC01", Text: "RIB invalide"}},
		},
		"postfinance-pain.002.xml": {
			ID: "20180326375204011678275", OriginalID: "MsgId-006", Group: bank.Rejected, Reason: "NARR", Text: "1297193;Sammelauftrag ohne ausführbaren Einzelauftrag",
			Items: []bank.Item{{Ref: "EndToEndId-006-01-01", Standing: bank.Rejected, Reason: "AC01", Text: "1301813;Konto ungültig"}},
		},
	} {
		if diff := cmp.Diff(want, *sample(t, file).Report); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// expected is what the files beside the samples say, as another reader saw it.
type expected struct {
	GetEntries []struct {
		GetAmount struct {
			GetAmount   string
			GetCurrency struct{ GetCode string }
		}
		GetBookingDate struct {
			At string `json:"0"`
		}
		GetTransactionDetails []json.RawMessage
		GetRecord             struct {
			GetId       string
			GetBalances []struct {
				GetType   string
				GetAmount struct{ GetAmount string }
			}
		}
	}
}

func TestSamplesAgreeWithAnotherReader(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"camt053.v2.minimal", "camt053.v2.multi.statement", "camt054.v8"} {
		b, err := os.ReadFile(filepath.Join(specs(t), "samples", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var want expected
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, s := range sample(t, name+".xml").Statements {
			for _, w := range want.GetEntries {
				if w.GetRecord.GetId != s.ID {
					continue
				}
				compared++
				e := s.Entries[0]
				if strconv.FormatInt(e.Amount.Centimes(), 10) != w.GetAmount.GetAmount || e.Amount.Currency() != w.GetAmount.GetCurrency.GetCode ||
					!strings.HasPrefix(w.GetBookingDate.At, e.BookedOn.Format(time.DateOnly)) || len(e.Details) != len(w.GetTransactionDetails) {
					t.Errorf("%s: %s, the other reader saw %+v", name, line(e), w.GetAmount)
				}
				for _, bal := range w.GetRecord.GetBalances {
					got := map[string]int64{"opening": s.Opening.Centimes(), "closing": s.Closing.Centimes()}
					if v, ok := got[bal.GetType]; ok && strconv.FormatInt(v, 10) != bal.GetAmount.GetAmount {
						t.Errorf("%s: %s balance %d, the other reader saw %s", name, bal.GetType, v, bal.GetAmount.GetAmount)
					}
				}
			}
		}
		if compared == 0 {
			t.Errorf("%s: nothing was compared", name)
		}
	}
}
