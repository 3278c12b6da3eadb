package tryton_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/crmconform"
	"tiwiza/adapters/crm/tryton"
)

// TestConformance holds the driver to the contract against a real Tryton server:
// HUB_TRYTON is where it is, with its user, as in
// http://admin:password@127.0.0.1:8000/hub/.
func TestConformance(t *testing.T) {
	t.Parallel()
	at := os.Getenv("HUB_TRYTON")
	if at == "" {
		t.Skip("HUB_TRYTON does not say where a Tryton server is; make conformance starts one")
	}
	s := open(t, at)
	open := func(addr, password string) crm.Driver {
		base := *s.at
		base.User, base.Host = nil, addr
		d, err := tryton.New(tryton.Config{BaseURL: base.String(), User: s.at.User.Username(), Password: password, Company: s.company, Employee: s.employee})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	right, _ := s.at.User.Password()
	crmconform.Run(t, func(t *testing.T) crmconform.Fixture {
		return crmconform.Fixture{
			Addr:     s.at.Host,
			Dial:     func(addr string) crm.Driver { return open(addr, right) },
			Intruder: func(addr string) crm.Driver { return open(addr, "wrong") },
			Contacts: func(id string) []crmconform.Seen { return s.contacts(t, id) },
			Deals:    func(id string) []crmconform.Seen { return s.deals(t, id) },
			Stage: func(g crm.Stage) string {
				return map[crm.Stage]string{crm.Created: "lead", crm.Paid: "opportunity", crm.Shipped: "converted", crm.Won: "won", crm.Lost: "lost"}[g]
			},
			Step: 40, Deadline: 5 * time.Second,
		}
	})
}

// server is a Tryton server with a company whose sales are looked after.
type server struct {
	at                *url.URL
	d                 *tryton.Driver
	company, employee int64
}

// open signs in, and makes a company with one who works for it, once.
func open(t *testing.T, at string) *server {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil || u.User == nil {
		t.Fatalf("HUB_TRYTON is no address with a user: %v", err)
	}
	base := *u
	base.User = nil
	password, _ := u.User.Password()
	d, err := tryton.New(tryton.Config{BaseURL: base.String(), User: u.User.Username(), Password: password, Company: 1, Employee: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{at: u, d: d}
	if s.company = s.first(t, "company.company"); s.company == 0 {
		currency := s.first(t, "currency.currency")
		if currency == 0 {
			currency = s.make(t, "currency.currency", map[string]any{"name": "Dirham", "symbol": "DH", "code": "MAD"})
		}
		s.company = s.make(t, "company.company", map[string]any{"party": s.make(t, "party.party", map[string]any{"name": "Place de marché (exemple)"}), "currency": currency})
	}
	if s.employee = s.first(t, "company.employee"); s.employee == 0 {
		s.employee = s.make(t, "company.employee", map[string]any{"party": s.make(t, "party.party", map[string]any{"name": "Exemple"}), "company": s.company})
	}
	me := s.ids(t, "res.user", []any{"login", "=", u.User.Username()})
	s.ask(t, "model.res.user.write", nil, me, map[string]any{"companies": []any{[]any{"add", []int64{s.company}}}, "company": s.company, "employees": []any{[]any{"add", []int64{s.employee}}}, "employee": s.employee}, map[string]any{})
	return s
}

func (s *server) ask(t *testing.T, method string, out any, args ...any) {
	t.Helper()
	if out == nil {
		out = new(any)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := s.d.Ask(ctx, method, out, args...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

func (s *server) ids(t *testing.T, model string, where ...any) (ids []int64) {
	t.Helper()
	if where == nil {
		where = []any{}
	}
	s.ask(t, "model."+model+".search", &ids, where, 0, nil, nil, map[string]any{"active_test": false})
	return ids
}

func (s *server) first(t *testing.T, model string) int64 {
	t.Helper()
	if ids := s.ids(t, model); len(ids) > 0 {
		return ids[0]
	}
	return 0
}

func (s *server) make(t *testing.T, model string, values map[string]any) int64 {
	t.Helper()
	var ids []int64
	s.ask(t, "model."+model+".create", &ids, []any{values}, map[string]any{})
	return ids[0]
}

func (s *server) contacts(t *testing.T, id string) (all []crmconform.Seen) {
	t.Helper()
	var found []struct {
		ID                  int64
		Name, Email, Mobile string
		Active              any
	}
	s.ask(t, "model.party.party.search_read", &found, []any{[]any{"code", "=", id}}, 0, nil, nil, []string{"name", "email", "mobile", "active"}, map[string]any{"active_test": false})
	for _, f := range found {
		no := f.Active == false || f.Active == float64(0)
		all = append(all, crmconform.Seen{RemoteID: fmt.Sprint(f.ID), Name: f.Name, Email: f.Email, Phone: f.Mobile, Withdrawn: no})
	}
	return all
}

func (s *server) deals(t *testing.T, id string) (all []crmconform.Seen) {
	t.Helper()
	var found []struct {
		ID, Party int64
		State     string
		Amount    struct{ Decimal string }
	}
	s.ask(t, "model.sale.opportunity.search_read", &found, []any{[]any{"reference", "=", id}}, 0, nil, nil, []string{"party", "state", "amount"}, map[string]any{})
	for _, f := range found {
		all = append(all, crmconform.Seen{RemoteID: fmt.Sprint(f.ID), Contact: fmt.Sprint(f.Party), Stage: f.State, Amount: f.Amount.Decimal})
	}
	return all
}
