package mt940_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/bank/mt940"
	"tiwiza/pkg/money"
)

func read(t testing.TB, text string) (bank.Message, error) {
	t.Helper()
	return readAs(t, mt940.Slashes, text)
}

func readAs(t testing.TB, d mt940.Dialect, text string) (bank.Message, error) {
	t.Helper()
	r, err := mt940.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return r.Read(bank.Received{Name: "f.sta", Bytes: []byte(text)})
}

// swift writes centimes as SWIFT does, without a sign.
func swift(centimes int64) string {
	return strings.Replace(money.Dirhams(max(centimes, -centimes)).Amount(), ".", ",", 1)
}

func mark(centimes int64) string {
	if centimes < 0 {
		return "D"
	}
	return "C"
}

// write makes a message in the dialect with slashes.
func write(number, opening int64, lines []bankconform.Movement) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ":20:STARTUMS\r\n:25:%s\r\n:28C:%05d/00001\r\n:60F:%s261120MAD%s\r\n", bankconform.Account, number, mark(opening), swift(opening))
	at := opening
	for _, l := range lines {
		kind := "NTRF"
		if l.Charge {
			kind = "NCHG"
		}
		fmt.Fprintf(&b, ":61:%s%s%s%s%sNONREF//%s\r\n", l.Day.Format("060102"), l.Day.Format("0102"), mark(l.Centimes), swift(l.Centimes), kind, l.BankRef)
		text := "/ORDP//NAME/" + l.Name + "/REMI/" + l.Info
		if l.Ref != "" {
			text = "/EREF/" + l.Ref + text
		}
		for i := 0; i < len(text); i += 65 {
			head := ""
			if i == 0 {
				head = ":86:"
			}
			fmt.Fprintf(&b, "%s%s\r\n", head, text[i:min(i+65, len(text))])
		}
		at += l.Centimes
	}
	fmt.Fprintf(&b, ":62F:%s261121MAD%s\r\n-\r\n", mark(at), swift(at))
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	t.Parallel()
	bankconform.RunReader(t, bankconform.Format{Reader: mt940.Reader{Dialect: mt940.Slashes}, Write: write, Sound: func(cut []byte) bool {
		_, after, closed := bytes.Cut(cut, []byte(":62F:")) // the balance ends at its decimals, and the rest says nothing
		return closed && len(bytes.TrimSpace(after)) >= len("C261121MAD1246,9")
	}})
}

// stmt is a message around lines, which add up to sum.
func stmt(sum int64, lines ...string) string {
	return ":20:X\n:25:MA64" + bankconform.Account + "\n:28C:12/1\n:60F:C261120MAD100,00\n" + strings.Join(lines, "\n") +
		"\n:62F:" + mark(10000+sum) + "261121MAD" + swift(10000+sum) + "\n:64:C261121MAD0,\n-"
}

