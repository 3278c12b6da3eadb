package tryton

import (
	"context"
	"errors"
	"strconv"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
)

var (
	errCount = errors.New("the answer of Tryton is not about what it was asked")
	errThere = errors.New("the server says that it forgot a person, and still knows it")
)

// PutContacts puts people. Tryton makes all that are new in one transaction of its
// own, or none; a code that is there already is refused, so that two who put one
// person at once make it once.
func (d *Driver) PutContacts(ctx context.Context, all []crm.Contact) ([]crm.Put, outbound.Result) {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.ID
	}
	known, r := d.found(ctx, "party.party", "code", names, []string{"contact_mechanisms"})
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	var puts []crm.Put
	var fresh, there []crm.Contact
	for _, c := range all {
		switch _, ok := known[c.ID]; {
		case ok:
			there = append(there, c)
		case c.Withdrawn || c.RemoteID != "":
			puts = append(puts, crm.Put{ID: c.ID, Refused: crm.Gone})
		default:
			fresh = append(fresh, c)
		}
	}
	changed, r := alone(there, func(c crm.Contact) string { return c.ID }, func(c crm.Contact) (string, outbound.Result) {
		rec := known[c.ID]
		return strconv.FormatInt(rec.ID, 10), d.write(ctx, "party.party", rec.ID, change(c, rec.Mechanisms))
	})
	if puts = append(puts, changed...); r.Outcome != outbound.Succeeded || len(fresh) == 0 {
		return puts, r
	}
	made, r := d.create(ctx, fresh)
	return append(puts, made...), r
}

// change is what is written of a party: its addresses are put in the place of those
// that it had.
func change(c crm.Contact, mechanisms []int64) map[string]any {
	if c.Withdrawn {
		return map[string]any{"active": false}
	}
	var addresses []any
	if len(mechanisms) > 0 {
		addresses = append(addresses, []any{"delete", mechanisms})
	}
	var fresh []any
	for kind, value := range map[string]string{"mobile": c.Phone, "email": c.Email} {
		if value != "" {
			fresh = append(fresh, map[string]string{"type": kind, "value": value})
		}
	}
	return map[string]any{"name": c.Name, "active": true, "contact_mechanisms": append(addresses, []any{"create", fresh})}
}

// create makes parties.
func (d *Driver) create(ctx context.Context, all []crm.Contact) (puts []crm.Put, r outbound.Result) {
	values := make([]map[string]any, len(all))
	for i, c := range all {
		values[i] = change(c, nil)
		values[i]["code"] = c.ID
	}
	var made []int64
	if r = d.call(ctx, "model.party.party.create", &made, values, map[string]any{}); r.Outcome != outbound.Succeeded {
		return nil, r
	}
	if len(made) != len(all) {
		return nil, outbound.Result{Outcome: outbound.Unknown, Err: errCount}
	}
	for i, c := range all {
		puts = append(puts, crm.Put{ID: c.ID, RemoteID: strconv.FormatInt(made[i], 10)})
	}
	return puts, done
}

// write changes one record.
func (d *Driver) write(ctx context.Context, model string, id int64, values map[string]any) outbound.Result {
	var nothing any
	return d.call(ctx, "model."+model+".write", &nothing, []int64{id}, values, map[string]any{})
}

// state is what stands for a stage: a lead needs nobody who looks after it yet.
var state = map[crm.Stage]string{crm.Created: "lead", crm.Paid: "opportunity", crm.Shipped: "converted", crm.Won: "won", crm.Lost: "lost"}

// PutDeals puts orders. Tryton does not keep references unique: whoever uses this
// puts one order at a time.
func (d *Driver) PutDeals(ctx context.Context, all []crm.Deal) ([]crm.Put, outbound.Result) {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.ID
	}
	known, r := d.found(ctx, "sale.opportunity", "reference", names, nil)
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	return alone(all, func(o crm.Deal) string { return o.ID }, func(o crm.Deal) (string, outbound.Result) { return d.putDeal(ctx, o, known[o.ID].ID) })
}

