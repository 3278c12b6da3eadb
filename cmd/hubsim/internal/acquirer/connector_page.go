package acquirer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A wanted payment is one whose page was asked for. Amounts are centimes.
type wanted struct {
	ID      string    `json:"id"` // the acquirer's name of it, whatever becomes of it
	Ref     string    `json:"ref"`
	Amount  int64     `json:"amount"`
	Expires time.Time `json:"expires"` // by the hub's clock, which is the machine's
}

// payment is what the hub signs.
type payment struct {
	Ref    string       `json:"ref"`
	Amount *money.Money `json:"amount"`
	Lang   string       `json:"lang"`
	Buyer  struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	} `json:"buyer"`
	ReturnURL string    `json:"return_url"`
	ShopURL   string    `json:"shop_url"`
	ExpiresAt time.Time `json:"expires_at"`
	Nonce     string    `json:"nonce"`
}

var nonceText = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// check says what is wrong with a payment that was rightly signed.
func (p payment) check() error {
	switch {
	case !refText.MatchString(p.Ref):
		return errors.New("ref: 1 to 35 letters, digits, dashes or underscores")
	case p.Amount == nil || p.Amount.Currency() != money.MAD || p.Amount.Sign() <= 0:
		return errors.New("amount: above nothing, in MAD")
	case !slices.Contains([]string{"fr", "ar", "en", "zgh"}, p.Lang):
		return fmt.Errorf("lang %q: fr, ar, en or zgh", p.Lang)
	case p.Buyer.Name == "" || len([]rune(p.Buyer.Name)) > 200 || len(p.Buyer.Email) > 64 || !strings.Contains(p.Buyer.Email, "@"):
		return errors.New("buyer: a name and an e-mail address are needed")
	case provider.WebAddress(p.ReturnURL) == "" || provider.WebAddress(p.ShopURL) == "":
		return errors.New("return_url and shop_url: http or https addresses are needed")
	case p.ExpiresAt.IsZero():
		return errors.New("expires_at: a time is needed")
	case !nonceText.MatchString(p.Nonce):
		return errors.New("nonce: 8 to 64 letters, digits, dashes or underscores")
	}
	return nil
}

// form is the payment as the pages carry it.
func (p payment) form() Fields {
	return Fields{{"oid", p.Ref}, {"amount", p.Amount.Amount()}, {"lang", p.Lang}, {"okUrl", p.ReturnURL}, {"shopurl", p.ShopURL}}
}

// signedPayment reads the text of a payment off a posted form, if it is signed by who has the token.
func (a *Acquirer) signedPayment(r *http.Request) (text string, ok bool) {
	if err := r.ParseForm(); err != nil || len(r.PostForm["payment"]) != 1 || len(r.PostForm["signature"]) != 1 || a.Connector.Token == "" {
		return "", false
	}
	text = r.PostForm.Get("payment")
	mac := hmac.New(sha256.New, []byte(a.Connector.Token))
	mac.Write([]byte("payment." + text))
	return text, provider.Same(r.PostForm.Get("signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// pay takes the payment that the hub sent its buyer with, and shows the card page.
func (a *Acquirer) pay(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, provider.MaxBody)
	text, ok := a.signedPayment(r)
	if !ok {
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusForbidden, Code: "forged", Detail: "The signature does not fit the payment."})
		return
	}
	var p payment
	err := json.Unmarshal([]byte(text), &p)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: err.Error()})
		return
	}
	var wrong *provider.Refusal
	if !a.change(rw, func(tx *journal.Tx) { wrong = a.want(tx, p) }) {
		return
	}
	if wrong != nil {
		a.Connector.Refuse(rw, wrong)
		return
	}
	s := session{Fields: p.form(), Amount: p.Amount.Centimes(), Expires: a.World.Now().Add(cardLife), V1: true, Ends: p.ExpiresAt}
	page := a.newPage(s.Fields)
	page.State = a.seal(s)
	page.show(rw, http.StatusOK, "card")
}

// want notes that the page of a payment was asked for, or says why it is not shown.
func (a *Acquirer) want(tx *journal.Tx, p payment) *provider.Refusal {
	o, _ := a.orders.Get(tx, p.Ref)
	was, known := a.wanted.Get(tx, p.Ref)
	switch {
	case o.closed():
		return &provider.Refusal{Status: http.StatusConflict, Code: "paid", Detail: "It is paid already, or was let go."}
	case known && was.Amount != p.Amount.Centimes():
		return &provider.Refusal{Status: http.StatusConflict, Code: "paid", Detail: "It was asked for with another amount."}
	case !time.Now().Before(p.ExpiresAt):
		return &provider.Refusal{Status: http.StatusGone, Code: "page_expired"}
	case !known:
		was = wanted{ID: a.World.Now().Format("06002") + provider.Number(12), Ref: p.Ref, Amount: p.Amount.Centimes()}
	}
	was.Expires = p.ExpiresAt
	a.wanted.Put(tx, p.Ref, was)
	return nil
}

var errExpired = errors.New("the time to pay is over")

