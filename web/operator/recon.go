package operator

import (
	"time"

	"github.com/a-h/templ"

	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// reconPage lists what the banks' statements do not explain, the amounts first,
// and the days that were closed.
func reconPage(v *view) error { return v.reconciled(nil) }

func (v *view) reconciled(wrong error) error {
	tabs, chosen := v.tabs("etat", "break", "open", "snoozed", "resolved")
	found, err := site.Get[rest.Page[recon.BreakView]](v.Visit, at("/v1/breaks", "state", chosen, "limit", "50", "cursor", v.q("suite")))
	if err != nil {
		return err
	}
	s := sheet{Heads: v.heads(">amount", "break", "about", "why", "suggestion", "since"), Next: v.next(found.Next)}
	for _, b := range found.Data {
		s.Rows = append(s.Rows, v.breakRow(b))
	}
	if v.wants() {
		return v.file("ecarts", s)
	}
	days, err := site.Get[rest.Page[recon.ClosingView]](v.Visit, "/v1/closings?limit=7")
	if err != nil {
		return err
	}
	d := sheet{Heads: v.heads("day", "closed_by", "at", "revision", "hash")}
	for _, c := range days.Data {
		row := []cell{code(c.Day), code(c.ClosedBy), text(v.moment(c.ClosedAt)), text(v.Lang.Number(int64(c.Revision))), code(c.Hash[:min(16, len(c.Hash))])}
		if c.Changed {
			row[0].Lines = []string{v.T("op.changed_since")}
		}
		d.Rows = append(d.Rows, row)
	}
	yesterday := v.now.UTC().AddDate(0, 0, -1).Format(time.DateOnly) // the days of the books
	closing := action{Name: "close", Path: "/op/rapprochement", Label: v.T("op.close_day"), Hint: v.T("op.close_help"), Open: true, Style: "go", Fields: []ui.Field{
		{Name: "day", Label: v.T("op.h_day"), Type: "date", Value: yesterday, Required: true},
	}}
	return v.show(v.T("op.recon"), cell{}, wrong, choose(v.Page, tabs), list(v.Page, s, v.T("op.no_breaks"), v.T("op.see_money"), v.Href("/op/argent")),
		para("muted small keys", v.T("op.keys")), csvLink(v.Page, v.with("csv", "1")), upload(v.Page, "/op/rapprochement"),
		headed(v.T("op.days"), act1(v.Page, v.typed(wrong, closing)[0]), list(v.Page, d, v.T("op.no_days"), "", "")))
}

func (v *view) breakRow(b recon.BreakView) []cell {
	amount := text("–")
	if b.Amount != nil {
		amount = sum(*b.Amount)
	}
	hint := text("")
	if b.Suggestion != nil {
		hint = text(v.by(b.Suggestion.By), b.Suggestion.Reason)
	}
	if b.Proposed != nil {
		hint = cell{Text: v.T("op.waits_second"), Tone: "warn", State: true}
	}
	return []cell{amount, v.link("/op/rapprochement/"+b.ID, b.ID), text(b.About, b.Bank), text(v.T("op.b_"+string(b.Kind)), b.Why), hint, text(v.moment(b.CreatedAt))}
}

// by is a way to resolve a break, in words.
func (v *view) by(way string) string {
	if way == "" {
		return v.T("op.by_hand")
	}
	return v.T("op.by_" + way)
}

// reconDo takes in a statement, or closes a day.
func reconDo(v *view) error {
	if v.Field("quoi") == "close" {
		_, err := site.Post[recon.ClosingView](v.Visit, "/v1/closings", map[string]string{"day": v.Field("day")})
		if err != nil {
			return v.reconciled(err)
		}
		return v.Go("/op/rapprochement", "fait", "closed")
	}
	name, kind, content, err := v.File("file", 20<<20)
	if err == nil && content == nil {
		err = wrongField("file")
	}
	if err != nil {
		return v.reconciled(err)
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	up, err := site.Upload[recon.UploadView](v.Visit, "/v1/statements", name, kind, content)
	if err != nil {
		return v.reconciled(err)
	}
	if up.Approval != "" {
		return v.Go("/op/rapprochement", "fait", "waits")
	}
	return v.Go("/op/rapprochement", "fait", "taken")
}

// breakPage shows one break: the books at one side, the bank at the other, and
// what it may be.
func breakPage(v *view) error { return v.brk(nil) }

func (v *view) brk(wrong error) error {
	b, err := site.Get[recon.BreakView](v.Visit, "/v1/breaks/"+v.id())
	if err != nil {
		return err
	}
	ours := []fact{{v.T("op.we_expect"), text(v.T("op.nothing_known"))}}
	if s := b.Suggestion; s != nil {
		ours = []fact{{v.T("op.we_expect"), text(v.by(s.By), s.Reason)}}
		if s.To != "" {
			ours = append(ours, fact{v.T("op.h_match"), v.thing(s.To)})
			if m, ok := v.amountOf(s.To); ok {
				ours = append(ours, fact{v.T("op.h_amount"), sum(m)})
				if b.Amount != nil && !m.Equal(abs(*b.Amount)) {
					ours = append(ours, fact{v.T("op.differs_by"), cell{Text: v.Sum(abs(m.Sub(abs(*b.Amount)))), Tone: "bad", State: true}})
				}
			}
		}
	}
	theirs := []fact{{v.T("op.h_bank"), code(b.Bank)}, {v.T("op.h_about"), text(b.About)}, {v.T("op.h_why"), text(v.T("op.b_"+string(b.Kind)), b.Why)}}
	if b.Amount != nil {
		theirs = append([]fact{{v.T("op.h_amount"), sum(*b.Amount)}}, theirs...)
	}
	blocks := []templ.Component{columns(true, headed(v.T("op.our_books"), facts(v.Page, ours)), headed(v.T("op.at_bank"), facts(v.Page, theirs)))}
	switch {
	case b.State == recon.Resolved && b.Resolution != nil:
		blocks = append(blocks, headed(v.T("op.resolution"), facts(v.Page, []fact{{v.T("op.h_how"), text(v.by(b.Resolution.By), b.Resolution.Note)}, {v.T("op.h_by"), code(b.ResolvedBy)}, {v.T("op.h_at"), text(v.when(b.ResolvedAt))}})))
	case b.Proposed != nil:
		blocks = append(blocks, para("muted", v.T("op.break_waits")), linkTo(v.Href("/op/approbations"), v.T("op.approvals")))
		fallthrough
	default:
		blocks = append(blocks, headed(v.T("op.what_is_it"), acts(v.Page, v.typed(wrong, v.ways(b)...))))
	}
	title := v.T("op.break_of", "sum", "–")
	if b.Amount != nil {
		title = v.T("op.break_of", "sum", v.Sum(*b.Amount))
	}
	v.Back = v.Href("/op/rapprochement")
	return v.show(title, v.state("break", string(b.State)), wrong, blocks...)
}

func abs(m money.Money) money.Money {
	if m.Sign() < 0 {
		return m.Neg()
	}
	return m
}

// amountOf is what the books have for a thing that the bank may mean.
func (v *view) amountOf(name string) (money.Money, bool) {
	path := map[string]string{"chg": "/v1/charges/", "pay": "/v1/payouts/", "rfd": "/v1/refunds/"}[name[:min(3, len(name))]]
	if path == "" {
		return money.Money{}, false
	}
	x, err := site.Get[struct{ Amount money.Money }](v.Visit, path+name)
	return x.Amount, err == nil
}

// ways are what a person may say a break is, each with what it posts.
func (v *view) ways(b recon.BreakView) []action {
	note := func(name string, required bool) ui.Field {
		return ui.Field{Name: name + "_note", Label: v.T("op.note"), Required: required, Max: 1000, Area: true}
	}
	form := func(name, key, hint, style string, legs []leg, f ...ui.Field) action {
		return action{Name: name, Path: v.Path, Label: v.T("op.do_" + name), Hint: hint, Style: style, Key: key, Legs: legs, Fields: f}
	}
	var out []action
	if b.Amount != nil {
		m := abs(*b.Amount)
		mirror, in := ledger.Safeguard(b.Bank), b.Amount.Sign() > 0
		legs := func(other string) []leg {
			if in {
				return []leg{{"debit", mirror, m}, {"credit", other, m}}
			}
			return []leg{{"debit", other, m}, {"credit", mirror, m}}
		}
		if s := b.Suggestion; s != nil && (s.By == "match" && s.To != "" || s.By == "fee") {
			a := form("accept", "a", s.Reason, "go", legs(v.T("op.leg_"+s.By)))
			a.Hidden = [][2]string{{"by", s.By}, {"accept_to", s.To}}
			if s.Fee != nil {
				a.Hidden = append(a.Hidden, [2]string{"accept_fee", s.Fee.Amount()})
			}
			a.Open = true
			out = append(out, a)
		}
		out = append(out,
			form("match", "m", v.T("op.match_help"), "", legs(v.T("op.leg_match")), ui.Field{Name: "match_to", Label: v.T("op.h_match"), Required: true, Max: 64}, note("match", false)),
			form("split", "s", v.T("op.split_help", "sum", v.Sum(m)), "", nil, v.parts()...),
			form("fee", "f", v.T("op.fee_help"), "", legs(v.T("op.leg_fee")), note("fee", false)),
			form("write_off", "n", v.T("op.write_off_help"), "stop", legs(v.T("op.leg_write_off")), note("write_off", true)))
	} else {
		out = append(out, form("write_off", "n", v.T("op.put_away_help"), "stop", nil, note("write_off", true)))
	}
	return append(out, form("snooze", "z", v.T("op.snooze_help"), "", nil, ui.Field{Name: "snooze_until", Label: v.T("op.until"), Type: "date", Required: true, Value: v.now.In(clock.Morocco).AddDate(0, 0, 1).Format(time.DateOnly)}, note("snooze", false)))
}

// parts are the fields of a split: two parts, each with what it is.
func (v *view) parts() (out []ui.Field) {
	ways := []ui.Option{{Value: "match", Text: v.T("op.by_match")}, {Value: "fee", Text: v.T("op.by_fee")}, {Value: "write_off", Text: v.T("op.by_write_off")}}
	for _, n := range []string{"1", "2"} {
		out = append(out,
			ui.Field{Name: "split_by" + n, Label: v.T("op.part", "n", n), Options: ways, Required: true, Value: map[string]string{"1": "match", "2": "fee"}[n]},
			ui.Field{Name: "split_to" + n, Label: v.T("op.h_match"), Max: 64},
			ui.Field{Name: "split_amount" + n, Label: v.T("op.h_amount"), Mode: "decimal", Required: true, Max: 14})
	}
	return append(out, ui.Field{Name: "split_note", Label: v.T("op.note"), Max: 1000})
}

// resolve sends what a person says a break is.
func resolve(v *view) error {
	way := v.Field("quoi")
	body := map[string]any{"by": way}
	if note := v.Field(way + "_note"); note != "" {
		body["note"] = note
	}
	switch way {
	case "accept":
		body["by"] = v.Field("by")
		if to := v.Field("accept_to"); to != "" {
			body["to"] = to
		}
		if v.Field("accept_fee") != "" {
			m, err := v.amount("accept_fee")
			if err != nil {
				return v.brk(err)
			}
			body["fee"] = m
		}
	case "match":
		body["to"] = v.Field("match_to")
	case "split":
		parts, err := v.split()
		if err != nil {
			return v.brk(err)
		}
		body["parts"] = parts
	case "snooze":
		day, err := time.ParseInLocation(time.DateOnly, v.Field("snooze_until"), clock.Morocco)
		if err != nil {
			return v.brk(wrongField("snooze_until"))
		}
		body["until"] = day.UTC()
	}
	b, err := site.Post[recon.BreakView](v.Visit, "/v1/breaks/"+v.id()+"/resolve", body)
	switch {
	case err != nil:
		return v.brk(err)
	case b.Approval != "":
		return v.Go("/op/rapprochement/"+v.id(), "fait", "waits")
	case way == "snooze":
		return v.Go("/op/rapprochement", "fait", "snoozed")
	}
	return v.Go("/op/rapprochement", "fait", "resolved")
}

func (v *view) split() (out []map[string]any, err error) {
	for _, n := range []string{"1", "2"} {
		m, err := v.amount("split_amount" + n)
		if err != nil {
			return nil, err
		}
		p := map[string]any{"by": v.Field("split_by" + n), "amount": m}
		if to := v.Field("split_to" + n); to != "" {
			p["to"] = to
		}
		out = append(out, p)
	}
	return out, nil
}
