package certify_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/remoteconform"
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
	whole(t, stood(t, "wallet.v1", remoteconform.NewWallet("", true)), 5)
}

// TestPlantedDefectsOfAWalletAreNamed has a wallet do one thing wrong at a time.
func TestPlantedDefectsOfAWalletAreNamed(t *testing.T) {
	t.Parallel()
	for flaw, d := range map[remoteconform.Flaw]struct{ fails, says string }{
		remoteconform.NoOwner:       {"C1-01", "/owner"},
		remoteconform.PlainErrors:   {"C1-02", "request_not_found"},
		remoteconform.AnotherAmount: {"C1-03", "is of 10.01 MAD, want 10.00 MAD"},
		remoteconform.AnyPhone:      {"C1-04", "201"},
		remoteconform.NothingBad:    {"C2-02", `is "completed"`},
		remoteconform.NoReason:      {"C2-02", `the reason ""`},
		remoteconform.EverPending:   {"C2-03", `is "pending"`},
		remoteconform.BackForEver:   {"C2-04", "201"},
		remoteconform.Again:         {"C3-01", "201"},
		remoteconform.OtherContent:  {"C3-02", "422"},
		remoteconform.LostWhole:     {"C3-03", "404"},
		remoteconform.Racing:        {"C3-04", "done more than once"},
		remoteconform.HalfTaken:     {"C3-05", "a request that was not made"},
		remoteconform.RowForgotten:  {"C4-01", "does not show"},
		remoteconform.RowTwice:      {"C4-01", "2 times"},
		remoteconform.FeesForgotten: {"C4-01", "the net"},
		remoteconform.LetsAnybodyIn: {"C5-01", "401"},
		remoteconform.TellsSecrets:  {"C5-02", "secret"},
		remoteconform.Timeless:      {"C5-03", "not signed"},
	} {
		t.Run(string(flaw), func(t *testing.T) {
			t.Parallel()
			names(t, stood(t, "wallet.v1", remoteconform.NewWallet(flaw, true)), d.fails, d.says)
		})
	}
}
