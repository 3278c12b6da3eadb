package privacy

import (
	"net/http"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of privacy.
func Routes(s *Service) []rest.Route {
	const copies, requests, erasure = "/v1/me/data-exports", "/v1/me/data-requests", "/v1/me/erasure"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", "/v1/processings", "personal_data.register", "Read what the market does with people's data", ok, s.Processings, rest.Public()),
		rest.Handle("GET", "/v1/exports/processings.csv", "personal_data.sheet", "Take the register of processings away, in French", ok, s.Sheet, rest.Gives("text/csv")),

		rest.Commit("POST", copies, "personal_data.export", "Have a copy made of all that the hub holds of you", made, s.AskExport,
			rest.About("It is made room by room, kept sealed, and can be fetched for the days that the register says. Nobody else's data is in it: of a conversation only what you wrote.")),
		rest.Handle("GET", copies, "personal_data.exports", "List your copies, the newest first", ok, s.Exports),
		rest.Handle("GET", copies+"/{export}", "personal_data.export_show", "Show how far a copy is", ok, s.ShowExport),
		rest.Handle("GET", copies+"/{export}/document", "personal_data.document", "Take a copy away as JSON", ok, s.Fetch, rest.About("Each time leaves a row in the trail.")),
		rest.Handle("GET", copies+"/{export}/page", "personal_data.page", "Take a copy away as a page to read and print", ok, s.Page, rest.Gives("text/html")),

		rest.Commit("POST", requests, "personal_data.ask", "Ask for a correction, or object", made, s.Ask,
			rest.About("Who objects to being written to about goods is not, from this request on. What you can change yourself, do at yourself of the answer.")),
		rest.Handle("GET", requests, "personal_data.requests", "List what you asked for, the newest first", ok, s.Requests),
		rest.Handle("GET", "/v1/data-requests", "personal_data.inbox", "List what people asked for, what must be answered first before the others", ok, s.Inbox),
		rest.Commit("POST", "/v1/data-requests/{request}/answer", "personal_data.answer", "Answer a request, or refuse it with a reason", ok, s.Answer),

		rest.Handle("GET", erasure, "personal_data.standing", "Show what stands in the way of forgetting you, and how it stands", ok, s.Standing),
		rest.Commit("POST", erasure, "personal_data.erase", "Ask to be forgotten", made, s.AskErasure,
			rest.About("It runs when the time in which it can be taken back is over, if nothing stands in the way then. The certificate's address is answered once.")),
		rest.Commit("POST", erasure+"/cancel", "personal_data.keep", "Take back that you are to be forgotten", ok, s.CancelErasure),
		rest.Handle("GET", "/v1/data-erasures", "personal_data.erasures", "List who is to be forgotten or was, the newest first", ok, s.Erasures),
		rest.Handle("GET", "/v1/retention", "personal_data.periods", "Show what goes by itself when its time is over, and how much has", ok, s.Periods),
		rest.Handle("GET", "/v1/erasure-certificates/{secret}", "personal_data.certificate", "Read what was erased, and what is kept and why", ok, s.Certificate, rest.Public()),
	}
}

// ExportView is a copy.
type ExportView struct {
	ID      string      `json:"id" required:"true"`
	State   ExportState `json:"state" required:"true" enum:"making,ready,gone"`
	Done    int         `json:"done" required:"true" description:"Of so many rooms."`
	Rooms   int         `json:"rooms" required:"true"`
	MadeAt  time.Time   `json:"made_at" required:"true"`
	ReadyAt *time.Time  `json:"ready_at,omitempty"`
	Until   *time.Time  `json:"until,omitempty" description:"When it is gone."`
	Fetched int         `json:"fetched" required:"true" description:"How often it was taken away."`
}

func (e Export) view() ExportView {
	return ExportView{e.ID, e.State, e.Done, e.Rooms, e.MadeAt.UTC(), rest.UTC(e.ReadyAt), rest.UTC(e.Until), e.Fetched}
}

// RequestView is a correction or an objection.
type RequestView struct {
	ID         string       `json:"id" required:"true"`
	Kind       Kind         `json:"kind" required:"true" enum:"rectification,objection"`
	About      string       `json:"about" required:"true"`
	Text       string       `json:"text" required:"true"`
	State      RequestState `json:"state" required:"true" enum:"received,answered,refused"`
	MadeAt     time.Time    `json:"made_at" required:"true"`
	DueAt      time.Time    `json:"due_at" required:"true" description:"By when it is answered."`
	Answer     string       `json:"answer" required:"true"`
	AnsweredAt *time.Time   `json:"answered_at,omitempty"`
	Yourself   string       `json:"yourself,omitempty" description:"Where you can change this yourself."`
}