// tryHere keeps an attempt to pay a payment of this door, and has the hub told.
func (a *Acquirer) tryHere(tx *journal.Tx, o order, id string) (at attempt) {
	w, _ := a.wanted.Get(tx, o.OID)
	o.V1, o.TransID = true, w.ID
	at = attempt{ID: id, OID: o.OID, Approved: o.State == Authorised, Code: o.Code}
	a.orders.Put(tx, o.OID, o)
	if at.Approved {
		a.Did(tx, o.OID, world.Charge, o.Amount)
	}
	if to := a.listens(tx); to != "" {
		if at.Fault = a.World.Take(tx, a.name, eventFaults...); at.Fault != "callback_missing" {
			at.Callback = a.tell(tx, to, o.OID, at.Fault, 0, "payment.updated", o.news())
		}
	}
	a.attempts.Put(tx, at.ID, at)
	return at
}

// goBack sends the buyer of this door on its way: back to the hub, or to the card page
// once more when the card was declined.
func (a *Acquirer) goBack(rw http.ResponseWriter, r *http.Request, s session, p page, at attempt) {
	to := provider.WebAddress(s.Fields.Get("okUrl"))
	if at.Approved {
		rw.Header().Set("Cache-Control", "no-store")
		rw.Header().Set("Referrer-Policy", "no-referrer")
		http.Redirect(rw, r, to, http.StatusSeeOther)
		return
	}
	s.Attempt, s.Pan, s.Brand, s.Code, s.Closed = "", "", "", "", false
	p.State, p.Error, p.Back = a.seal(s), p.T.Why[at.Code], to
	p.show(rw, http.StatusOK, "card")
}

// sandboxDeclines are the refusals of a sandbox, by the centimes of an amount.
var sandboxDeclines = map[int64]string{1: "51", 4: "99", 5: blocked}

// playBuyer has a buyer of the sandbox pay what a page was asked for. One that is paid
// stays so.
func (a *Acquirer) playBuyer(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Ref string `json:"ref"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, provider.MaxBody)).Decode(&in); err != nil {
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusBadRequest, Code: "malformed"})
		return
	}
	var wrong *provider.Refusal
	ok := a.change(rw, func(tx *journal.Tx) {
		w, known := a.wanted.Get(tx, in.Ref)
		o, _ := a.orders.Get(tx, in.Ref)
		code, declined := sandboxDeclines[provider.Magic(w.Amount)]
		if !declined {
			code = "00"
		}
		switch {
		case !known:
			wrong = &provider.Refusal{Status: http.StatusNotFound, Code: "payment_not_found"}
		case o.closed():
		case !time.Now().Before(w.Expires):
			wrong = &provider.Refusal{Status: http.StatusGone, Code: "page_expired"}
		default:
			o = a.tried(w.Ref, w.Amount, code, false)
			o.Nobody = true
			a.tryHere(tx, o, provider.Number(18))
		}
	})
	switch {
	case !ok:
	case wrong != nil:
		a.Connector.Refuse(rw, wrong)
	default:
		world.Answer(rw, http.StatusOK, map[string]any{})
	}
}

// eventFaults are the faults that the event of an attempt can play, first come first.
var eventFaults = []string{"callback_missing", "bad_signature", "callbacks_shuffled", "answer_twice", "callback_before_answer", "replayed_callback"}

// believed is how long a chargeback is told that nobody hears of.
const believed = 4 * 24 * time.Hour

// postEvents says where events go.
func (a *Acquirer) postEvents(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if !world.Read(rw, r, &in) {
		return
	}
	if a.change(rw, func(tx *journal.Tx) { a.listeners.Put(tx, "url", provider.WebAddress(in.URL)) }) {
		world.Answer(rw, http.StatusOK, in)
	}
}

// listens is where events go, "" nowhere.
func (a *Acquirer) listens(tx *journal.Tx) string {
	if to, _ := a.listeners.Get(tx, "url"); to != "" {
		return to
	}
	return a.Connector.EventsTo
}

// news is what an event says of a payment.
func (o order) news() map[string]any { return map[string]any{"ref": o.OID, "state": o.here()["state"]} }

// updated tells that a payment of this door stands otherwise, if anybody listens.
func (a *Acquirer) updated(tx *journal.Tx, o order) {
	if to := a.listens(tx); o.V1 && to != "" {
		a.tell(tx, to, o.OID, "", 0, "payment.updated", o.news())
	}
}

// tellCaseHere tells of a chargeback until it is heard.
func (a *Acquirer) tellCaseHere(tx *journal.Tx, c contest) {
	to := a.listens(tx)
	if to == "" {
		return
	}
	fault := a.World.Take(tx, a.name, caseFaults...)
	if fault == "callback_missing" {
		return
	}
	a.tell(tx, to, c.OID, fault, believed, "chargeback.updated", map[string]any{
		"id": c.ID, "ref": c.OID, "state": c.State, "amount": money.Dirhams(c.Amount), "fee": money.Dirhams(c.Fee), "reason": c.Reason,
	})
}

// tell puts an event down to be sent; it gives its key.
func (a *Acquirer) tell(tx *journal.Tx, to, ref, fault string, atLeast time.Duration, kind string, data map[string]any) string {
	name := "msg_" + rand.Text()
	a.TellFor(tx, name, to, result{OID: ref, Event: event{name, a.eventText(kind, data)}}, fault, atLeast)
	return name
}

func (a *Acquirer) eventText(kind string, data map[string]any) string {
	b, err := json.Marshal(map[string]any{"type": kind, "timestamp": a.World.Now().Format(time.RFC3339), "data": data})
	if err != nil {
		panic("acquirer: " + err.Error())
	}
	return string(b)
}

// An event is what this door tells: its name, the same for each copy, and its text.
type event struct {
	Name string `json:"name"`
	Text string `json:"text"`
}
