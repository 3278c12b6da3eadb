package mappedcsv_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/bank/mappedcsv"
	"tiwiza/pkg/money"
)

func reader(t testing.TB, m mappedcsv.Mapping) *mappedcsv.Reader {
	t.Helper()
	r, err := mappedcsv.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// french is a bank's mapping as its file would hold it.
var french = func() (m mappedcsv.Mapping) {
	err := json.Unmarshal([]byte(`{
		"encoding": "windows-1252", "sign": "columns",
		"columns": {"booked_on": "Date opération", "debit": "Débit", "credit": "Crédit", "balance": "Solde", "reference": "Référence client",
			"bank_reference": "Référence banque", "type": "Nature", "info": "Libellé", "counterparty": "Contrepartie"},
		"labels": {"account": "RIB", "number": "Relevé n°"},
		"charges": ["FRAIS"], "returns": ["REJET"]
	}`), &m)
	if err != nil {
		panic(err)
	}
	return m
}()

// dh is centimes as a French bank writes them.
func dh(centimes int64) string {
	sign := ""
	if centimes < 0 {
		sign, centimes = "-", -centimes
	}
	whole := fmt.Sprint(centimes / 100)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u00a0" + whole[i:]
	}
	return fmt.Sprintf("%s%s,%02d", sign, whole, centimes%100)
}

func write(number, opening int64, lines []bankconform.Movement) []byte {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	c.Comma = ';'
	rows := [][]string{
		{"Banque exemple"},
		{"RIB :", "", bankconform.Account[:3] + " " + bankconform.Account[3:]},
		{"Relevé n°", fmt.Sprint(number)},
		{"Date opération", "Libellé", "Nature", "Débit", "Crédit", "Solde", "Référence client", "Référence banque", "Contrepartie"},
	}
	at := opening
	for _, l := range lines {
		at += l.Centimes
		debit, credit, kind := "", dh(l.Centimes), "VIR"
		if l.Centimes < 0 {
			debit, credit = dh(-l.Centimes), ""
		}
		if l.Charge {
			kind = "Frais"
		}
		rows = append(rows, []string{l.Day.Format("02/01/2006"), l.Info, kind, debit, credit, dh(at), l.Ref, l.BankRef, l.Name})
	}
	if err := c.WriteAll(rows); err != nil {
		panic(err)
	}
	out, err := charmap.Windows1252.NewEncoder().Bytes(b.Bytes())
	if err != nil {
		panic(err)
	}
	return out
}

func TestConformance(t *testing.T) {
	t.Parallel()
	bankconform.RunReader(t, bankconform.Format{Reader: reader(t, french), Write: write, Sound: func(cut []byte) bool {
		// A table has no end of its own: whole lines that lead to their balances are
		// a statement, and what is missing shows as a gap before the next.
		last := cut[bytes.LastIndexByte(cut, '\n')+1:]
		return bytes.Count(cut, []byte("\n")) >= 5 && len(last) == 0 || bytes.Count(cut, []byte("\n")) >= 4 && bytes.Count(last, []byte(";")) == 8
	}})
}

const head = "Date;Libelle;Montant;Solde;Sens;Compte;Devise;Valeur\n"

func signed(change func(*mappedcsv.Mapping)) mappedcsv.Mapping {
	m := mappedcsv.Mapping{Account: bankconform.Account, Columns: mappedcsv.Columns{BookedOn: "date", Amount: "montant", Balance: "solde", Info: "libellé"}}
	if change != nil {
		change(&m)
	}
	return m
}

func TestAmountsAreReadAsTheBankWritesThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change      func(*mappedcsv.Mapping)
		amount, sum string
		want        int64
	}{
		{nil, "1 234,56", "1 234,56", 123456},
		{nil, "-1234,5", "-1234,50", -123450},
		{nil, "12,00-", "-12", -1200},
		{nil, "+7", "7,00", 700},
		{nil, "0012,50 MAD", "MAD 12,50", 1250},
		{nil, "−3,00", "-3,00", -300},
		{func(m *mappedcsv.Mapping) { m.Decimal, m.Thousands = ".", "," }, "1,234.56", "1,234.56", 123456},
		{func(m *mappedcsv.Mapping) { m.Sign = "debit_positive" }, "5,00", "-5,00", -500},
		{func(m *mappedcsv.Mapping) { m.Sign = "debit_positive" }, "-5,00", "5,00", 500},
		{func(m *mappedcsv.Mapping) { m.Sign, m.Columns.Mark, m.Debits = "mark", "Sens", []string{"D"} }, "5,00", "-5,00", -500},
	} {
		m, err := reader(t, signed(c.change)).Read(bank.Received{Bytes: []byte(head + "21/11/2026;x;" + c.amount + ";" + c.sum + ";d;;;\n")})
		if err != nil {
			t.Errorf("%s: %v", c.amount, err)
			continue
		}
		if s := m.Statements[0]; s.Entries[0].Amount.Centimes() != c.want || s.Closing.Centimes() != c.want || !s.Opening.IsZero() || s.Check() != nil {
			t.Errorf("%s is read as %s, closing %s", c.amount, s.Entries[0].Amount, s.Closing)
		}
	}
}