// yourself is where people change something themselves.
var yourself = map[string]string{
	"accounts": "PATCH /v1/me", "notices": "PUT /v1/notices/settings", "marketing": "POST /v1/wishes/marketing",
	"dossiers": "/v1/organisations/{org}/dossier", "organisations": "/v1/organisations/{org}",
}

func (r Request) view() RequestView {
	return RequestView{r.ID, r.Kind, r.About, r.Text, r.State, r.MadeAt.UTC(), r.DueAt.UTC(), r.Answer, rest.UTC(r.AnsweredAt), yourself[r.About]}
}

// InboxView is a request as the operator sees it.
type InboxView struct {
	RequestView
	Person string `json:"person" required:"true"`
}

// BarView is what stands in the way of forgetting somebody.
type BarView struct {
	Code  string   `json:"code" required:"true"`
	About []string `json:"about" required:"true" description:"What it is, by ids: some of them when there are many."`
	ToDo  string   `json:"to_do" required:"true"`
}

func views(bars []personal.Bar) []BarView {
	all := make([]BarView, len(bars))
	for i, b := range bars {
		all[i] = BarView{b.Code, b.About, ways[b.Code]}
	}
	return all
}

// ErasureView is that somebody is to be forgotten.
type ErasureView struct {
	ID      string       `json:"id" required:"true"`
	State   ErasureState `json:"state" required:"true" enum:"asked,cancelled,barred,running,done"`
	AskedAt time.Time    `json:"asked_at" required:"true"`
	RunsAt  time.Time    `json:"runs_at" required:"true" description:"Until when it can be taken back."`
	BeganAt *time.Time   `json:"began_at,omitempty"`
	EndedAt *time.Time   `json:"ended_at,omitempty"`
	Done    int          `json:"done" required:"true" description:"Rooms that have forgotten."`
	Rooms   int          `json:"rooms" required:"true"`
	Bars    []BarView    `json:"bars" required:"true" description:"Why it could not be."`
}

func (e Erasure) view() ErasureView {
	return ErasureView{e.ID, e.State, e.AskedAt.UTC(), e.RunsAt.UTC(), rest.UTC(e.BeganAt), rest.UTC(e.EndedAt), e.Done, e.Rooms, views(e.bars())}
}

// AskedView is an erasure that was asked for.
type AskedView struct {
	ErasureView
	Certificate string `json:"certificate" required:"true" description:"Where its certificate is read, with or without an account."`
}

// OperatorErasureView is an erasure as the operator sees it.
type OperatorErasureView struct {
	ErasureView
	Person string `json:"person" required:"true"`
}

// KeptView is what stays of a processing when somebody is forgotten.
type KeptView struct {
	Processing string `json:"processing" required:"true"`
	Purpose    Texts  `json:"purpose" required:"true"`
	Why        Texts  `json:"why" required:"true"`
}

// StandingView is how forgetting somebody stands.
type StandingView struct {
	CoolingOffDays int          `json:"cooling_off_days" required:"true"`
	Bars           []BarView    `json:"bars" required:"true" description:"What stands in the way now."`
	Kept           []KeptView   `json:"kept" required:"true" description:"What stays all the same."`
	Erasure        *ErasureView `json:"erasure,omitempty" description:"The last that was asked for."`
}

// ErasedView is what became of one table.
type ErasedView struct {
	Table      string `json:"table" required:"true"`
	Processing string `json:"processing" required:"true"`
	Rows       int64  `json:"rows" required:"true" description:"How many were changed or deleted."`
	Kept       bool   `json:"kept" required:"true"`
	Why        Texts  `json:"why,omitempty" description:"Why it is kept."`
}

// SystemView is what a system outside made of it.
type SystemView struct {
	System string     `json:"system" required:"true"`
	State  string     `json:"state" required:"true" enum:"asked,done,failed"`
	DoneAt *time.Time `json:"done_at,omitempty"`
}

// CertificateView is what was erased of somebody.
type CertificateView struct {
	ErasureView
	Tables  []ErasedView `json:"tables" required:"true"`
	Systems []SystemView `json:"systems" required:"true" description:"Outside, that were asked to forget too."`
}
