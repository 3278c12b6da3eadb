package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The bank's third door: bank.v1 of the partner protocol, for a second client
// with accounts of its own. What it executes is in the same truth.

// clients are that client's accounts.
var clients = []string{ConnectorRIB, Connector2RIB}

// A batch is one that was taken over the connector.
type batch struct {
	ID       string  `json:"id"`
	SHA256   string  `json:"sha256"`
	From     string  `json:"from"`
	Payments []order `json:"payments"`
}

// An order is one payment of a batch.
type order struct {
	Ref    string `json:"ref"`
	Amount int64  `json:"amount"`
	RIB    string `json:"rib"`
	Name   string `json:"name"`
	Text   string `json:"text"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// message1 is a message of bank.v1: a report or a statement, always in the same
// bytes.
type message1 struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Batch string `json:"batch,omitempty"`
	Text  string `json:"text"`
	Done  bool   `json:"done,omitempty"`
}

func (b *Bank) routesConnector(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/hub-connector", b.manifest)
	mux.HandleFunc("POST /bank/v1/batches", b.signed(b.postBatch))
	mux.HandleFunc("GET /bank/v1/batches/{id}", b.signed(b.getBatch))
	mux.HandleFunc("GET /bank/v1/messages", b.signed(b.listMessages))
	mux.HandleFunc("GET /bank/v1/messages/{id}", b.signed(b.getMessage))
	mux.HandleFunc("POST /bank/v1/messages/{id}/acknowledge", b.signed(b.acknowledge))
	b.routesApplications(mux)
	mux.HandleFunc("POST /bank/v1/sandbox/day-end", b.signed(b.endDay))
	mux.HandleFunc("POST /bank/v1/sandbox/credits", b.signed(b.connectorCredit))
	mux.HandleFunc("/bank/v1/", b.signed(func(rw http.ResponseWriter, _ *http.Request) {
		world.Problem(rw, http.StatusNotFound, "not_found", "There is nothing here.")
	}))
}

func (b *Bank) manifest(rw http.ResponseWriter, _ *http.Request) {
	world.Answer(rw, http.StatusOK, map[string]any{
		"id": "hubsim-bank", "owner": "Banque de démonstration (exemple)",
		"capabilities": []any{map[string]any{"name": "bank", "version": "1", "features": []string{"reports", "statements", "events", "sandbox", "applications"}}},
		"auth":         []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 200, "burst": 200},
		"webhook_keys": []string{world.PublicKey(b.Secrets.Events)}, "sandbox": true,
	})
}

func (b *Bank) signed(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+b.Secrets.ConnectorToken {
			world.Problem(rw, http.StatusUnauthorized, "unauthenticated", "Sign in with a valid token.")
			return
		}
		next(rw, r)
	}
}

var refText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)

// sum is an amount as the protocol writes it.
type sum struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func (s sum) centimes() (int64, bool) {
	m, err := money.Parse(s.Amount, money.MAD)
	return m.Centimes(), err == nil && s.Currency == money.MAD && m.Sign() > 0
}

func sumIn(centimes int64) sum { return sum{money.Dirhams(centimes).Amount(), money.MAD} }

// batchBody is what POST /bank/v1/batches takes.
type batchBody struct {
	ID   string `json:"id"`
	From struct {
		RIB string `json:"rib"`
	} `json:"from"`
	Count    int `json:"count"`
	Total    sum `json:"total"`
	Payments []struct {
		Ref    string `json:"ref"`
		Amount sum    `json:"amount"`
		To     struct {
			RIB  string `json:"rib"`
			Name string `json:"name"`
		} `json:"to"`
		Info string `json:"info"`
	} `json:"payments"`
}

// problem1 is why a batch is refused.
type problem1 struct {
	status               int
	code, reason, detail string
}

func (p *problem1) write(rw http.ResponseWriter) {
	body := map[string]any{"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "code": p.code, "detail": p.detail}
	if p.reason != "" {
		body["reason"] = p.reason
	}
	rw.Header().Set("Content-Type", "application/problem+json")
	rw.WriteHeader(p.status)
	_ = json.NewEncoder(rw).Encode(body) // whoever went away has nothing to be told
}

// batch checks what came and makes a batch of it.
func (in batchBody) batch(body []byte) (out batch, p *problem1) {
	invalid := func(at, why string) (batch, *problem1) {
		return batch{}, &problem1{http.StatusUnprocessableEntity, "invalid", "", at + ": " + why}
	}
	if len(in.Payments) < 1 || len(in.Payments) > 10_000 {
		return invalid("/payments", "give 1 to 10,000 payments")
	}
	out = batch{ID: in.ID, SHA256: digest1(body), From: in.From.RIB}
	seen, total := map[string]bool{}, int64(0)
	for i, x := range in.Payments {
		amount, ok := x.Amount.centimes()
		rib, right := RIBOf(x.To.RIB)
		switch {
		case !refText.MatchString(x.Ref) || seen[x.Ref]:
			return invalid(fmt.Sprintf("/payments/%d/ref", i), "give each payment a reference of its own")
		case !ok:
			return invalid(fmt.Sprintf("/payments/%d/amount", i), "give an amount above nothing, in MAD")
		case !right:
			return invalid(fmt.Sprintf("/payments/%d/to/rib", i), "give a RIB whose key fits")
		}
		seen[x.Ref] = true
		total += amount
		out.Payments = append(out.Payments, order{Ref: x.Ref, Amount: amount, RIB: rib, Name: x.To.Name, Text: x.Info, State: "pending"})
	}
	if given, ok := in.Total.centimes(); in.Count != len(in.Payments) || !ok || given != total {
		return invalid("/total", "count and total are those of the payments")
	}
	for _, rib := range clients {
		if out.From == rib {
			return out, nil
		}
	}
	return out, &problem1{http.StatusUnprocessableEntity, "refused", "AC02", "This account is not yours, or not here."}
}

func digest1(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// postBatch takes a batch, once.
func (b *Bank) postBatch(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20+1))
	if err != nil {
		return // half a batch is none
	}
	var in batchBody
	switch {
	case len(body) > 1<<20:
		world.Problem(rw, http.StatusRequestEntityTooLarge, "too_large", "A body has at most 1 MiB.")
		return
	case json.Unmarshal(body, &in) != nil || !refText.MatchString(in.ID):
		world.Problem(rw, http.StatusBadRequest, "malformed", "This is no batch.")
		return
	case r.Header.Get("Idempotency-Key") != `"`+in.ID+`"`:
		world.Problem(rw, http.StatusBadRequest, "idempotency_key", "Idempotency-Key must be the id of the batch, in quotes.")
		return
	}
	status, lost := http.StatusCreated, false
	var had batch
	var wrong *problem1
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		var ok bool
		if had, ok = b.batches.Get(tx, in.ID); ok {
			if status = http.StatusOK; had.SHA256 != digest1(body) {
				wrong = &problem1{http.StatusUnprocessableEntity, "idempotency_conflict", "", "This id has been used for another content."}
			}
			return nil
		}
		if had, wrong = in.batch(body); wrong != nil {
			return nil
		}
		lost = b.execute1(tx, &had, false)
		return nil
	})
	switch {
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
		return
	case wrong != nil:
		wrong.write(rw)
		return
	case lost:
		panic(http.ErrAbortHandler) // it is done, and nobody hears of it
	}
	world.Answer(rw, status, had.view())
}

// execute1 pays what it can of a batch and reports on it. The centimes of an
// amount choose what becomes of it: .01 is refused, .02 waits for the end of the
// day, .03 is paid and its first answer is lost.
func (b *Bank) execute1(tx *journal.Tx, t *batch, dayEnd bool) (lost bool) {
	payments := append([]order(nil), t.Payments...)
	var moved []order
	for i := range payments {
		p := &payments[i]
		if p.State != "pending" {
			continue
		}
		magic := p.Amount % 100
		lost = lost || magic == 3
		if magic == 2 && !dayEnd {
			moved = append(moved, *p)
			continue
		}
		one := payment{ID: t.ID, Debtor: t.From, Transfers: []transfer{{EndToEnd: p.Ref, Amount: p.Amount, Name: p.Name, RIB: p.RIB, Text: p.Text}}}
		if magic == 1 || closed(p.RIB) {
			one.Transfers[0].reject("AC04", "Compte cloture")
		}
		b.pay(tx, received{}, t.ID, &one)
		p.State = "settled"
		if p.Reason = one.Transfers[0].Reason; p.Reason != "" {
			p.State = "rejected"
		}
		moved = append(moved, *p)
	}
	t.Payments = payments
	b.batches.Put(tx, t.ID, *t)
	if len(moved) > 0 {
		id := fmt.Sprintf("R-%010d", b.world.Next(tx, "v1 reports"))
		b.post(tx, message1{ID: id, Kind: "report", Batch: t.ID}, map[string]any{
			"kind": "report", "id": id, "batch": t.ID, "state": state(moved), "payments": views(moved),
		})
	}
	return lost
}

// post puts a message before the client, and has it told.
func (b *Bank) post(tx *journal.Tx, m message1, text any) {
	body, err := json.Marshal(text)
	if err != nil {
		panic("bank: " + err.Error())
	}
	m.Text = string(body)
	b.mail.Put(tx, m.ID, m)
	select {
	case b.news <- m.ID:
	default: // one that is told already
	}
}

// state is what some payments are together.
func state(all []order) string {
	for _, p := range all {
		if p.State != all[0].State {
			return "partial"
		}
	}
	return all[0].State
}

func views(all []order) (out []map[string]string) {
	for _, p := range all {
		v := map[string]string{"ref": p.Ref, "state": p.State}
		if p.Reason != "" {
			v["reason"] = p.Reason
		}
		out = append(out, v)
	}
	return out
}

func (t batch) view() map[string]any {
	return map[string]any{"id": t.ID, "sha256": t.SHA256, "state": state(t.Payments), "payments": views(t.Payments)}
}

func (b *Bank) getBatch(rw http.ResponseWriter, r *http.Request) {
	var t batch
	var ok bool
	b.world.Journal.View(func(tx *journal.Tx) { t, ok = b.batches.Get(tx, r.PathValue("id")) })
	if !ok {
		world.Problem(rw, http.StatusNotFound, "batch_not_found", "There is no such batch.")
		return
	}
	world.Answer(rw, http.StatusOK, t.view())
}

func (b *Bank) listMessages(rw http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 50
	}
	of := r.URL.Query().Get("batch")
	data := []any{}
	b.world.Journal.View(func(tx *journal.Tx) {
		for _, m := range b.mail.All(tx) {
			if len(data) < limit && (of == "" && !m.Done || of != "" && m.Batch == of) {
				data = append(data, map[string]any{"id": m.ID, "kind": m.Kind, "sha256": digest1([]byte(m.Text)), "bytes": len(m.Text)})
			}
		}
	})
	world.Answer(rw, http.StatusOK, map[string]any{"data": data})
}

func (b *Bank) message(rw http.ResponseWriter, id string) (m message1, ok bool) {
	b.world.Journal.View(func(tx *journal.Tx) { m, ok = b.mail.Get(tx, id) })
	if !ok {
		world.Problem(rw, http.StatusNotFound, "message_not_found", "There is no such message.")
	}
	return m, ok
}

func (b *Bank) getMessage(rw http.ResponseWriter, r *http.Request) {
	if m, ok := b.message(rw, r.PathValue("id")); ok {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, m.Text)
	}
}

func (b *Bank) acknowledge(rw http.ResponseWriter, r *http.Request) {
	m, ok := b.message(rw, r.PathValue("id"))
	if !ok {
		return
	}
	var in struct {
		SHA256 string `json:"sha256"`
	}
	switch err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in); {
	case err != nil:
		world.Problem(rw, http.StatusBadRequest, "malformed", "This is no JSON.")
		return
	case !strings.EqualFold(in.SHA256, digest1([]byte(m.Text))):
		world.Problem(rw, http.StatusConflict, "message_differs", "This is not the hash of the message.")
		return
	}
	err := b.world.Journal.Update(func(tx *journal.Tx) error {
		m.Done = true
		b.mail.Put(tx, m.ID, m)
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, map[string]string{"id": m.ID})
}

// endDay pays what waits, and makes a statement of each account that moved.
func (b *Bank) endDay(rw http.ResponseWriter, _ *http.Request) {
	made := []string{}
	err := b.world.Journal.Update(func(tx *journal.Tx) error {
		for _, t := range b.batches.All(tx) {
			if s := state(t.Payments); s == "pending" || s == "partial" {
				b.execute1(tx, &t, true)
			}
		}
		for _, rib := range clients {
			if id := b.state1(tx, rib); id != "" {
				made = append(made, id)
			}
		}
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, map[string]any{"statements": made})
}

// state1 makes the statement of an account, if it moved.
func (b *Bank) state1(tx *journal.Tx, rib string) string {
	a, now := b.account(tx, rib), b.world.Now()
	from, day := a.Stated, now.Format(time.DateOnly)
	entries := []any{}
	for _, e := range b.unstated.All(tx) {
		if e.Account != rib || e.VisibleAt.After(now) || len(entries) == maxEntries {
			continue
		}
		line := map[string]any{"id": e.Ref, "amount": sumIn(e.Amount), "booked_on": day, "value_on": day, "code": "transfer", "info": e.Text}
		detail := map[string]any{"ref": e.EndToEnd, "amount": sumIn(e.Amount), "id": e.Ref, "counterparty": e.Name, "account": e.RIB, "info": e.Text}
		switch {
		case e.Returned:
			detail["return_reason"], detail["return_text"] = "AC04", "Compte beneficiaire cloture"
		case e.Kind == world.Credit:
			line["code"], detail["ref"] = "credit", ""
		default:
			line["batch"] = e.MsgID
		}
		line["details"] = []any{detail}
		entries = append(entries, line)
		a.Stated += e.Amount
		b.unstated.Delete(tx, e.Ref)
	}
	if len(entries) == 0 {
		return ""
	}
	a.Seq++
	b.accounts.Put(tx, rib, a)
	id := fmt.Sprintf("S-%s-%d", rib, a.Seq)
	b.post(tx, message1{ID: id, Kind: "statement"}, map[string]any{
		"kind": "statement", "id": id, "account": rib, "currency": money.MAD, "sequence": a.Seq, "created_at": now.Format(time.RFC3339), "on": day,
		"opening": sumIn(from), "closing": sumIn(a.Stated), "entries": entries,
	})
	return id
}

// connectorCredit has somebody transfer money to an account of the connector's client.
func (b *Bank) connectorCredit(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		ID      string `json:"id"`
		Account string `json:"account"`
		Amount  sum    `json:"amount"`
		From    struct {
			RIB  string `json:"rib"`
			Name string `json:"name"`
		} `json:"from"`
		Info string `json:"info"`
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in)
	amount, ok := in.Amount.centimes()
	if err != nil || !ok || !refText.MatchString(in.ID) || in.Account != ConnectorRIB && in.Account != Connector2RIB {
		world.Problem(rw, http.StatusUnprocessableEntity, "invalid", "Give id, account and amount.")
		return
	}
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		if b.used(tx, "v1 credit "+in.ID) {
			return nil
		}
		b.refs.Put(tx, "v1 credit "+in.ID, b.world.Now())
		b.book(tx, entry{Account: in.Account, Amount: amount, Kind: world.Credit, EndToEnd: in.ID, Name: or(in.From.Name, "CLIENT EXEMPLE"), RIB: or(in.From.RIB, payerRIB), Text: in.Info})
		b.did(tx, in.ID, world.Credit, amount)
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	world.Answer(rw, http.StatusCreated, map[string]any{})
}