func TestDialectsOf86AreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    mt940.Dialect
		lines []string
		sum   int64
		want  bank.Detail
	}{
		"slashes": {
			mt940.Slashes,
			[]string{":61:2611211121D50,00NTRFNONREF//EX1", ":86:/TRTP/VIREMENT/EREF/PAY01/IBAN/MA64001810007800020110620318/NAME/A", "MAL SARL/REMI/ord 1/x/EREF/OTHER"},
			-5000,
			bank.Detail{Ref: "PAY01", BankRef: "EX1", Info: "ord 1/x/EREF/OTHER", Counterparty: "AMAL SARL", CounterpartyAccount: bankconform.Account},
		},
		"numbered subfields": {
			mt940.Numbered,
			[]string{":61:2611211121D50,00NTRFKREF+//EX1", ":86:020?00VIREMENT?10931?20EREF+PAY01?21SVWZ+ord?22 1?31" + bankconform.Account + "?32AMAL ?33SARL"},
			-5000,
			bank.Detail{Ref: "PAY01", BankRef: "EX1", Info: "ord 1", Counterparty: "AMAL SARL", CounterpartyAccount: bankconform.Account},
		},
		"numbered, another sign": {
			mt940.Numbered,
			[]string{":61:2611211121D50,00NTRFNONREF", ":86:020>00VIREMENT>20ord 1>32AMAL"},
			-5000,
			bank.Detail{Info: "ord 1", Counterparty: "AMAL"},
		},
		"words with a plus": {
			mt940.Plus,
			[]string{":61:2611211121C50,00NTRFNONREF//EX1", ":86:EREF+PAY01 SVWZ+ord", " 1"},
			5000,
			bank.Detail{Ref: "PAY01", BankRef: "EX1", Info: "ord 1"},
		},
		"plain text": {
			mt940.Text,
			[]string{":61:2611211121C50,00NTRFNONREF", ":86:VIREMENT RECU DE AMAL", "POUR ord 1"},
			5000,
			bank.Detail{Info: "VIREMENT RECU DE AMAL POUR ord 1"},
		},
		"no remark": {
			mt940.Text,
			[]string{":61:2611211121C50,00NTRFPAY01//EX1"},
			5000,
			bank.Detail{Ref: "PAY01", BankRef: "EX1"},
		},
		"a reference of ours in the line": {
			mt940.Text,
			[]string{":61:2611211121C50,00NTRFPAY01//EX1", "SUPPLEMENT", ":86:VIREMENT"},
			5000,
			bank.Detail{Ref: "PAY01", BankRef: "EX1", Info: "VIREMENT"},
		},
		"a payer's words in the free purpose": {
			mt940.Slashes,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:merci/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00"},
			100,
			bank.Detail{Info: "merci/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00"},
		},
		"a payer's words after the bank's": {
			mt940.Slashes,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:/EREF/HIS01/REMI/merci/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00/IBAN/" + bankconform.Account},
			100,
			bank.Detail{Ref: "HIS01", Info: "merci/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00/IBAN/" + bankconform.Account},
		},
		"a bank that writes text has no codes": {
			mt940.Text,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00"},
			100,
			bank.Detail{Info: "/EREF/CHG01/OCMT/MAD930,00/CHGS/MAD929,00"},
		},
		"a second account is the payer's": {
			mt940.Slashes,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:/EREF/X/IBAN/" + bankconform.Account + "/IBAN/999780000000000000010193/REMI/y"},
			100,
			bank.Detail{Ref: "X", Info: "y"},
		},
		"a payer's words in a numbered purpose": {
			mt940.Numbered,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:166?00VIREMENT?20EREF+HIS01?21SVWZ+merci EREF+CHG01?22 IBAN+MA64001810007800020110620318?31999780000000000000010193?32AMAL"},
			100,
			bank.Detail{Ref: "HIS01", Info: "merci EREF+CHG01 IBAN+MA64001810007800020110620318", Counterparty: "AMAL", CounterpartyAccount: "999780000000000000010193"},
		},
		"a payer's words before none of the bank's": {
			mt940.Numbered,
			[]string{":61:2611211121C1,00NTRFNONREF", ":86:166?00VIREMENT?20merci EREF+CHG01?32AMAL"},
			100,
			bank.Detail{Info: "merci EREF+CHG01", Counterparty: "AMAL"},
		},
		"what was charged": {
			mt940.Slashes,
			[]string{":61:2611211121C98,20NTRFNONREF", ":86:/EREF/CHG01/OCMT/MAD100,00/CHGS/MAD1,80/REMI/x"},
			9820,
			bank.Detail{Ref: "CHG01", Info: "x", Gross: money.Dirhams(10000), Fee: money.Dirhams(180)},
		},
		"charges that do not add up": {
			mt940.Slashes,
			[]string{":61:2611211121C98,20NTRFNONREF", ":86:/EREF/CHG01/OCMT/MAD100,00/CHGS/MAD1,81/REMI/x"},
			9820,
			bank.Detail{Ref: "CHG01", Info: "x"},
		},
		"a payment that came back": {
			mt940.Slashes,
			[]string{":61:2611211121C50,00NRTINONREF", ":86:/EREF/PAY01/RTRN/AC04/REMI/x"},
			5000,
			bank.Detail{Ref: "PAY01", Info: "x", ReturnReason: "AC04"},
		},
		"one that came back without a reason": {
			mt940.Text,
			[]string{":61:2611211121C50,00NRTIPAY01"},
			5000,
			bank.Detail{Ref: "PAY01", ReturnReason: "RTI"},
		},
	} {
		m, err := readAs(t, c.in, stmt(c.sum, c.lines...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := m.Statements[0].Entries[0]
		c.want.Amount = money.Dirhams(c.sum)
		if c.want.Gross.Currency() == "" {
			c.want.Gross, c.want.Fee = money.Dirhams(c.sum), money.Dirhams(0)
		}
		if len(e.Details) != 1 {
			t.Errorf("%s: entry %+v", name, e)
		} else if diff := cmp.Diff(c.want, e.Details[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := m.Statements[0].Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMarksSayWhichWayMoneyWent(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bank.Entry{
		":61:261121C1,NTRFX":         {Amount: money.Dirhams(100), Booked: true},
		":61:261121DD1,5NTRFX":       {Amount: money.Dirhams(-150), Booked: true},
		":61:261121RC1,NTRFX":        {Amount: money.Dirhams(-100), Booked: true, Reversal: true},
		":61:261121RDD1,NTRFX":       {Amount: money.Dirhams(100), Booked: true, Reversal: true},
		":61:261121EC7,NTRFX":        {Amount: money.Dirhams(700)},
		":61:261121D1,00NCOMX":       {Amount: money.Dirhams(-100), Booked: true, Charge: true},
		":61:2611211120D1,S103X//EX": {Amount: money.Dirhams(-100), Booked: true},
	} {
		sum := int64(0)
		if want.Booked {
			sum = want.Amount.Centimes()
		}
		m, err := read(t, stmt(sum, line))
		if err != nil || m.Statements[0].Check() != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		e := m.Statements[0].Entries[0]
		if !e.Amount.Equal(want.Amount) || e.Booked != want.Booked || e.Reversal != want.Reversal || e.Charge != want.Charge {
			t.Errorf("%s: %+v, want %+v", line, e, want)
		}
	}
}

func TestTheBookingDayIsNearItsValueDay(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		":61:2701011231C1,NTRFX": "2026-12-31", ":61:2612310102C1,NTRFX": "2027-01-02", ":61:2611211120C1,NTRFX": "2026-11-20", ":61:261121C1,NTRFX": "2026-11-21",
	} {
		m, err := read(t, stmt(100, line))
		if err != nil || m.Statements[0].Entries[0].BookedOn.Format(time.DateOnly) != want {
			t.Errorf("%s: %v, %+v; want %s", line, err, m.Statements, want)
		}
	}
}

func TestAFileHoldsManyMessagesAndPages(t *testing.T) {
	t.Parallel()
	page1 := "{1:F01BKAMMAMRAXXX0000000000}{2:I940BKAMMAMRXXXXN}{4:\n:20:X\n:25:BKAMMAMR/" + bankconform.Account + "\n:28C:12/1\n:60F:C261120MAD100,00\n:61:261121C1,NTRFA\n:62M:C261121MAD101,00\n-}\n"
	page2 := "{1:F01BKAMMAMRAXXX0000000000}{4:\n:20:X\n:25:" + bankconform.Account + "MAD\n:28C:12/2\n:60M:C261121MAD101,00\n:61:261121D1,NTRFA\n:62F:C261121MAD100,00\n-}{5:{CHK:1}}\n"
	m, err := read(t, page1+page2)
	if err != nil || len(m.Statements) != 2 {
		t.Fatalf("%v, %+v", err, m)
	}
	for i, s := range m.Statements {
		if s.Page != i+1 || s.LastPage != (i == 1) || s.Account != bankconform.Account || s.Sequence != 12 || s.Check() != nil || s.ID != m.Statements[0].ID {
			t.Errorf("page %d: %+v, %v", i+1, s, s.Check())
		}
	}
	doctored, err := read(t, strings.Replace(page1, "62M:C261121MAD101", "62M:C261121MAD102", 1)+page2)
	if err != nil || !errors.Is(doctored.Statements[0].Check(), bank.ErrUnbalanced) {
		t.Errorf("a page that does not add up: %v", err)
	}
}

func TestALineOfAWholeFileSaysWhich(t *testing.T) {
	t.Parallel()
	m, err := read(t, stmt(-9000, ":61:261121D90,00NTRFNONREF//EX1", ":86:/PREF/FIL01/REMI/REMISE 3 VIREMENTS"))
	if err != nil {
		t.Fatal(err)
	}
	if e := m.Statements[0].Entries[0]; e.Batch != "FIL01" || len(e.Details) != 0 || e.BankRef != "EX1" {
		t.Errorf("entry %+v", e)
	}
}

func TestEightBitFilesAreDecoded(t *testing.T) {
	t.Parallel()
	b, err := charmap.Windows1252.NewEncoder().String(stmt(5000, ":61:261121C50,00NTRFNONREF", ":86:Règlement d’été"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := read(t, b)
	if err != nil || m.Statements[0].Entries[0].Details[0].Info != "Règlement d’été" {
		t.Errorf("%v, %+v", err, m)
	}
}

func TestWhatIsNoStatementIsRefused(t *testing.T) {
	t.Parallel()
	good := stmt(5000, ":61:261121C50,00NTRFX")
	if _, err := read(t, good); err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Errorf("the file holds no %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, text := range map[string]string{
		"no account":          swap(":25:MA64"+bankconform.Account+"\n", ""),
		"no opening":          swap(":60F:C261120MAD100,00\n", ""),
		"no closing":          swap(":62F:C261121MAD150,00\n", ""),
		"two openings":        swap(":60F:C261120MAD100,00\n", ":60F:C261120MAD100,00\n:60F:C261120MAD1,00\n"),
		"two closings":        swap(":62F:C261121MAD150,00\n", ":62F:C261121MAD150,00\n:62F:C261121MAD150,00\n"),
		"a line before":       swap(":60F:C261120MAD100,00\n", ":61:261121C50,00NTRFX\n:60F:C261120MAD100,00\n"),
		"a line after":        swap("\n:64:", "\n:61:261121C50,00NTRFX\n:64:"),
		"another currency":    swap("261121MAD150", "261121EUR150"),
		"a foreign tag":       swap(":64:C261121MAD0,", ":99:X"),
		"text under nothing":  "hello\n" + good,
		"text between":        good + "\nhello",
		"a point":             swap("C50,00", "C50.00"),
		"a sign":              swap("C50,00", "C-50,00"),
		"too fine":            swap("C50,00", "C50,001"),
		"too much":            swap("C50,00", "C999999999999999,"),
		"a day that is none":  swap("261121C50", "261131C50"),
		"no mark":             swap("261121C50", "26112150"),
		"a number of letters": swap("28C:12/1", "28C:XII"),
		"another block":       "{9:X}\n" + good,
		"too long":            good + strings.Repeat("\n", 20<<20),
		"too many lines":      good + strings.Repeat("\n", 500_001),
	} {
		if m, err := read(t, text); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%s: %v, %+v; want ErrUnreadable", name, err, m.Statements)
		}
	}
}

// Whatever a file holds, what is read of it and balances can be written again
// and read the same.
func FuzzRead(f *testing.F) {
	f.Add(write(7, 100000, []bankconform.Movement{{Centimes: 5000, Ref: "PAY01", BankRef: "EX1", Name: "AMAL", Info: "x"}}))
	f.Add([]byte(stmt(-5000, ":61:2611211121D50,00NTRFKREF+//EX1", ":86:020?00VIREMENT?20EREF+PAY01?21SVWZ+ord?31X?32AMAL")))
	f.Add([]byte(stmt(9820, ":61:2611211121C98,20NTRFNONREF", ":86:/EREF/CHG01/OCMT/MAD100,00/CHGS/MAD1,80/REMI/x")))
	f.Add([]byte("{1:F01X}{4:\n:20:X\n:25:1\n:28C:0\n:60M:C261120MAD1,\n:62M:C261120MAD1,\n-}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := mt940.Reader{Dialect: mt940.Slashes}.Read(bank.Received{Name: "f", Bytes: b})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; len(b) < 64<<10 && used > 16<<20 {
			t.Errorf("%d bytes took %d MB to read", len(b), used>>20)
		}
		if err != nil {
			if !errors.Is(err, bank.ErrUnreadable) {
				t.Errorf("%v is not ErrUnreadable", err)
			}
			return
		}
		for _, s := range m.Statements {
			if s.Currency != money.MAD || s.Check() != nil {
				continue
			}
			var lines []bankconform.Movement
			for _, e := range s.Entries {
				if e.Booked {
					lines = append(lines, bankconform.Movement{Centimes: e.Amount.Centimes(), Day: e.BookedOn, BankRef: "EX"})
				}
			}
			again, err := mt940.Reader{Dialect: mt940.Slashes}.Read(bank.Received{Name: "f", Bytes: write(1, s.Opening.Centimes(), lines)})
			if err != nil || !again.Statements[0].Closing.Equal(s.Closing) || again.Statements[0].Check() != nil {
				t.Fatalf("written again it is %+v, %v; want closing %s", again.Statements, err, s.Closing)
			}
		}
	})
}
