package remote_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/walletconform"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// lineTo is a connector that is reached through addr.
func lineTo(t testing.TB, addr, token string) *remote.Connector {
	t.Helper()
	n, err := remote.New(remote.Config{
		URL: "http://" + addr, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}, Settings: outbound.Settings{Header: 5 * time.Second},
	})
	must(t, err)
	return n
}

var walletFeatures = []string{remote.Reversals, remote.Payouts}

func TestWalletConformance(t *testing.T) {
	t.Parallel()
	walletconform.Run(t, func(t *testing.T) walletconform.Fixture {
		s := moneyconform.NewWallet("", false)
		addr := openly(t, s)
		with := func(token string) func(addr string) wallet.Driver {
			return func(addr string) wallet.Driver {
				return remote.NewWallet(lineTo(t, addr, token), "wallet", walletFeatures)
			}
		}
		kinds := map[string]string{"charge": "payment", "reversal": "reversal", "disbursement": "payout"}
		return walletconform.Fixture{
			Addr: addr, Dial: with(moneyconform.Token), Intruder: with("somebody-elses-token"),
			Approve: s.Approve, Refuse: s.Refuse, Garble: s.Garble, Callback: s.Event,
			Executed: func(kind, ref string) int { return s.Executed(kinds[kind], ref) }, Asked: s.Asked,
		}
	})
}

func TestWalletDoesWhatItsManifestDeclares(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		features       []string
		reverses, pays bool
	}{{nil, false, false}, {[]string{"reversals"}, true, false}, {[]string{"payouts"}, false, true}, {walletFeatures, true, true}} {
		w := wallet.New("w", remote.NewWallet(lineTo(t, "127.0.0.1:1", token), "w", c.features), wallet.Options{})
		if w.Reverses() != c.reverses || w.Pays() != c.pays || w.Merchant() != "w" {
			t.Errorf("with %v it reverses %t and pays %t", c.features, w.Reverses(), w.Pays())
		}
	}
}

// TestWalletSpeaksOfWhatWasAsked holds answers to the request that they answer.
func TestWalletSpeaksOfWhatWasAsked(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewWallet("", false)
	w := wallet.New("w", remote.NewWallet(lineTo(t, openly(t, s), moneyconform.Token), "w", walletFeatures), wallet.Options{Query: outbound.Settings{Consecutive: 1000, Volume: 1000}})
	const good = `{"id":"W1","ref":"CHG1","kind":"payment","state":"completed","amount":{"amount":"10.00","currency":"MAD"}}`
	s.Garble(200, good)
	if st := w.Query(t.Context(), "CHG1", ""); st.State != wallet.Completed || st.Amount.Centimes() != 1000 || st.PartnerID != "W1" {
		t.Fatalf("%+v", st)
	}
	for _, change := range [][2]string{
		{`"CHG1"`, `"CHG2"`},
		{`"W1"`, `""`},
		{`"W1"`, `"W 1"`},
		{`"completed"`, `"done"`},
		{`"10.00"`, `"-10.00"`},
		{`"10.00"`, `"10.005"`},
		{`"MAD"`, `"EUR"`},
		{`"ref":"CHG1"`, `"ref":"CHG1","REF":"CHG1"`},
		{`"state":"completed"`, `"state":"failed","reason":"tired"`},
		{`}}`, `}} {}`},
	} {
		s.Garble(200, strings.Replace(good, change[0], change[1], 1))
		if st := w.Query(t.Context(), "CHG1", ""); st.Outcome != outbound.Unknown {
			t.Errorf("%s instead of %s: %s %s", change[1], change[0], st.Outcome, st.State)
		}
	}
}

func TestWalletEventIsReadOrNot(t *testing.T) {
	t.Parallel()
	d := remote.NewWallet(lineTo(t, "127.0.0.1:1", token), "w", nil)
	const good = `{"type":"request.updated","timestamp":"2026-11-23T10:00:00Z","data":{"ref":"CHG1","state":"failed","reason":"limit"}}`
	n, err := d.Notice(wallet.Callback{Body: []byte(good)})
	if err != nil || n.Ref != "CHG1" || n.State != wallet.Failed || n.Code != "limit" {
		t.Fatalf("%+v, %v", n, err)
	}
	for _, bad := range [][2]string{{"request.updated", "request.eaten"}, {"CHG1", "CHG 1"}, {`"failed"`, `"none"`}, {`"CHG1"`, `""`}, {`}}`, `}}x`}} {
		if _, err := d.Notice(wallet.Callback{Body: []byte(strings.Replace(good, bad[0], bad[1], 1))}); !errors.Is(err, wallet.ErrUnreadable) {
			t.Errorf("%s instead of %s: %v", bad[1], bad[0], err)
		}
	}
}
