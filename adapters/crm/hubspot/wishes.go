package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
)

// Wish subscribes a person to the mails that consent is about, or ends that. Who
// refused at HubSpot itself can be subscribed again by nobody else.
func (d *Driver) Wish(ctx context.Context, w crm.Wish) outbound.Result {
	path, basis := "/communication-preferences/v3/unsubscribe", "PROCESS_AND_STORE"
	if w.Granted {
		path, basis = "/communication-preferences/v3/subscribe", "CONSENT_WITH_NOTICE"
	}
	a, r := d.ask(ctx, http.MethodPost, path, map[string]string{
		"emailAddress": w.Email, "subscriptionId": d.c.Subscription, "legalBasis": basis, "legalBasisExplanation": w.Why,
	})
	if r.Outcome != outbound.Succeeded {
		if !w.Granted && r.Outcome == outbound.Declined && strings.Contains(r.Text, "already unsubscribed") {
			return outbound.Result{Outcome: outbound.Succeeded, Code: r.Code}
		}
		return r
	}
	var s struct{ ID, Status string }
	if err := json.Unmarshal(a.Body, &s); err != nil || s.Status == "" {
		return outbound.Result{Outcome: outbound.Unknown, Evidence: a.Body, Err: errors.New("HubSpot's answer names no status")}
	}
	return r
}

// status is one kind of mails, and whether somebody gets them.
type status struct{ ID, Status, SourceOfStatus string }

// refuse says whether a person does not want the mails that consent is about, or
// none of the account's at all.
func refuse(all []status, subscription string) bool {
	return slices.ContainsFunc(all, func(s status) bool {
		return s.Status == "NOT_SUBSCRIBED" && (s.ID == subscription || s.SourceOfStatus == "PORTAL_WIDE_STATUS")
	})
}

// Refusing gives those of some addresses that do not want to be written to.
func (d *Driver) Refusing(ctx context.Context, emails []string) (refusing []string, r outbound.Result) {
	a, r := d.ask(ctx, http.MethodPost, "/communication-preferences/v3/status/email/bulk", emails)
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	var all struct {
		Statuses map[string][]status `json:"recipientToSubscriptionStatuses"`
	}
	if err := json.Unmarshal(a.Body, &all); err != nil || all.Statuses == nil {
		return nil, outbound.Result{Outcome: outbound.Unknown, Evidence: outbound.Redact(a.Body, emails...), Err: errors.New("HubSpot's answer names no statuses")}
	}
	for at, said := range all.Statuses {
		if i := slices.IndexFunc(emails, func(e string) bool { return strings.EqualFold(e, at) }); i >= 0 && refuse(said, d.c.Subscription) {
			refusing = append(refusing, emails[i])
		}
	}
	return refusing, r
}

// Erase has HubSpot forget a person for good, and asks whether it has.
func (d *Driver) Erase(ctx context.Context, e crm.Erasure) (p crm.Proof, r outbound.Result) {
	p.RemoteIDs = []string{}
	if e.RemoteID != "" {
		p.RemoteIDs = append(p.RemoteIDs, e.RemoteID)
	}
	found, r := d.find(ctx, contacts, customer, []string{e.ID})
	if r.Outcome != outbound.Succeeded {
		return p, r
	}
	if there := found[e.ID].ID; there != "" && there != e.RemoteID {
		p.RemoteIDs = append(p.RemoteIDs, there)
	}
	p.Answer = "it knows nobody of this name"
	for _, remote := range p.RemoteIDs {
		a, r := d.ask(ctx, http.MethodPost, contacts.path+"/gdpr-delete", map[string]string{"objectId": remote})
		if r.Outcome != outbound.Succeeded && r.Code != crm.Gone {
			return p, r
		}
		p.Answer = http.StatusText(a.Status)
	}
	return d.confirm(ctx, e, p)
}

// confirm looks whether anybody of our name, or of theirs, is still there.
func (d *Driver) confirm(ctx context.Context, e crm.Erasure, p crm.Proof) (crm.Proof, outbound.Result) {
	named, r := d.find(ctx, contacts, customer, []string{e.ID})
	if r.Outcome != outbound.Succeeded {
		return p, r
	}
	theirs, r := d.find(ctx, contacts, "", p.RemoteIDs)
	if r.Outcome != outbound.Succeeded {
		return p, r
	}
	if len(named)+len(theirs) > 0 {
		return p, outbound.Result{Outcome: outbound.Unknown, Err: errors.New("HubSpot says that it forgot a person, and still knows it")}
	}
	p.Checked = "not found by our name nor by its own"
	return p, r
}
