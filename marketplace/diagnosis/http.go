package diagnosis

import (
	"context"
	"net/http"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const asking, drafts, draft, runs, run = "/v1/questionnaires", "/v1/questionnaire-drafts", "/v1/questionnaire-drafts/{draft}", "/v1/diagnostics", "/v1/diagnostics/{diagnostic}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", asking, "questionnaires.list", "List the questionnaires in force", ok, s.Questionnaires),
		rest.Handle("GET", asking+"/{code}", "questionnaires.show", "Show a version of a questionnaire, with its questions, levels and advice", ok, s.Questionnaire),
		rest.Commit("POST", drafts, "questionnaires.draft", "Write down a questionnaire, or a new version of one, that is not published yet", made, s.Draft),
		rest.Handle("GET", drafts, "questionnaires.drafts", "List what is written of questionnaires, the newest first", ok, s.Drafts),
		rest.Handle("GET", draft, "questionnaires.show_draft", "Show a questionnaire that is not published yet", ok, s.ShowDraft),
		rest.Handle("PUT", draft, "questionnaires.write", "Put another questionnaire in the place of a draft's", ok, s.Write),
		rest.Commit("POST", draft+"/publish", "questionnaires.publish", "Ask a second person to publish a draft", ok, s.Publish),

		rest.Commit("POST", runs, "diagnostics.begin", "Begin a diagnostic of one's organisation", made, s.Begin),
		rest.Handle("GET", runs, "diagnostics.list", "List one's organisation's diagnostics, the newest first", ok, s.List),
		rest.Handle("GET", run, "diagnostics.show", "Show a diagnostic with its answers, and its result once it is finished", ok, s.Show),
		rest.Handle("PUT", run+"/answers/{question}", "diagnostics.answer", "Save the answer to one question", ok, s.Answer),
		rest.Commit("POST", run+"/finish", "diagnostics.finish", "Finish a diagnostic: its answers are counted, and nothing of it changes any more", ok, s.Finish),
		rest.Commit("POST", run+"/share", "diagnostics.share", "Put a finished result into one's dossier, as an item or its next version", ok, s.Share),

		rest.Handle("GET", "/v1/diagnostics/figures", "diagnostics.figures", "Say how far members have come, by kind, region and dimension; small cells are hidden", ok, s.Figures),
	}
}

// QuestionnairesInput asks for questionnaires.
type QuestionnairesInput struct {
	rest.Paging
	Kind members.Kind `query:"kind" enum:"beneficiary_coop,auto_entrepreneur" description:"Those for organisations of this kind."`
}

// QuestionnaireInput names a version of a questionnaire.
type QuestionnaireInput struct {
	Code    string `path:"code"`
	Version int    `query:"version" minimum:"0" maximum:"1000" description:"0: the one in force."`
}

// DraftInput is a questionnaire.
type DraftInput struct {
	Questionnaire
}

// OneDraft names a draft.
type OneDraft struct {
	Draft string `path:"draft"`
}

// WriteInput is another text for a draft.
type WriteInput struct {
	Draft    string `path:"draft"`
	Revision int    `query:"revision" required:"true" minimum:"1" description:"Of the draft as one saw it; when it has changed since, nothing is done."`
	Questionnaire
}

// BeginInput begins a diagnostic.
type BeginInput struct {
	Questionnaire string `json:"questionnaire" required:"true" maxLength:"40" description:"Its code."`
	Channel       string `json:"channel,omitempty" enum:"counter,phone" description:"How the member came, said by whoever acts for it with its code."`
}

// OneDiagnostic names a diagnostic.
type OneDiagnostic struct {
	Diagnostic string `path:"diagnostic"`
}

// AnswerInput answers one question.
type AnswerInput struct {
	Diagnostic string `path:"diagnostic"`
	Question   string `path:"question"`
	Answer
	Channel string `json:"channel,omitempty" enum:"counter,phone"`
	Version int    `json:"version,omitempty" minimum:"0" description:"Of the diagnostic as one saw it; when it has changed since, nothing is done. Left out, the last answer to a question stands."`
}

// FinishInput finishes a diagnostic.
type FinishInput struct {
	Diagnostic string `path:"diagnostic"`
	Version    int    `json:"version,omitempty" minimum:"0"`
}

// RunsInput asks for diagnostics.
type RunsInput struct {
	rest.Paging
	Questionnaire string `query:"questionnaire" maxLength:"40"`
}

// FiguresInput asks for figures.
type FiguresInput struct {
	Questionnaire string `query:"questionnaire" required:"true" maxLength:"40"`
	Version       int    `query:"version" minimum:"0" maximum:"1000" description:"Of which edition; 0: the one in force. Figures of several are never counted together."`
}

