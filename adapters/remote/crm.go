package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// crmPath is where a connector speaks crm.v1.
const crmPath = "/crm/v1"

// CRM speaks crm.v1 behind the port of customer relation systems: people and
// orders are put by our id as they stand now, so that a second time changes nothing.
type CRM struct{ n *Connector }

// NewCRM is the driver of a connector that speaks crm.v1, with the features of its
// manifest: points and wishes. Each can forget people.
func NewCRM(n *Connector, features []string) crm.Driver {
	d, c := &CRM{n}, Capability{Features: features}
	points, wishes := c.Has("points"), c.Has("wishes")
	switch {
	case points && wishes:
		return struct {
			*CRM
			pointing
			wishing
		}{d, pointing{d}, wishing{d}}
	case points:
		return struct {
			*CRM
			pointing
		}{d, pointing{d}}
	case wishes:
		return struct {
			*CRM
			wishing
		}{d, wishing{d}}
	}
	return d
}

// pointing is a system that keeps points, wishing one that writes to people.
type (
	pointing struct{ of *CRM }
	wishing  struct{ of *CRM }
)

var _ interface {
	crm.Driver
	crm.Eraser
	crm.Prober
} = &CRM{}

// Name names the driver.
func (d *CRM) Name() string { return "remote" }

// Probe asks whether we are let in.
func (d *CRM) Probe(ctx context.Context) outbound.Result {
	_, r := d.n.tell(ctx, http.MethodGet, crmPath+"/ping", nil)
	return r
}

// tell asks a connector that moves no money for something, and reads what its
// answer means. NotSent is, besides what never left, only 429 rate_limited and 401
// unauthenticated, by which it promises that it did nothing; Declined only 422 with
// a code that is final; NotFound only a 404 with a code of its own.
func (n *Connector) tell(ctx context.Context, method, path string, body any) (outbound.Answer, outbound.Result) {
	return n.tellOnce(ctx, method, path, "", body)
}

// tellOnce is tell of what must happen once, under a key.
func (n *Connector) tellOnce(ctx context.Context, method, path, key string, body any) (outbound.Answer, outbound.Result) {
	q := request{method: method, path: path, key: key}
	if body != nil {
		var err error
		if q.body, err = json.Marshal(body); err != nil {
			return outbound.Answer{}, unfit(err.Error())
		}
		if len(q.body) > outbound.MaxAnswer {
			return outbound.Answer{}, unfit("it has more than 1 MiB")
		}
	}
	a, r, ok := n.call(ctx, q)
	if ok {
		return a, outbound.Result{Outcome: outbound.Succeeded}
	}
	p := problem(a)
	switch {
	case p.Code == "" || r.Outcome == outbound.NotSent:
	case a.Status == http.StatusTooManyRequests && p.Code == "rate_limited":
		r.Outcome, r.RetryAfter = outbound.NotSent, max(r.RetryAfter, time.Second)
	case a.Status == http.StatusUnprocessableEntity && slices.Contains(finals, p.Code):
		return a, outbound.Result{Outcome: outbound.Declined, Code: refusal(p), Text: p.Detail, Evidence: r.Evidence}
	case a.Status == http.StatusNotFound && slices.Contains(absences, p.Code):
		return a, outbound.Result{Outcome: outbound.NotFound}
	default:
		r.Code, r.Text = p.Code, p.Detail
	}
	return a, r
}

var (
	// finals are the codes by which something is refused for good.
	finals = []string{"refused", "invalid", "left", "unreachable", "opted_out", "template_unknown"}
	// absences are the codes by which there is no such thing.
	absences = []string{"contact_not_found", "deal_not_found", "message_not_found"}
)

// unread is what an answer means that is not what was agreed.
func unread(a outbound.Answer, err error) outbound.Result {
	return outbound.Result{Outcome: outbound.Unknown, Evidence: a.Body, Err: fmt.Errorf("the connector's answer is not the protocol's: %w", err)}
}

