package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
)

// oddCallbacks sends each kind of callback a body of 1 MB and one of a kind that
// no partner sends, from addresses and under signatures that are good as far as
// anybody could make them: nothing of it is taken, and the hub goes on.
func oddCallbacks(t *testing.T, r *rig, _ trade) {
	c := r.config(t)
	s := r.pending(t)
	id, _ := r.plugs(t)
	r.connector(t, id, "test", nil).into(t, nil)
	d, err := c.Wallet.driver(outbound.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	ref := refOf(s.Charge.ID)
	address := strings.TrimPrefix(wallet.New(walletName, d, wallet.Options{Key: c.Wallet.CallbackKey}).CallbackURL("x", ref), "x")
	notice := r.notice(t, s.Charge.ID, s.Charge.Amount.Amount())
	good := sign(notice, c.Acquirer.StoreKey)
	notice["rnd"] = strings.Repeat("x", 1<<20)
	large := sign(notice, c.Acquirer.StoreKey)
	const form = "application/x-www-form-urlencoded"
	for _, k := range []struct{ kind, path, media, body string }{
		{"a card's notice of 1 MB", "/callbacks/acquirer/card", form, large},
		{"a card's notice as JSON", "/callbacks/acquirer/card", "application/json", `{"oid":"` + ref + `"}`},
		{"a card's notice in parts", "/callbacks/acquirer/card", "multipart/form-data; boundary=x", "--x\r\n\r\n" + good + "\r\n--x--"},
		{"a chargeback of 1 MB", "/callbacks/acquirer/chargeback", form, large},
		{"a chargeback as JSON", "/callbacks/acquirer/chargeback", "application/json", `{}`},
		{"a wallet's callback of 1 MB", address, "application/json", `{"status":"completed","x":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"a wallet's callback in XML", address, "application/xml", "<transaction/>"},
		{"a wallet's callback at another's address", strings.Replace(address, ref, refOf(s.Orders[0].ID), 1), "application/json", `{"status":"completed"}`},
		{"a report of 1 MB", "/callbacks/sms/notices", "application/json", strings.Repeat(" ", 1<<20)},
		{"a report in XML", "/callbacks/sms/notices", "application/xml", "<x/>"},
		{"WhatsApp's of 1 MB", "/callbacks/whatsapp/notices", "application/json", strings.Repeat(" ", 1<<20)},
		{"an event of 1 MB", "/callbacks/" + id + "/events", "application/json", strings.Repeat(" ", 1<<20)},
		{"an event in XML", "/callbacks/" + id + "/events", "application/xml", "<x/>"},
	} {
		a := r.ask(t, req{method: "POST", path: k.path, body: k.body, media: k.media})
		switch {
		case a.status >= 500 || a.status < 400 && strings.TrimSpace(string(a.body)) != "FAILURE":
			t.Errorf("%s is answered %d %.100s", k.kind, a.status, a.body)
		}
	}
	r.unpaid(t, s)

	// A bank's file of 100 MB is refused before it is read.
	began := time.Now()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/statements", bytes.NewReader(make([]byte, 100<<20)))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{"Authorization": "Bearer " + r.operator(), "Idempotency-Key": once(), "Content-Type": "application/octet-stream"} {
		q.Header.Set(name, v)
	}
	res, err := r.client.Do(q)
	if err == nil { // some clients see the end of the connection only
		defer res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a file of 100 MB is answered %s", res.Status)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a file of 100 MB is refused after %s", took)
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks"}).into(t, nil)
}
