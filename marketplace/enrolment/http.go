package enrolment

import (
	"context"
	"net/http"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of enrolment.
func Routes(s *Service) []rest.Route {
	const org, paper, sets = "/v1/organisations/{org}", "/v1/papers/{paper}", "/v1/requirement-sets"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", sets, "requirements.publish", "Say what organisations of a kind show before they are admitted", made, s.Publish),
		rest.Handle("GET", sets, "requirements.list", "List what organisations of a kind show, the newest set first", ok, s.ListSets),
		rest.Handle("GET", "/v1/enrolments", "enrolment.queue", "List who asks for admission, who waits longest first", ok, s.Waiting),
		rest.Handle("GET", org+"/enrolment", "enrolment.show", "Show what is asked of an organisation, and what is there", ok, s.Show),
		rest.Commit("POST", org+"/papers", "papers.hand_in", "Hand in a document or a value", made, s.HandIn),
		rest.Commit("POST", paper+"/accept", "papers.accept", "Accept a paper", ok, s.Accept),
		rest.Commit("POST", paper+"/reject", "papers.reject", "Refuse a paper, and say why", ok, s.Reject),
		rest.Handle("GET", paper+"/value", "papers.reveal", "Read a sealed value; that it was read is written down", ok, s.Reveal),
	}
}

// PaperInput answers a requirement.
type PaperInput struct {
	Org         string `path:"org"`
	Requirement string `json:"requirement" required:"true" maxLength:"40"`
	File        string `json:"file,omitempty" maxLength:"40" description:"A proof that was uploaded for the organisation."`
	Value       string `json:"value,omitempty" maxLength:"400"`
	LastDay     string `json:"last_day,omitempty" format:"date" description:"Until when it holds, where the requirement says that it ends."`
}

