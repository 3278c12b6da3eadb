// Package crm plays an account of HubSpot's CRM: contacts and deals in batches,
// subscriptions to mails, and forgetting people for good.
package crm

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/door"
	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// Secrets are what the account and its customer share.
type Secrets struct {
	Token string `json:"token"`
}

// Subscription is the account's one type of mails.
const Subscription = "4711"

// faults are those that a call can play.
var faults = []string{"drop_request", "rate_limited", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "contradicts_itself", "slow_body"}

// An object is a contact or a deal.
type object struct {
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties"`
	Contact    string            `json:"contact,omitempty"` // a deal's
}

// CRM is the stand-in. Make it with New before the journal is loaded, and serve
// Routes.
type CRM struct {
	Secrets Secrets

	world    *world.World
	objects  map[string]*journal.Table[object] // contacts, deals; by id
	refusals *journal.Table[string]            // by address: "here", or by whose API call

	// Connector is the door to a second system, by crm.v1.
	Connector *door.Door
	second    *system
}

// New makes an account.
func New(w *world.World) *CRM {
	second := newSystem(w)
	return &CRM{
		Connector: second.Door, second: second,
		world:    w,
		objects:  map[string]*journal.Table[object]{"contacts": journal.NewTable[object](w.Journal, "crm_contacts"), "deals": journal.NewTable[object](w.Journal, "crm_deals")},
		refusals: journal.NewTable[string](w.Journal, "crm_refusals"),
	}
}

// Routes adds the account, what it has, and how a person refuses there.
func (c *CRM) Routes(mux *http.ServeMux) {
	for _, kind := range []string{"contacts", "deals"} {
		at := "POST /hubspot/crm/v3/objects/" + kind
		mux.HandleFunc(at+"/batch/read", c.call(c.read(kind)))
		mux.HandleFunc(at+"/batch/create", c.call(c.create(kind)))
		mux.HandleFunc(at+"/batch/update", c.call(c.update(kind)))
	}
	mux.HandleFunc("POST /hubspot/crm/v3/objects/contacts/gdpr-delete", c.call(c.forget))
	mux.HandleFunc("GET /hubspot/communication-preferences/v3/definitions", c.call(func(*journal.Tx, asked) (int, any) {
		return http.StatusOK, map[string]any{"subscriptionDefinitions": []any{map[string]any{"id": Subscription, "name": "Offres", "isActive": true}}}
	}))
	mux.HandleFunc("POST /hubspot/communication-preferences/v3/subscribe", c.call(c.subscribe))
	mux.HandleFunc("POST /hubspot/communication-preferences/v3/unsubscribe", c.call(c.unsubscribe))
	mux.HandleFunc("POST /hubspot/communication-preferences/v3/status/email/bulk", c.call(c.statuses))
	mux.HandleFunc("GET /hubspot/objects.json", c.truth)
	mux.HandleFunc("POST /hubspot/refusals", c.refuse)
	c.Connector.Routes(mux, c.second.answer)
	mux.HandleFunc("GET "+c.Connector.Base()+"/objects.json", c.second.truth)
}

// asked are the bodies that are understood.
type asked struct {
	IDProperty string `json:"idProperty"`
	Inputs     []struct {
		ID           string
		Properties   map[string]string
		Associations []struct{ To struct{ ID string } }
	}
	ObjectID, EmailAddress, SubscriptionID, LegalBasis string

	emails []string // a body that is a list
}

// answer does a call in a change of the journal, and says what to answer.
type answer func(tx *journal.Tx, in asked) (status int, body any)

