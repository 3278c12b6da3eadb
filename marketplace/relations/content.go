package relations

import (
	"context"
	"strings"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/pg"
)

// A saying is what a system is to be told of one link; it has one of the four, or
// a reason why nothing is said.
type saying struct {
	Link
	hash    string
	why     string // it is held
	contact crm.Contact
	wish    crm.Wish
	points  crm.Points
	deal    crm.Deal
}

// facts are what is true now of what some links are about, read in a number of
// queries that does not grow with them.
type facts struct {
	agreed   map[string]bool
	people   map[string]Profile
	remote   map[string]string
	orders   map[string]orders.Brief
	points   map[string]loyalty.Balance
	transfer bool // what is said may be, though it leaves the country
}

func (s *Service) facts(ctx context.Context, tx *pg.Tx, c *crm.CRM, e Entity, all []Link, p Partner) (f facts, err error) {
	f.transfer = !c.Abroad() || p.Transfer != ""
	persons, ids := make([]string, len(all)), make([]string, len(all))
	for i, l := range all {
		persons[i], ids[i] = l.Person, l.LocalID
	}
	if f.agreed, err = agreed(ctx, tx, persons); err != nil {
		return f, err
	}
	if f.remote, err = remotes(ctx, tx, c.ID(), persons); err != nil {
		return f, err
	}
	switch e {
	case Contact, Consent:
		found, err := s.People.Profiles(ctx, tx, persons)
		f.people = by(found, func(p Profile) string { return p.ID })
		return f, err
	case Points:
		found, err := s.Loyalty.Balances(ctx, tx, persons, tx.Now())
		f.points = by(found, func(b loyalty.Balance) string { return b.Person })
		return f, err
	default:
		found, err := s.Orders.Briefs(ctx, tx, ids)
		f.orders = by(found, func(b orders.Brief) string { return b.ID })
		return f, err
	}
}

func by[T any](all []T, key func(T) string) map[string]T {
	out := make(map[string]T, len(all))
	for _, x := range all {
		out[key(x)] = x
	}
	return out
}

// say is what there is to say of a link. What takes back may be said whatever else
// is missing: that is what protects the person.
func (f facts) say(l Link) saying {
	switch l.Entity {
	case Contact:
		return f.sayContact(l)
	case Consent:
		return f.sayConsent(l)
	case Points:
		return f.sayPoints(l)
	}
	return f.sayDeal(l)
}

func (f facts) sayContact(l Link) saying {
	x, p := saying{Link: l}, f.people[l.Person]
	switch {
	case !f.agreed[l.Person] && l.RemoteID == "" && !l.Asked:
		x.why = heldConsent
	case !f.agreed[l.Person]:
		x.contact = crm.Contact{ID: l.Person, RemoteID: l.RemoteID, Withdrawn: true}
	case !f.transfer:
		x.why = heldTransfer
	case p.Phone == "" && p.Email == "":
		x.why = heldAddress
	default:
		x.contact = crm.Contact{ID: l.Person, RemoteID: l.RemoteID, Name: oneLine(p.Name), Email: p.Email, Phone: p.Phone, Lang: p.Lang}
	}
	x.hash = hash(x.contact)
	return x
}

func (f facts) sayConsent(l Link) saying {
	x, p := saying{Link: l}, f.people[l.Person]
	granted := f.agreed[l.Person]
	switch {
	case f.remote[l.Person] == "":
		x.why = heldContact
	case p.Email == "":
		x.why = heldAddress
	case granted && !f.transfer:
		x.why = heldTransfer
	case granted:
		x.wish = crm.Wish{Email: p.Email, Granted: true, Why: "The person agreed to the marketplace's text."}
	default:
		x.wish = crm.Wish{Email: p.Email, Why: "The person took its agreement back."}
	}
	x.hash = hash(x.wish)
	return x
}

// share is why nothing beyond its name is said of a person, or "".
func (f facts) share(person string) string {
	switch {
	case !f.agreed[person]:
		return heldConsent
	case !f.transfer:
		return heldTransfer
	case f.remote[person] == "":
		return heldContact
	}
	return ""
}

func (f facts) sayPoints(l Link) saying {
	x := saying{Link: l, why: f.share(l.Person)}
	b, ok := f.points[l.Person]
	if x.why == "" && !ok {
		x.why = heldGone
	}
	x.points = crm.Points{ID: l.Person, ContactID: f.remote[l.Person], Points: b.Points, Tier: b.Tier, Version: b.Version}
	x.hash = hash(x.points)
	return x
}

func (f facts) sayDeal(l Link) saying {
	x := saying{Link: l, why: f.share(l.Person)}
	b, ok := f.orders[l.LocalID]
	if x.why == "" && !ok {
		x.why = heldGone
	}
	x.deal = crm.Deal{
		ID: l.LocalID, RemoteID: l.RemoteID, ContactID: f.remote[l.Person], Name: "Commande " + strings.ToUpper(l.LocalID[max(0, len(l.LocalID)-6):]),
		Amount: b.Total, Stage: stage(b.State), At: b.CreatedAt,
	}
	x.hash = hash(x.deal)
	return x
}

// oneLine is a name as a system takes it.
func oneLine(name string) string {
	all := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " "))
	return string(all[:min(len(all), 200)])
}

// unchanged says whether a system was told just this.
func (x saying) unchanged() bool { return x.hash == x.ContentHash && x.why == "" }

// An outcome is what becomes of a link.
type outcome struct {
	Link
	again bool // it is still to be said, from DueAt on
	sent  bool
}

// kept is the link of which nothing is said now.
func (x saying) kept() outcome {
	o := outcome{Link: x.Link}
	o.Held, o.Code = x.why, ""
	return o
}
