package office

import (
	"strconv"

	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// done are what the forms of a file do, and what the page then says.
var done = map[string]string{
	"examine": "examined", "ask": "asked", "advance": "advanced", "hand-over": "sent", "receive": "received", "return": "returned",
	"grant": "granted", "refuse": "refused", "agree": "agreed", "disagree": "disagreed", "revoke": "revoked",
}

// actions are the forms of what the institution may do with a case now.
func (v *view) actions(c procedures.CaseView, d procedures.Definition) (all []desk.Action, err error) {
	form := func(name, style string, open bool, fields ...ui.Field) desk.Action {
		return desk.Action{Name: name, Path: v.Path, Label: v.T("office.do_" + name), Style: style, Open: open, Top: true, Fields: fields, Hidden: [][2]string{{"version", strconv.Itoa(c.Version)}}}
	}
	text := func(name string, required bool, most int) ui.Field {
		return ui.Field{Name: name + "_text", Label: v.T("office.text_" + name), Area: true, Required: required, Max: most}
	}
	mine, ours := c.Holder.ID == v.seat.Organisation, c.Institution.ID == v.seat.Organisation
	refuse := func() desk.Action {
		return form("refuse", "stop", false, v.reasons(d, "refuse"), text("refuse", true, 2000))
	}
	last := c.Step == d.Steps[len(d.Steps)-1].Code
	switch {
	case c.State == procedures.InTransit && c.Desk == v.seat.Organisation:
		return []desk.Action{form("receive", "go", true), form("return", "", false, text("return", true, 1000))}, nil
	case c.State == procedures.Seconding && mine:
		return []desk.Action{form("agree", "go", true), form("disagree", "stop", false, text("disagree", false, 2000))}, nil
	case (c.State == procedures.Submitted || c.State == procedures.Appealed) && mine:
		all = []desk.Action{form("examine", "go", true)}
		if c.State == procedures.Submitted && ours {
			all = append(all, refuse())
		}
		return all, nil
	case c.State == procedures.Examining && mine:
		if last && ours {
			all = append(all, form("grant", "go", true, text("grant", false, 2000)))
		} else if !last && (stepOf(d, c.Step).Actor == "institution") == ours {
			a := form("advance", "go", true, text("advance", false, 2000))
			a.Hint = v.Say(stepOf(d, c.Step).Names).Text
			all = append(all, a)
		}
		all = append(all, form("ask", "", false, text("ask", true, 1000)))
		to, err := v.others(c, ours)
		if err != nil {
			return nil, err
		}
		all = append(all, form("hand-over", "", false, to, text("hand-over", true, 1000)))
		if ours {
			all = append(all, refuse())
		}
		return all, nil
	case c.Document != nil && c.Document.State == "valid" && ours:
		a := form("revoke", "stop", false, v.reasons(d, "revoke"), text("revoke", true, 1000))
		if c.Document.Revoking {
			a.Hint = v.T("office.revoking")
		}
		return []desk.Action{a}, nil
	}
	return nil, nil
}

// others is the choice of institutions to hand a case over to; one whose procedure
// it is not gives it back first of all.
func (v *view) others(c procedures.CaseView, ours bool) (ui.Field, error) {
	f := ui.Field{Name: "hand-over_to", Label: v.T("office.to"), Required: true}
	if !ours {
		f.Value = c.Institution.ID
	}
	all, err := site.Get[rest.Page[procedures.NamedView]](v.Visit, "/v1/institutions?limit=100")
	for _, i := range all.Data {
		if i.ID != v.seat.Organisation {
			f.Options = append(f.Options, ui.Option{Value: i.ID, Text: v.Say(i.Names).Text})
		}
	}
	return f, err
}

func stepOf(d procedures.Definition, code string) procedures.StepRule {
	for _, s := range d.Steps {
		if s.Code == code {
			return s
		}
	}
	return procedures.StepRule{}
}

// reasons is the choice of a procedure's reasons.
func (v *view) reasons(d procedures.Definition, what string) ui.Field {
	f := ui.Field{Name: what + "_reason", Label: v.T("office.reason"), Required: true}
	for _, r := range d.Reasons {
		if r.For == what {
			f.Options = append(f.Options, ui.Option{Value: r.Code, Text: v.Say(r.Names).Text})
		}
	}
	return f
}

// act does what a form of the file's page asks for.
func act(v *view) error {
	what := v.Field("quoi")
	said, ok := done[what]
	if !ok {
		return site.ErrNotFound
	}
	path, in := cases+"/"+v.ID()+"/"+what, map[string]any{}
	if text := v.Field(what + "_text"); text != "" {
		in["text"] = text
	}
	if n, err := strconv.Atoi(v.Field("version")); err == nil {
		in["version"] = n
	}
	switch what {
	case "grant":
		path, in["outcome"] = cases+"/"+v.ID()+"/decide", "grant"
	case "refuse":
		path, in["outcome"], in["reason"] = cases+"/"+v.ID()+"/decide", "refuse", v.Field("refuse_reason")
	case "agree", "disagree":
		path, in["decision"] = cases+"/"+v.ID()+"/confirm", what
	case "hand-over":
		in["to"] = v.Field("hand-over_to")
	case "revoke":
		c, err := site.Get[procedures.CaseView](v.Visit, cases+"/"+v.ID())
		if err != nil {
			return err
		}
		if c.Document == nil {
			return site.ErrNotFound
		}
		delete(in, "version")
		path, in["reason"] = "/v1/documents/"+c.Document.ID+"/revoke", v.Field("revoke_reason")
	}
	if _, err := site.Post[struct{}](v.Visit, path, in); err != nil {
		return v.file(err)
	}
	return v.Go("/i/"+v.ID(), "fait", said)
}