// The bodies of crm.v1.
type (
	contactBody struct {
		ID        string `json:"id"`
		Name      string `json:"name,omitempty"`
		Email     string `json:"email,omitempty"`
		Phone     string `json:"phone,omitempty"`
		Lang      string `json:"lang,omitempty"`
		Withdrawn bool   `json:"withdrawn"`
	}
	dealBody struct {
		ID      string      `json:"id"`
		Contact string      `json:"contact"`
		Name    string      `json:"name"`
		Amount  money.Money `json:"amount"`
		Stage   crm.Stage   `json:"stage"`
		At      string      `json:"at"`
	}
	pointsBody struct {
		ID      string `json:"id"`
		Contact string `json:"contact"`
		Points  int64  `json:"points"`
		Tier    string `json:"tier,omitempty"`
		Version int64  `json:"version"`
	}
	contactsBody struct {
		Contacts []contactBody `json:"contacts"`
	}
)

// RenderContacts makes the body that puts people.
func RenderContacts(all []crm.Contact) ([]byte, error) { return json.Marshal(contactsOf(all)) }

func contactsOf(all []crm.Contact) contactsBody {
	out := contactsBody{make([]contactBody, len(all))}
	for i, c := range all {
		if out.Contacts[i] = (contactBody{c.ID, c.Name, c.Email, c.Phone, c.Lang, false}); c.Withdrawn {
			out.Contacts[i] = contactBody{ID: c.ID, Withdrawn: true}
		}
	}
	return out
}

// PutContacts puts people.
func (d *CRM) PutContacts(ctx context.Context, all []crm.Contact) ([]crm.Put, outbound.Result) {
	return put(ctx, d, "/contacts", contactsOf(all), all, func(c crm.Contact) string { return c.ID })
}

// PutDeals puts orders.
func (d *CRM) PutDeals(ctx context.Context, all []crm.Deal) ([]crm.Put, outbound.Result) {
	out := make([]dealBody, len(all))
	for i, o := range all {
		out[i] = dealBody{o.ID, o.ContactID, o.Name, o.Amount, o.Stage, o.At.UTC().Format(time.RFC3339)}
	}
	return put(ctx, d, "/deals", map[string][]dealBody{"deals": out}, all, func(o crm.Deal) string { return o.ID })
}

// PutPoints puts what people have in points.
func (p pointing) PutPoints(ctx context.Context, all []crm.Points) ([]crm.Put, outbound.Result) {
	out := make([]pointsBody, len(all))
	for i, x := range all {
		out[i] = pointsBody{x.ID, x.ContactID, x.Points, x.Tier, x.Version}
	}
	return put(ctx, p.of, "/points", map[string][]pointsBody{"points": out}, all, func(x crm.Points) string { return x.ID })
}

