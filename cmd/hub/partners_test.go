package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// An executed is one thing the partners themselves say they did.
// truth is what the partners executed under a reference.
func (r *rig) truth(t testing.TB, ref string) []executed {
	t.Helper()
	var v struct{ Executed []executed }
	r.partner(t, "GET", "/truth?ref="+url.QueryEscape(ref), nil, &v)
	return v.Executed
}

// moved fails unless the partners executed one thing of a kind under a
// reference, with that amount.
func (r *rig) moved(t testing.TB, ref, kind string, amount moneyView) {
	t.Helper()
	n := 0
	for _, e := range r.truth(t, ref) {
		if e.Kind != kind {
			continue
		}
		if n++; !e.Amount.Equal(amount) {
			t.Errorf("the partner executed the %s of %s with %s, want %s", kind, ref, e.Amount, amount)
		}
	}
	if n != 1 {
		t.Errorf("the partner executed the %s of %s %d times, want once: %v", kind, ref, n, r.truth(t, ref))
	}
}

// captured is moved for a sale's charge.
func (r *rig) captured(t testing.TB, s sale) {
	t.Helper()
	r.moved(t, refOf(s.Charge.ID), "capture", s.Charge.Amount)
}

// fault has a partner misbehave the next time it can.
func (r *rig) fault(t testing.TB, partner, fault string) {
	t.Helper()
	r.partner(t, "POST", "/faults", map[string]any{"partner": partner, "fault": fault, "times": 1}, nil)
}

// armed are the faults that were not played yet.
func (r *rig) armed(t testing.TB) (names []string) {
	t.Helper()
	var v struct{ Armed []struct{ Fault string } }
	r.partner(t, "GET", "/faults", nil, &v)
	for _, a := range v.Armed {
		names = append(names, a.Fault)
	}
	return names
}

// partnersAdvance moves the partners' time.
func (r *rig) partnersAdvance(t testing.TB, by string) {
	t.Helper()
	r.partner(t, "POST", "/clock", map[string]string{"advance": by}, nil)
}

func (r *rig) partner(t testing.TB, method, path string, in, out any) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	h, err := http.NewRequestWithContext(t.Context(), method, r.sim+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.client.Do(h)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the partners answer %s %s with %s", method, path, res.Status)
	}
	if out != nil {
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
}

// config is what the partners told the hub of themselves.
func (r *rig) config(t testing.TB) (c partnerConfig) {
	t.Helper()
	c, err := askPartners(t.Context(), strings.TrimPrefix(r.sim, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// notice is a callback that says a charge was authorised.
func (r *rig) notice(t testing.TB, charge, amount string) map[string]string {
	t.Helper()
	return map[string]string{
		"clientid": r.config(t).Acquirer.ClientID, "oid": refOf(charge), "ReturnOid": refOf(charge), "amount": amount, "currency": "504",
		"ProcReturnCode": "00", "Response": "Approved", "mdStatus": "1", "TransId": "T" + rand.Text(), "AuthCode": "123456",
		"trantype": "PreAuth", "storetype": "3D_PAY_HOSTING", "hashAlgorithm": "ver3", "encoding": "UTF-8", "rnd": rand.Text(),
	}
}

// sign signs a callback as the acquirer does; the names used here have no
// digits, so that their natural order is the alphabet's.
func sign(fields map[string]string, storeKey string) string {
	names := slices.Collect(maps.Keys(fields))
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToUpper(a), strings.ToUpper(b)) })
	escape := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	var text strings.Builder
	form := url.Values{}
	for _, n := range names {
		form.Set(n, fields[n])
		if n != "encoding" && n != "HASH" {
			fmt.Fprintf(&text, "%s|", escape.Replace(fields[n]))
		}
	}
	text.WriteString(escape.Replace(storeKey))
	sum := sha512.Sum512([]byte(text.String()))
	form.Set("HASH", base64.StdEncoding.EncodeToString(sum[:]))
	return form.Encode()
}

// callback sends what an acquirer would, and gives the hub's plain answer.
func (r *rig) callback(t testing.TB, body string) string {
	t.Helper()
	a := r.ask(t, req{method: "POST", path: "/callbacks/acquirer/card", body: body, media: "application/x-www-form-urlencoded"})
	if a.status != http.StatusOK {
		t.Errorf("the callback is answered %d: %s", a.status, a.body)
	}
	return strings.TrimSpace(string(a.body))
}