// call serves a call, or plays a fault.
func (c *CRM) call(do answer) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if !provider.Same(r.Header.Get("Authorization"), "Bearer "+c.Secrets.Token) {
			reply(rw, http.StatusUnauthorized, failure("INVALID_AUTHENTICATION", "Authentication credentials not found."), false)
			return
		}
		var in asked
		if err := in.from(rw, r); err != nil {
			reply(rw, http.StatusBadRequest, failure("VALIDATION_ERROR", "Invalid input JSON"), false)
			return
		}
		fault, err := c.world.TakeNow(world.CRM, faults...)
		if err != nil {
			world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
			return
		}
		switch fault {
		case "drop_request":
			provider.Drop(rw)
			return
		case "rate_limited":
			out := failure("RATE_LIMITS", "You have reached your ten_secondly_rolling limit.")
			out["policyName"] = "TEN_SECONDLY_ROLLING"
			reply(rw, http.StatusTooManyRequests, out, false)
			return
		case "execute_late": // when nobody waits any more
			wait := time.NewTimer(provider.Lateness)
			defer wait.Stop()
			select {
			case <-wait.C:
			case <-r.Context().Done():
			}
		}
		var status int
		var body any
		err = c.world.Journal.Update(func(tx *journal.Tx) error {
			status, body = do(tx, in)
			return nil
		})
		switch {
		case err != nil:
			world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		case fault == "execute_then_drop", fault == "execute_late":
			provider.Drop(rw)
		case fault == "execute_then_500":
			reply(rw, http.StatusInternalServerError, failure("INTERNAL_ERROR", "internal error"), false)
		case fault == "execute_then_garbage":
			provider.Reply(rw, "application/json", http.StatusOK, []byte(`{"status":"COMPLETE","results":[{"id":`), false)
		case fault == "contradicts_itself":
			reply(rw, http.StatusBadRequest, failure("VALIDATION_ERROR", "Property values were not valid"), false)
		default:
			reply(rw, status, body, fault == "slow_body")
		}
	}
}

func (in *asked) from(rw http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return nil
	}
	var raw json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<20)).Decode(&raw); err != nil {
		return err
	}
	if strings.HasPrefix(string(raw), "[") {
		return json.Unmarshal(raw, &in.emails)
	}
	return json.Unmarshal(raw, in)
}

func reply(rw http.ResponseWriter, status int, v any, slowly bool) {
	if status == http.StatusNoContent {
		rw.WriteHeader(status)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("crm: " + err.Error()) // of our own making
	}
	provider.Reply(rw, "application/json", status, b, slowly)
}

func failure(category, message string) map[string]any {
	return map[string]any{"status": "error", "category": category, "message": message, "correlationId": "00000000-0000-0000-0000-000000000000"}
}

// missing is that an object of a batch is not there.
func missing(id string) map[string]any {
	out := failure("OBJECT_NOT_FOUND", "Could not get some of the objects")
	out["context"] = map[string][]string{"ids": {id}}
	return out
}

func batch(status int, results []any, errors []any) (int, any) {
	if results == nil {
		results = []any{}
	}
	out := map[string]any{"status": "COMPLETE", "results": results, "startedAt": "2026-11-01T00:00:00Z", "completedAt": "2026-11-01T00:00:00Z"}
	if len(errors) > 0 {
		status, out["errors"], out["numErrors"] = http.StatusMultiStatus, errors, len(errors)
	}
	return status, out
}

func (o object) view() any {
	return map[string]any{"id": o.ID, "properties": o.Properties, "createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z", "archived": false}
}

// find is the object whose property has a value; its id, when there is no name.
func (c *CRM) find(tx *journal.Tx, kind, property, value string) (object, bool) {
	if property == "" {
		return c.objects[kind].Get(tx, value)
	}
	for _, o := range c.objects[kind].All(tx) {
		if o.Properties[property] == value {
			return o, true
		}
	}
	return object{}, false
}

func (c *CRM) read(kind string) answer {
	return func(tx *journal.Tx, in asked) (int, any) {
		var found, errors []any
		for _, i := range in.Inputs {
			if o, ok := c.find(tx, kind, in.IDProperty, i.ID); ok {
				found = append(found, o.view())
			} else {
				errors = append(errors, missing(i.ID))
			}
		}
		return batch(http.StatusOK, found, errors)
	}
}

// unique are the properties of which no two objects have one value.
var unique = []string{"email", "hub_customer_id", "hub_order_id"}

