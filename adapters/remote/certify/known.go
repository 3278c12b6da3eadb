package certify

import (
	"context"
	"fmt"
	"net/http"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/strict"
)

// told asks for a person or an order, and holds it to what was said last.
func (r *runner) told(ctx context.Context, s knownStep) error {
	if d := r.relation.deals[s.Of]; d != nil {
		if s.Nobody {
			d.ContactID = ""
		}
		return r.knownDeal(ctx, *d, s)
	}
	p, err := r.who(s.Of)
	if err != nil {
		return err
	}
	return r.knownContact(ctx, *p, s)
}

// ask asks for something by our id; whole is false when there is nothing to compare.
func (r *runner) ask(ctx context.Context, what, path, absent string, s knownStep, into any) (whole bool, err error) {
	a, err := r.call(ctx, http.MethodGet, crmPath+path, "", s.Token, nil)
	switch {
	case err != nil:
		return false, err
	case s.Status != 0:
		return false, is(what, a, []int{s.Status}, s.Code)
	case s.Absent:
		return false, is(what+", which is not to be there,", a, []int{404}, absent)
	}
	if err := is(what, a, []int{200}, ""); err != nil {
		return false, err
	}
	if err := strict.Object(a.Body, into); err != nil {
		return false, fmt.Errorf("%s: %w", what, err)
	}
	return true, nil
}

func (r *runner) knownContact(ctx context.Context, p person, s knownStep) error {
	var got struct {
		crm.Contact
		Remote string `json:"remote_id"`
		Points *struct {
			Points  int64  `json:"points"`
			Tier    string `json:"tier"`
			Version int64  `json:"version"`
		} `json:"points"`
	}
	what := "contact " + p.ID
	if whole, err := r.ask(ctx, what, "/contacts/"+p.ID, "contact_not_found", s, &got); err != nil || !whole {
		return err
	}
	got.RemoteID = p.RemoteID
	if p.Withdrawn { // nothing else of it counts
		p.Name, p.Email, p.Phone, p.Lang = got.Name, got.Email, got.Phone, got.Lang
	}
	switch {
	case p.RemoteID != "" && got.Remote != p.RemoteID:
		return fmt.Errorf("%s is %q, and was %q when it was put", what, got.Remote, p.RemoteID)
	case got.Contact != p.Contact:
		return fmt.Errorf("%s is known as %+v, and was said as %+v", what, got.Contact, p.Contact)
	case p.points != nil && got.Points == nil:
		return fmt.Errorf("%s has no points, and was said to have %d", what, p.points.Points)
	case p.points != nil && (got.Points.Points != p.points.Points || got.Points.Version != p.points.Version || got.Points.Tier != p.points.Tier):
		return fmt.Errorf("%s has %d points by version %d, and was said to have %d by version %d", what, got.Points.Points, got.Points.Version, p.points.Points, p.points.Version)
	}
	return nil
}

func (r *runner) knownDeal(ctx context.Context, d crm.Deal, s knownStep) error {
	var got struct {
		crm.Deal
		Remote  string `json:"remote_id"`
		Contact string `json:"contact"`
	}
	what := "deal " + d.ID
	if whole, err := r.ask(ctx, what, "/deals/"+d.ID, "deal_not_found", s, &got); err != nil || !whole {
		return err
	}
	switch {
	case got.Contact != d.ContactID:
		return fmt.Errorf("%s names the contact %q, want %q", what, got.Contact, d.ContactID)
	case got.Remote != d.RemoteID || got.ID != d.ID || got.Name != d.Name || !got.At.Equal(d.At):
		return fmt.Errorf("%s is known as %+v, and was said as %+v", what, got.Deal, d)
	case got.Stage != d.Stage:
		return fmt.Errorf("%s is %s, and was said to be %s", what, got.Stage, d.Stage)
	case !got.Amount.Equal(d.Amount):
		return fmt.Errorf("%s is of %s, and was said to be of %s", what, got.Amount, d.Amount)
	}
	return nil
}