func (d *Driver) putDeal(ctx context.Context, o crm.Deal, id int64) (string, outbound.Result) {
	party, err := strconv.ParseInt(o.ContactID, 10, 64)
	if err != nil {
		return "", outbound.Result{Outcome: outbound.Declined, Code: "contact"}
	}
	values := map[string]any{
		"party": party, "description": o.Name, "amount": decimal(o.Amount.Amount()), "state": state[o.Stage], "employee": d.c.Employee,
	}
	if id != 0 {
		return strconv.FormatInt(id, 10), d.write(ctx, "sale.opportunity", id, values)
	}
	y, m, day := o.At.UTC().Date()
	values["reference"], values["company"], values["start_date"] = o.ID, d.c.Company, date(y, m, day)
	var made []int64
	r := d.call(ctx, "model.sale.opportunity.create", &made, []any{values}, map[string]any{"company": d.c.Company})
	if r.Outcome == outbound.Succeeded && len(made) != 1 {
		r = outbound.Result{Outcome: outbound.Unknown, Err: errCount}
	}
	if r.Outcome != outbound.Succeeded {
		return "", r
	}
	return strconv.FormatInt(made[0], 10), r
}

// decimal and date are how Tryton's JSON tells what JSON has no type for.
func decimal(amount string) any { return map[string]any{"__class__": "Decimal", "decimal": amount} }

func date(y int, m time.Month, d int) any {
	return map[string]any{"__class__": "date", "year": y, "month": int(m), "day": d}
}

// Erase has Tryton forget a party, as its own wizard does it: name, addresses and
// what was noted of it. The code, which is our name and says nothing, is made one
// that names nobody. What was still open of its orders is ended before, as Tryton
// asks for.
func (d *Driver) Erase(ctx context.Context, e crm.Erasure) (p crm.Proof, r outbound.Result) {
	p.RemoteIDs, p.Answer = []string{}, "it knows nobody of this name"
	known, r := d.found(ctx, "party.party", "code", []string{e.ID}, nil)
	if r.Outcome != outbound.Succeeded {
		return p, r
	}
	if rec, there := known[e.ID]; there {
		p.RemoteIDs = []string{strconv.FormatInt(rec.ID, 10)}
		if r = d.erase(ctx, rec.ID); r.Outcome != outbound.Succeeded {
			return p, r
		}
		p.Answer = "erased by party.erase"
	}
	known, r = d.found(ctx, "party.party", "code", []string{e.ID}, nil)
	if r.Outcome == outbound.Succeeded && len(known) > 0 {
		r = outbound.Result{Outcome: outbound.Unknown, Err: errThere}
	}
	if r.Outcome == outbound.Succeeded {
		p.Checked = "not found by our name"
	}
	return p, r
}

func (d *Driver) erase(ctx context.Context, party int64) outbound.Result {
	var open []int64
	r := d.call(ctx, "model.sale.opportunity.search", &open, []any{[]any{"party", "=", party}, []any{"state", "in", []string{"lead", "opportunity"}}}, 0, nil, nil, map[string]any{})
	if r.Outcome == outbound.Succeeded && len(open) > 0 {
		var nothing any
		r = d.call(ctx, "model.sale.opportunity.write", &nothing, open, map[string]any{"state": "lost"}, map[string]any{})
	}
	if r.Outcome == outbound.Succeeded {
		r = d.write(ctx, "party.party", party, map[string]any{"active": false})
	}
	if r.Outcome == outbound.Succeeded {
		r = d.wizard(ctx, party)
	}
	if r.Outcome == outbound.Succeeded {
		r = d.write(ctx, "party.party", party, map[string]any{"code": "erased-" + strconv.FormatInt(party, 10)})
	}
	return r
}

// wizard plays the dialog by which people erase a party.
func (d *Driver) wizard(ctx context.Context, party int64) outbound.Result {
	var opened []any
	r := d.call(ctx, "wizard.party.erase.create", &opened, map[string]any{})
	if r.Outcome != outbound.Succeeded {
		return r
	}
	if len(opened) != 3 {
		return outbound.Result{Outcome: outbound.Unknown, Err: errCount}
	}
	var nothing any
	r = d.call(ctx, "wizard.party.erase.execute", &nothing, opened[0], map[string]any{"ask": map[string]any{"party": party}}, "erase", map[string]any{})
	if ended := d.call(ctx, "wizard.party.erase.delete", &nothing, opened[0], map[string]any{}); r.Outcome == outbound.Succeeded && ended.Outcome != outbound.Declined {
		r = ended
	}
	return r
}
