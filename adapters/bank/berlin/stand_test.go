package berlin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/bank"
)

const (
	token   = "a-token-of-the-tests"
	ours    = "001810007800020110620318"
	consent = "consent-1"
)

// stand is an ASPSP of the standard whose orders are files in two folders, so
// that the suite can play the bank's part in them. It is as strict about requests
// as the official document.
type stand struct {
	mu          sync.Mutex
	in, archive string
	status      map[string]string // by batch
	booked      []string          // batches and others, in their order
	posts       int
	mute        bool // orders do not show before they are booked
	broken      func(w http.ResponseWriter, r *http.Request) bool
}

// order is what the official document allows in a bulk payment.
type order struct {
	Batch    *bool            `json:"batchBookingPreferred"`
	Debtor   *account         `json:"debtorAccount"`
	Date     string           `json:"requestedExecutionDate"`
	Payments []map[string]any `json:"payments"`
}

type account struct {
	IBAN     string `json:"iban,omitempty"`
	BBAN     string `json:"bban,omitempty"`
	Currency string `json:"currency,omitempty"`
}

var (
	uuidShape   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	ipShape     = regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){3}$`)
	amountShape = regexp.MustCompile(`^-?[0-9]{1,14}(\.[0-9]{1,3})?$`)
	ibanShape   = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$`)
	bicShape    = regexp.MustCompile(`^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$`)
	latinShape  = regexp.MustCompile(`^[A-Za-z0-9 /?:().,'+-]*$`)
)

