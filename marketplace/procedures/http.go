package procedures

import (
	"net/http"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const cases, one = "/v1/cases", "/v1/cases/{case}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", "/v1/procedures", "procedures.list", "List the procedures that are open", ok, s.Procedures),
		rest.Handle("GET", "/v1/procedures/{procedure}", "procedures.show", "Show a procedure, with its form", ok, s.Procedure),
		rest.Commit("POST", "/v1/procedures", "procedures.publish", "Publish a procedure, or a new version of one", made, s.Publish),
		rest.Commit("POST", "/v1/procedures/{procedure}/retire", "procedures.retire", "Close a procedure to new cases", ok, s.Retire),

		rest.Commit("POST", cases, "cases.begin", "Draft a case", made, s.Begin),
		rest.Handle("GET", cases, "cases.list", "List one's cases, or those of one's institution", ok, s.List),
		rest.Handle("GET", one, "cases.show", "Show a case's file with what happened to it", ok, s.Show),
		rest.Handle("PUT", one+"/answers", "cases.fill", "Fill the form of a case in", ok, s.FillIn),
		rest.Commit("POST", one+"/papers", "cases.paper", "Add a paper to a case", made, s.AddPaper),
		rest.Handle("GET", one+"/papers/{code}", "cases.read_paper", "Read a paper of a case", ok, s.ReadPaper, rest.Gives("application/pdf", "image/jpeg")),
		rest.Commit("POST", one+"/submit", "cases.submit", "Hand a case in", ok, s.HandIn),
		rest.Commit("POST", one+"/pay", "cases.pay", "Pay a case's fee out of one's balance", ok, s.PayFee),
		rest.Commit("POST", one+"/answer", "cases.answer", "Answer what the institution asked", ok, s.AnswerQuestion),
		rest.Commit("POST", one+"/withdraw", "cases.withdraw", "Take a case back", ok, s.TakeBack),
		rest.Commit("POST", one+"/appeal", "cases.appeal", "Object to a refusal", ok, s.Object),

		rest.Handle("GET", "/v1/cases/inbox", "cases.inbox", "List the cases on which one's institution is to act, by deadline", ok, s.Inbox),
		rest.Commit("POST", one+"/examine", "cases.examine", "Begin to examine a case", ok, s.TakeUp),
		rest.Commit("POST", one+"/ask", "cases.ask", "Ask the applicant for papers, changes or an answer", ok, s.AskMore),
		rest.Commit("POST", one+"/advance", "cases.advance", "Say that a step of the examination is done", ok, s.GoOn),
		rest.Commit("POST", one+"/hand-over", "cases.hand_over", "Hand a case over to another institution", ok, s.Send),
		rest.Commit("POST", one+"/receive", "cases.receive", "Receive a case that was handed over", ok, s.TakeOver),
		rest.Commit("POST", one+"/return", "cases.return", "Return a case that was handed over", ok, s.SendBack),
		rest.Commit("POST", one+"/decide", "cases.decide", "Grant or refuse a case", ok, s.Decide),
		rest.Handle("POST", one+"/confirm", "cases.confirm", "Say as the second person whether a decision stands", ok, s.Confirm),
		rest.Commit("POST", one+"/entrust", "cases.entrust", "Give a case whose institution is not at work to another", ok, s.EntrustTo),
		rest.Commit("POST", "/v1/documents/{document}/revoke", "documents.revoke", "Revoke a document", ok, s.Revoke),
		rest.Handle("GET", "/v1/cases/statistics", "cases.statistics", "Say how many cases were decided, and how long they took", ok, s.Statistics),
		rest.Handle("GET", "/v1/cases/statistics.csv", "cases.statistics_csv", "The same as a table", ok, s.StatisticsCSV, rest.Gives("text/csv")),

		rest.Handle("GET", "/v1/label-issuers", "label_issuers.list", "List which institution issues which label", ok, s.Issuers),
		rest.Commit("PUT", "/v1/label-issuers/{label}", "label_issuers.name", "Name the institution that issues a label", ok, s.NameIssuer),

		rest.Handle("GET", "/v1/institutions", "institutions.list", "List the institutions that are at work here", ok, s.Institutions),
		rest.Handle("GET", "/v1/verifications/{token}", "documents.verify", "Say how a document stands, to whoever has its code", ok, s.Verify, rest.Public()),
		rest.Handle("GET", "/v1/accreditations", "accreditations.list", "List who is accredited for what, and where", ok, s.Accreditations, rest.Public()),
	}
}

