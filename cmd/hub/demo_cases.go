package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"tiwiza/pkg/id"
)

// matterNow is a case, as a run looks at it.
type matterNow struct {
	ID, State, Desk string
	Document        *struct{ ID, Number, Verify string }
	Transits        []struct{ Receipt, State string }
}

// moves does something with a case.
func (n *joiner) moves(ctx context.Context, key, c, move string, body any) (v matterNow, err error) {
	if body == nil {
		body = map[string]string{}
	}
	err = n.commit(ctx, key, "/v1/cases/"+c+"/"+move, body, &v)
	return v, err
}

// begins drafts a case with its paper, by whoever does it for the newcomer, and
// hands it in.
func (n *joiner) begins(ctx context.Context, key, procedure, paper string, answers map[string]any) (c matterNow, err error) {
	if err := n.commit(ctx, key, "/v1/cases", map[string]any{"procedure": procedure, "answers": answers}, &c); err != nil {
		return c, err
	}
	var file struct{ ID string }
	if _, err = n.do(ctx, call{key: key, method: http.MethodPost, path: "/v1/files?kind=proof", body: []byte("%PDF-1.4\n% " + paper + " " + n.name + "\n%%EOF\n"), contentType: "application/pdf"}, &file); err != nil {
		return c, err
	}
	if err := n.commit(ctx, key, "/v1/cases/"+c.ID+"/papers", map[string]string{"code": paper, "file": file.ID}, nil); err != nil {
		return c, err
	}
	return n.moves(ctx, key, c.ID, "submit", nil)
}

// isRegistered has the newcomer brought to the registrar by the agent who stands
// beside it, asked once, and registered. Anybody verifies the document.
func (n *joiner) isRegistered(ctx context.Context) error {
	office := n.keys.Institutions[0]
	c, err := n.begins(ctx, n.agent, office.Procedures["registration"], "identity", map[string]any{"activity": "Tissage de tapis (exemple)", "commune": "Tiznit", "people": 2})
	if err != nil {
		return err
	}
	n.step("the agent hands the registration in at the counter; it stands in the registrar's inbox by its deadline")
	for _, x := range []struct {
		key, move string
		body      any
	}{
		{office.APIKey, "examine", nil},
		{office.APIKey, "ask", map[string]string{"text": "Depuis quand tissez-vous ?"}},
		{n.person, "answer", map[string]string{"text": "Depuis 2019."}},
		{office.APIKey, "advance", nil},
		{office.APIKey, "decide", map[string]string{"outcome": "grant"}},
	} {
		if c, err = n.moves(ctx, x.key, c.ID, x.move, x.body); err != nil {
			return err
		}
	}
	if c.State != "granted" || c.Document == nil {
		return fmt.Errorf("the registration is %s", c.State)
	}
	n.registration = c.Document.Number
	n.step("it is registered as %s after one question, which it answers itself", c.Document.Number)
	return n.verifies(ctx, c.Document.Verify, "valid")
}

// isLabelled has the newcomer get a label: the office that gives it hands the case
// to the inspectors, who visit and hand it back.
func (n *joiner) isLabelled(ctx context.Context) error {
	labels, inspectors := n.keys.Institutions[1], n.keys.Institutions[2]
	c, err := n.begins(ctx, n.person, labels.Procedures["label"], "samples", map[string]any{"trade": "Tapissière", "materials": []string{"laine"}, "made_here": true})
	if err != nil {
		return err
	}
	to := func(org, why string) map[string]string { return map[string]string{"to": org, "text": why} }
	for _, x := range []struct {
		key, move string
		body      any
	}{
		{labels.APIKey, "examine", nil},
		{labels.APIKey, "advance", map[string]string{"text": "Dossier complet."}},
		{labels.APIKey, "hand-over", to(inspectors.Organisation, "Visitez l’atelier, s’il vous plaît.")},
		{inspectors.APIKey, "receive", nil},
		{inspectors.APIKey, "advance", map[string]string{"text": "Deux métiers, laine filée sur place."}},
		{inspectors.APIKey, "hand-over", to(labels.Organisation, "Visite faite, avis favorable.")},
		{labels.APIKey, "receive", nil},
		{labels.APIKey, "decide", map[string]string{"outcome": "grant"}},
	} {
		if c, err = n.moves(ctx, x.key, c.ID, x.move, x.body); err != nil {
			return fmt.Errorf("%s: %w", x.move, err)
		}
	}
	if c.State != "granted" || c.Document == nil || len(c.Transits) != 2 {
		return fmt.Errorf("the label is %s after %d hand-overs", c.State, len(c.Transits))
	}
	n.label = c.Document.Number
	n.step("the label office hands the case to the inspectors and back, each with a receipt (%s); the label is %s", c.Transits[0].Receipt, n.label)
	if err := n.verifies(ctx, c.Document.Verify, "valid"); err != nil {
		return err
	}
	return n.showsBadge(ctx)
}

// verifies opens a document's public address, as a third party does.
func (n *joiner) verifies(ctx context.Context, address, state string) error {
	token := address[strings.LastIndex(address, "/")+1:]
	var v struct {
		State, Number string
		Shown         struct{ Holder map[string]string }
	}
	if err := n.get(ctx, "", "/v1/verifications/"+token, &v); err != nil {
		return err
	}
	if v.State != state || v.Shown.Holder["fr"] != n.name {
		return fmt.Errorf("the document at %s is %s of %s", address, v.State, v.Shown.Holder["fr"])
	}
	n.step("whoever scans it reads: %s, %s, %s", v.Number, v.State, v.Shown.Holder["fr"])
	return nil
}

// showsBadge puts something on sale and sees the label beside it.
func (n *joiner) showsBadge(ctx context.Context) error {
	s := &shop{name: n.name, org: n.org, key: n.person}
	if err := n.stock(ctx, s, strings.ToLower(id.New("x")[20:]), 1); err != nil {
		return err
	}
	return n.insists(ctx, "the badge in the catalogue", func() (bool, error) {
		var list struct {
			Data []struct{ Labels []any }
		}
		err := n.get(ctx, "", "/v1/offers?seller="+n.org+"&label=artisan", &list)
		if err == nil && len(list.Data) > 0 {
			n.badge = true
			n.step("its offer is found in the catalogue by the label «artisan»")
		}
		return n.badge, err
	})
}
