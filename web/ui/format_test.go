package ui_test

import (
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

func TestMoneyIsWrittenAsPeopleDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang  ui.Lang
		m     money.Money
		want  string
		short string
	}{
		{ui.French, money.Dirhams(1_240_50), "1\u202f240,50\u00a0DH", "1\u202f240,50"},
		{ui.French, money.Dirhams(145_00), "145,00\u00a0DH", "145"},
		{ui.French, money.Dirhams(-1_234_567_00), "\u22121\u202f234\u202f567,00\u00a0DH", "\u22121\u202f234\u202f567"},
		{ui.Arabic, money.Dirhams(1_240_50), "1\u202f240,50\u00a0درهم", "1\u202f240,50"},
		{ui.English, money.Dirhams(1_240_50), "MAD\u00a01,240.50", "1,240.50"},
		{ui.Amazigh, money.Dirhams(1_240_50), "1\u202f240,50\u00a0MAD", "1\u202f240,50"},
		{ui.French, money.Dirhams(5), "0,05\u00a0DH", "0,05"},
	} {
		if got := c.lang.Sum(c.m); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.m, c.lang, got, c.want)
		}
		if got := c.lang.Short(c.m); got != c.short {
			t.Errorf("%s in %s is %q in short, want %q", c.m, c.lang, got, c.short)
		}
	}
}

func TestDaysAreThoseOfMorocco(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC) // half past midnight there
	for lang, want := range map[ui.Lang]string{
		ui.French: "Samedi 21\u00a0novembre", ui.Arabic: "السبت 21\u00a0نونبر", ui.English: "Saturday 21\u00a0November", ui.Amazigh: "ⴰⵙⵉⴹⵢⴰⵙ 21\u00a0ⵏⵓⵡⴰⵏⴱⵉⵔ",
	} {
		if got := lang.Weekday(late); got != want {
			t.Errorf("%s says %q, want %q", lang, got, want)
		}
	}
	if got := ui.French.Clock(late); got != "00:30" {
		t.Errorf("the clock shows %s, want 00:30", got)
	}
}

func TestNotesAddUpToTheSum(t *testing.T) {
	t.Parallel()
	var got []string
	for _, n := range ui.Notes(money.Dirhams(136_30)) {
		got = append(got, n.Value)
	}
	if want := "100 20 10 5 1 20 c 10 c"; strings.Join(got, " ") != want {
		t.Errorf("136,30 is %v, want %s", got, want)
	}
	if all := ui.Notes(money.Dirhams(99_999_00)); all != nil {
		t.Errorf("%d notes are drawn", len(all))
	}
}