var (
	remoteShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$`)
	codeShape   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// put puts some of a kind and reads what became of each: the connector answers by
// our ids, each once, and by none that it was not given.
func put[T any](ctx context.Context, d *CRM, path string, body any, all []T, id func(T) string) ([]crm.Put, outbound.Result) {
	a, r := d.n.tell(ctx, http.MethodPost, crmPath+path, body)
	if r.Outcome != outbound.Succeeded {
		if r.Outcome == outbound.NotFound {
			r = unread(a, errors.New("404 to many at once"))
		}
		return nil, r
	}
	var said struct {
		Data *[]struct {
			ID       string `json:"id"`
			RemoteID string `json:"remote_id"`
			Refused  string `json:"refused"`
		} `json:"data"`
	}
	if err := strict.Object(a.Body, &said); err != nil || said.Data == nil {
		return nil, unread(a, errors.Join(err, errors.New("data lists what became of each")))
	}
	asked := map[string]bool{}
	for _, x := range all {
		asked[id(x)] = true
	}
	puts := make([]crm.Put, 0, len(all))
	for i, p := range *said.Data {
		if !asked[p.ID] || (p.Refused == "") == (p.RemoteID == "") || p.RemoteID != "" && !remoteShape.MatchString(p.RemoteID) || p.Refused != "" && !codeShape.MatchString(p.Refused) {
			return nil, unread(a, fmt.Errorf("data[%d] of %q: each of those that were put once, with remote_id or refused", i, cut(p.ID, 40)))
		}
		asked[p.ID] = false
		puts = append(puts, crm.Put{ID: p.ID, RemoteID: p.RemoteID, Refused: p.Refused})
	}
	return puts, r
}

// Wish tells whether a person wants to be written to. Who left at the system itself
// is brought back by nobody else: Declined.
func (w wishing) Wish(ctx context.Context, wish crm.Wish) outbound.Result {
	a, r := w.of.n.tell(ctx, http.MethodPost, crmPath+"/wishes", map[string]any{"email": wish.Email, "granted": wish.Granted, "why": wish.Why})
	if r.Outcome != outbound.Succeeded {
		r.Evidence = outbound.Redact(r.Evidence, wish.Email)
		return r
	}
	var said struct {
		Granted *bool `json:"granted"`
	}
	if err := strict.Object(a.Body, &said); err != nil || said.Granted == nil || *said.Granted != wish.Granted {
		return unread(outbound.Answer{}, errors.Join(err, errors.New("it does not repeat what was said")))
	}
	return r
}

// Refusing gives those of some addresses that do not want to be written to. It is a
// POST so that no address stands in anybody's log.
func (w wishing) Refusing(ctx context.Context, emails []string) ([]string, outbound.Result) {
	a, r := w.of.n.tell(ctx, http.MethodPost, crmPath+"/wishes/refusing", map[string]any{"emails": emails})
	if r.Outcome != outbound.Succeeded {
		r.Evidence = outbound.Redact(r.Evidence, emails...)
		return nil, r
	}
	var said struct {
		Refusing *[]string `json:"refusing"`
	}
	err := strict.Object(a.Body, &said)
	if err != nil || said.Refusing == nil || slices.ContainsFunc(*said.Refusing, func(e string) bool { return !slices.Contains(emails, e) }) {
		return nil, unread(outbound.Answer{}, errors.Join(err, errors.New("refusing lists some of those that were asked about")))
	}
	return *said.Refusing, r
}

// Erase has a person forgotten, and asks for it afterwards: only 404
// contact_not_found shows that it was.
func (d *CRM) Erase(ctx context.Context, e crm.Erasure) (p crm.Proof, r outbound.Result) {
	p.RemoteIDs = []string{}
	a, r := d.n.tell(ctx, http.MethodPost, crmPath+"/erasures", map[string]string{"id": e.ID, "remote_id": e.RemoteID})
	if r.Outcome != outbound.Succeeded {
		return p, r
	}
	var said struct {
		ID     string    `json:"id"`
		Forgot *[]string `json:"forgot"`
	}
	err := strict.Object(a.Body, &said)
	if err != nil || said.ID != e.ID || said.Forgot == nil || len(*said.Forgot) > 100 || slices.ContainsFunc(*said.Forgot, func(s string) bool { return !remoteShape.MatchString(s) }) {
		return p, unread(a, errors.Join(err, errors.New("id is ours, and forgot lists whom")))
	}
	p.RemoteIDs, p.Answer = append(p.RemoteIDs, *said.Forgot...), http.StatusText(a.Status)
	if _, r = d.n.tell(ctx, http.MethodGet, crmPath+"/contacts/"+e.ID, nil); r.Outcome == outbound.Succeeded {
		return p, outbound.Result{Outcome: outbound.Unknown, Err: errors.New("the system says that it forgot a person, and still knows it")}
	}
	if r.Outcome != outbound.NotFound {
		return p, r
	}
	p.Checked = "contact_not_found"
	return p, outbound.Result{Outcome: outbound.Succeeded}
}
