package wallet_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
)

func open(t *testing.T, id, key string) *wallet.Wallet {
	t.Helper()
	d, err := gsma.New(gsma.Config{BaseURL: "https://mm.example", Merchant: "600009", APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return wallet.New(id, d, wallet.Options{Key: key})
}

func TestAnAddressIsOfOneRequestAtOneProvider(t *testing.T) {
	t.Parallel()
	w := open(t, "wallet", "a key of our own making, long enough")
	at := w.CallbackURL("https://hub.example", "CHG1")
	token, ok := strings.CutPrefix(at, "https://hub.example/callbacks/wallet/wallet/CHG1/")
	if !ok || len(token) < 32 || !w.Genuine("CHG1", token) {
		t.Fatalf("the address is %s", at)
	}
	if w.Genuine("CHG2", token) || w.Genuine("CHG1", token[1:]) || w.Genuine("CHG1", "") {
		t.Error("a token is good for more than its request")
	}
	if open(t, "other", "a key of our own making, long enough").Genuine("CHG1", token) || open(t, "wallet", "another key").Genuine("CHG1", token) {
		t.Error("a token is good at another provider, or by another key")
	}
	mute := open(t, "wallet", "")
	if mute.CallbackURL("https://hub.example", "CHG1") != "" || mute.Genuine("CHG1", "") {
		t.Error("without a key there is an address")
	}
}

// TestNoAlteredAddressIsGenuine tries 10,000 altered tokens and references: a
// provider's callbacks are known by the address alone.
func TestNoAlteredAddressIsGenuine(t *testing.T) {
	t.Parallel()
	w := open(t, "wallet", "a key of our own making, long enough")
	const ref = "CHG01JD0000000000000000000001"
	token, _ := strings.CutPrefix(w.CallbackURL("https://hub.example", ref), "https://hub.example/callbacks/wallet/wallet/"+ref+"/")
	if !w.Genuine(ref, token) {
		t.Fatal("the address itself is not genuine")
	}
	alter := func(s string) string {
		b := []byte(s)
		switch i := rand.IntN(len(b)); rand.IntN(4) {
		case 0:
			b[i] ^= 1 << rand.IntN(8)
		case 1:
			b = slices.Delete(b, i, i+1)
		case 2:
			b = slices.Insert(b, i, byte(rand.IntN(256)))
		case 3:
			j := rand.IntN(len(b))
			b[i], b[j] = b[j], b[i]
		}
		return string(b)
	}
	for range 10_000 {
		r, k := ref, token
		if rand.IntN(2) == 0 {
			r = alter(r)
		} else {
			k = alter(k)
		}
		if (r != ref || k != token) && w.Genuine(r, k) {
			t.Fatalf("%s/%s is taken for genuine", r, k)
		}
	}
}

func TestOnlyMobilesHaveWallets(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]bool{
		"+212612345678": true, "+212712345678": true, "+212522345678": false, "0612345678": false, "+21261234567": false,
		"+2126123456789": false, "+33612345678": false, "": false, "+212612345678\n": false,
	} {
		if got := wallet.IsPhone(number); got != want {
			t.Errorf("IsPhone(%q) = %v", number, got)
		}
	}
}

func TestEachRefusalTellsItsBuyerWhatToDo(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range []wallet.Refusal{wallet.Limit, wallet.Funds, wallet.NotApproved, wallet.NoWallet, wallet.Other} {
		if text := r.Text(); seen[text] || !strings.HasSuffix(text, "pay in another way.") {
			t.Errorf("%s says %q", r, text)
		}
		seen[r.Text()] = true
	}
}
