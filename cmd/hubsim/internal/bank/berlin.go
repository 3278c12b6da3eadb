package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The bank's other door: the Berlin Group's NextGenPSD2 1.3.12, over the same
// accounts. While it stands open (Asked) no statements are put out as files: what
// was booked is asked for.

// Consent is the one under which the accounts may be read.
const Consent = "consent-exemple"

// Resources are the accounts by the API's names of them.
var Resources = map[string]string{"acc-safeguard": SafeguardRIB, "acc-operating": OperatingRIB}

// bulkOrder is a bulk payment that was taken, under its X-Request-ID.
type bulkOrder struct {
	Request string `json:"request"`
	SHA256  string `json:"sha256"`
	Status  string `json:"status"`
}

// berlinFaults are those that the next order plays.
var berlinFaults = []string{"drop_request", "execute_then_drop", "execute_then_500", "execute_then_garbage", "rate_limited", "same_ref_other_amount", "paid_then_returned"}

var requestID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (b *Bank) routesBerlin(mux *http.ServeMux) {
	mux.HandleFunc("POST /berlin/v1/bulk-payments/{product}", b.known(b.postBulk))
	mux.HandleFunc("GET /berlin/v1/bulk-payments/{product}/{payment}/status", b.known(b.bulkStatus))
	mux.HandleFunc("GET /berlin/v1/accounts/{account}/transactions", b.known(b.transactions))
	mux.HandleFunc("/berlin/", func(rw http.ResponseWriter, _ *http.Request) {
		tpp(rw, http.StatusNotFound, "RESOURCE_UNKNOWN", "there is nothing here")
	})
}

// tpp answers an error in the standard's form.
func tpp(rw http.ResponseWriter, status int, code, text string) {
	world.Answer(rw, status, map[string]any{"tppMessages": []map[string]string{{"category": "ERROR", "code": code, "text": text}}})
}

// known lets in whoever has the token and names the request.
func (b *Bank) known(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+b.Secrets.BerlinToken:
			tpp(rw, http.StatusUnauthorized, "TOKEN_UNKNOWN", "sign in")
		case !requestID.MatchString(r.Header.Get("X-Request-ID")):
			tpp(rw, http.StatusBadRequest, "FORMAT_ERROR", "X-Request-ID is a UUID")
		default:
			next(rw, r)
		}
	}
}

// The parts of a bulk payment.
type (
	bulkAccount struct {
		IBAN string `json:"iban"`
		BBAN string `json:"bban"`
	}
	bulkBody struct {
		Separately bool        `json:"batchBookingPreferred"`
		Debtor     bulkAccount `json:"debtorAccount"`
		On         string      `json:"requestedExecutionDate"`
		Payments   []struct {
			EndToEnd string `json:"endToEndIdentification"`
			Amount   struct {
				Currency string `json:"currency"`
				Amount   string `json:"amount"`
			} `json:"instructedAmount"`
			Creditor bulkAccount `json:"creditorAccount"`
			Agent    string      `json:"creditorAgent"`
			Name     string      `json:"creditorName"`
			Text     string      `json:"remittanceInformationUnstructured"`
		} `json:"payments"`
	}
)

func (a bulkAccount) number() string { return or(a.IBAN, a.BBAN) }

// readBulk reads an order; an error is the standard's FORMAT_ERROR.
func readBulk(body []byte) (p payment, err error) {
	var in bulkBody
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return p, err
	}
	if _, err := time.Parse(time.DateOnly, in.On); err != nil {
		return p, errors.New("requestedExecutionDate")
	}
	if in.Debtor.number() == "" || len(in.Payments) == 0 {
		return p, errors.New("debtorAccount and payments are needed")
	}
	p.Debtor = in.Debtor.number()
	for i, x := range in.Payments {
		t := transfer{EndToEnd: x.EndToEnd, Name: x.Name, Text: x.Text}
		m, err := money.Parse(x.Amount.Amount, money.MAD)
		switch {
		case err != nil || m.Sign() <= 0 || x.Amount.Currency != money.MAD:
			return p, fmt.Errorf("payments[%d].instructedAmount", i)
		case x.Name == "" || len(x.Name) > 70 || x.EndToEnd == "" || len(x.EndToEnd) > 35 || len(x.Text) > 140:
			return p, fmt.Errorf("payments[%d]", i)
		}
		t.Amount = m.Centimes()
		rib, right := RIBOf(x.Creditor.number())
		switch t.RIB = rib; {
		case !right:
			t.reject("AC01", "RIB invalide")
		case closed(rib):
			t.reject("AC04", "Compte cloture")
		}
		p.Transfers = append(p.Transfers, t)
	}
	return p, nil
}