// EditionView is a version of a questionnaire.
type EditionView struct {
	Code          string        `json:"code" required:"true"`
	Version       int           `json:"version" required:"true"`
	State         string        `json:"state" required:"true" enum:"published,replaced"`
	PublishedAt   time.Time     `json:"published_at" required:"true"`
	Questionnaire Questionnaire `json:"questionnaire" required:"true"`
}

func (e Edition) view() EditionView {
	return EditionView{e.Code, e.Version, e.State, e.PublishedAt.UTC(), e.Questionnaire}
}

// DraftView is a questionnaire that is not published yet.
type DraftView struct {
	ID            string        `json:"id" required:"true"`
	State         string        `json:"state" required:"true" enum:"open,asked,published"`
	Revision      int           `json:"revision" required:"true"`
	Questionnaire Questionnaire `json:"questionnaire" required:"true"`
	ChangedBy     string        `json:"changed_by" required:"true"`
	ChangedAt     time.Time     `json:"changed_at" required:"true"`
	Approval      string        `json:"approval,omitempty" description:"Where a second person publishes it: POST /v1/approvals/{id}."`
}

func (d Draft) view(approval string) DraftView {
	return DraftView{d.ID, d.State, d.Version, d.Questionnaire, d.ChangedBy, d.ChangedAt.UTC(), approval}
}

// QuestionView is a question as it stands in a diagnostic.
type QuestionView struct {
	Code     string `json:"code" required:"true"`
	Answered bool   `json:"answered" required:"true"`
	Waiting  bool   `json:"waiting,omitempty" description:"What decides whether it is asked is not answered yet."`
}

// AdviceView is a piece of advice.
type AdviceView struct {
	Code      string        `json:"code" required:"true"`
	Dimension string        `json:"dimension" required:"true"`
	Texts     members.Texts `json:"texts" required:"true"`
	Why       members.Texts `json:"why" required:"true"`
	First     members.Texts `json:"first" required:"true"`
	Page      string        `json:"page,omitempty" description:"The page of the market where that is done."`
}

// BeforeView is the result ahead of this one, to be compared with.
type BeforeView struct {
	ID         string           `json:"id" required:"true"`
	Edition    int              `json:"edition" required:"true"`
	FinishedAt time.Time        `json:"finished_at" required:"true"`
	Score      int              `json:"score" required:"true"`
	Level      string           `json:"level" required:"true"`
	Dimensions []DimensionScore `json:"dimensions" required:"true"`
}

// SharedView says as which version of which item a result stands in the dossier.
type SharedView struct {
	Item    string    `json:"item" required:"true"`
	Version int       `json:"version" required:"true"`
	At      time.Time `json:"at" required:"true"`
}

// RunView is a diagnostic as its organisation sees it.
type RunView struct {
	ID            string            `json:"id" required:"true"`
	Questionnaire string            `json:"questionnaire" required:"true"`
	Edition       int               `json:"edition" required:"true" description:"Which version of the questionnaire."`
	Names         members.Texts     `json:"names" required:"true"`
	State         State             `json:"state" required:"true" enum:"open,finished,lapsed"`
	Channel       string            `json:"channel" required:"true" enum:"online,counter,phone,api"`
	OnBehalfOf    string            `json:"on_behalf_of,omitempty" description:"The member's person for whom somebody began it with its code."`
	MadeAt        time.Time         `json:"made_at" required:"true"`
	SavedAt       time.Time         `json:"saved_at" required:"true"`
	LapsesAt      *time.Time        `json:"lapses_at,omitempty" description:"When it is given up without another answer."`
	FinishedAt    *time.Time        `json:"finished_at,omitempty"`
	AgainFrom     *time.Time        `json:"again_from,omitempty" description:"From when on the next may begin; left out: now."`
	Score         *int              `json:"score,omitempty" minimum:"0" maximum:"100"`
	Level         string            `json:"level,omitempty"`
	Dimensions    []DimensionScore  `json:"dimensions,omitempty"`
	Version       int               `json:"version" required:"true"`
	Questions     []QuestionView    `json:"questions,omitempty" description:"Those that are asked, or may be, in order. This and what follows are left out in lists."`
	Answers       map[string]Answer `json:"answers,omitempty" description:"By the question's code."`
	Advice        []AdviceView      `json:"advice,omitempty" description:"Of a finished one: what comes first at first."`
	Before        *BeforeView       `json:"before,omitempty"`
	Shared        *SharedView       `json:"shared,omitempty"`
}