// PaperView is a paper as its organisation and the market's people see it.
type PaperView struct {
	ID          string     `json:"id" required:"true"`
	Requirement string     `json:"requirement" required:"true"`
	State       State      `json:"state" required:"true" enum:"submitted,seconding,accepted,rejected,replaced,expired"`
	File        string     `json:"file,omitempty"`
	Value       string     `json:"value,omitempty" description:"Of a sealed one its last signs."`
	Sealed      bool       `json:"sealed,omitempty"`
	LastDay     string     `json:"last_day,omitempty" format:"date"`
	Note        string     `json:"note,omitempty" description:"Why it was refused."`
	Approval    string     `json:"approval,omitempty" description:"Where a second person accepts it: POST /v1/approvals/{id}."`
	MadeAt      time.Time  `json:"made_at" required:"true"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
	Channel     Channel    `json:"channel" required:"true" enum:"self,agent,market" description:"Whose hand brought it: the organisation's own, an agent's who acted for it, or the market's people's."`
}

func (p Paper) view(approval string) PaperView {
	v := PaperView{
		ID: p.ID, Requirement: p.Requirement, State: p.State, File: p.File, Value: p.Value, Sealed: len(p.Sealed) > 0, Note: p.Note, Approval: approval,
		MadeAt: p.MadeAt.UTC(), DecidedAt: rest.UTC(p.DecidedAt), Channel: p.Channel,
	}
	if v.Sealed {
		v.Value = p.Hint
	}
	if p.LastDay != nil {
		v.LastDay = p.LastDay.Format(time.DateOnly)
	}
	return v
}

// OnePaper names a paper.
type OnePaper struct {
	Paper string `path:"paper"`
}

// RejectInput refuses a paper.
type RejectInput struct {
	Paper string `path:"paper"`
	Note  string `json:"note" required:"true" minLength:"3" maxLength:"500" description:"Why, and what to do; the organisation sees it."`
}

// SetView is what organisations of a kind show.
type SetView struct {
	Kind         members.Kind  `json:"kind" required:"true"`
	Version      int           `json:"version" required:"true"`
	Since        time.Time     `json:"since" required:"true"`
	MadeAt       time.Time     `json:"made_at" required:"true"`
	Requirements []Requirement `json:"requirements" required:"true"`
}

func (s Set) view() SetView {
	v := SetView{s.Kind, s.Version, s.Since.UTC(), s.MadeAt.UTC(), s.Requirements}
	if v.Requirements == nil {
		v.Requirements = []Requirement{}
	}
	return v
}

// SetsInput asks for the sets of a kind.
type SetsInput struct {
	Kind members.Kind `query:"kind" required:"true" enum:"beneficiary_coop,auto_entrepreneur,institutional,service_provider,operational_bank,insurer,e_payment"`
	rest.Paging
}

// ListSets lists the sets of a kind.
func (s *Service) ListSets(ctx context.Context, in SetsInput) (p rest.Page[SetView], err error) {
	var below int
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	sets, err := setsOf(ctx, s.db, in.Kind, below, in.Limit+1)
	if err != nil || len(sets) == 0 {
		return rest.Cut([]SetView{}, in.Limit, func(SetView) any { return nil }), err
	}
	lines, err := linesOf(ctx, s.db, in.Kind, sets[len(sets)-1].Version, sets[0].Version)
	if err != nil {
		return p, err
	}
	of := map[int][]Requirement{}
	for _, l := range lines {
		of[l.Version] = append(of[l.Version], l.Requirement)
	}
	for i := range sets {
		sets[i].Requirements = of[sets[i].Version]
	}
	return rest.View(sets, in.Limit, Set.view, func(v SetView) any { return v.Version }), nil
}

// OneOrganisation names an organisation.
type OneOrganisation struct {
	Org string `path:"org"`
}

// EnrolmentView is what is asked of an organisation, and what is there.
type EnrolmentView struct {
	Organisation string        `json:"organisation" required:"true"`
	Kind         members.Kind  `json:"kind" required:"true"`
	Names        members.Texts `json:"names" required:"true"`
	State        members.State `json:"state" required:"true"`
	AskedAt      *time.Time    `json:"asked_at,omitempty" description:"When it asked for admission, the last time."`
	Note         string        `json:"note,omitempty"`
	Restricted   []string      `json:"restricted,omitempty" enum:"papers,charter"`
	Version      int           `json:"version" required:"true" description:"Of the set that holds for it; 0: none does."`
	Requirements []TaskView    `json:"requirements" required:"true"`
	Lacking      []string      `json:"lacking" required:"true" description:"What must still be accepted before it may sell."`
	ToAsk        []string      `json:"to_ask" required:"true" description:"What must still be handed in before it may ask for admission."`
	Now          time.Time     `json:"now" required:"true"`
}

// TaskView is a requirement with its papers.
type TaskView struct {
	Requirement
	Holds *PaperView `json:"holds,omitempty" description:"The paper that was accepted."`
	Waits *PaperView `json:"waits,omitempty" description:"The paper that somebody must decide on."`
	Ended *PaperView `json:"ended,omitempty" description:"The last paper that was refused or has ended, as long as no other came after it."`
}

// Show is what is asked of an organisation, for itself and the market's people.
func (s *Service) Show(ctx context.Context, in OneOrganisation) (v EnrolmentView, err error) {
	if !mine(auth.From(ctx), in.Org) {
		return v, ErrNotFound
	}
	o, err := s.Members.Of(ctx, s.db, in.Org)
	if err != nil {
		return v, ErrNotFound.With(err)
	}
	set, err := s.setOf(ctx, s.db, o)
	if err != nil {
		return v, err
	}
	papers, err := livePapers(ctx, s.db.Asking(), o.ID)
	if err != nil {
		return v, err
	}
	ended, err := endedPapers(ctx, s.db.Asking(), o.ID)
	if err != nil {
		return v, err
	}
	now, err := clock.Now(ctx, s.db)
	v = EnrolmentView{
		Organisation: o.ID, Kind: o.Kind, Names: o.Names, State: o.State, AskedAt: rest.UTC(o.AskedAt), Note: o.Note, Restricted: o.Restricted, Version: set.Version, Now: now.UTC(),
		Requirements: []TaskView{}, Lacking: append([]string{}, Lacking(set.Requirements, papers, false, now)...), ToAsk: append([]string{}, Lacking(set.Requirements, papers, true, now)...),
	}
	for _, r := range set.Requirements {
		v.Requirements = append(v.Requirements, task(r, papers, ended))
	}
	return v, err
}

func task(r Requirement, papers, ended []Paper) TaskView {
	t := TaskView{Requirement: r}
	for _, p := range papers {
		if p.Requirement != r.Code {
			continue
		}
		v := p.view("")
		if p.State == Accepted {
			t.Holds = &v
		} else {
			t.Waits = &v
		}
	}
	for _, p := range ended {
		if p.Requirement == r.Code && t.Waits == nil && (t.Holds == nil || p.ID > t.Holds.ID) {
			v := p.view("")
			t.Ended = &v
		}
	}
	return t
}

// QueueInput asks who waits for admission.
type QueueInput struct {
	Region string `query:"region" enum:"MA-01,MA-02,MA-03,MA-04,MA-05,MA-06,MA-07,MA-08,MA-09,MA-10,MA-11,MA-12"`
	rest.Paging
}

// WaiterView is an organisation that asks for admission.
type WaiterView struct {
	Organisation string        `json:"organisation" required:"true"`
	Kind         members.Kind  `json:"kind" required:"true"`
	Names        members.Texts `json:"names" required:"true"`
	Region       string        `json:"region" required:"true"`
	Commune      string        `json:"commune" required:"true"`
	State        members.State `json:"state" required:"true" enum:"submitted,under_review"`
	AskedAt      time.Time     `json:"asked_at" required:"true"`
	Reviewer     string        `json:"reviewer,omitempty"`
	Waiting      int           `json:"waiting" required:"true" description:"Papers that somebody must decide on."`
	Accepted     int           `json:"accepted" required:"true"`
}

// Waiting lists who asks for admission, for the market's people.
func (s *Service) Waiting(ctx context.Context, in QueueInput) (p rest.Page[WaiterView], err error) {
	var behind members.Place
	if err := rest.DecodeCursor(in.Cursor, &behind); err != nil {
		return p, err
	}
	if behind.ID != "" && !id.Is(id.Organisation, behind.ID) {
		return p, rest.ErrCursor
	}
	all, err := s.Members.Queue(ctx, s.db, members.Waiters{Region: in.Region, Behind: behind, Limit: in.Limit + 1})
	if err != nil {
		return p, err
	}
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	counts, err := tallies(ctx, s.db.Asking(), ids)
	if err != nil {
		return p, err
	}
	of := map[string]tally{}
	for _, c := range counts {
		of[c.Organisation] = c
	}
	return rest.View(all, in.Limit, func(o members.Organisation) WaiterView {
		return WaiterView{o.ID, o.Kind, o.Names, o.Region, o.Commune, o.State, o.AskedAt.UTC(), o.Reviewer, of[o.ID].Waiting, of[o.ID].Accepted}
	}, func(v WaiterView) any { return members.Place{At: v.AskedAt, ID: v.Organisation} }), nil
}

// ValueView is a value that is kept sealed.
type ValueView struct {
	Paper string `json:"paper" required:"true"`
	Value string `json:"value" required:"true"`
}

// Reveal reads a sealed value for one of the market's people. Without its trace it
// is not read.
func (s *Service) Reveal(ctx context.Context, in OnePaper) (v ValueView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := load(ctx, tx, in.Paper)
		if err != nil {
			return err
		}
		v = ValueView{p.ID, p.Value}
		if len(p.Sealed) == 0 {
			return nil
		}
		if s.Vault == nil {
			return ErrNoVault
		}
		audit.Record(tx, "papers.reveal", p.ID, authz.Policy(ctx), map[string]string{"organisation": p.Organisation, "requirement": p.Requirement})
		v.Value, err = s.Vault.Open(p.ID, p.Sealed)
		return err
	})
	if err != nil {
		return ValueView{}, err
	}
	return v, nil
}
