package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
)

// A record is a contact or a deal of theirs.
type record struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
}

func (r record) is(property string) string {
	if v := r.Properties[property]; v != nil {
		return *v
	}
	return ""
}

// object is what is put: its properties, and whose it is.
type object struct {
	id, remote string // ours and theirs
	email      string // of a contact: whoever has it already is the same person
	properties map[string]string
	contact    string // of a deal
	known      bool   // it is changed if it is there, and not made
}

// batch is what HubSpot answers about many.
type batch struct {
	Status  string    `json:"status"`
	Results []record  `json:"results"`
	Errors  []failure `json:"errors"`
}

// kind is contacts or deals, and the property that holds our name of one.
type kind struct{ path, property string }

var (
	contacts = kind{"/crm/v3/objects/contacts", customer}
	deals    = kind{"/crm/v3/objects/deals", order}
)

// dealOfContact is HubSpot's own number of the tie between a deal and its contact.
const dealOfContact = 3

// many makes a call about many and reads the answer.
func (d *Driver) many(ctx context.Context, path string, body any) (b batch, r outbound.Result) {
	a, r := d.ask(ctx, http.MethodPost, path, body)
	if r.Outcome != outbound.Succeeded {
		return b, r
	}
	if err := json.Unmarshal(a.Body, &b); err != nil || b.Status != "COMPLETE" || b.Results == nil {
		return b, outbound.Result{Outcome: outbound.Unknown, Code: strconv.Itoa(a.Status), Evidence: a.Body, Err: errors.New("HubSpot's answer is no batch that is complete")}
	}
	return b, r
}

// find reads those that have some values of a unique property: by the value.
func (d *Driver) find(ctx context.Context, k kind, property string, values []string) (map[string]record, outbound.Result) {
	found := map[string]record{}
	if len(values) == 0 {
		return found, outbound.Result{Outcome: outbound.Succeeded}
	}
	in := map[string]any{"properties": []string{k.property, "email"}, "propertiesWithHistory": []string{}, "inputs": ids(values)}
	if property != "" {
		in["idProperty"] = property
	}
	b, r := d.many(ctx, k.path+"/batch/read", in)
	if r.Outcome == outbound.Declined && r.Code == crm.Gone { // it knows none of them
		return found, outbound.Result{Outcome: outbound.Succeeded}
	}
	for _, rec := range b.Results {
		at := rec.ID
		if property != "" {
			at = rec.is(property)
		}
		found[at] = rec
	}
	return found, r
}

func ids(values []string) []map[string]string {
	out := make([]map[string]string, len(values))
	for i, v := range values {
		out[i] = map[string]string{"id": v}
	}
	return out
}

// put puts objects: those that are there are changed, the others made. It looks
// first, so that one whose answer was lost is not made twice.
func (d *Driver) put(ctx context.Context, k kind, all []object) (puts []crm.Put, r outbound.Result) {
	all = slices.Clone(all)
	if puts, r = d.recognise(ctx, k, all); r.Outcome != outbound.Succeeded {
		return puts, r
	}
	var there, fresh []object
	for _, o := range all {
		switch {
		case slices.ContainsFunc(puts, func(p crm.Put) bool { return p.ID == o.id }):
		case o.remote != "":
			there = append(there, o)
		case o.known:
			puts = append(puts, crm.Put{ID: o.id, Refused: crm.Gone})
		default:
			fresh = append(fresh, o)
		}
	}
	changed, r := d.change(ctx, k, there)
	if puts = append(puts, changed...); r.Outcome != outbound.Succeeded {
		return puts, r
	}
	made, r := d.create(ctx, k, fresh)
	return append(puts, made...), r
}

// recognise finds those that HubSpot has, by our name or by their address. It
// gives those whose address is somebody else's.
func (d *Driver) recognise(ctx context.Context, k kind, all []object) (puts []crm.Put, r outbound.Result) {
	var names []string
	for _, o := range all {
		if o.remote == "" {
			names = append(names, o.id)
		}
	}
	known, r := d.find(ctx, k, k.property, names)
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	var emails []string
	for i, o := range all {
		if o.remote == "" {
			all[i].remote = known[o.id].ID
		}
		if all[i].remote == "" && o.email != "" {
			emails = append(emails, o.email)
		}
	}
	byEmail, r := d.find(ctx, k, "email", emails)
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	for i, o := range all {
		switch same := byEmail[o.email]; {
		case o.remote != "" || same.ID == "":
		case same.is(k.property) != "" && same.is(k.property) != o.id:
			puts = append(puts, crm.Put{ID: o.id, Refused: "email_of_another"})
		default:
			all[i].remote = same.ID
		}
	}
	return puts, r
}