func (r ran) view() RunView {
	v := RunView{
		ID: r.ID, Questionnaire: r.Code, Edition: r.Edition, Names: r.Questionnaire.Names, State: r.State, Channel: r.Channel, OnBehalfOf: r.OnBehalfOf,
		MadeAt: r.MadeAt.UTC(), SavedAt: r.SavedAt.UTC(), FinishedAt: rest.UTC(r.FinishedAt), Score: r.Score, Level: r.Level, Dimensions: r.Dimensions, Version: r.Version,
	}
	switch r.State {
	case Open:
		v.LapsesAt = rest.UTC(&r.LapsesAt)
	case Finished:
		if at := r.FinishedAt.Add(r.Questionnaire.Days.rest()); r.Now.Before(at) {
			v.AgainFrom = rest.UTC(&at)
		}
	}
	return v
}

// asking are the questions that are asked, or may be, as they stand.
func (r ran) asking() (out []QuestionView) {
	for _, s := range r.Questionnaire.stand(r.Answers) {
		if s.Standing == asked || s.Standing == waiting {
			out = append(out, QuestionView{s.Code, s.Standing == asked && s.Answer != nil, s.Standing == waiting})
		}
	}
	return out
}

// advised is what is advised, in its frozen order.
func (r ran) advised() (out []AdviceView) {
	for _, code := range r.Advice {
		for _, a := range r.Questionnaire.Advice {
			if a.Code == code {
				out = append(out, AdviceView{a.Code, a.Dimension, a.Texts, a.Why, a.First, a.Page})
			}
		}
	}
	return out
}

// FigureView is how far the members of a kind and region have come with a dimension.
type FigureView struct {
	Kind          members.Kind `json:"kind" required:"true"`
	Region        string       `json:"region" required:"true"`
	Dimension     string       `json:"dimension" required:"true" description:"Empty: the whole."`
	Hidden        bool         `json:"hidden,omitempty" description:"Fewer than five: their figures are not shown."`
	Organisations int          `json:"organisations,omitempty"`
	Low           *float64     `json:"lower_quartile,omitempty"`
	Median        *float64     `json:"median,omitempty"`
	High          *float64     `json:"upper_quartile,omitempty"`
}

// FiguresView are the figures of a questionnaire.
type FiguresView struct {
	Questionnaire string                   `json:"questionnaire" required:"true"`
	Version       int                      `json:"version" required:"true"`
	Names         members.Texts            `json:"names" required:"true"`
	Dimensions    map[string]members.Texts `json:"dimensions" required:"true"`
	Data          []FigureView             `json:"data" required:"true"`
}

// Questionnaires lists those in force.
func (s *Service) Questionnaires(ctx context.Context, in QuestionnairesInput) (p rest.Page[EditionView], err error) {
	var above string
	if err := rest.DecodeCursor(in.Cursor, &above); err != nil {
		return p, err
	}
	all, err := published(ctx, s.db, string(in.Kind), above, in.Limit+1)
	return rest.View(all, in.Limit, Edition.view, func(v EditionView) any { return v.Code }), err
}

// Questionnaire shows a version.
func (s *Service) Questionnaire(ctx context.Context, in QuestionnaireInput) (v EditionView, err error) {
	e, err := editionOf(ctx, s.db, in.Code, in.Version)
	if err != nil {
		return v, err
	}
	return e.view(), nil
}

// Drafts lists what is written.
func (s *Service) Drafts(ctx context.Context, in rest.Paging) (p rest.Page[DraftView], err error) {
	below, err := in.After(id.QuestionnaireDraft)
	if err != nil {
		return p, err
	}
	all, err := draftsOf(ctx, s.db, below, in.Limit+1)
	return rest.View(all, in.Limit, func(d Draft) DraftView { return d.view("") }, func(v DraftView) any { return v.ID }), err
}

// ShowDraft shows a draft.
func (s *Service) ShowDraft(ctx context.Context, in OneDraft) (v DraftView, err error) {
	d, err := loadDraft(ctx, s.db, in.Draft)
	if err != nil {
		return v, err
	}
	return d.view(""), nil
}

// List lists the diagnostics of the caller's organisation.
func (s *Service) List(ctx context.Context, in RunsInput) (p rest.Page[RunView], err error) {
	below, err := in.After(id.Diagnostic)
	if err != nil {
		return p, err
	}
	all, err := runsOf(ctx, s.db.Asking(), auth.From(ctx).Subject, in.Questionnaire, below, in.Limit+1)
	return rest.View(all, in.Limit, ran.view, func(v RunView) any { return v.ID }), err
}