// create makes all of a batch or none.
func (c *CRM) create(kind string) answer {
	return func(tx *journal.Tx, in asked) (int, any) {
		for _, i := range in.Inputs {
			for _, p := range unique {
				if other, ok := c.find(tx, kind, p, i.Properties[p]); ok && i.Properties[p] != "" {
					return http.StatusConflict, failure("CONFLICT", "Contact already exists. Existing ID: "+other.ID)
				}
			}
		}
		var made []any
		for _, i := range in.Inputs {
			o := object{ID: strconv.FormatInt(500+c.world.Next(tx, "crm"), 10), Properties: i.Properties}
			for _, a := range i.Associations {
				o.Contact = a.To.ID
			}
			c.objects[kind].Put(tx, o.ID, o)
			made = append(made, o.view())
		}
		return batch(http.StatusCreated, made, nil)
	}
}

func (c *CRM) update(kind string) answer {
	return func(tx *journal.Tx, in asked) (int, any) {
		var done, errors []any
		for _, i := range in.Inputs {
			o, ok := c.objects[kind].Get(tx, i.ID)
			if !ok {
				errors = append(errors, missing(i.ID))
				continue
			}
			o.Properties = maps.Clone(o.Properties)
			maps.Copy(o.Properties, i.Properties)
			c.objects[kind].Put(tx, o.ID, o)
			done = append(done, o.view())
		}
		return batch(http.StatusOK, done, errors)
	}
}

func (c *CRM) forget(tx *journal.Tx, in asked) (int, any) {
	c.objects["contacts"].Delete(tx, in.ObjectID)
	return http.StatusNoContent, nil
}

// Who refused: the person itself, or by the API.
const (
	itself = "itself"
	byAPI  = "api"
)

func (c *CRM) subscribe(tx *journal.Tx, in asked) (int, any) {
	at := strings.ToLower(in.EmailAddress)
	switch who, _ := c.refusals.Get(tx, at); {
	case in.SubscriptionID != Subscription:
		return http.StatusNotFound, failure("OBJECT_NOT_FOUND", "There is no such subscription")
	case who == itself:
		return http.StatusBadRequest, failure("VALIDATION_ERROR", at+" cannot be updated because they have unsubscribed")
	}
	c.refusals.Delete(tx, at)
	return http.StatusOK, map[string]string{"id": Subscription, "name": "Offres", "status": "SUBSCRIBED"}
}

func (c *CRM) unsubscribe(tx *journal.Tx, in asked) (int, any) {
	at := strings.ToLower(in.EmailAddress)
	if _, ok := c.refusals.Get(tx, at); ok {
		return http.StatusBadRequest, failure("VALIDATION_ERROR", at+" is already unsubscribed from subscription "+in.SubscriptionID)
	}
	c.refusals.Put(tx, at, byAPI)
	return http.StatusOK, map[string]string{"id": Subscription, "name": "Offres", "status": "NOT_SUBSCRIBED"}
}

func (c *CRM) statuses(tx *journal.Tx, in asked) (int, any) {
	all := map[string]any{}
	for _, e := range in.emails {
		one := map[string]string{"id": Subscription, "name": "Offres", "description": "", "status": "SUBSCRIBED", "sourceOfStatus": "SUBSCRIPTION_STATUS"}
		if _, ok := c.refusals.Get(tx, strings.ToLower(e)); ok {
			one["status"] = "NOT_SUBSCRIBED"
		}
		all[e] = []any{one}
	}
	return http.StatusOK, map[string]any{"recipientToSubscriptionStatuses": all}
}

// truth shows what the account has.
func (c *CRM) truth(rw http.ResponseWriter, _ *http.Request) {
	out := map[string]any{}
	c.world.Journal.View(func(tx *journal.Tx) {
		for kind, t := range c.objects {
			all := t.All(tx)
			slices.SortFunc(all, func(a, b object) int { return strings.Compare(a.ID, b.ID) })
			out[kind] = append([]object{}, all...)
		}
		out["refusals"] = append([]string{}, c.refusals.Keys(tx)...)
	})
	world.Answer(rw, http.StatusOK, out)
}

// refuse has a person follow the link of a mail that it does not want.
func (c *CRM) refuse(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Email string `json:"email"`
	}
	if !world.Read(rw, r, &in) {
		return
	}
	err := c.world.Journal.Update(func(tx *journal.Tx) error {
		c.refusals.Put(tx, strings.ToLower(in.Email), itself)
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, map[string]string{"email": in.Email, "status": "NOT_SUBSCRIBED"})
}