// postBulk takes an order. One whose X-Request-ID is known is answered as it was
// the first time.
func (b *Bank) postBulk(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
	if err != nil {
		return // half an order is none
	}
	p, err := readBulk(body)
	sum := sha256.Sum256(body)
	o := bulkOrder{Request: r.Header.Get("X-Request-ID"), SHA256: hex.EncodeToString(sum[:])}
	switch {
	case r.PathValue("product") != "sepa-credit-transfers":
		tpp(rw, http.StatusNotFound, "PRODUCT_UNKNOWN", "only sepa-credit-transfers")
		return
	case err != nil || r.Header.Get("PSU-IP-Address") == "":
		tpp(rw, http.StatusBadRequest, "FORMAT_ERROR", fmt.Sprint("PSU-IP-Address is needed; ", err))
		return
	}
	var fault string
	other := false
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		if had, ok := b.orders.Get(tx, o.Request); ok {
			other, o = had.SHA256 != o.SHA256, had
			return nil
		}
		if fault = b.world.Take(tx, world.Bank, berlinFaults...); fault == "drop_request" || fault == "rate_limited" {
			return nil
		}
		b.pay(tx, received{Fault: fault}, "", &p)
		o.Status = p.outcome()
		b.orders.Put(tx, o.Request, o)
		slog.Info("bank took an order", "request", o.Request, "status", o.Status, "fault", fault)
		return nil
	})
	switch {
	case err != nil:
		tpp(rw, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", err.Error())
	case other:
		tpp(rw, http.StatusConflict, "STATUS_INVALID", "this X-Request-ID was another order's")
	case fault == "rate_limited":
		rw.Header().Set("Retry-After", "1")
		tpp(rw, http.StatusTooManyRequests, "ACCESS_EXCEEDED", "later")
	case fault == "drop_request" || fault == "execute_then_drop":
		panic(http.ErrAbortHandler) // the client never gets its answer
	case fault == "execute_then_500":
		tpp(rw, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "")
	case fault == "execute_then_garbage":
		rw.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(rw, `{"transactionStatus":"RCVD","payme`)
	default:
		world.Answer(rw, http.StatusCreated, map[string]any{
			"transactionStatus": "RCVD", "paymentId": "BG" + o.Request,
			"_links": map[string]any{"status": map[string]string{"href": r.URL.Path + "/BG" + o.Request + "/status"}},
		})
	}
}

// outcome is the standing of the whole order: the standard has none of its parts.
func (p payment) outcome() string {
	refused := 0
	for _, t := range p.Transfers {
		if t.Reason != "" {
			refused++
		}
	}
	switch refused {
	case 0:
		return "ACSC"
	case len(p.Transfers):
		return rejected
	}
	return partly
}

func (b *Bank) bulkStatus(rw http.ResponseWriter, r *http.Request) {
	var o bulkOrder
	var ok bool
	b.world.Journal.View(func(tx *journal.Tx) { o, ok = b.orders.Get(tx, strings.TrimPrefix(r.PathValue("payment"), "BG")) })
	if !ok {
		tpp(rw, http.StatusNotFound, "RESOURCE_UNKNOWN", "there is no such payment")
		return
	}
	world.Answer(rw, http.StatusOK, map[string]any{"transactionStatus": o.Status})
}

// perPage is how many transactions a page has.
const perPage = 50