// change alters objects that are there.
func (d *Driver) change(ctx context.Context, k kind, all []object) ([]crm.Put, outbound.Result) {
	if len(all) == 0 {
		return nil, outbound.Result{Outcome: outbound.Succeeded}
	}
	inputs := make([]map[string]any, len(all))
	for i, o := range all {
		inputs[i] = map[string]any{"id": o.remote, "properties": o.properties}
	}
	b, r := d.many(ctx, k.path+"/batch/update", map[string]any{"inputs": inputs})
	var puts []crm.Put
	for _, o := range all {
		if slices.ContainsFunc(b.Results, func(rec record) bool { return rec.ID == o.remote }) {
			puts = append(puts, crm.Put{ID: o.id, RemoteID: o.remote})
			continue
		}
		for _, f := range b.Errors {
			if slices.Contains(f.Context.IDs, o.remote) || len(all) == 1 {
				puts = append(puts, crm.Put{ID: o.id, Refused: f.code()})
				break
			}
		}
	}
	return puts, r
}

// create makes objects that are not there. Of a failure HubSpot does not say
// whose it is, unless there was only one.
func (d *Driver) create(ctx context.Context, k kind, all []object) ([]crm.Put, outbound.Result) {
	if len(all) == 0 {
		return nil, outbound.Result{Outcome: outbound.Succeeded}
	}
	inputs := make([]map[string]any, len(all))
	for i, o := range all {
		ties := []any{}
		if o.contact != "" {
			ties = append(ties, map[string]any{
				"to": map[string]string{"id": o.contact}, "types": []any{map[string]any{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": dealOfContact}},
			})
		}
		inputs[i] = map[string]any{"properties": o.properties, "associations": ties}
	}
	b, r := d.many(ctx, k.path+"/batch/create", map[string]any{"inputs": inputs})
	var puts []crm.Put
	for _, o := range all {
		i := slices.IndexFunc(b.Results, func(rec record) bool { return rec.is(k.property) == o.id && rec.ID != "" })
		switch {
		case i >= 0:
			puts = append(puts, crm.Put{ID: o.id, RemoteID: b.Results[i].ID})
		case len(all) == 1 && len(b.Errors) > 0:
			puts = append(puts, crm.Put{ID: o.id, Refused: b.Errors[0].code()})
		}
	}
	return puts, r
}

// PutContacts puts people.
func (d *Driver) PutContacts(ctx context.Context, all []crm.Contact) ([]crm.Put, outbound.Result) {
	out := make([]object, len(all))
	for i, c := range all {
		p := map[string]string{customer: c.ID, "hub_consent": "granted", "phone": c.Phone, "hs_language": c.Lang, "firstname": c.Name}
		if c.Withdrawn {
			p = map[string]string{customer: c.ID, "hub_consent": "withdrawn"}
		}
		if c.Email != "" { // HubSpot takes an empty one for a wish to have none
			p["email"] = c.Email
		}
		out[i] = object{id: c.ID, remote: c.RemoteID, email: c.Email, properties: p, known: c.Withdrawn}
	}
	return d.put(ctx, contacts, out)
}

// PutDeals puts orders.
func (d *Driver) PutDeals(ctx context.Context, all []crm.Deal) ([]crm.Put, outbound.Result) {
	out := make([]object, len(all))
	for i, o := range all {
		out[i] = object{id: o.ID, remote: o.RemoteID, contact: o.ContactID, properties: map[string]string{
			order: o.ID, "dealname": o.Name, "amount": o.Amount.Amount(), "pipeline": d.c.Pipeline, "dealstage": d.c.Stages[o.Stage],
			"closedate": o.At.UTC().Format("2006-01-02T15:04:05.000Z"),
		}}
	}
	return d.put(ctx, deals, out)
}

// PutPoints puts what people have in points.
func (d *Driver) PutPoints(ctx context.Context, all []crm.Points) ([]crm.Put, outbound.Result) {
	out := make([]object, len(all))
	for i, p := range all {
		out[i] = object{id: p.ID, remote: p.ContactID, properties: map[string]string{
			"hub_points": strconv.FormatInt(p.Points, 10), "hub_points_version": strconv.FormatInt(p.Version, 10), "hub_tier": p.Tier,
		}}
	}
	return d.change(ctx, contacts, out)
}
