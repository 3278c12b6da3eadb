package lanes

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Service follows what people set, and tells how this hub's lanes are.
type Service struct {
	db     *pg.Store
	hub    string
	all    func() []*outbound.Lane
	told   map[string]State // what the database knows of this hub's lanes; Run's own
	looks  int              // since the states were last written
	flying sync.WaitGroup
	// set lets one at a time read what people set and follow it: who read it
	// before a change does not undo what who read it after has done.
	set sync.Mutex
}

// New makes the service over the lanes that count with m.
func New(db *pg.Store, m *outbound.Metrics) *Service {
	return &Service{db: db, hub: id.New("hub"), all: m.Lanes, told: map[string]State{}}
}

// How often a hub looks at what people set and at its own lanes, how often it
// says that it is still there, after which silence it is taken for gone, and how
// long changes are kept.
const (
	every  = time.Second
	beat   = 10 // looks
	gone   = time.Minute
	kept   = 30 * 24 * time.Hour
	forget = time.Hour
)

// Run follows and tells until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	old := time.NewTicker(forget)
	defer old.Stop()
	for {
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "the partners' lanes cannot be kept", "error", err)
		}
		s.ping(ctx)
		select {
		case <-ctx.Done():
			s.flying.Wait()
			s.leave(context.WithoutCancel(ctx))
			return
		case <-old.C:
			if err := s.forget(ctx); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "old changes of partners cannot be deleted", "error", err)
			}
		case <-tick.C:
		}
	}
}

// Look takes in what people set, and writes down what this hub's lanes did since
// it was called last. Run calls it.
func (s *Service) Look(ctx context.Context) error {
	if err := s.follow(ctx); err != nil {
		return err
	}
	return s.tell(ctx)
}

// follow tunes and stops this hub's lanes as people have set them.
func (s *Service) follow(ctx context.Context) error {
	s.set.Lock()
	defer s.set.Unlock()
	sets, err := settings(ctx, s.db)
	if err != nil {
		return err
	}
	stops, err := pauses(ctx, s.db)
	if err != nil {
		return err
	}
	for _, l := range s.all() {
		l.Hold(slices.ContainsFunc(stops, func(p Pause) bool { return p.Partner == l.Partner() }))
		var b Bounds
		for _, set := range sets {
			if set.Partner == l.Partner() && set.Class == l.Class() {
				b = set.Bounds
			}
		}
		if err := l.Tune(b.settings()); err != nil { // it was checked against another version's defaults
			slog.ErrorContext(ctx, "a lane does not take what was set of it", "partner", l.Partner(), "class", string(l.Class()), "error", err)
		}
	}
	return nil
}

// tell writes down what moved and, when something did or after a while, how the
// lanes are.
func (s *Service) tell(ctx context.Context) error {
	lanes := s.all()
	states, moves := make([]State, len(lanes)), map[int][]outbound.Move{}
	fresh := false
	for i, l := range lanes {
		states[i] = stateOf(s.hub, l.State()) // before its moves: whoever sees a lane closed finds when it closed
		if m := l.Moves(); len(m) > 0 {
			moves[i] = m
		}
		fresh = fresh || !states[i].same(s.told[states[i].key()])
	}
	if s.looks++; len(moves) == 0 && !fresh && s.looks < beat {
		return nil
	}
	s.looks = 0
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		for i, all := range moves {
			for _, m := range all {
				if err := s.moved(ctx, tx, lanes[i], m); err != nil {
					return err
				}
			}
		}
		saveStates(tx, s.hub, states)
		return bury(ctx, tx, tx.Now().Add(-gone))
	})
	if err != nil {
		return err
	}
	for _, st := range states {
		s.told[st.key()] = st
	}
	return nil
}

func (s State) key() string { return s.Partner + " " + string(s.Class) }

func stateOf(hub string, l outbound.LaneState) State {
	out := State{
		Hub: hub, Partner: l.Partner, Class: l.Class, Breaker: l.Breaker, Since: l.Since, Reason: l.Reason, InFlight: l.InFlight,
		P95us: l.P95.Microseconds(), Calls: l.Calls, Failures: l.Failures, Errors: []Failure{},
	}
	for _, f := range l.Errors {
		out.Errors = append(out.Errors, Failure{f.At.UTC(), f.Op, f.Text})
	}
	return out
}

// moved writes down and tells that a breaker opened or closed.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, l *outbound.Lane, m outbound.Move) error {
	c := Change{At: tx.Now().Add(-m.Ago), Hub: s.hub, Partner: l.Partner(), Class: l.Class(), Change: "closed", Reason: m.Reason}
	if m.Open {
		c.Change = "opened"
	}
	slog.WarnContext(ctx, "the breaker of a partner's lane has "+c.Change, "partner", c.Partner, "class", string(c.Class), "why", c.Reason)
	return s.changed(ctx, tx, c)
}

func (s *Service) changed(ctx context.Context, tx *pg.Tx, c Change) error {
	insertChange(tx, c)
	return tx.Publish(ctx, Changed{c.Partner, c.Class, c.Change, c.Hub, c.Reason})
}

// ping asks quiet partners how they are, as their lanes' bounds say.
func (s *Service) ping(ctx context.Context) {
	for _, l := range s.all() {
		if l.Quiet() {
			s.flying.Go(func() { l.Ping(ctx) })
		}
	}
}

