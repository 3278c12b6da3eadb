package hubspot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/crmconform"
	"tiwiza/adapters/crm/hubspot"
)

const mails = "4711"

// stand is an account.
type stand struct {
	mu      sync.Mutex
	next    int
	objects map[string]map[string]map[string]string // kind, id, properties
	ties    map[string]string                       // deal, contact
	left    map[string]string                       // address: refused, or left
	garble  *answer
	busy    bool
}

type answer struct {
	status int
	body   string
}

func newStand() *stand {
	return &stand{objects: map[string]map[string]map[string]string{"contacts": {}, "deals": {}}, ties: map[string]string{}, left: map[string]string{}}
}

// asked is any of the bodies that are understood.
type asked struct {
	IDProperty string
	Inputs     []struct {
		ID           string
		Properties   map[string]string
		Associations []struct {
			To    struct{ ID string }
			Types []struct{ AssociationTypeID int }
		}
	}
	ObjectID, EmailAddress, SubscriptionID, LegalBasis string
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in asked
	var raw json.RawMessage
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&raw) != nil {
		return
	}
	_ = json.Unmarshal(raw, &in)
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := s.answer(w, r, in, raw)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func (s *stand) answer(w http.ResponseWriter, r *http.Request, in asked, raw []byte) (int, string) {
	kind := strings.Split(r.URL.Path+"/////", "/")[4]
	switch {
	case r.Header.Get("Authorization") != "Bearer right":
		return 401, `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION"}`
	case s.busy:
		s.busy = false
		return 429, `{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`
	case s.garble != nil:
		g := *s.garble
		s.garble = nil
		return g.status, g.body
	case strings.HasSuffix(r.URL.Path, "/batch/read"):
		return s.read(kind, in)
	case strings.HasSuffix(r.URL.Path, "/batch/create"):
		return s.create(kind, in)
	case strings.HasSuffix(r.URL.Path, "/batch/update"):
		return s.update(kind, in)
	case strings.HasSuffix(r.URL.Path, "/gdpr-delete"):
		delete(s.objects[kind], in.ObjectID)
		return 204, ""
	case strings.HasSuffix(r.URL.Path, "/status/email/bulk"):
		return s.statuses(raw)
	case strings.HasSuffix(r.URL.Path, "subscribe"):
		return s.subscribe(in, strings.HasSuffix(r.URL.Path, "/unsubscribe"))
	}
	w.Header().Set("X-Unknown", r.URL.Path)
	return 404, `{"status":"error","category":"NO_ROUTE"}`
}

func shown(id string, p map[string]string) string {
	b, _ := json.Marshal(map[string]any{"id": id, "properties": p, "createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z"})
	return string(b)
}

func said(ok int, results, errors []string) (int, string) {
	more := ""
	if len(errors) > 0 {
		ok, more = 207, fmt.Sprintf(`,"numErrors":%d,"errors":[%s]`, len(errors), strings.Join(errors, ","))
	}
	return ok, `{"status":"COMPLETE","results":[` + strings.Join(results, ",") + `]` + more + `}`
}

func (s *stand) by(kind, property, value string) string {
	for id, p := range s.objects[kind] {
		if property == "" && id == value || property != "" && p[property] == value {
			return id
		}
	}
	return ""
}

func (s *stand) read(kind string, in asked) (int, string) {
	var results, errors []string
	for _, i := range in.Inputs {
		if id := s.by(kind, in.IDProperty, i.ID); id != "" {
			results = append(results, shown(id, s.objects[kind][id]))
		} else {
			errors = append(errors, `{"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some objects","context":{"ids":["`+i.ID+`"]}}`)
		}
	}
	return said(200, results, errors)
}

func (s *stand) wrong(kind string, p map[string]string) string {
	for at, v := range p {
		if at == "phone" && v == "+212699999999" {
			return `"category":"VALIDATION_ERROR","message":"Property values were not valid","errors":[{"code":"INVALID_PHONE"}]`
		}
		unique := at == "email" || at == "hub_customer_id" || at == "hub_order_id"
		if other := s.by(kind, at, v); unique && v != "" && other != "" {
			return `"category":"CONFLICT","message":"Contact already exists. Existing ID: ` + other + `"`
		}
	}
	return ""
}

