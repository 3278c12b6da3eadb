package provider

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A Connector is what the doors alike have by which a provider speaks the partner
// protocol (docs/partner): who it is, who is let in, its events and its statements.
// Make it with NewConnector, and Run it.
type Connector struct {
	ID, Name string // Name is the port: wallet, card
	Owner    string
	Features []string
	Token    string
	Key      ed25519.PrivateKey // of its events
	EventsTo string             // "" nowhere

	news chan map[string]any
}

// NewConnector makes a connector that nobody has the token of yet.
func NewConnector(id, name, owner string, features ...string) *Connector {
	return &Connector{ID: id, Name: name, Owner: owner, Features: append(features, "statements", "events", "sandbox"), news: make(chan map[string]any, 256)}
}

// Manifest says what the connector is.
func (c *Connector) Manifest(rw http.ResponseWriter, _ *http.Request) {
	world.Answer(rw, http.StatusOK, map[string]any{
		"id": c.ID, "owner": c.Owner, "capabilities": []any{map[string]any{"name": c.Name, "version": "1", "features": c.Features}},
		"auth": []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 200, "burst": 200},
		"webhook_keys": []string{world.PublicKey(c.Key)}, "sandbox": true,
	})
}

// Signed lets in who has the token.
func (c *Connector) Signed(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if c.Token == "" || !Same(r.Header.Get("Authorization"), "Bearer "+c.Token) {
			c.Refuse(rw, &Refusal{Status: http.StatusUnauthorized, Code: "unauthenticated"})
			return
		}
		next(rw, r)
	}
}

// Nothing answers for what is not there.
func (c *Connector) Nothing(rw http.ResponseWriter, _ *http.Request) {
	c.Refuse(rw, &Refusal{Status: http.StatusNotFound, Code: "not_found"})
}

// A Refusal is why a request is refused.
type Refusal struct {
	Status               int
	Code, Reason, Detail string
}

// Refuse answers an error.
func (c *Connector) Refuse(rw http.ResponseWriter, p *Refusal) {
	body := map[string]any{"type": "about:blank", "title": http.StatusText(p.Status), "status": p.Status, "code": p.Code, "detail": "This is refused: " + p.Code + "."}
	if p.Detail != "" {
		body["detail"] = p.Detail
	}
	if p.Reason != "" {
		body["reason"] = p.Reason
	}
	rw.Header().Set("Content-Type", "application/problem+json")
	rw.WriteHeader(p.Status)
	_ = json.NewEncoder(rw).Encode(body) // whoever went away has nothing to be told
}

// An Order is what a POST asks for, whatever it is.
type Order struct {
	Ref    string       `json:"ref"`
	Phone  string       `json:"phone"`
	Amount *money.Money `json:"amount"`
	Before *money.Money `json:"before"`
	Sum    string       `json:"-"` // of the path and the bytes
}

// Posted reads what is posted under its own reference as the key; it has answered
// when it is not ok.
func (c *Connector) Posted(rw http.ResponseWriter, r *http.Request) (o Order, ok bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		panic(http.ErrAbortHandler) // half a request is none
	case len(body) > MaxBody:
		c.Refuse(rw, &Refusal{Status: http.StatusRequestEntityTooLarge, Code: "too_large"})
		return o, false
	case json.Unmarshal(body, &o) != nil:
		c.Refuse(rw, &Refusal{Status: http.StatusBadRequest, Code: "malformed"})
		return o, false
	case o.Ref == "" || r.Header.Get("Idempotency-Key") != `"`+o.Ref+`"`:
		c.Refuse(rw, &Refusal{Status: http.StatusBadRequest, Code: "idempotency_key"})
		return o, false
	}
	sum := sha256.Sum256(append([]byte(r.URL.Path+"\n"), body...))
	o.Sum = hex.EncodeToString(sum[:])
	return o, true
}

// Centimes are the order's amount, when it is one above nothing in MAD.
func (o Order) Centimes() (int64, bool) {
	if o.Amount == nil || o.Amount.Currency() != money.MAD || o.Amount.Sign() <= 0 {
		return 0, false
	}
	return o.Amount.Centimes(), true
}

// Magic are the centimes by which a sandbox is told what to do.
func Magic(centimes int64) int64 { return centimes % 100 }

// Tell has an event sent; one that is not heard is no loss.
func (c *Connector) Tell(kind string, data map[string]any) {
	select {
	case c.news <- map[string]any{"type": kind, "timestamp": time.Now().UTC().Format(time.RFC3339), "data": data}:
	default:
	}
}

// Run sends the events until the context ends.
func (c *Connector) Run(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case what := <-c.news:
			if c.EventsTo == "" {
				continue
			}
			if err := world.Event(ctx, client, c.EventsTo, c.Key, "msg_"+rand.Text(), what); err != nil && ctx.Err() == nil {
				slog.Warn("connector: an event is not heard", "connector", c.ID, "to", c.EventsTo, "err", err)
			}
		}
	}
}

// A Row is a line of a day's statement; Day is that day in UTC.
type Row struct {
	Ref    string      `json:"ref"`
	Kind   string      `json:"kind"`
	Amount money.Money `json:"amount"`
	Fee    money.Money `json:"fee"`
	Day    string      `json:"-"`
}

// Today is the day of a statement that something belongs to which is done now.
func Today() string { return time.Now().UTC().Format(time.DateOnly) }

// perPage is how many rows a page of a statement has.
const perPage = 200

// Statement answers a page of the statement of a day, of all rows that there are.
func (c *Connector) Statement(rw http.ResponseWriter, r *http.Request, all []Row) {
	day := r.URL.Query().Get("day")
	if _, err := time.Parse(time.DateOnly, day); err != nil || day > Today() || day < "2020" {
		c.Refuse(rw, &Refusal{Status: http.StatusNotFound, Code: "statement_not_found"})
		return
	}
	rows := []Row{}
	total, fees := money.Dirhams(0), money.Dirhams(0)
	for _, one := range all {
		if one.Day == day {
			rows = append(rows, one)
			total, fees = total.Add(one.Amount), fees.Add(one.Fee)
		}
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor")) // one that is no number is the beginning
	from = min(max(from, 0), len(rows))
	out := map[string]any{"day": day, "total": total, "fees": fees, "net": total.Sub(fees), "rows": rows[from:min(from+perPage, len(rows))]}
	if from+perPage < len(rows) {
		out["next"] = strconv.Itoa(from + perPage)
	}
	world.Answer(rw, http.StatusOK, out)
}
