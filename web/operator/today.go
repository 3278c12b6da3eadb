package operator

import (
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tiwiza/payments/invariants"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/web/chart"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A day is the operator's day, as GET /v1/desk says.
type day struct {
	Now      time.Time          `json:"now"`
	Amount   money.Money        `json:"break_amount"`
	Figures  invariants.Figures `json:"figures"`
	Broken   int                `json:"violations"`
	Hours    []hour             `json:"hours"`
	ByRegion map[string]int     `json:"by_region"`
}

type hour struct {
	Begins time.Time   `json:"begins"`
	Paid   int64       `json:"paid"`
	Failed int64       `json:"failed"`
	Taken  money.Money `json:"taken"`
}

// today shows the money of the day, what waits, and how the partners are.
func today(v *view) error {
	d, err := site.Get[day](v.Visit, "/v1/desk")
	if err != nil {
		return err
	}
	lanes, err := v.lanes()
	if err != nil {
		return err
	}
	v.Title = v.T("op.today")
	return v.Blocks(v.Lang.Weekday(d.Now), desk.Cell{}, nil,
		ui.Kpis(v.kpis(d)),
		desk.Columns(false,
			desk.Group(desk.Headed(v.T("op.per_hour"), v.perHour(d)), desk.Headed(v.T("op.your_work"), v.work())),
			desk.Group(desk.Headed(v.T("op.breakers"), fresh(v.Page, "/op/disjoncteurs", desk.Table(v.Page, lanes))), desk.Headed(v.T("op.orders_30"), v.regions(d)))))
}

func (v *view) kpis(d day) []ui.Kpi {
	taken, n := money.Dirhams(0), int64(0)
	for _, h := range d.Hours {
		if sameDay(h.Begins, d.Now) {
			taken, n = taken.Add(h.Taken), n+h.Paid
		}
	}
	unit, _ := v.Lang.Unit(taken)
	kpi := func(key string, m money.Money, note string) ui.Kpi {
		return ui.Kpi{Name: v.T("op.kpi_" + key), Value: v.Lang.Amount(m), Unit: unit, Note: note}
	}
	breaks := kpi("breaks", d.Amount, "")
	if v.waiting.Breaks > 0 {
		breaks.Note, breaks.Tone, breaks.Href = v.T("op.to_do", "n", v.waiting.Breaks), "bad", v.Href("/op/rapprochement")
	}
	all := []ui.Kpi{
		kpi("taken", taken, ""), kpi("held", d.Figures.Held, ""), kpi("payable", d.Figures.Payable, ""), breaks,
	}
	all[0].Unit = unit + " · " + v.T("op.payments", "n", int(n))
	if d.Broken > 0 {
		all = append(all, ui.Kpi{Name: v.T("op.kpi_promises"), Value: strconv.Itoa(d.Broken), Note: v.T("op.broken"), Tone: "bad", Href: v.Href("/op/sante")})
	}
	return all
}

func sameDay(a, b time.Time) bool {
	return a.In(clock.Morocco).Format(time.DateOnly) == b.In(clock.Morocco).Format(time.DateOnly)
}

// perHour draws the payments of the last day, with those that failed.
func (v *view) perHour(d day) templ.Component {
	first := d.Now.Add(-23 * time.Hour).Truncate(time.Hour)
	f := chart.Figure{ID: "hours", Title: v.T("op.per_hour"), Every: 6, Series: []chart.Series{{Name: v.T("op.taken")}, {Name: v.T("op.failed")}}}
	by := map[int64]hour{}
	for _, h := range d.Hours {
		by[h.Begins.Unix()] = h
	}
	t := desk.Sheet{Heads: v.Heads("hour", ">taken", ">failed", ">amount")}
	var paid, failed int64
	var best hour
	for i := range 24 {
		at := first.Add(time.Duration(i) * time.Hour)
		h := by[at.Unix()]
		f.Labels = append(f.Labels, v.Lang.Clock(at))
		f.Series[0].Values, f.Series[1].Values = append(f.Series[0].Values, h.Paid), append(f.Series[1].Values, h.Failed)
		paid, failed = paid+h.Paid, failed+h.Failed
		if h.Paid > best.Paid {
			best = h
		}
		if h.Paid+h.Failed > 0 {
			t.Rows = append(t.Rows, []desk.Cell{desk.Text(v.Lang.Clock(at)), desk.Text(v.Lang.Number(h.Paid)), desk.Text(v.Lang.Number(h.Failed)), desk.Sum(h.Taken)})
		}
	}
	f.Finding = v.T("op.hours_none")
	if paid+failed > 0 {
		f.Finding = v.T("op.hours_say", "n", int(paid), "failed", v.Lang.Number(failed), "peak", v.Lang.Number(best.Paid), "at", v.Lang.Clock(best.Begins))
	}
	if paid+failed == 0 {
		return desk.Para("muted", f.Finding)
	}
	return figure(v.Page, chart.Line(f, v.Lang.Number), t, "", f.Finding)
}

// regions draws where the orders of thirty days go.
func (v *view) regions(d day) templ.Component {
	t := desk.Sheet{Heads: v.Heads("region", ">orders")}
	total, most := 0, 0
	var first chart.Region
	for _, r := range chart.Regions {
		n := d.ByRegion[r.Code]
		if n > 0 {
			name := v.Say(r.Names)
			t.Rows = append(t.Rows, []desk.Cell{{Said: &name}, desk.Text(v.Lang.Number(int64(n)))})
		}
		if total += n; n > most {
			most, first = n, r
		}
	}
	f := chart.Figure{ID: "map", Title: v.T("op.orders_30"), Finding: v.T("op.map_none")}
	if total > 0 {
		f.Finding = v.T("op.map_say", "n", total, "region", v.Say(first.Names).Text, "most", v.Lang.Number(int64(most)))
	}
	if total == 0 {
		return desk.Para("muted", f.Finding)
	}
	svg := chart.Map(f, d.ByRegion, v.Lang.Number, func(r chart.Region) string { return v.Say(r.Names).Text })
	return figure(v.Page, svg, t, "map", v.T("op.osm"))
}

// work lists what waits for people, with the way there.
func (v *view) work() templ.Component {
	w := v.waiting
	var rows [][]desk.Cell
	for _, x := range []struct {
		n         int
		key, path string
	}{
		{w.Breaks, "breaks", "/op/rapprochement"},
		{w.Disputes, "disputes", "/op/litiges"},
		{w.Payouts, "payouts", "/op/versements?etat=draft"},
		{w.Approvals, "approvals", "/op/approbations"},
		{w.Members, "members", "/op/entites?etat=submitted"},
		{w.Accounts, "accounts", "/op/entites?etat=comptes"},
		{w.Operations, "operations", "/op/sante"},
	} {
		if x.n > 0 {
			rows = append(rows, []desk.Cell{{Text: v.T("op.wait_"+x.key, "n", x.n), Href: v.Href("/op") + x.path[len("/op"):]}})
		}
	}
	if len(rows) == 0 {
		return ui.Empty(v.T("op.nothing_waits"), v.T("op.see_money"), v.Href("/op/argent"))
	}
	return workList(v.Page, rows)
}

// lanes are the partners and how they are.
func (v *view) lanes() (desk.Sheet, error) {
	all, err := v.partners()
	return v.lanesOf(all), err
}

func (v *view) lanesOf(all []partner) desk.Sheet {
	s := desk.Sheet{Heads: v.Heads("partner", "state", ">p95", ">queue")}
	for _, p := range all {
		name := desk.Cell{Text: p.ID, Href: v.Href("/op/sante/" + p.ID), Lines: []string{v.word("op.port_", p.Port)}}
		s.Rows = append(s.Rows, []desk.Cell{name, v.partnerState(p), desk.Text(v.T("op.ms", "n", v.Lang.Number(int64(p.P95)))), desk.Text(v.Lang.Number(int64(p.Queue)))})
	}
	return s
}

var rank = map[string]int{"closed": 0, "half-open": 1, "open": 2}

// breakers is the part of the day that is asked for anew.
func breakers(v *view) error {
	s, err := v.lanes()
	if err != nil {
		return err
	}
	return v.Show(desk.Table(v.Page, s))
}
