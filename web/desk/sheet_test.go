package desk_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/money"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

func TestAFileHasDatesAndPlainAmounts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 15, 32, 5, 0, time.UTC)
	v := &desk.View{Visit: &site.Visit{Page: &ui.Page{Lang: ui.French}}, Now: at}
	sum := money.FromCentimes(124_050, money.MAD)
	less := money.FromCentimes(-5_00, "EUR")
	s := desk.Sheet{Heads: []desk.Head{{Text: "Date"}, {Text: "Montant", End: true}, {Text: "Nom"}}, Rows: [][]desk.Cell{
		{v.Time(at), desk.Sum(sum), desk.Text("=1+1")},
		{v.TimeOf(nil), desk.Sum(less), {Said: &ui.Said{Text: "Ahmed"}}},
		{desk.Text(""), desk.Text("–"), desk.Text("a", "b")},
	}}
	want := [][]string{
		{"Date", "Montant", "Monnaie", "Nom"},
		{"2026-11-23T16:32:05+01:00", "1240.50", "MAD", "'=1+1"},
		{"", "-5.00", "EUR", "Ahmed"},
		{"", "–", "", "a – b"},
	}
	if diff := cmp.Diff(want, s.Records("Monnaie")); diff != "" {
		t.Error(diff)
	}
	if got, want := v.Time(at).Text, "23\u00a0novembre, 16:32"; got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	if got, want := v.Time(at.AddDate(-1, 0, 0)).Text, "23\u00a0novembre\u00a02025, 16:32"; got != want {
		t.Errorf("the page says %q of last year, want %q", got, want)
	}
}