func TestWhatIsNoAmountOrDateIsRefused(t *testing.T) {
	t.Parallel()
	row := func(date, amount, sum string) string { return head + date + ";x;" + amount + ";" + sum + ";;;;\n" }
	for name, text := range map[string]string{
		"a point":           row("21/11/2026", "1.5", "1,50"),
		"two commas":        row("21/11/2026", "1,5,0", "1,50"),
		"letters":           row("21/11/2026", "x", "1,50"),
		"nothing":           row("21/11/2026", "", "1,50"),
		"too fine":          row("21/11/2026", "1,505", "1,50"),
		"too much":          row("21/11/2026", "99999999999999999", "1,50"),
		"two signs":         row("21/11/2026", "-1,00-", "1,50"),
		"no balance":        row("21/11/2026", "1,50", ""),
		"a month of 13":     row("21/13/2026", "1,50", "1,50"),
		"an ISO date":       row("2026-11-21", "1,50", "1,50"),
		"a balance off":     row("21/11/2026", "1,50", "1,50") + "21/11/2026;x;1,00;2,51;;;;\n",
		"a torn quote":      head + `21/11/2026;"x;1,00;1,00`,
		"no column":         "Date;Montant\n21/11/2026;1,00\n",
		"no line":           head,
		"not UTF-8":         head + "21/11/2026;\xff;1,00;1,00;;;;\n",
		"too long":          head + strings.Repeat("x", 20<<20),
		"a short line":      head + "21/11/2026;x;1,00\n",
		"another bank's":    strings.Replace(head, "Solde", "Balance", 1) + "21/11/2026;x;1,00;1,00;;;;\n",
		"a balance of text": row("21/11/2026", "1,50", "rien"),
	} {
		if m, err := reader(t, signed(nil)).Read(bank.Received{Bytes: []byte(text)}); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%s: %v, %+v; want ErrUnreadable", name, err, m.Statements)
		}
	}
}

func TestNewestFirstIsTurnedRound(t *testing.T) {
	t.Parallel()
	r := reader(t, signed(func(m *mappedcsv.Mapping) { m.Newest = true }))
	m, err := r.Read(bank.Received{Bytes: []byte(head + "22/11/2026;b;2,00;3,00;;;;\n21/11/2026;a;1,00;1,00;;;;\n")})
	if err != nil {
		t.Fatal(err)
	}
	s := m.Statements[0]
	if s.Entries[0].Info != "a" || !s.Opening.IsZero() || s.Closing.Centimes() != 300 || s.Day().Format(time.DateOnly) != "2026-11-22" || !strings.HasPrefix(s.ID, "CSV-261121-261122-") {
		t.Errorf("statement %+v", s)
	}
}

func TestBalancesMayStandAroundTheTable(t *testing.T) {
	t.Parallel()
	r := reader(t, signed(func(m *mappedcsv.Mapping) {
		m.Columns.Balance, m.Labels.Opening, m.Labels.Closing, m.Labels.Number = "", "Solde initial", "Solde final", "Numéro"
	}))
	text := "Numero;;12\nSolde initial;10,00\n" + head + "21/11/2026;a;1,50;;;;;\nSolde final :;11,50\n"
	m, err := r.Read(bank.Received{Bytes: []byte(text)})
	if err != nil || m.Statements[0].ID != "12" || m.Statements[0].Check() != nil || m.Statements[0].Opening.Centimes() != 1000 {
		t.Errorf("%v, %+v", err, m.Statements)
	}
	m, err = r.Read(bank.Received{Bytes: []byte(strings.Replace(text, "11,50", "11,51", 1))})
	if err != nil || !errors.Is(m.Statements[0].Check(), bank.ErrUnbalanced) {
		t.Errorf("a closing that does not follow: %v", err)
	}
	if _, err := r.Read(bank.Received{Bytes: []byte(strings.Replace(text, "Solde final", "Fin", 1))}); !errors.Is(err, bank.ErrUnreadable) {
		t.Errorf("cut off before its closing: %v", err)
	}
}