// transactions tells what was booked from a day on, the newest first, and the
// balance of all that was ever booked.
func (b *Bank) transactions(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rib, ok := Resources[r.PathValue("account")]
	from, err := time.Parse(time.DateOnly, q.Get("dateFrom"))
	status := q.Get("bookingStatus")
	switch {
	case !ok:
		tpp(rw, http.StatusNotFound, "RESOURCE_UNKNOWN", "there is no such account")
		return
	case r.Header.Get("Consent-ID") != Consent:
		tpp(rw, http.StatusForbidden, "CONSENT_UNKNOWN", "give the consent")
		return
	case err != nil || status != "booked" && status != "both":
		tpp(rw, http.StatusBadRequest, "FORMAT_ERROR", "give dateFrom, and booked or both as bookingStatus")
		return
	}
	booked, pending := []any{}, []any{}
	balance, now := opening[rib], b.world.Now()
	b.world.Journal.View(func(tx *journal.Tx) {
		all := b.unstated.All(tx)
		for i := len(all) - 1; i >= 0; i-- {
			switch e := all[i]; {
			case e.Account != rib:
			case e.VisibleAt.After(now):
				pending = append(pending, e.transaction(""))
			default:
				balance += e.Amount
				if !e.At.Before(from) {
					booked = append(booked, e.transaction(e.At.Format(time.DateOnly)))
				}
			}
		}
	})
	page, _ := strconv.Atoi(q.Get("page"))
	first := min(max(page, 0)*perPage, len(booked))
	rest := booked[first:min(first+perPage, len(booked))]
	links := map[string]any{"account": map[string]string{"href": "/berlin/v1/accounts/" + r.PathValue("account")}}
	if first+perPage < len(booked) {
		q.Set("page", strconv.Itoa(page+1))
		links["next"] = map[string]string{"href": (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()}
	}
	lists := map[string]any{"booked": rest, "_links": links}
	if status == "both" {
		lists["pending"] = pending
	}
	world.Answer(rw, http.StatusOK, map[string]any{
		"account": map[string]string{"bban": rib}, "transactions": lists,
		"balances": []any{map[string]any{"balanceType": "interimBooked", "balanceAmount": sumOf(balance)}},
	})
}

func sumOf(centimes int64) map[string]string {
	return map[string]string{"currency": money.MAD, "amount": money.Dirhams(centimes).Amount()}
}

// transaction is an entry as the API tells it. The standard knows no charges of a
// part: a settlement's lines are told net.
func (e entry) transaction(day string) map[string]any {
	t := map[string]any{"entryReference": e.Ref, "endToEndId": cut(e.EndToEnd, 35), "transactionAmount": sumOf(e.Amount), "remittanceInformationUnstructured": cut(e.Text, 140)}
	if day != "" {
		t["bookingDate"], t["valueDate"] = day, day
	}
	code := "PMNT-ICDT-DMCT"
	side, name, rib := "creditor", e.Name, e.RIB
	switch {
	case e.Kind == world.Settlement:
		code = "PMNT-MCRD-POSP"
		var parts []any
		name, rib = e.settlers()
		for _, l := range e.Lines {
			part := map[string]any{
				"endToEndId": cut(l.Ref, 35), "transactionAmount": sumOf(l.Gross - l.Fee), "debtorName": name, "debtorAccount": map[string]string{"bban": rib},
			}
			if l.Case != "" {
				part["remittanceInformationUnstructured"] = "IMPAYE CARTE " + l.Case
			}
			parts = append(parts, part)
		}
		t["entryDetails"], side = parts, "debtor"
	case e.Returned:
		code = "PMNT-ICDT-RRTN"
	case e.Kind == world.Credit:
		code, side = "PMNT-RCDT-DMCT", "debtor"
	case e.Amount > 0:
		code, side = "PMNT-RCDT-BOOK", "debtor"
		if name = SafeguardName; rib == OperatingRIB {
			name = OperatingName
		}
	}
	t["bankTransactionCode"] = code
	t[side+"Name"], t[side+"Account"] = cut(name, 70), map[string]string{"bban": rib}
	return t
}
