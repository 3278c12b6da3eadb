package lanes

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of lanes; the operator's people use it.
func Routes(s *Service) []rest.Route {
	ok := http.StatusOK
	return []rest.Route{
		rest.Commit("POST", "/v1/partners/{partner}/lanes/pause", "partners.hold", "Stop what moves something at a partner; questions go on", ok, s.Pause),
		rest.Commit("POST", "/v1/partners/{partner}/lanes/resume", "partners.go_on", "Let the calls to a partner go on", ok, s.Resume),
		rest.Handle("POST", "/v1/partners/{partner}/lanes/test", "partners.probe", "Ask a partner a question that moves nothing", ok, s.Test, rest.Timeout(outbound.MaxDeadline)),
		rest.Handle("GET", "/v1/partners/{partner}/changes", "partners.changes", "List what happened to a partner, newest first", ok, s.Changes),
		rest.Handle("GET", "/v1/partners/{partner}/lanes", "partners.lanes", "Show the bounds of a partner's calls, by class", ok, s.Lanes),
		rest.Commit("POST", "/v1/partners/{partner}/lanes/{class}", "partners.tune", "Set the bounds of a partner's calls of one class", ok, s.Tune),
	}
}

// LaneView is a lane over all hubs, as the API shows it.
type LaneView struct {
	Class    outbound.Class `json:"class" required:"true" enum:"pay,query,file,tell"`
	Breaker  string         `json:"breaker" required:"true" enum:"closed,half-open,open" description:"The worst of any hub."`
	Since    time.Time      `json:"since" required:"true" description:"When it last opened or closed."`
	Reason   string         `json:"reason,omitempty" description:"The failure that opened it."`
	InFlight int            `json:"in_flight" required:"true" description:"Calls on their way."`
	P95      int64          `json:"p95_ms" required:"true"`
	Calls    int            `json:"calls" required:"true" description:"In the breaker's window."`
	Failures int            `json:"failures" required:"true" description:"Of those, without a final answer."`
	Errors   []Failure      `json:"errors" required:"true" description:"The last, newest first."`
}

// StateView is how a partner is.
type StateView struct {
	Lanes  []LaneView `json:"lanes" required:"true"`
	Paused *Pause     `json:"paused" required:"true" description:"Null unless people have stopped it."`
	Strip  []int      `json:"strip" required:"true" description:"The last 24 hours by quarters: 1 well, 2 paused, 3 a breaker was open."`
}

// View says how every partner is, over all hubs.
func (s *Service) View(ctx context.Context) (map[string]StateView, error) { return s.view(ctx, s.db) }

func (s *Service) view(ctx context.Context, db pg.DB) (map[string]StateView, error) {
	now, err := clock.Now(ctx, db)
	if err != nil {
		return nil, err
	}
	others, err := states(ctx, db, now.Add(-gone))
	if err != nil {
		return nil, err
	}
	stops, err := pauses(ctx, db)
	if err != nil {
		return nil, err
	}
	by := map[string][]State{}
	for _, l := range s.all() {
		st := stateOf(s.hub, l.State())
		by[st.key()] = append(by[st.key()], st)
	}
	for _, st := range others {
		if st.Hub != s.hub && by[st.key()] != nil {
			by[st.key()] = append(by[st.key()], st)
		}
	}
	out := map[string]StateView{}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		st := merge(by[k])
		v := out[st.Partner]
		v.Lanes = append(v.Lanes, st.view())
		out[st.Partner] = v
	}
	for _, p := range stops {
		if v, ok := out[p.Partner]; ok {
			p.At = p.At.UTC()
			v.Paused = &p
			out[p.Partner] = v
		}
	}
	return out, s.strips(ctx, db, now, out)
}

// Of is how a partner is as this hub alone sees it.
func Of(all []outbound.LaneState) StateView {
	v := StateView{Lanes: []LaneView{}, Strip: []int{}}
	for _, l := range all {
		v.Lanes = append(v.Lanes, stateOf("", l).view())
	}
	return v
}

func (s State) view() LaneView {
	return LaneView{s.Class, s.Breaker, s.Since.UTC(), s.Reason, s.InFlight, s.P95us / 1000, s.Calls, s.Failures, append([]Failure{}, s.Errors...)}
}

// strips adds the last day of each partner.
func (s *Service) strips(ctx context.Context, db pg.DB, now time.Time, all map[string]StateView) error {
	since := now.Add(-Quarters * Quarter)
	changes, err := changesSince(ctx, db, since)
	if err != nil {
		return err
	}
	began, err := standing(ctx, db, since)
	if err != nil {
		return err
	}
	for partner, v := range all {
		was := map[string]bool{}
		for _, c := range began {
			if c.Partner == partner {
				c.onto(was)
			}
		}
		var mine []Change
		for _, c := range changes {
			if c.Partner == partner {
				mine = append(mine, c)
			}
		}
		v.Strip = strip(mine, was, now)
		all[partner] = v
	}
	return nil
}

// ChangeView is something that happened to a partner.
type ChangeView struct {
	At     time.Time      `json:"at" required:"true"`
	Class  outbound.Class `json:"class,omitempty" description:"None: all."`
	Change string         `json:"change" required:"true" enum:"opened,closed,paused,resumed,tuned"`
	Hub    string         `json:"hub,omitempty" description:"Whose breaker: each hub has its own."`
	Reason string         `json:"reason,omitempty"`
	id     int64
}

// ChangesInput pages through what happened to a partner.
type ChangesInput struct {
	Partner string `path:"partner" maxLength:"60"`
	rest.Paging
}

// Changes lists what happened to a partner, newest first.
func (s *Service) Changes(ctx context.Context, in ChangesInput) (p rest.Page[ChangeView], err error) {
	if _, err := s.lanes(in.Partner, ""); err != nil {
		return p, err
	}
	below := int64(math.MaxInt64)
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	rows, err := changesOf(ctx, s.db, in.Partner, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	views := make([]ChangeView, len(rows))
	for i, c := range rows {
		views[i] = ChangeView{c.At.UTC(), c.Class, c.Change, c.Hub, c.Reason, c.ID}
	}
	return rest.Cut(views, in.Limit, func(v ChangeView) any { return v.id }), nil
}

// BoundsView is the bounds of one class of a partner's calls.
type BoundsView struct {
	Class outbound.Class `json:"class" required:"true" enum:"pay,query,file,tell"`
	Now   Bounds         `json:"now" required:"true" description:"As they are."`
	Set   Bounds         `json:"set" required:"true" description:"What people set of them; the rest is built in."`
	By    string         `json:"by,omitempty"`
	At    *time.Time     `json:"at,omitempty"`
}

// LanesView is the bounds of a partner's calls.
type LanesView struct {
	Data []BoundsView `json:"data" required:"true"`
}

// Lanes shows the bounds of a partner's calls, as this hub has them.
func (s *Service) Lanes(ctx context.Context, in NameInput) (v LanesView, err error) {
	found, err := s.lanes(in.Partner, "")
	if err != nil {
		return v, err
	}
	sets, err := settingsOf(ctx, s.db, in.Partner)
	if err != nil {
		return v, err
	}
	for _, l := range found {
		b := BoundsView{Class: l.Class(), Now: boundsOf(l.Settings())}
		for _, set := range sets {
			if set.Class == l.Class() {
				at := set.SetAt.UTC()
				b.Set, b.By, b.At = set.Bounds, set.SetBy, &at
			}
		}
		v.Data = append(v.Data, b)
	}
	return v, nil
}
