package operator

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// healthPage shows the partners, what is in doubt with them, and the promises.
func healthPage(v *view) error {
	all, err := v.partners()
	if err != nil {
		return err
	}
	doubts := desk.Sheet{Heads: v.Heads("operation", "subject", "partner", ">amount", "state", "age", "why")}
	for _, state := range []string{"review", "unknown", "contradicted"} {
		found, err := site.Get[rest.Page[operations.View]](v.Visit, desk.At("/v1/operations", "state", state, "limit", "50"))
		if err != nil {
			return err
		}
		for _, o := range found.Data {
			if slices.ContainsFunc(doubts.Rows, func(r []desk.Cell) bool { return r[0].Lines[0] == o.ID }) {
				continue
			}
			doubts.Rows = append(doubts.Rows, []desk.Cell{desk.Text(v.kind(o.Kind), o.ID), v.thing(o.Subject), desk.Text(o.Partner), desk.Sum(o.Amount), v.state("op", string(o.State)), desk.Text(v.T("op.minutes", "n", int(o.Age/60))), desk.Text(v.says(o.Why))})
		}
	}
	g, err := site.Get[invariants.GuaranteesView](v.Visit, "/v1/guarantees")
	if err != nil {
		return err
	}
	proofs := desk.Sheet{Heads: v.Heads("promise", ">violations", "since")}
	for _, x := range g.Invariants {
		if x.Violations > 0 {
			proofs.Rows = append(proofs.Rows, []desk.Cell{desk.Text(x.Promise, x.ID), desk.Text(v.Lang.Number(int64(x.Violations))), v.TimeOf(x.Since)})
		}
	}
	said := desk.Para("", v.T("op.kept", "n", len(g.Invariants), "at", v.Moment(g.CheckedAt)))
	if len(proofs.Rows) > 0 {
		said = desk.Table(v.Page, proofs)
	}
	return v.Blocks(v.T("op.health"), desk.Cell{}, nil,
		desk.Headed(v.T("op.breakers"), fresh(v.Page, "/op/disjoncteurs", desk.Table(v.Page, v.lanesOf(all))), desk.Group(v.troubled(all)...)),
		desk.Headed(v.T("op.doubts"), desk.List(v.Page, doubts, v.T("op.no_doubts"), "", "")),
		desk.Headed(v.T("op.promises"), said))
}

// journalPage reads the trail: who did what, and what allowed it.
func journalPage(v *view) error {
	found, err := site.Get[rest.Page[audit.View]](v.Visit, desk.At("/v1/audit", "action", v.Q("acte"), "subject", v.Q("objet"), "actor", v.Q("qui"), "from", v.day("du", 0), "until", v.day("au", 1), "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("at", "actor", "act", "subject", "detail"), Next: v.Next(found.Next)}
	for _, x := range found.Data {
		detail := string(x.Detail)
		if detail == "{}" {
			detail = ""
		}
		s.Rows = append(s.Rows, []desk.Cell{v.Time(x.At), actor(x.Actor), desk.Text(x.Action, x.Policy), v.thing(x.Subject), desk.Code(detail)})
	}
	if v.wants() {
		return v.file("journal", s)
	}
	filters := []ui.Field{
		{Name: "objet", Label: v.T("op.h_subject"), Hint: v.T("op.subject_help"), Value: v.Q("objet"), Max: 100},
		{Name: "acte", Label: v.T("op.h_act"), Value: v.Q("acte"), Max: 100},
		{Name: "qui", Label: v.T("op.h_actor"), Value: v.Q("qui"), Max: 200},
		{Name: "du", Label: v.T("op.from"), Value: v.Q("du"), Type: "date"},
		{Name: "au", Label: v.T("op.until"), Value: v.Q("au"), Type: "date"},
	}
	return v.Blocks(v.T("op.journal"), desk.Cell{}, nil, seek(v.Page, filters, nil, v.With("csv", "1")), desk.List(v.Page, s, v.T("op.no_trail"), v.T("op.see_all"), v.Href("/op/journal")))
}

// actor is who did something; its ids are shortened where there is little room.
func actor(s string) desk.Cell {
	c := desk.Code(s)
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '/' })
	for i, p := range parts {
		if x := short(p); x != "" {
			parts[i] = x
		}
	}
	c.Short = strings.Join(parts, " ")
	return c
}

// settingsPage shows what the market takes and what payouts are held to.
func settingsPage(v *view) error { return v.settings(nil) }

// bounds are the limits of payouts, in the order in which they are shown.
var bounds = []string{"two_above", "member_day", "total_day", "debt_above"}

func (v *view) settings(wrong error) error {
	fees, err := site.Get[escrow.FeesView](v.Visit, "/v1/fees")
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("tariff", ">percent", "payer", "day")}
	for _, f := range fees.Tariffs {
		s.Rows = append(s.Rows, []desk.Cell{desk.Text(f.Code, f.Category), desk.Code(f.Percent.String() + " %"), desk.Text(v.T("op.payer_" + f.Payer)), desk.Text(v.Lang.OnDay(f.Since))})
	}
	caps, err := site.Get[payouts.LimitsView](v.Visit, "/v1/payout-limits")
	if err != nil {
		return err
	}
	a := desk.Action{Name: "limits", Path: "/op/reglages", Label: v.T("op.ask_limits"), Hint: v.T("op.four_eyes")}
	var now []desk.Fact
	for i, m := range []money.Money{caps.TwoAbove, caps.MemberDay, caps.TotalDay, caps.DebtAbove} {
		label := v.T("op.l_" + bounds[i])
		now = append(now, desk.Fact{Name: label, Value: desk.Sum(m)})
		a.Fields = append(a.Fields, ui.Field{Name: bounds[i], Label: label, Mode: "decimal", Required: true, Max: 14, Value: v.Lang.Amount(m)})
	}
	a.Fields = append(a.Fields, ui.Field{Name: "reason", Label: v.T("op.reason"), Required: true, Max: 500})
	blocks := []templ.Component{desk.Headed(v.T("op.payout_limits"), desk.Facts(v.Page, now), desk.Acts(v.Page, v.Typed(wrong, a))), desk.Headed(v.T("op.fees"), desk.Table(v.Page, s))}
	return v.Blocks(v.T("op.settings"), desk.Cell{}, wrong, blocks...)
}

// setLimits asks for other limits; a second person decides.
func setLimits(v *view) error {
	body := map[string]any{"reason": v.Field("reason")}
	for _, name := range bounds {
		m, err := v.amount(name)
		if err != nil {
			return v.settings(err)
		}
		body[name] = m
	}
	if _, err := site.Post[payouts.LimitsView](v.Visit, "/v1/payout-limits", body); err != nil {
		return v.settings(err)
	}
	return v.Go("/op/reglages", "fait", "asked")
}
