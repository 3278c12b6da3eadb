package operator

import (
	"time"

	"github.com/a-h/templ"

	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// reconPage lists what the banks' statements do not explain, the amounts first,
// and the days that were closed.
func reconPage(v *view) error { return v.reconciled(nil) }

func (v *view) reconciled(wrong error) error {
	tabs, chosen := v.tabs("etat", "break", "open", "snoozed", "resolved")
	found, err := site.Get[rest.Page[recon.BreakView]](v.Visit, desk.At("/v1/breaks", "state", chosen, "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads(">amount", "break", "about", "why", "suggestion", "since"), Next: v.Next(found.Next)}
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
	d := desk.Sheet{Heads: v.Heads("day", "closed_by", "at", "revision", "hash")}
	for _, c := range days.Data {
		row := []desk.Cell{desk.Code(c.Day), desk.Code(c.ClosedBy), v.Time(c.ClosedAt), desk.Text(v.Lang.Number(int64(c.Revision))), desk.Code(c.Hash[:min(16, len(c.Hash))])}
		if c.Changed {
			row[0].Lines = []string{v.T("op.changed_since")}
		}
		d.Rows = append(d.Rows, row)
	}
	yesterday := v.Now.UTC().AddDate(0, 0, -1).Format(time.DateOnly) // the days of the books
	closing := desk.Action{Name: "close", Path: "/op/rapprochement", Label: v.T("op.close_day"), Hint: v.T("op.close_help"), Open: true, Style: "go", Fields: []ui.Field{
		{Name: "day", Label: v.T("op.h_day"), Type: "date", Value: yesterday, Required: true},
	}}
	return v.Blocks(v.T("op.recon"), desk.Cell{}, wrong, desk.Choose(v.T("op.show"), tabs), desk.List(v.Page, s, v.T("op.no_breaks"), v.T("op.see_money"), v.Href("/op/argent")),
		desk.Para("muted small keys", v.T("op.keys")), csvLink(v.Page, v.With("csv", "1")), upload(v.Page, "/op/rapprochement"),
		desk.Headed(v.T("op.days"), desk.Act(v.Page, v.Typed(wrong, closing)[0]), desk.List(v.Page, d, v.T("op.no_days"), "", "")))
}

func (v *view) breakRow(b recon.BreakView) []desk.Cell {
	amount := desk.Text("–")
	if b.Amount != nil {
		amount = desk.Sum(*b.Amount)
	}
	hint := desk.Text("")
	if b.Suggestion != nil {
		hint = desk.Text(v.by(b.Suggestion.By), v.says(b.Suggestion.Reason))
	}
	if b.Proposed != nil {
		hint = desk.Cell{Text: v.T("op.waits_second"), Tone: "warn", State: true}
	}
	return []desk.Cell{amount, v.link("/op/rapprochement/"+b.ID, b.ID), desk.Text(b.About, b.Bank), desk.Text(v.T("op.b_"+string(b.Kind)), v.says(b.Why)), hint, v.Time(b.CreatedAt)}
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
		err = desk.WrongField("file")
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
	b, err := site.Get[recon.BreakView](v.Visit, "/v1/breaks/"+v.ID())
	if err != nil {
		return err
	}
	ours := []desk.Fact{{Name: v.T("op.we_expect"), Value: desk.Text(v.T("op.nothing_known"))}}
	if s := b.Suggestion; s != nil {
		ours = []desk.Fact{{Name: v.T("op.we_expect"), Value: desk.Text(v.by(s.By), v.says(s.Reason))}}
		if s.To != "" {
			ours = append(ours, desk.Fact{Name: v.T("op.h_match"), Value: v.thing(s.To)})
			if m, ok := v.amountOf(s.To); ok {
				ours = append(ours, desk.Fact{Name: v.T("op.h_amount"), Value: desk.Sum(m)})
				if b.Amount != nil && !m.Equal(abs(*b.Amount)) {
					ours = append(ours, desk.Fact{Name: v.T("op.differs_by"), Value: desk.Cell{Text: v.Sum(abs(m.Sub(abs(*b.Amount)))), Tone: "bad", State: true}})
				}
			}
		}
	}
	theirs := []desk.Fact{{Name: v.T("op.h_bank"), Value: desk.Code(b.Bank)}, {Name: v.T("op.h_about"), Value: desk.Text(b.About)}, {Name: v.T("op.h_why"), Value: desk.Text(v.T("op.b_"+string(b.Kind)), v.says(b.Why))}}
	if b.Amount != nil {
		theirs = append([]desk.Fact{{Name: v.T("op.h_amount"), Value: desk.Sum(*b.Amount)}}, theirs...)
	}
	blocks := []templ.Component{desk.Columns(true, desk.Headed(v.T("op.our_books"), desk.Facts(v.Page, ours)), desk.Headed(v.T("op.at_bank"), desk.Facts(v.Page, theirs)))}
	switch {
	case b.State == recon.Resolved && b.Resolution != nil:
		blocks = append(blocks, desk.Headed(v.T("op.resolution"), desk.Facts(v.Page, []desk.Fact{{Name: v.T("op.h_how"), Value: desk.Text(v.by(b.Resolution.By), b.Resolution.Note)}, {Name: v.T("op.h_by"), Value: desk.Code(b.ResolvedBy)}, {Name: v.T("op.h_at"), Value: v.TimeOf(b.ResolvedAt)}})))
	case b.Proposed != nil:
		blocks = append(blocks, desk.Para("muted", v.T("op.break_waits")), desk.Button(v.T("op.approvals"), v.Href("/op/approbations")))
		fallthrough
	default:
		blocks = append(blocks, desk.Headed(v.T("op.what_is_it"), desk.Para("muted small keys", v.T("op.keys_break")), desk.Acts(v.Page, v.Typed(wrong, v.ways(b)...))))
	}
	title := v.T("op.break_of", "sum", "–")
	if b.Amount != nil {
		title = v.T("op.break_of", "sum", v.Sum(*b.Amount))
	}
	v.Back = v.Href("/op/rapprochement")
	return v.Blocks(title, v.state("break", string(b.State)), wrong, blocks...)
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
func (v *view) ways(b recon.BreakView) []desk.Action {
	note := func(name string, required bool) ui.Field {
		return ui.Field{Name: name + "_note", Label: v.T("op.note"), Required: required, Max: 1000, Area: true}
	}
	form := func(name, key, hint, style string, legs []desk.Leg, f ...ui.Field) desk.Action {
		return desk.Action{Name: name, Path: v.Path, Label: v.T("op.do_" + name), Hint: hint, Style: style, Key: key, Legs: legs, Fields: f}
	}
	var out []desk.Action
	if b.Amount != nil {
		m := abs(*b.Amount)
		mirror, in := ledger.Safeguard(b.Bank), b.Amount.Sign() > 0
		legs := func(other string) []desk.Leg {
			if in {
				return []desk.Leg{{Side: "debit", Account: mirror, Money: m}, {Side: "credit", Account: other, Money: m}}
			}
			return []desk.Leg{{Side: "debit", Account: other, Money: m}, {Side: "credit", Account: mirror, Money: m}}
		}
		if s := b.Suggestion; s != nil && (s.By == "match" && s.To != "" || s.By == "fee") {
			a := form("accept", "a", v.says(s.Reason), "go", legs(v.T("op.leg_"+s.By)))
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
			form("write_off", "w", v.T("op.write_off_help"), "stop", legs(v.T("op.leg_write_off")), note("write_off", true)))
	} else {
		out = append(out, form("write_off", "w", v.T("op.put_away_help"), "stop", nil, note("write_off", true)))
	}
	return append(out, form("snooze", "z", v.T("op.snooze_help"), "", nil, ui.Field{Name: "snooze_until", Label: v.T("op.until"), Type: "date", Required: true, Value: v.Now.In(clock.Morocco).AddDate(0, 0, 1).Format(time.DateOnly)}, note("snooze", false)))
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
			return v.brk(desk.WrongField("snooze_until"))
		}
		body["until"] = day.UTC()
	}
	b, err := site.Post[recon.BreakView](v.Visit, "/v1/breaks/"+v.ID()+"/resolve", body)
	switch {
	case err != nil:
		return v.brk(err)
	case b.Approval != "":
		return v.Go("/op/rapprochement/"+v.ID(), "fait", "waits")
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
