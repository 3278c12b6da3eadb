package remote_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/remote"
)

const goodStatement = `{"kind":"statement","id":"S7","account":"001810007800020110620318","currency":"MAD","sequence":7,"created_at":"2026-11-21T20:00:00Z","on":"2026-11-21",
"opening":{"amount":"100.00","currency":"MAD"},"closing":{"amount":"80.50","currency":"MAD"},"entries":[
{"id":"E1","amount":{"amount":"-20.00","currency":"MAD"},"booked_on":"2026-11-21","code":"transfer","batch":"FIL1","details":[{"ref":"PAY1","amount":{"amount":"-12.00","currency":"MAD"}},{"ref":"PAY2","amount":{"amount":"-8.00","currency":"MAD"}}]},
{"id":"E2","amount":{"amount":"0.50","currency":"MAD"},"booked_on":"2026-11-21","value_on":"2026-11-22","details":[{"ref":"","counterparty":"Amal","account":"011519000001205000534921","info":"ord 1","amount":{"amount":"0.50","currency":"MAD"}}]}]}`

func read(text string) (bank.Message, error) {
	b := bank.New("bank", &remote.Bank{}, bank.Options{})
	return b.Read(bank.Received{Name: "m", Bytes: []byte(text)})
}

func TestStatementIsReadToTheCentime(t *testing.T) {
	t.Parallel()
	m, err := read(goodStatement)
	if err != nil || len(m.Statements) != 1 || len(m.Statements[0].Entries) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	s := m.Statements[0]
	if s.Sequence != 7 || s.Day().Format("2006-01-02") != "2026-11-21" || s.Entries[0].Batch != "FIL1" || s.Entries[0].Details[1].Ref != "PAY2" ||
		s.Entries[0].Details[1].Amount.Centimes() != -800 || s.Entries[1].Details[0].CounterpartyAccount != "011519000001205000534921" || s.Entries[1].ValueOn.Day() != 22 {
		t.Errorf("%+v", s)
	}
	if _, err := read(strings.Replace(goodStatement, "80.50", "80.51", 1)); !errors.Is(err, bank.ErrUnbalanced) {
		t.Errorf("a closing balance that is a centime off: %v", err)
	}
	for i := range goodStatement {
		if _, err := read(goodStatement[:i]); err == nil {
			t.Fatalf("cut at %d it was read", i)
		}
	}
	for _, change := range [][2]string{
		{`"E2"`, `"E1"`},
		{`"E2"`, `""`},
		{`"-12.00"`, `"-12.01"`},
		{`"-20.00"`, `"0.00"`},
		{`"0.50"`, `"0.505"`},
		{`"sequence":7`, `"sequence":0`},
		{`"on":"2026-11-21"`, `"on":"21/11/2026"`},
		{`"kind":"statement"`, `"kind":"other"`},
		{`"opening":{"amount":"100.00","currency":"MAD"},`, ``},
		{`"closing":{"amount":"80.50","currency":"MAD"}`, `"closing":{"amount":"80.50","currency":"EUR"}`},
		{`"booked_on":"2026-11-21"`, `"booked_on":""`},
		{`"currency":"MAD","sequence"`, `"currency":"XXX","sequence"`},
		{`"account":"001810007800020110620318"`, `"account":""`},
	} {
		if _, err := read(strings.Replace(goodStatement, change[0], change[1], 1)); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%s instead of %s: %v", change[1], change[0], err)
		}
	}
}

func TestReportSpeaksForItsPayments(t *testing.T) {
	t.Parallel()
	const report = `{"kind":"report","id":"R1","batch":"FIL1","state":"%s","payments":[{"ref":"PAY1","state":"%s","reason":"AC04"},{"ref":"PAY2","state":"settled"}]}`
	m, err := read(fmt.Sprintf(report, "partial", "rejected"))
	if err != nil || m.Report == nil || m.Report.Of("PAY1").Standing != bank.Rejected || m.Report.Of("PAY2").Standing != bank.Settled || m.Report.Of("PAY3").Standing != bank.Pending {
		t.Errorf("%+v, %v", m.Report, err)
	}
	for _, bad := range []string{
		fmt.Sprintf(report, "done", "rejected"), fmt.Sprintf(report, "partial", "partial"), fmt.Sprintf(report, "partial", ""),
		strings.ReplaceAll(fmt.Sprintf(report, "partial", "rejected"), "PAY2", "PAY1"), strings.Replace(fmt.Sprintf(report, "partial", "rejected"), "FIL1", "", 1),
		strings.Replace(fmt.Sprintf(report, "partial", "rejected"), "R1", "", 1),
	} {
		if _, err := read(bad); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
