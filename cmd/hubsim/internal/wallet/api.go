package wallet

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The faults that a call can meet: any call; one that moves money; one that only
// asks.
var (
	callFaults = []string{"rate_limited", "drop_request", "slow_body", "contradicts_itself"}
	moveFaults = append([]string{"execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "callback_before_answer"}, callFaults...)
	askFaults  = append([]string{"not_found_then_visible"}, callFaults...)
)

// The shapes of the official document.
var (
	uuidText   = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	amountText = regexp.MustCompile(`^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$`)
)

// keepKeys is how long a correlation id is remembered, by key_expires.
const keepKeys = 24 * time.Hour

type party struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// order is the body of a call that moves money.
type order struct {
	Amount      string  `json:"amount"`
	Currency    string  `json:"currency"`
	Type        string  `json:"type"`
	Debit       []party `json:"debitParty"`
	Credit      []party `json:"creditParty"`
	Reference   string  `json:"requestingOrganisationTransactionReference"`
	Description string  `json:"descriptionText"`
}

// token gives access tokens to who has the secret.
func (p *Wallet) token(rw http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if !provider.Same(id, p.Secrets.TokenID) || !provider.Same(secret, p.Secrets.TokenSecret) || r.PostFormValue("grant_type") != "client_credentials" {
		world.Answer(rw, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	until := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	world.Answer(rw, http.StatusOK, map[string]any{"access_token": until + "." + p.sign(until), "token_type": "Bearer", "expires_in": 3600})
}

func (p *Wallet) sign(s string) string {
	h := hmac.New(sha256.New, []byte(p.Secrets.TokenKey))
	h.Write([]byte(s))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// letIn says whether a caller has the key and a token that lives.
func (p *Wallet) letIn(r *http.Request) bool {
	until, mac, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	n, err := strconv.ParseInt(until, 10, 64)
	return err == nil && n > time.Now().Unix() && provider.Same(mac, p.sign(until)) &&
		provider.Same(r.Header.Get("X-API-Key"), p.Secrets.APIKey) && provider.Same(r.Header.Get("X-Client-Id"), p.Secrets.ClientID)
}

// postTransaction takes payments, or disbursements.
func (p *Wallet) postTransaction(kind string) http.HandlerFunc {
	read := func(_ *journal.Tx, o order) (q request, why problem) {
		ours, theirs := o.Credit, o.Debit
		if kind == disbursement {
			ours, theirs = o.Debit, o.Credit
		}
		phone := international(value(theirs, "msisdn"))
		switch {
		case value(ours, "organisationid") != p.Secrets.Merchant:
			return q, otherParty
		case phone == "", kind == merchantPay && mannerOf(phone).none:
			return q, noWallet
		}
		return request{Kind: kind, Phone: phone}, problem{}
	}
	return func(rw http.ResponseWriter, r *http.Request) { p.post(rw, r, read) }
}

// postReversal takes a reversal.
func (p *Wallet) postReversal(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	p.post(rw, r, func(tx *journal.Tx, o order) (q request, why problem) {
		id, ok := p.names.Get(tx, name)
		of, _ := p.requests.Get(tx, id)
		switch {
		case o.Type != reversal:
			return q, unreadable
		case !ok || of.Kind != merchantPay:
			return q, noSuch
		}
		return request{Kind: reversal, Phone: of.Phone, Of: of.ID}, problem{}
	})
}

func value(parties []party, key string) string {
	for _, x := range parties {
		if x.Key == key {
			return x.Value
		}
	}
	return ""
}

// post takes a call that moves money: what it asks for is read by mean.
func (p *Wallet) post(rw http.ResponseWriter, r *http.Request, mean func(*journal.Tx, order) (request, problem)) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, provider.MaxBody))
	var o order
	switch {
	case !p.letIn(r):
		refuse(rw, http.StatusUnauthorized, notLetIn)
		return
	case err != nil || json.Unmarshal(body, &o) != nil || !uuidText.MatchString(r.Header.Get("X-CorrelationID")) || o.Reference == "":
		refuse(rw, http.StatusBadRequest, unreadable)
		return
	}
	centimes, why := amountOf(o)
	if why != (problem{}) {
		refuse(rw, http.StatusBadRequest, why)
		return
	}
	fault, err := p.World.TakeNow(world.Wallet, moveFaults...)
	if err != nil {
		slog.Error("wallet api", "err", err)
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(append([]byte(r.URL.Path), body...))
	base := request{
		ID: newUUID(), Corr: strings.ToLower(r.Header.Get("X-CorrelationID")), Body: hex.EncodeToString(sum[:]),
		Ref: o.Reference, Amount: centimes, Callback: provider.WebAddress(r.Header.Get("X-Callback-URL")),
	}
	p.serve(rw, r, fault, func(tx *journal.Tx) (request, problem) {
		q, why := mean(tx, o)
		if why != (problem{}) {
			return q, why
		}
		base.Kind, base.Phone, base.Of = q.Kind, q.Phone, q.Of
		return base, problem{}
	})
}

func amountOf(o order) (int64, problem) {
	if o.Currency != money.MAD {
		return 0, notInHere
	}
	if !amountText.MatchString(o.Amount) {
		return 0, unreadable
	}
	m, err := money.Parse(o.Amount, money.MAD)
	if err != nil || m.Sign() <= 0 {
		return 0, unreadable
	}
	return m.Centimes(), problem{}
}

// serve takes a request and answers it, or misbehaves.
func (p *Wallet) serve(rw http.ResponseWriter, r *http.Request, fault string, read func(*journal.Tx) (request, problem)) {
	switch fault {
	case "rate_limited":
		rw.Header().Set("Retry-After", "2")
		refuse(rw, http.StatusTooManyRequests, problem{"businessRule", "rateLimitError", "Too many requests"})
		return
	case "drop_request":
		provider.Drop(rw)
		return
	}
	var q request
	var why problem
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		if q, why = read(tx); why != (problem{}) {
			return nil
		}
		if fault == "execute_late" {
			q.At = p.World.Now().Add(provider.Lateness)
			p.late.Put(tx, q.ID, q)
			return nil
		}
		q, why = p.asked(tx, q)
		if fault == "callback_before_answer" && why == (problem{}) && q.Status == pending {
			q = p.end(tx, q, problem{})
		}
		return nil
	})
	if err != nil {
		slog.Error("wallet api", "err", err)
		fault = "execute_then_500"
	}
	p.answer(rw, r, fault, q, why)
}

// asked takes a request, once for its correlation id.
func (p *Wallet) asked(tx *journal.Tx, q request) (request, problem) {
	if id, ok := p.corrs.Get(tx, q.Corr); ok {
		before, _ := p.requests.Get(tx, id)
		if forgotten := p.World.Now().Sub(before.At) > keepKeys; !forgotten || p.World.Take(tx, world.Wallet, "key_expires") == "" {
			if before.Body != q.Body {
				return q, duplicate
			}
			return before, problem{}
		}
	}
	return p.take(tx, q), problem{}
}

// answer answers a request that was taken, or refused, with its fault.
func (p *Wallet) answer(rw http.ResponseWriter, r *http.Request, fault string, q request, why problem) {
	switch fault {
	case "execute_late":
		p.Hold(rw, r)
		return
	case "execute_then_drop":
		provider.Drop(rw)
		return
	case "execute_then_500":
		refuse(rw, http.StatusInternalServerError, problem{"internal", "genericError", "Internal error"})
		return
	case "execute_then_garbage":
		write(rw, http.StatusAccepted, []byte(`{"serverCorrelationId":"`+q.ID+`","status":"comp`), false)
		return
	case "callback_before_answer":
		p.TellFirst(r.Context(), q.ID)
	}
	switch {
	case why == noWallet || why == noSuch:
		refuse(rw, http.StatusNotFound, why)
	case why != (problem{}):
		refuse(rw, http.StatusBadRequest, why)
	case fault == "contradicts_itself":
		refuse(rw, http.StatusBadRequest, tooLittle)
	default:
		write(rw, http.StatusAccepted, q.state(), fault == "slow_body")
	}
}

// ask answers a call that only asks; find gives the request it is about.
func (p *Wallet) ask(rw http.ResponseWriter, r *http.Request, find func(*journal.Tx) (request, bool), show func(request) []byte) {
	if !p.letIn(r) {
		refuse(rw, http.StatusUnauthorized, notLetIn)
		return
	}
	var q request
	var ok bool
	fault := ""
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		if q, ok = find(tx); !ok { // a question about nothing proves nothing about a fault
			return nil
		}
		fault = p.World.Take(tx, world.Wallet, askFaults...)
		if fault == "not_found_then_visible" {
			q.HiddenUntil = p.World.Now().Add(provider.HideFor)
			p.requests.Put(tx, q.ID, q)
		}
		return nil
	})
	switch {
	case err != nil:
		slog.Error("wallet api", "err", err)
		rw.WriteHeader(http.StatusInternalServerError)
	case fault == "rate_limited":
		rw.Header().Set("Retry-After", "2")
		refuse(rw, http.StatusTooManyRequests, problem{"businessRule", "rateLimitError", "Too many requests"})
	case fault == "drop_request":
		provider.Drop(rw)
	case !ok, p.World.Now().Before(q.HiddenUntil):
		refuse(rw, http.StatusNotFound, noSuch)
	default:
		if fault == "contradicts_itself" {
			q.Status, q.Failure = failed, tooLittle
		}
		write(rw, http.StatusOK, show(q), fault == "slow_body")
	}
}