// ProceduresInput asks for procedures.
type ProceduresInput struct {
	rest.Paging
	Institution string `query:"institution" maxLength:"40"`
	Code        string `query:"code" maxLength:"40"`
	Kind        string `query:"kind" enum:"beneficiary_coop,auto_entrepreneur,service_provider" description:"Those that organisations of this kind may use."`
}

// OneProcedure names a procedure.
type OneProcedure struct {
	Procedure string `path:"procedure"`
}

// VersionInput names a version of a procedure.
type VersionInput struct {
	Procedure string `path:"procedure"`
	Version   int    `query:"version" minimum:"0" maximum:"1000" description:"0: the last."`
}

// PublishInput is a procedure.
type PublishInput struct {
	Definition
}

// BeginInput drafts a case.
type BeginInput struct {
	Procedure string         `json:"procedure" required:"true" maxLength:"40"`
	Answers   map[string]any `json:"answers,omitempty" description:"Of the procedure's form, as far as they are there."`
	Channel   string         `json:"channel,omitempty" enum:"counter,phone" description:"How the member came, said by whoever acts for it with its code."`
}

// AnswersInput fills a form in.
type AnswersInput struct {
	Case    string         `path:"case"`
	Answers map[string]any `json:"answers" required:"true"`
	Channel string         `json:"channel,omitempty" enum:"counter,phone"`
	Version int            `json:"version,omitempty" minimum:"0" description:"Of the case as one saw it; when it has changed since, nothing is done."`
}