func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"tppMessages":[{"category":"ERROR","code":%q,"text":%q}]}`, code, text)
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request is none
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil && s.broken(w, r) {
		return
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		refuse(w, 401, "TOKEN_UNKNOWN", "who are you")
	case !uuidShape.MatchString(r.Header.Get("X-Request-ID")):
		refuse(w, 400, "FORMAT_ERROR", "X-Request-ID")
	case r.Method == "POST" && r.URL.Path == "/v1/bulk-payments/sepa-credit-transfers":
		s.posts++
		s.take(w, r, body)
	case r.Method == "GET" && len(path) == 4 && path[0] == "bulk-payments" && path[3] == "status":
		s.say(w, path[2])
	case r.Method == "GET" && r.URL.Path == "/v1/accounts/acc-1/transactions":
		s.list(w, r)
	default:
		refuse(w, 404, "RESOURCE_UNKNOWN", r.Method+" "+r.URL.Path)
	}
}

// wrong says what the official document does not allow in an order.
func wrong(r *http.Request, body []byte, o *order) string {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	switch {
	case r.Header.Get("Content-Type") != "application/json":
		return "Content-Type"
	case !ipShape.MatchString(r.Header.Get("PSU-IP-Address")):
		return "PSU-IP-Address"
	case d.Decode(o) != nil || o.Debtor == nil || len(o.Payments) == 0:
		return "body"
	case o.Debtor.IBAN != "" && !ibanShape.MatchString(o.Debtor.IBAN) || o.Debtor.IBAN+o.Debtor.BBAN == "":
		return "debtorAccount"
	}
	if _, err := time.Parse(time.DateOnly, o.Date); err != nil {
		return "requestedExecutionDate"
	}
	for i, p := range o.Payments {
		for name, v := range p {
			text, _ := v.(string)
			ok := false
			switch name {
			case "endToEndIdentification":
				ok = text != "" && len(text) <= 35
			case "instructedAmount":
				m, _ := v.(map[string]any)
				sum, _ := m["amount"].(string)
				ok = m["currency"] == "MAD" && amountShape.MatchString(sum) && len(m) == 2
			case "creditorAccount":
				_, ok = v.(map[string]any)
			case "creditorAgent":
				ok = bicShape.MatchString(text)
			case "creditorName":
				ok = text != "" && len(text) <= 70 && latinShape.MatchString(text)
			case "remittanceInformationUnstructured":
				ok = len(text) <= 140 && latinShape.MatchString(text)
			}
			if !ok {
				return fmt.Sprintf("payments[%d].%s", i, name)
			}
		}
		if p["instructedAmount"] == nil || p["creditorAccount"] == nil || p["creditorName"] == nil {
			return fmt.Sprintf("payments[%d]", i)
		}
	}
	return ""
}

// batchOf is the batch of an order: its references begin with it.
func batchOf(o order) string {
	ref, _ := o.Payments[0]["endToEndIdentification"].(string)
	return ref[:strings.LastIndex(ref, "-")]
}

func (s *stand) take(w http.ResponseWriter, r *http.Request, body []byte) {
	var o order
	if at := wrong(r, body, &o); at != "" {
		refuse(w, 400, "FORMAT_ERROR", at)
		return
	}
	id := batchOf(o)
	name := "BULK_" + id + ".json"
	for _, dir := range []string{s.in, s.archive} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			if string(text) != string(body) {
				refuse(w, 409, "STATUS_INVALID", "the request was another")
				return
			}
			s.answer(w, id)
			return
		}
	}
	temp := filepath.Join(s.in, "."+name+".new")
	if os.WriteFile(temp, body, 0o644) != nil || os.Rename(temp, filepath.Join(s.in, name)) != nil {
		refuse(w, 500, "INTERNAL", "")
		return
	}
	s.answer(w, id)
}

// answer is long, so that a cut may fall inside.
func (s *stand) answer(w http.ResponseWriter, id string) {
	body := fmt.Sprintf(`{"transactionStatus":%q,"paymentId":"P-%s","_links":{"self":{"href":"/v1/bulk-payments/sepa-credit-transfers/P-%s"}},"psuMessage":%q}`,
		s.standing(id), id, id, strings.Repeat("x", 400))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(201)
	fmt.Fprint(w, body)
}

func (s *stand) standing(id string) string {
	if st := s.status[id]; st != "" {
		return st
	}
	return "RCVD"
}

func (s *stand) say(w http.ResponseWriter, payment string) {
	id := strings.TrimPrefix(payment, "P-")
	if _, ok := s.orders()["BULK_"+id+".json"]; !ok {
		refuse(w, 404, "RESOURCE_UNKNOWN", payment)
		return
	}
	fmt.Fprintf(w, `{"transactionStatus":%q,"_links":{}}`, s.standing(id))
}

// orders are the files of both folders that a bank would read.
func (s *stand) orders() map[string]string {
	out := map[string]string{}
	for _, dir := range []string{s.in, s.archive} {
		all, _ := os.ReadDir(dir)
		for _, e := range all {
			if text, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(e.Name(), "BULK_") {
				out[e.Name()] = string(text)
			}
		}
	}
	return out
}

// line is a transaction in a list.
func line(id, ref, sum, day string) map[string]any {
	t := map[string]any{
		"entryReference": id, "endToEndId": ref, "transactionAmount": map[string]string{"currency": "MAD", "amount": sum},
		"creditorName": "Somebody (exemple)", "creditorAccount": map[string]string{"iban": "MA64011519000001205000534921"}, "bankTransactionCode": "PMNT-ICDT-DMCT",
	}
	if day != "" {
		t["bookingDate"], t["valueDate"] = day, day
	}
	return t
}

// list gives the transactions, the newest first, 25 on a page.
func (s *stand) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.Header.Get("Consent-ID") != consent || q.Get("dateFrom") == "" || !slices.Contains([]string{"booked", "both"}, q.Get("bookingStatus")) {
		refuse(w, 400, "FORMAT_ERROR", "Consent-ID, dateFrom, bookingStatus")
		return
	}
	booked, pending := []map[string]any{}, []map[string]any{}
	balance := int64(100_000_00)
	orders := s.orders()
	for _, b := range s.booked {
		if b == "other" {
			booked = append([]map[string]any{line(fmt.Sprintf("E-other-%d", len(booked)), "SOMEBODY-ELSES", "10.00", "2026-11-22")}, booked...)
			balance += 1000
		}
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range orders {
			if !yield(n) {
				return
			}
		}
	}) {
		var o order
		if json.Unmarshal([]byte(orders[name]), &o) != nil || len(o.Payments) == 0 {
			refuse(w, 500, "INTERNAL", "an order that nobody can read")
			return
		}
		done := slices.Contains(s.booked, batchOf(o))
		for _, p := range o.Payments {
			ref, sum := p["endToEndIdentification"].(string), p["instructedAmount"].(map[string]any)["amount"].(string)
			if !done {
				if !s.mute {
					pending = append(pending, line("", ref, "-"+sum, ""))
				}
				continue
			}
			booked = append([]map[string]any{line("E-"+ref, ref, "-"+sum, "2026-11-21")}, booked...)
			var dh, c int64
			fmt.Sscanf(sum, "%d.%d", &dh, &c)
			balance -= 100*dh + c
		}
	}
	n, _ := strconv.Atoi(q.Get("page"))
	lists := map[string]any{"booked": booked[min(25*n, len(booked)):min(25*n+25, len(booked))]}
	links := map[string]any{"account": map[string]string{"href": "/v1/accounts/acc-1"}}
	if len(booked) > 25*n+25 {
		q.Set("page", strconv.Itoa(n+1))
		links["next"] = map[string]string{"href": "/v1/accounts/acc-1/transactions?" + q.Encode()}
	}
	if q.Get("bookingStatus") == "both" {
		lists["pending"] = pending
	}
	lists["_links"] = links
	_ = json.NewEncoder(w).Encode(map[string]any{
		"account": map[string]string{"bban": ours}, "transactions": lists,
		"balances": []any{map[string]any{"balanceType": "interimBooked", "balanceAmount": map[string]string{"currency": "MAD", "amount": fmt.Sprintf("%d.%02d", balance/100, balance%100)}}},
	})
}

// memory is bank.Notes for tests.
type memory struct {
	mu sync.Mutex
	by map[string]bank.Note
}

func newMemory() *memory { return &memory{by: map[string]bank.Note{}} }

func (m *memory) Recall(_ context.Context, key string) (bank.Note, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by[key], nil
}

func (m *memory) Swap(_ context.Context, was string, n bank.Note) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[n.Key].Value != was {
		return false, nil
	}
	if n.Value == "" {
		delete(m.by, n.Key)
		return true, nil
	}
	m.by[n.Key] = n
	return true, nil
}

func (m *memory) Open(_ context.Context, prefix string, limit int) (out []bank.Note, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, n := range m.by {
		if strings.HasPrefix(k, prefix) && !n.Done {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b bank.Note) int { return strings.Compare(a.Key, b.Key) })
	return out[:min(limit, len(out))], nil
}
