package bankconform

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

// Account is the one that a reader's test writes its statements of.
const Account = "001810007800020110620318"

// A Movement is one line as every format can say it.
type Movement struct {
	Centimes int64
	Day      time.Time
	Ref      string // ours
	BankRef  string
	Name     string
	Info     string
	Charge   bool
}

// A Format is what the test of a reader gives the suite: the reader, and a
// writer of its own that the reader knows nothing of.
type Format struct {
	Reader bank.Reader
	// Write makes a file of a statement of Account.
	Write func(number, opening int64, lines []Movement) []byte
	// Sound says whether a file that was cut off may still be whole; nil: never.
	Sound func(cut []byte) bool
}

// RunReader holds a reader of statements to the contract.
func RunReader(t *testing.T, f Format) {
	for name, fact := range map[string]func(*testing.T, Format){
		"what is written is read, to the centime": roundTrip,
		"a file that is cut off is refused":       truncated,
		"a centime that is altered is seen":       altered,
		"other formats are left alone":            foreign,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); fact(t, f) })
	}
}

// read takes a file as the portable type does.
func (f Format) read(b []byte) (bank.Message, error) {
	r := bank.Received{Name: "f", Bytes: b}
	if !f.Reader.Reads(r) {
		return bank.Message{}, errors.New("it is not taken for its own")
	}
	m, err := f.Reader.Read(r)
	for i := 0; err == nil && i < len(m.Statements); i++ {
		err = m.Statements[i].Check()
	}
	return m, err
}

var day = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func movements(t *rapid.T, atLeast int) (lines []Movement) {
	for i := range rapid.IntRange(atLeast, 8).Draw(t, "lines") {
		amount := rapid.Int64Range(-9_999_999, 9_999_999).Draw(t, "amount")
		if amount == 0 {
			amount = 1
		}
		lines = append(lines, Movement{
			Centimes: amount, Day: day, Ref: fmt.Sprintf("PAY01JD%06d", i), BankRef: fmt.Sprintf("EX%06d", i),
			Name: rapid.SampledFrom([]string{"COOPERATIVE EXEMPLE", "AMAL SARL", "M EXEMPLE"}).Draw(t, "name"),
			Info: rapid.SampledFrom([]string{"ord 1", "REGLEMENT CARTES", "VIREMENT RECU"}).Draw(t, "info"),
		})
	}
	return lines
}

func roundTrip(t *testing.T, f Format) {
	rapid.Check(t, func(t *rapid.T) {
		opening := rapid.Int64Range(-999_999, 99_999_999).Draw(t, "opening")
		lines := movements(t, 1)
		if len(lines) > 1 && lines[0].Centimes < 0 {
			lines[0].Charge, lines[0].Ref = true, ""
		}
		text := f.Write(7, opening, lines)
		m, err := f.read(text)
		if err != nil || len(m.Statements) != 1 {
			t.Fatalf("%v, %d statements\n%s", err, len(m.Statements), text)
		}
		s := m.Statements[0]
		if s.Account != Account || s.Currency != money.MAD || s.Opening.Centimes() != opening || !s.Day().Equal(day) || len(s.Entries) != len(lines) {
			t.Fatalf("statement %+v\n%s", s, text)
		}
		for i, e := range s.Entries {
			want := lines[i]
			got := Movement{Centimes: e.Amount.Centimes(), Day: e.BookedOn, BankRef: e.BankRef, Charge: e.Charge}
			if len(e.Details) == 1 {
				got.Ref, got.Name, got.Info = e.Details[0].Ref, e.Details[0].Counterparty, e.Details[0].Info
			}
			if got != want || !e.Booked || len(e.Details) > 0 && !e.Explained() {
				t.Fatalf("line %d is %+v, want %+v\n%s", i, got, want, text)
			}
		}
	})
}

func sample(f Format) []byte {
	return f.Write(7, 100000, []Movement{
		{Centimes: 123456, Day: day, Ref: "PAY01JD000001", BankRef: "EX000001", Name: "AMAL SARL", Info: "ord 1"},
		{Centimes: -98765, Day: day, Ref: "PAY01JD000002", BankRef: "EX000002", Name: "AMAL SARL", Info: "ord 2"},
	})
}

func truncated(t *testing.T, f Format) {
	whole := sample(f)
	if _, err := f.read(whole); err != nil {
		t.Fatalf("%v\n%s", err, whole)
	}
	for i := range whole {
		if f.Sound != nil && f.Sound(whole[:i]) {
			continue
		}
		if m, err := f.Reader.Read(bank.Received{Name: "f", Bytes: whole[:i]}); err == nil && m.Statements[0].Check() == nil {
			t.Fatalf("cut at %d of %d it was read:\n%s", i, len(whole), whole[:i])
		} else if err != nil && !errors.Is(err, bank.ErrUnreadable) {
			t.Fatalf("cut at %d: %v is not ErrUnreadable", i, err)
		}
	}
}

// altered changes each digit of each amount in turn: the balances tell.
func altered(t *testing.T, f Format) {
	whole := sample(f)
	seen := 0
	for _, amount := range []string{"1234", "987"} {
		for i := range whole {
			if i+len(amount) > len(whole) || string(whole[i:i+len(amount)]) != amount {
				continue
			}
			bad := append([]byte(nil), whole...)
			bad[i+1]++
			if m, err := f.read(bad); err == nil {
				t.Errorf("altered at %d it was read: %+v", i, m)
			}
			seen++
		}
	}
	if seen == 0 {
		t.Error("the suite found no amount to alter")
	}
}

func foreign(t *testing.T, f Format) {
	for _, text := range []string{"", "no statement at all", "<Document/>", "a;b;c\n1;2;3\n", "\x00\x01\x02", "{1:F01}", ":21:X"} {
		r := bank.Received{Name: "f", Bytes: []byte(text)}
		if m, err := f.Reader.Read(r); err == nil {
			t.Errorf("%q was read: %+v", text, m)
		} else if !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%q: %v is not ErrUnreadable", text, err)
		}
	}
}
