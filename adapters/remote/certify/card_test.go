package certify_test

import (
	"testing"

	"tiwiza/adapters/remote/moneyconform"
)

func TestCardIsCertified(t *testing.T) {
	t.Parallel()
	whole(t, stood(t, "card.v1", moneyconform.NewCard("")), 4)
}

// TestPlantedDefectsOfAnAcquirerAreNamed has an acquirer do one thing wrong at a time.
func TestPlantedDefectsOfAnAcquirerAreNamed(t *testing.T) {
	t.Parallel()
	for flaw, d := range map[moneyconform.Flaw]struct{ fails, says string }{
		moneyconform.NoOwner:        {"C1-01", "/owner"},
		moneyconform.PlainErrors:    {"C1-02", "payment_not_found"},
		moneyconform.AnotherAmount:  {"C1-03", "is of 10.01 MAD, want 10.00 MAD"},
		moneyconform.AnyText:        {"C1-04", "200"},
		moneyconform.NothingBad:     {"C2-02", `is "authorized"`},
		moneyconform.NoReason:       {"C2-02", `the reason ""`},
		moneyconform.CapturesMore:   {"C2-03", "201"},
		moneyconform.CapturesAll:    {"C2-03", "30.00 MAD is captured, want 18.00 MAD"},
		moneyconform.CapturesAgain:  {"C2-03", "201"},
		moneyconform.KeepsCaptured:  {"C2-04", "is captured, want 0.00 MAD"},
		moneyconform.VoidsSettled:   {"C2-04", "201"},
		moneyconform.EverPending:    {"C2-04", `is "captured"`},
		moneyconform.RefundsEarly:   {"C2-05", "201"},
		moneyconform.BackForEver:    {"C2-05", "201"},
		moneyconform.NeverRefunded:  {"C2-05", "want one of [refunded]"},
		moneyconform.QuietCases:     {"C2-06", "no event came"},
		moneyconform.Again:          {"C3-01", "not_capturable"},
		moneyconform.OtherContent:   {"C3-02", "422"},
		moneyconform.LostWhole:      {"C3-03", "is captured, want 70.03 MAD"},
		moneyconform.Racing:         {"C3-04", "is given back, want 5.00 MAD"},
		moneyconform.HalfTaken:      {"C3-05", "90.00 MAD is captured, want 0.00 MAD"},
		moneyconform.RowForgotten:   {"C4-01", "does not show"},
		moneyconform.RowTwice:       {"C4-01", "2 times"},
		moneyconform.FeesForgotten:  {"C4-01", "the net"},
		moneyconform.SettlesEarly:   {"C4-02", `is "settled"`},
		moneyconform.LetsAnybodyIn:  {"C5-01", "401"},
		moneyconform.AnyForm:        {"C5-02", "want [403]"},
		moneyconform.AnySecret:      {"C5-02", "want [403]"},
		moneyconform.AnyTime:        {"C5-03", "want [410]"},
		moneyconform.AnyPrice:       {"C5-04", "want [409]"},
		moneyconform.TellsSecrets:   {"C5-05", "secret"},
		moneyconform.TellsSignature: {"C5-05", "secret"},
		moneyconform.Timeless:       {"C5-06", "not signed"},
	} {
		t.Run(string(flaw), func(t *testing.T) {
			t.Parallel()
			names(t, stood(t, "card.v1", moneyconform.NewCard(flaw)), d.fails, d.says)
		})
	}
}