func (p *Wallet) getResponse(rw http.ResponseWriter, r *http.Request) {
	p.ask(rw, r, func(tx *journal.Tx) (request, bool) {
		id, _ := p.corrs.Get(tx, strings.ToLower(r.PathValue("corr")))
		return p.requests.Get(tx, id)
	}, func(q request) []byte {
		link := "/requeststates/" + q.ID
		if q.Status == completed {
			link = "/transactions/" + q.Name
		}
		return encode(map[string]string{"link": link})
	})
}

func (p *Wallet) getState(rw http.ResponseWriter, r *http.Request) {
	p.ask(rw, r, func(tx *journal.Tx) (request, bool) {
		return p.requests.Get(tx, strings.ToLower(r.PathValue("id")))
	}, request.state)
}

func (p *Wallet) getTransaction(rw http.ResponseWriter, r *http.Request) {
	p.ask(rw, r, func(tx *journal.Tx) (request, bool) {
		id, _ := p.names.Get(tx, r.PathValue("name"))
		return p.requests.Get(tx, id)
	}, request.transaction)
}

// state is a request as its own resource shows it.
func (q request) state() []byte {
	out := map[string]any{"serverCorrelationId": q.ID, "status": q.Status, "notificationMethod": "polling", "pollLimit": 1000}
	if q.Callback != "" {
		out["notificationMethod"] = "callback"
	}
	switch q.Status {
	case pending:
		out["expiryTime"], out["pendingReason"] = q.Expires.Format(time.RFC3339), "Waiting for approval on the phone"
	case completed:
		out["objectReference"] = q.Name
	case failed:
		out["error"] = q.Failure
	}
	return encode(out)
}

// transaction is what a request has made.
func (q request) transaction() []byte {
	amount := money.Dirhams(q.Amount).Amount()
	if strings.Contains(amount, ".") {
		amount = strings.TrimRight(strings.TrimRight(amount, "0"), ".")
	}
	return encode(map[string]any{
		"amount": amount, "currency": money.MAD, "type": q.Kind, "transactionReference": q.Name, "transactionStatus": q.Status,
		"requestingOrganisationTransactionReference": q.Ref, "creationDate": q.At.Format(time.RFC3339),
		"debitParty": []party{{"msisdn", q.Phone}}, "creditParty": []party{{"msisdn", q.Phone}},
	})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("wallet: " + err.Error())
	}
	return b
}

func refuse(rw http.ResponseWriter, status int, why problem) {
	write(rw, status, encode(why), false)
}

func write(rw http.ResponseWriter, status int, b []byte, slowly bool) {
	provider.Reply(rw, "application/json", status, b, slowly)
}

func newUUID() string {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic("wallet: " + err.Error())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