// PaperInput adds a paper.
type PaperInput struct {
	Case    string `path:"case"`
	Code    string `json:"code" required:"true" maxLength:"40"`
	File    string `json:"file,omitempty" maxLength:"40" description:"What was uploaded as a proof; left out: what was accepted at the enrolment."`
	Channel string `json:"channel,omitempty" enum:"counter,phone"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// PaperOf names a paper of a case.
type PaperOf struct {
	Case string `path:"case"`
	Code string `path:"code"`
}

// OneCase names a case.
type OneCase struct {
	Case string `path:"case"`
}

// MoveInput moves a case of the applicant's.
type MoveInput struct {
	Case    string `path:"case"`
	Channel string `json:"channel,omitempty" enum:"counter,phone"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// PayInput pays for a case.
type PayInput struct {
	Case    string `path:"case"`
	Key     string `header:"Idempotency-Key" required:"true"`
	Channel string `json:"channel,omitempty" enum:"counter,phone"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// TextInput moves a case of the applicant's with a text.
type TextInput struct {
	Case    string `path:"case"`
	Text    string `json:"text" required:"true" minLength:"1" maxLength:"2000"`
	Channel string `json:"channel,omitempty" enum:"counter,phone"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// HeldInput moves a case that the caller's institution has.
type HeldInput struct {
	Case    string `path:"case"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// HeldTextInput does so with a text.
type HeldTextInput struct {
	Case    string `path:"case"`
	Text    string `json:"text,omitempty" maxLength:"2000"`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// SendInput hands a case over.
type SendInput struct {
	Case    string `path:"case"`
	To      string `json:"to" required:"true" maxLength:"40" description:"The other institution."`
	Text    string `json:"text" required:"true" minLength:"1" maxLength:"1000" description:"What it is to do."`
	Version int    `json:"version,omitempty" minimum:"0"`
}

// DecideInput decides on a case.
type DecideInput struct {
	Case    string  `path:"case"`
	Outcome Outcome `json:"outcome" required:"true" enum:"grant,refuse"`
	Reason  string  `json:"reason,omitempty" maxLength:"40" description:"Of a refusal: one of the procedure's."`
	Text    string  `json:"text,omitempty" maxLength:"2000" description:"In plain words; of a refusal at least."`
	Version int     `json:"version,omitempty" minimum:"0"`
}

// ConfirmInput is the second person's word.
type ConfirmInput struct {
	Case     string `path:"case"`
	Decision string `json:"decision" required:"true" enum:"agree,disagree"`
	Text     string `json:"text,omitempty" maxLength:"2000"`
	Version  int    `json:"version,omitempty" minimum:"0"`
}

// RevokeInput revokes a document.
type RevokeInput struct {
	Document string `path:"document"`
	Reason   string `json:"reason" required:"true" maxLength:"40"`
	Text     string `json:"text" required:"true" minLength:"1" maxLength:"1000" description:"In plain words; the holder reads it."`
}

// CasesInput asks for cases.
type CasesInput struct {
	rest.Paging
	State     string `query:"state" enum:"draft,fee_due,submitted,examining,asked,in_transit,seconding,granted,refused,appealed,withdrawn,lapsed,closed"`
	Procedure string `query:"procedure" maxLength:"40"`
	Held      bool   `query:"held" description:"Of an institution: those that it has now, whosever procedure it is."`
	Stranded  bool   `query:"stranded" description:"Those that stand still because their institution is suspended or gone."`
}

// InboxInput asks for an inbox.
type InboxInput struct {
	rest.Paging
	State     string `query:"state" enum:"submitted,examining,in_transit,seconding,appealed"`
	Procedure string `query:"procedure" maxLength:"40"`
	Region    string `query:"region" maxLength:"5"`
}

// StatisticsInput asks for figures.
type StatisticsInput struct {
	Procedure string `query:"procedure" maxLength:"40"`
	From      string `query:"from" pattern:"^[0-9]{4}-[0-9]{2}$" description:"The first month; a year before the last when left out."`
	To        string `query:"to" pattern:"^[0-9]{4}-[0-9]{2}$" description:"The last month; this one when left out."`
}

// TokenInput is what stands in a document's code.
type TokenInput struct {
	Token string `path:"token"`
}

// AccreditedInput asks who is accredited.
type AccreditedInput struct {
	rest.Paging
	Domain string `query:"domain" maxLength:"100"`
	Region string `query:"region" maxLength:"5"`
}

type accreditedPlace struct {
	Domain       string `json:"d"`
	Region       string `json:"r"`
	Organisation string `json:"o"`
	Document     string `json:"x"`
}

type accreditedRow struct {
	Organisation, Domain, Region, Document, Number, Institution, From, To string
}

// AccreditedView is who is accredited for what.
type AccreditedView struct {
	Organisation NamedView `json:"organisation" required:"true"`
	Domain       string    `json:"domain" required:"true"`
	Region       string    `json:"region" required:"true"`
	Number       string    `json:"number" required:"true"`
	Institution  NamedView `json:"institution" required:"true"`
	ValidFrom    string    `json:"valid_from" required:"true"`
	ValidTo      string    `json:"valid_to,omitempty"`

	document string
}

// NamedView is an organisation by its names.
type NamedView struct {
	ID    string        `json:"id" required:"true"`
	Names members.Texts `json:"names" required:"true"`
}

// ProcedureView is a version of a procedure.
type ProcedureView struct {
	ID          string     `json:"id" required:"true"`
	Version     int        `json:"version" required:"true"`
	State       string     `json:"state" required:"true" enum:"published,replaced,retired"`
	Institution NamedView  `json:"institution" required:"true"`
	MadeAt      time.Time  `json:"made_at" required:"true"`
	Definition  Definition `json:"definition" required:"true"`
}

// CasePaperView is a paper that a procedure asks for, and whether the case has it.
type CasePaperView struct {
	Code     string        `json:"code" required:"true"`
	Names    members.Texts `json:"names" required:"true"`
	Optional bool          `json:"optional,omitempty"`
	Enrolled bool          `json:"enrolled,omitempty" description:"It was accepted at the enrolment."`
	File     string        `json:"file,omitempty"`
	AddedAt  *time.Time    `json:"added_at,omitempty" description:"Left out: it is not there yet."`
}

// QuestionView is what the institution asked.
type QuestionView struct {
	N          int        `json:"n" required:"true"`
	Text       string     `json:"text" required:"true"`
	AskedAt    time.Time  `json:"asked_at" required:"true"`
	Answer     string     `json:"answer,omitempty"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
}

// DecisionView is what was decided. Who decided, only institutions see.
type DecisionView struct {
	N          int           `json:"n" required:"true"`
	Outcome    Outcome       `json:"outcome" required:"true" enum:"grant,refuse"`
	Reason     string        `json:"reason,omitempty"`
	ReasonText members.Texts `json:"reason_text,omitempty"`
	Text       string        `json:"text,omitempty"`
	State      DecisionState `json:"state" required:"true" enum:"proposed,standing,declined,overturned,upheld"`
	OnAppeal   bool          `json:"on_appeal,omitempty"`
	DecidedBy  string        `json:"decided_by,omitempty"`
	DecidedAt  time.Time     `json:"decided_at" required:"true"`
	SecondBy   string        `json:"second_by,omitempty"`
	Appeal     string        `json:"appeal,omitempty"`
	AppealedAt *time.Time    `json:"appealed_at,omitempty"`
}

// TransitView is the receipt of a hand-over.
type TransitView struct {
	Receipt   string     `json:"receipt" required:"true"`
	From      NamedView  `json:"from" required:"true"`
	To        NamedView  `json:"to" required:"true"`
	Note      string     `json:"note,omitempty"`
	OfferedAt time.Time  `json:"offered_at" required:"true"`
	State     string     `json:"state" required:"true" enum:"offered,accepted,returned"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Reason    string     `json:"reason,omitempty" description:"Of a return, in the words of who returned it; not_received: nobody received it in time."`
}

// MovedView is something that happened.
type MovedView struct {
	Move        Move      `json:"move" required:"true"`
	State       State     `json:"state" required:"true"`
	By          string    `json:"by" required:"true" enum:"applicant,institution,hub"`
	Institution string    `json:"institution" required:"true" description:"Which had the case then."`
	Channel     string    `json:"channel" required:"true" enum:"online,counter,phone,api,hub"`
	OnBehalfOf  string    `json:"on_behalf_of,omitempty" description:"The member's person for whom somebody acted with its code."`
	Note        string    `json:"note,omitempty"`
	At          time.Time `json:"at" required:"true"`
}

// DocumentView is what a granted case gave.
type DocumentView struct {
	ID        string        `json:"id" required:"true"`
	Number    string        `json:"number" required:"true"`
	State     string        `json:"state" required:"true" enum:"valid,expired,revoked"`
	Revoking  bool          `json:"revoking,omitempty" description:"One person has revoked it, another must."`
	Texts     members.Texts `json:"texts" required:"true"`
	ValidFrom string        `json:"valid_from" required:"true"`
	ValidTo   string        `json:"valid_to,omitempty"`
	Verify    string        `json:"verify" required:"true" description:"The public address at which anybody sees how it stands."`
	Reason    string        `json:"reason,omitempty"`
	Note      string        `json:"note,omitempty"`
	Label     string        `json:"label,omitempty" description:"The catalogue's label that it gave."`
}

// VerifiedView is what anybody sees of a document.
type VerifiedView struct {
	State       string                   `json:"state" required:"true" enum:"valid,expired,revoked,unknown"`
	Number      string                   `json:"number,omitempty"`
	Procedure   members.Texts            `json:"procedure,omitempty"`
	Institution members.Texts            `json:"institution,omitempty"`
	ValidFrom   string                   `json:"valid_from,omitempty"`
	ValidTo     string                   `json:"valid_to,omitempty"`
	RevokedAt   string                   `json:"revoked_at,omitempty"`
	Shown       map[string]any           `json:"shown,omitempty" description:"What the procedure declares public."`
	Titles      map[string]members.Texts `json:"titles,omitempty" description:"How the form names the answers among them."`
}

// FeeView is a case's fee.
type FeeView struct {
	Amount string     `json:"amount" required:"true"`
	State  string     `json:"state" required:"true" enum:"due,taken,kept,undone" description:"Taken: it may go back; kept: the institution has earned it; undone: it went back."`
	At     *time.Time `json:"at,omitempty"`
}

// CaseView is a case as its applicant and institutions see it.
type CaseView struct {
	ID          string          `json:"id" required:"true"`
	Procedure   string          `json:"procedure" required:"true"`
	Edition     int             `json:"edition" required:"true" description:"Which version of the procedure."`
	Code        string          `json:"code" required:"true"`
	Names       members.Texts   `json:"names" required:"true"`
	State       State           `json:"state" required:"true" enum:"draft,fee_due,submitted,examining,asked,in_transit,seconding,granted,refused,appealed,withdrawn,lapsed,closed"`
	Step        string          `json:"step" required:"true"`
	Institution NamedView       `json:"institution" required:"true"`
	Holder      NamedView       `json:"holder" required:"true" description:"Which institution has the case now."`
	Desk        string          `json:"desk,omitempty" description:"Which institution is to act."`
	Applicant   NamedView       `json:"applicant" required:"true"`
	Region      string          `json:"region" required:"true"`
	Due         *time.Time      `json:"due,omitempty"`
	Overdue     bool            `json:"overdue,omitempty"`
	SubmittedAt *time.Time      `json:"submitted_at,omitempty"`
	DecidedAt   *time.Time      `json:"decided_at,omitempty"`
	Outcome     Outcome         `json:"outcome,omitempty"`
	MadeAt      time.Time       `json:"made_at" required:"true"`
	MovedAt     time.Time       `json:"moved_at" required:"true"`
	Version     int             `json:"version" required:"true"`
	StrandedAt  *time.Time      `json:"stranded_at,omitempty" description:"Since when it stands still: its institution is suspended or gone, and the market's people give it to another."`
	Now         time.Time       `json:"now" required:"true" description:"The hub's time when it was looked at."`
	Answers     map[string]any  `json:"answers,omitempty" description:"This and what follows are left out in lists."`
	Fee         *FeeView        `json:"fee,omitempty"`
	Papers      []CasePaperView `json:"papers,omitempty"`
	Questions   []QuestionView  `json:"questions,omitempty"`
	Decisions   []DecisionView  `json:"decisions,omitempty"`
	Transits    []TransitView   `json:"transits,omitempty"`
	Moves       []MovedView     `json:"moves,omitempty" description:"The newest first."`
	Document    *DocumentView   `json:"document,omitempty"`
}

// FigureView is how many cases of a month and region were decided.
type FigureView struct {
	Month   string   `json:"month" required:"true"`
	Region  string   `json:"region" required:"true"`
	Hidden  bool     `json:"hidden,omitempty" description:"Fewer than five: their figures are not shown."`
	Decided int      `json:"decided,omitempty"`
	Granted int      `json:"granted,omitempty"`
	Median  *float64 `json:"median_days,omitempty"`
	Ninth   *float64 `json:"ninth_decile_days,omitempty"`
}

// StatisticsView are an institution's figures.
type StatisticsView struct {
	From string       `json:"from" required:"true"`
	To   string       `json:"to" required:"true"`
	Data []FigureView `json:"data" required:"true"`
}