func TestAStatementIsOfOneAccountAndCurrency(t *testing.T) {
	t.Parallel()
	r := reader(t, signed(func(m *mappedcsv.Mapping) {
		m.Account, m.Columns.Account, m.Columns.Currency, m.Columns.ValueOn = "", "Compte", "Devise", "Valeur"
	}))
	row := func(account, currency string) string {
		return "21/11/2026;x;0,00;0,00;;" + account + ";" + currency + ";20/11/2026\n"
	}
	m, err := r.Read(bank.Received{Bytes: []byte(head + row("MA64"+bankconform.Account, "mad") + row(bankconform.Account, "MAD"))})
	if err != nil || m.Statements[0].Account != bankconform.Account || m.Statements[0].Entries[0].ValueOn.Day() != 20 {
		t.Errorf("%v, %+v", err, m.Statements)
	}
	for _, text := range []string{row("1", "MAD") + row("2", "MAD"), row("1", "MAD") + row("1", "EUR"), row("", "MAD"), row("1", "XXX")} {
		if _, err := r.Read(bank.Received{Bytes: []byte(head + text)}); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%q: %v, want ErrUnreadable", text, err)
		}
	}
}

func TestAMappingThatCannotBeReadWithIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mappedcsv.Mapping){
		"encoding":   func(m *mappedcsv.Mapping) { m.Encoding = "utf-16" },
		"separator":  func(m *mappedcsv.Mapping) { m.Separator = ";;" },
		"decimal":    func(m *mappedcsv.Mapping) { m.Decimal = "'" },
		"thousands":  func(m *mappedcsv.Mapping) { m.Thousands = "," },
		"date":       func(m *mappedcsv.Mapping) { m.Date = "dd/mm" },
		"sign":       func(m *mappedcsv.Mapping) { m.Sign = "red" },
		"mark":       func(m *mappedcsv.Mapping) { m.Sign, m.Columns.Mark = "mark", "Sens" },
		"columns":    func(m *mappedcsv.Mapping) { m.Sign = "columns" },
		"no date":    func(m *mappedcsv.Mapping) { m.Columns.BookedOn = "" },
		"no balance": func(m *mappedcsv.Mapping) { m.Columns.Balance = "" },
	} {
		if _, err := mappedcsv.New(signed(change)); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// Whatever a file holds, what is read of it adds up, and can be written again
// and read the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "21/11/2026;x;1 234,56;1 234,56;d;;;\n22/11/2026;y;-34,56;1 200,00;;;;\n"))
	f.Add([]byte(head + `21/11/2026;"x;y";1,00;1,00`))
	f.Add([]byte("RIB;1\n" + head))
	r, err := mappedcsv.New(signed(nil))
	if err != nil {
		f.Fatal(err)
	}
	again := reader(f, french)
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r.Reads(bank.Received{Bytes: b})
		m, err := r.Read(bank.Received{Name: "f", Bytes: b})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; len(b) < 64<<10 && used > 64<<20 {
			t.Errorf("%d bytes took %d MB to read", len(b), used>>20)
		}
		if err != nil {
			if !errors.Is(err, bank.ErrUnreadable) {
				t.Errorf("%v is not ErrUnreadable", err)
			}
			return
		}
		s := m.Statements[0]
		if err := s.Check(); err != nil {
			t.Fatalf("it was read and does not balance: %v", err)
		}
		var lines []bankconform.Movement
		for _, e := range s.Entries {
			if !e.Amount.IsZero() && e.BookedOn.Year() > 0 {
				lines = append(lines, bankconform.Movement{Centimes: e.Amount.Centimes(), Day: e.BookedOn})
			}
		}
		if len(lines) == 0 {
			return
		}
		w, err := again.Read(bank.Received{Bytes: write(1, s.Opening.Centimes(), lines)})
		if err != nil || !w.Statements[0].Closing.Equal(s.Closing) || !w.Statements[0].Opening.Equal(money.Dirhams(s.Opening.Centimes())) {
			t.Fatalf("written again: %v, %+v; want closing %s", err, w.Statements, s.Closing)
		}
	})
}
