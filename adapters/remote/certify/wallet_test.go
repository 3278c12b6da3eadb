package certify_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/pkg/certificate"
)

// stood plays all cases of a protocol against a stand-in that tells its events.
func stood(t *testing.T, protocol string, s interface {
	http.Handler
	Tell(address string)
},
) certify.Report {
	t.Helper()
	at := httptest.NewServer(s)
	t.Cleanup(at.Close)
	o := options(at.URL, "127.0.0.1:0")
	o.Listening = func(addr string) { s.Tell("http://" + addr) }
	r, err := certify.Run(t.Context(), casesOf(t, protocol), o)
	must(t, err)
	return r
}

// whole wants every case passed.
func whole(t *testing.T, r certify.Report, features int) {
	t.Helper()
	for _, one := range r.Results {
		if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	c, ok := r.Certificate()
	if !ok || r.Level != certificate.Security || c.Protocol != r.Protocol || len(c.Features) != features {
		t.Errorf("level %q, certificate %+v", r.Level, c)
	}
}

func TestWalletIsCertified(t *testing.T) {
	t.Parallel()
	whole(t, stood(t, "wallet.v1", moneyconform.NewWallet("", true)), 5)
}

// TestPlantedDefectsOfAWalletAreNamed has a wallet do one thing wrong at a time.
func TestPlantedDefectsOfAWalletAreNamed(t *testing.T) {
	t.Parallel()
	for flaw, d := range map[moneyconform.Flaw]struct{ fails, says string }{
		moneyconform.NoOwner:       {"C1-01", "/owner"},
		moneyconform.PlainErrors:   {"C1-02", "request_not_found"},
		moneyconform.AnotherAmount: {"C1-03", "is of 10.01 MAD, want 10.00 MAD"},
		moneyconform.AnyPhone:      {"C1-04", "201"},
		moneyconform.NothingBad:    {"C2-02", `is "completed"`},
		moneyconform.NoReason:      {"C2-02", `the reason ""`},
		moneyconform.EverPending:   {"C2-03", `is "pending"`},
		moneyconform.BackForEver:   {"C2-04", "201"},
		moneyconform.Again:         {"C3-01", "201"},
		moneyconform.OtherContent:  {"C3-02", "422"},
		moneyconform.LostWhole:     {"C3-03", "404"},
		moneyconform.Racing:        {"C3-04", "done more than once"},
		moneyconform.HalfTaken:     {"C3-05", "a request that was not made"},
		moneyconform.RowForgotten:  {"C4-01", "does not show"},
		moneyconform.RowTwice:      {"C4-01", "2 times"},
		moneyconform.FeesForgotten: {"C4-01", "the net"},
		moneyconform.LetsAnybodyIn: {"C5-01", "401"},
		moneyconform.TellsSecrets:  {"C5-02", "secret"},
		moneyconform.Timeless:      {"C5-03", "not signed"},
	} {
		t.Run(string(flaw), func(t *testing.T) {
			t.Parallel()
			names(t, stood(t, "wallet.v1", moneyconform.NewWallet(flaw, true)), d.fails, d.says)
		})
	}
}
