package gsma

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

var (
	uuidShape = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	nameShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// Query asks where a request stands. One whose state has a name is asked for by
// it. All others, those whose answer was lost among them, are found by our own
// correlation id: the API gives the link to what became of it.
func (d *Driver) Query(ctx context.Context, ref, known string) wallet.Status {
	if id, ok := strings.CutPrefix(known, pendingName); ok && uuidShape.MatchString(id) {
		if s := d.requestState(ctx, ref, id); s.Outcome != outbound.NotFound {
			return s
		}
	}
	a, r, ok := d.get(ctx, "/responses/"+d.Correlation(ref))
	if !ok {
		return d.lacking(a, r)
	}
	var said struct {
		Link string `json:"link"`
	}
	if err := strict.Object(a.Body, &said); err != nil {
		return unread(r, err)
	}
	what, name := followed(said.Link)
	switch what {
	case "transactions":
		return d.transaction(ctx, ref, name)
	case "requeststates":
		return d.requestState(ctx, ref, name)
	}
	return unread(r, fmt.Errorf("the link is %q", cut(said.Link, 128)))
}

// followed takes a link apart: what it leads to, and its name. Whatever host it
// names, the provider's own is asked.
func followed(link string) (what, name string) {
	u, err := url.Parse(link)
	if err != nil {
		return "", ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return "", ""
	}
	what, name = parts[len(parts)-2], parts[len(parts)-1]
	if what == "transactions" && nameShape.MatchString(name) || what == "requeststates" && uuidShape.MatchString(name) {
		return what, name
	}
	return "", ""
}

func (d *Driver) requestState(ctx context.Context, ref, id string) wallet.Status {
	a, r, ok := d.get(ctx, "/requeststates/"+id)
	if !ok {
		return d.lacking(a, r)
	}
	s := stateOf(r.Evidence)
	if s.State != wallet.Completed {
		return s
	}
	if strings.HasPrefix(s.PartnerID, pendingName) {
		return unread(r, errors.New("the request is completed, and names nothing that it made"))
	}
	return d.transaction(ctx, ref, s.PartnerID)
}

// transaction asks for what a request has made. That it is not there, though its
// request says so, is no proof that it never was.
func (d *Driver) transaction(ctx context.Context, ref, name string) wallet.Status {
	a, r, ok := d.get(ctx, "/transactions/"+url.PathEscape(name))
	if !ok {
		if s := d.lacking(a, r); s.Outcome != outbound.NotFound {
			return s
		}
		return unread(r, errors.New("what the request made is not there"))
	}
	return made(r.Evidence, ref, nil)
}

func (d *Driver) get(ctx context.Context, path string) (outbound.Answer, outbound.Result, bool) {
	return d.send(ctx, http.MethodGet, path, nil, nil)
}

// lacking reads an answer that is no success: NotFound when the provider says
// in its own words that it knows no such name.
func (d *Driver) lacking(a outbound.Answer, r outbound.Result) wallet.Status {
	s := wallet.Status{Result: r, State: wallet.None}
	var p problem
	if a.Body == nil || strict.Object(a.Body, &p) != nil {
		return s
	}
	switch {
	case a.Status == http.StatusNotFound && p.Category == "identification" && p.Code == "identifierError":
		s.Result = outbound.Result{Outcome: outbound.NotFound, Code: p.Code, Text: p.text(), Evidence: r.Evidence}
	case p.Code == "rateLimitError":
		s.Reason = outbound.Limited
	}
	return s
}

func unread(r outbound.Result, err error) wallet.Status {
	r.Outcome, r.Err = outbound.Unknown, fmt.Errorf("read answer: %w", err)
	return wallet.Status{Result: r, State: wallet.None}
}
