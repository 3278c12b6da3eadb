package sim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// told is a callback of the wallets' provider.
type told struct {
	body  string
	whole bool // its sum is right
}

func (r *rig) walletTold(rw http.ResponseWriter, q *http.Request) {
	b, err := io.ReadAll(q.Body)
	sum := sha256.Sum256(b)
	t := told{string(b), err == nil && q.Header.Get("X-Content-Hash") == hex.EncodeToString(sum[:])}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts = append(r.puts, t)
	if !t.whole {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

func (r *rig) walletCallbacks() []told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]told(nil), r.puts...)
}

// corr is the correlation id of a reference in these tests.
func corr(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// mm calls the Mobile Money API.
func (r *rig) mm(method, path, ref, body string) (int, string, error) {
	r.t.Helper()
	w := r.config.Wallet
	form := url.Values{"grant_type": {"client_credentials"}}
	tokenReq, err := http.NewRequest(http.MethodPost, w["token_url"], strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	tokenReq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	tokenReq.SetBasicAuth(w["token_id"], w["token_secret"])
	_, text, err := r.roundTrip(tokenReq)
	var token struct {
		Token string `json:"access_token"`
	}
	if err != nil || json.Unmarshal([]byte(text), &token) != nil || token.Token == "" {
		r.t.Fatalf("token: %s, %v", text, err)
	}
	req, err := http.NewRequest(method, w["base_url"]+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, v := range map[string]string{
		"Authorization": "Bearer " + token.Token, "X-API-Key": w["api_key"], "X-Client-Id": w["client_id"],
		"X-CorrelationID": corr(ref), "X-Callback-URL": r.shop.URL + "/" + ref,
	} {
		req.Header.Set(name, v)
	}
	return r.roundTrip(req)
}

func (r *rig) roundTrip(req *http.Request) (int, string, error) {
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func (r *rig) askFor(ref, phone, amount string) (int, string, error) {
	r.t.Helper()
	return r.mm("POST", "/transactions/type/merchantpay", ref, fmt.Sprintf(
		`{"amount":%q,"currency":"MAD","debitParty":[{"key":"msisdn","value":%q}],"creditParty":[{"key":"organisationid","value":%q}],"requestingOrganisationTransactionReference":%q}`,
		amount, phone, r.config.Wallet["merchant"], ref))
}

// status is what the API says of a reference: the link's last part but one, and
// what stands there.
func (r *rig) status(ref string) string {
	r.t.Helper()
	code, text, err := r.mm("GET", "/responses/"+corr(ref), ref, "")
	if err != nil || code != http.StatusOK {
		return fmt.Sprint(code)
	}
	var link struct{ Link string }
	_ = json.Unmarshal([]byte(text), &link)
	_, text, _ = r.mm("GET", link.Link, ref, "")
	var v struct {
		Status, TransactionStatus, TransactionReference, Amount string
		Error                                                   struct{ ErrorCode string }
	}
	_ = json.Unmarshal([]byte(text), &v)
	return strings.TrimSpace(v.Status + v.TransactionStatus + " " + v.Amount + v.Error.ErrorCode)
}

// becomes waits until a reference stands so.
func (r *rig) becomes(ref, want string) {
	r.t.Helper()
	r.wait(func() (bool, string) {
		got := r.status(ref)
		return got == want, fmt.Sprintf("%s is %q, want %q", ref, got, want)
	})
}

// bought has a wallet pay, and gives the transaction's name.
func (r *rig) bought(ref, phone, amount string) string {
	r.t.Helper()
	if code, text, err := r.askFor(ref, phone, amount); err != nil || code != http.StatusAccepted {
		r.t.Fatalf("asked: %d %s %v", code, text, err)
	}
	r.becomes(ref, "completed "+amount)
	_, text, _ := r.mm("GET", "/responses/"+corr(ref), ref, "")
	var link struct{ Link string }
	_ = json.Unmarshal([]byte(text), &link)
	return strings.TrimPrefix(link.Link, "/transactions/")
}

func (r *rig) reverse(ref, of, amount string) (int, string, error) {
	r.t.Helper()
	return r.mm("POST", "/transactions/"+of+"/reversals", ref, fmt.Sprintf(`{"type":"reversal","amount":%q,"currency":"MAD","requestingOrganisationTransactionReference":%q}`, amount, ref))
}

func (r *rig) disburse(ref, phone, amount string) (int, string, error) {
	r.t.Helper()
	return r.mm("POST", "/transactions/type/disbursement", ref, fmt.Sprintf(
		`{"amount":%q,"currency":"MAD","creditParty":[{"key":"msisdn","value":%q}],"debitParty":[{"key":"organisationid","value":%q}],"requestingOrganisationTransactionReference":%q}`,
		amount, phone, r.config.Wallet["merchant"], ref))
}

func TestAPhoneBehavesAsItsNumberSays(t *testing.T) {
	t.Parallel()
	r := start(t, 50*time.Millisecond)
	for _, c := range []struct{ phone, amount, want string }{
		{"+212600000100", "10.5", "completed 10.5"},
		{"+212600000111", "10.5", "failed requestDeclined"},
		{"+212600000122", "10.5", "failed insufficientFunds"},
		{"+212600000133", "200", "completed 200"},
		{"+212600000233", "200.01", "failed greaterThanTransactionMaxValue"},
		{"+212600000134", "5000.01", "failed greaterThanTransactionMaxValue"},
		{"+212600000200", "20000.01", "failed greaterThanTransactionMaxValue"},
	} {
		ref := "S" + c.phone[4:] + "X" + strings.ReplaceAll(c.amount, ".", "")
		if code, text, err := r.askFor(ref, c.phone, c.amount); err != nil || code != http.StatusAccepted {
			t.Fatalf("%d %s %v", code, text, err)
		}
		r.becomes(ref, c.want)
	}
	if code, text, _ := r.askFor("N", "+212600000144", "10.5"); code != http.StatusNotFound || !strings.Contains(text, "identifierError") {
		t.Errorf("a number without a wallet: %d %s", code, text)
	}
	if code, _, _ := r.askFor("F", "+212600000100", "10.50"); code != http.StatusBadRequest {
		t.Errorf("an amount with a zero at the end, which the document forbids: %d", code)
	}
	r.becomes("N", "404")
	of := r.bought("R", "+212600000166", "30")
	if code, _, err := r.reverse("RR", of, "10"); err != nil || code != http.StatusAccepted {
		t.Errorf("a reversal: %d %v", code, err)
	}
	r.becomes("RR", "failed incorrectState")
	if code, _, err := r.disburse("RD", "+212600000166", "10"); err != nil || code != http.StatusAccepted {
		t.Errorf("a disbursement: %d %v", code, err)
	}
	r.becomes("RD", "completed 10")
	r.want("RD", "wallet refund 10.00")
}

func TestAPhoneApprovesByHand(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	const phone = "+212612345678"
	for _, ref := range []string{"A", "B", "C", "D"} {
		if code, _, err := r.askFor(ref, phone, "10.5"); err != nil || code != http.StatusAccepted {
			t.Fatal(code, err)
		}
	}
	act := func(body string, want int) {
		t.Helper()
		if code, text := r.post("/wallet/phone", body); code != want {
			t.Errorf("%s: %d %s, want %d", body, code, text, want)
		}
	}
	act(`{"phone":"0612345678","ref":"B","pin":"1234"}`, 204)
	act(`{"phone":"0612345678","decline":true,"ref":"A"}`, 204)
	act(`{"phone":"0612345678","pin":"9999","ref":"C"}`, 204)
	act(`{"phone":"0612345678","pin":"12"}`, 422)
	act(`{"phone":"0612345679","pin":"1234"}`, 422)
	act(`{"phone":"x","pin":"1234"}`, 422)
	for ref, want := range map[string]string{"A": "failed requestDeclined", "B": "completed 10.5", "C": "failed requestingPartyAuthorisationError", "D": "pending"} {
		r.becomes(ref, want)
	}
	r.restart()
	r.becomes("D", "pending")
	r.advance("11m")
	r.becomes("D", "failed requestingPartyAuthorisationError")
	var v struct {
		Pending []any
		Balance struct{ Amount string }
	}
	r.get("/wallet/phone?phone=0612345678", &v)
	if len(v.Pending) != 0 || v.Balance.Amount != "19989.50" {
		t.Errorf("the phone shows %+v", v)
	}
}

func TestWalletsAreSettledNetOfFeeAndRefunds(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	of := r.bought("P1", "+212600000100", "100")
	r.bought("P2", "+212600000200", "50")
	if code, _, err := r.reverse("F1", of, "20.5"); err != nil || code != http.StatusAccepted {
		t.Fatal(code, err)
	}
	r.becomes("F1", "completed 20.5")
	r.conf.SettleEvery = 50 * time.Millisecond
	r.restart()
	r.wait(func() (bool, string) {
		var out struct {
			Executed []struct {
				Partner, Kind string
				Amount        struct{ Amount string }
			}
		}
		r.get("/truth", &out)
		for _, e := range out.Executed {
			if e.Partner == "bank" && e.Kind == "credit" {
				return e.Amount.Amount == "128.15", "the bank got " + e.Amount.Amount + ", want 150.00 less 0.9 % less 20.50"
			}
		}
		return false, "nothing was settled"
	})
}

// walletPlays have one row for each fault that the wallets' provider plays.
var walletPlays = map[string]play{
	"drop_request": func(t *testing.T, r *rig) {
		if _, text, err := r.askFor("A", "+212600000100", "10"); err == nil {
			t.Errorf("answered %s", text)
		}
		r.becomes("A", "404")
	},
	"execute_then_drop": func(t *testing.T, r *rig) {
		if _, text, err := r.askFor("A", "+212600000100", "10"); err == nil {
			t.Errorf("answered %s", text)
		}
		r.want("A", "wallet charge 10.00")
	},
	"execute_then_500":     func(t *testing.T, r *rig) { r.answered(t, http.StatusInternalServerError, "genericError") },
	"execute_then_garbage": func(t *testing.T, r *rig) { r.answered(t, http.StatusAccepted, `"status":"comp`) },
	"contradicts_itself":   func(t *testing.T, r *rig) { r.answered(t, http.StatusBadRequest, "insufficientFunds") },
	"slow_body":            func(t *testing.T, r *rig) { r.answered(t, http.StatusAccepted, "pending") },
	"execute_late": func(t *testing.T, r *rig) {
		go func() { _, _, _ = r.askFor("A", "+212600000100", "10") }() // its caller gives up when the simulator stops
		time.Sleep(100 * time.Millisecond)
		r.becomes("A", "404")
		r.advance("41s")
		r.want("A", "wallet charge 10.00")
	},
	"callback_before_answer": func(t *testing.T, r *rig) {
		if _, text, err := r.askFor("A", "+212600000100", "10"); err != nil || len(r.walletCallbacks()) != 1 || !strings.Contains(text, "completed") {
			t.Errorf("answered %s (%v) after %d callbacks", text, err, len(r.walletCallbacks()))
		}
		r.want("A", "wallet charge 10.00")
	},
	"rate_limited": func(t *testing.T, r *rig) {
		if code, text, err := r.askFor("A", "+212600000100", "10"); code != http.StatusTooManyRequests {
			t.Errorf("answered %d %s %v", code, text, err)
		}
		r.bought("A", "+212600000100", "10")
	},
	"not_found_then_visible": func(t *testing.T, r *rig) {
		if _, _, err := r.askFor("A", "+212600000100", "10"); err != nil {
			t.Error(err)
		}
		r.want("A", "wallet charge 10.00")
		r.becomes("A", "404")
		r.advance("11m")
		r.becomes("A", "completed 10")
	},
	"callback_missing": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.bought("B", "+212600000100", "10")
		r.tells(t, "B")
	},
	"bad_signature": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.wait(func() (bool, string) { return len(r.walletCallbacks()) == 1, "no callback" })
		r.advance("5s")
		r.wait(func() (bool, string) { return len(r.walletCallbacks()) == 2, "it did not come again" })
		if c := r.walletCallbacks(); c[0].whole || !c[1].whole {
			t.Errorf("callbacks %+v", c)
		}
	},
	"same_ref_other_amount": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.tells(t, `"amount":"11"`)
		r.want("A", "wallet charge 10.00")
	},
	"callbacks_shuffled": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.tells(t, "completed", "requestDeclined")
	},
	"answer_twice": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.tells(t, "completed", "completed")
	},
	"replayed_callback": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.tells(t, "completed")
		r.advance("6s")
		r.tells(t, "completed", "completed")
	},
	"key_expires": func(t *testing.T, r *rig) {
		r.bought("A", "+212600000100", "10")
		r.bought("A", "+212600000100", "10")
		r.want("A", "wallet charge 10.00")
		r.advance("25h")
		if _, _, err := r.askFor("A", "+212600000100", "10"); err != nil {
			t.Error(err)
		}
		r.want("A", "wallet charge 10.00", "wallet charge 10.00")
	},
}

// answered asks, and wants this answer and one payment.
func (r *rig) answered(t *testing.T, status int, part string) {
	t.Helper()
	if code, text, err := r.askFor("A", "+212600000100", "10"); err != nil || code != status || !strings.Contains(text, part) {
		t.Errorf("answered %d %s %v", code, text, err)
	}
	r.want("A", "wallet charge 10.00")
}

// tells waits for exactly these callbacks, by a part of each.
func (r *rig) tells(t *testing.T, parts ...string) {
	t.Helper()
	r.wait(func() (bool, string) {
		got := r.walletCallbacks()
		if len(got) != len(parts) {
			return false, fmt.Sprintf("%d callbacks, want %d: %v", len(got), len(parts), got)
		}
		for i, p := range parts {
			if !strings.Contains(got[i].body, p) {
				return false, fmt.Sprintf("callback %d is %s, want %s", i, got[i].body, p)
			}
		}
		return true, ""
	})
}