func (s *stand) create(kind string, in asked) (int, string) {
	for _, i := range in.Inputs { // all or none
		if why := s.wrong(kind, i.Properties); why != "" {
			return 400, `{"status":"error",` + why + `}`
		}
	}
	var results []string
	for _, i := range in.Inputs {
		s.next++
		id := strconv.Itoa(100 + s.next)
		s.objects[kind][id] = i.Properties
		for _, a := range i.Associations {
			s.ties[id] = a.To.ID
		}
		results = append(results, shown(id, i.Properties))
	}
	return said(201, results, nil)
}

func (s *stand) update(kind string, in asked) (int, string) {
	var results, errors []string
	for _, i := range in.Inputs {
		o := s.objects[kind][i.ID]
		if o == nil {
			errors = append(errors, `{"status":"error","category":"OBJECT_NOT_FOUND","message":"not there","context":{"ids":["`+i.ID+`"]}}`)
			continue
		}
		for at, v := range i.Properties {
			o[at] = v
		}
		results = append(results, shown(i.ID, o))
	}
	return said(200, results, errors)
}

func (s *stand) statuses(raw []byte) (int, string) {
	var emails []string
	_ = json.Unmarshal(raw, &emails)
	all := map[string]any{}
	for _, e := range emails {
		one := map[string]string{"id": mails, "name": "Offres", "status": "SUBSCRIBED", "sourceOfStatus": "SUBSCRIPTION_STATUS"}
		if s.left[e] != "" {
			one["status"] = "NOT_SUBSCRIBED"
		}
		all[strings.ToUpper(e)] = []any{one, map[string]string{"id": "1", "status": "NOT_SUBSCRIBED", "sourceOfStatus": "SUBSCRIPTION_STATUS"}}
	}
	b, _ := json.Marshal(map[string]any{"recipientToSubscriptionStatuses": all})
	return 200, string(b)
}

func (s *stand) subscribe(in asked, not bool) (int, string) {
	switch {
	case in.SubscriptionID != mails || in.LegalBasis == "":
		return 400, `{"status":"error","category":"VALIDATION_ERROR","message":"no such subscription"}`
	case not && s.left[in.EmailAddress] != "":
		return 400, `{"status":"error","category":"VALIDATION_ERROR","message":"` + in.EmailAddress + ` is already unsubscribed from subscription ` + mails + `"}`
	case not:
		s.left[in.EmailAddress] = "refused"
		return 200, `{"id":"` + mails + `","status":"NOT_SUBSCRIBED"}`
	case s.left[in.EmailAddress] == "left":
		return 400, `{"status":"error","category":"VALIDATION_ERROR","message":"cannot be updated because they have unsubscribed"}`
	}
	delete(s.left, in.EmailAddress)
	return 200, `{"id":"` + mails + `","status":"SUBSCRIBED"}`
}

func (s *stand) seen(kind, property, id string) (all []crmconform.Seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for remote, p := range s.objects[kind] {
		if p[property] != id {
			continue
		}
		n, _ := strconv.ParseInt(p["hub_points"], 10, 64)
		v, _ := strconv.ParseInt(p["hub_points_version"], 10, 64)
		all = append(all, crmconform.Seen{
			RemoteID: remote, Name: p["firstname"], Email: p["email"], Phone: p["phone"], Points: n, Version: v, Amount: p["amount"], Stage: p["dealstage"], Contact: s.ties[remote], Withdrawn: p["hub_consent"] == "withdrawn",
		})
	}
	return all
}

// do makes a change that is no call's.
func (s *stand) do(f func()) { s.mu.Lock(); f(); s.mu.Unlock() }

func driver(t *testing.T, base, token string) *hubspot.Driver {
	t.Helper()
	d, err := hubspot.New(hubspot.Config{BaseURL: base, Token: token, Subscription: mails, Every: 10000, Stages: map[crm.Stage]string{crm.Lost: "perdu"}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