// leave says that this hub is gone.
func (s *Service) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		dropHub(tx, s.hub)
		return bury(ctx, tx, tx.Now().Add(-gone))
	})
	if err != nil {
		slog.WarnContext(ctx, "a hub leaves its lanes' states behind", "error", err)
	}
}

func (s *Service) forget(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		forgetChanges(tx, tx.Now().Add(-kept))
		return nil
	})
}

// lanes are this hub's lanes of a partner: ErrNotFound for one that has none.
func (s *Service) lanes(partner string, class outbound.Class) (out []*outbound.Lane, err error) {
	for _, l := range s.all() {
		if l.Partner() == partner && (class == "" || l.Class() == class) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil, ErrNotFound
	}
	return out, nil
}

// NameInput names a partner.
type NameInput struct {
	Partner string `path:"partner" maxLength:"60"`
}

// PauseInput says why a partner is stopped.
type PauseInput struct {
	Partner string `path:"partner" maxLength:"60"`
	Reason  string `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// Pause stops all calls to a partner that move something: every hub follows
// within seconds. Questions go on. Doing it again sets another reason.
func (s *Service) Pause(ctx context.Context, tx *pg.Tx, in PauseInput) (v StateView, err error) {
	if _, err := s.lanes(in.Partner, ""); err != nil {
		return v, err
	}
	p := Pause{in.Partner, in.Reason, auth.From(ctx).Person(), tx.Now()}
	savePause(tx, p)
	audit.Record(tx, "partners.hold", in.Partner, authz.Policy(ctx), map[string]string{"reason": in.Reason})
	if err := s.changed(ctx, tx, Change{At: tx.Now(), Partner: in.Partner, Change: "paused", Reason: in.Reason}); err != nil {
		return v, err
	}
	return s.after(ctx, tx, in.Partner)
}

// Resume lets the calls to a partner go on.
func (s *Service) Resume(ctx context.Context, tx *pg.Tx, in NameInput) (v StateView, err error) {
	if _, err := s.lanes(in.Partner, ""); err != nil {
		return v, err
	}
	dropPause(tx, in.Partner)
	audit.Record(tx, "partners.go_on", in.Partner, authz.Policy(ctx), nil)
	if err := s.changed(ctx, tx, Change{At: tx.Now(), Partner: in.Partner, Change: "resumed"}); err != nil {
		return v, err
	}
	return s.after(ctx, tx, in.Partner)
}

// after has this hub follow at once what it commits, and shows it.
func (s *Service) after(ctx context.Context, tx *pg.Tx, partner string) (StateView, error) {
	tx.After(func() { _ = s.follow(context.WithoutCancel(ctx)) }) // else the next look does
	if err := tx.Flush(ctx); err != nil {
		return StateView{}, err
	}
	all, err := s.view(ctx, tx)
	return all[partner], err
}

// TuneInput changes the bounds of one lane.
type TuneInput struct {
	Partner string         `path:"partner" maxLength:"60"`
	Class   outbound.Class `path:"class" enum:"pay,query,file,tell"`
	Bounds
}

// Tune sets the bounds of a partner's calls of one class in place of those that
// were set before; what is not given is as built in. Every hub follows within
// seconds. A breaker that is open stays open.
func (s *Service) Tune(ctx context.Context, tx *pg.Tx, in TuneInput) (v BoundsView, err error) {
	found, err := s.lanes(in.Partner, in.Class)
	if err != nil {
		return v, err
	}
	now := in.settings().Or(found[0].Own())
	if err := now.Check(in.Class); err != nil {
		return v, ErrBounds.Say("%s.", err).With(err)
	}
	set := setting{in.Partner, in.Class, in.Bounds, auth.From(ctx).Person(), tx.Now()}
	saveSetting(tx, set)
	audit.Record(tx, "partners.tune", in.Partner, authz.Policy(ctx), map[string]any{"class": in.Class, "bounds": in.Bounds})
	if err := s.changed(ctx, tx, Change{At: tx.Now(), Partner: in.Partner, Class: in.Class, Change: "tuned"}); err != nil {
		return v, err
	}
	tx.After(func() { _ = s.follow(context.WithoutCancel(ctx)) })
	return BoundsView{in.Class, boundsOf(now), in.Bounds, set.SetBy, &set.SetAt}, nil
}

// TestView is what a partner answered to a question about nothing.
type TestView struct {
	Answers bool   `json:"answers" required:"true"`
	Said    string `json:"said" required:"true" description:"Its code and words, or why there are none."`
	MS      int64  `json:"ms" required:"true" description:"How long it took."`
}

// Test asks a partner a question that moves nothing, also when it is paused or
// its breaker is open; an answer closes the breakers of this hub.
func (s *Service) Test(ctx context.Context, in NameInput) (v TestView, err error) {
	found, err := s.lanes(in.Partner, "")
	if err != nil {
		return v, err
	}
	i := slices.IndexFunc(found, (*outbound.Lane).Probes)
	if i < 0 {
		return v, ErrNoProbe
	}
	r, took := found[i].Probe(ctx)
	v = TestView{Answers: r.Answered(), Said: r.Say(), MS: took.Milliseconds()}
	if v.Answers {
		for _, l := range found {
			l.Close()
		}
	}
	return v, s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "partners.probe", in.Partner, authz.Policy(ctx), v)
		return nil
	})
}
