package finance

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const all, one = "/v1/finance/applications", "/v1/finance/applications/{application}"
	ok, made := http.StatusOK, http.StatusCreated
	return append([]rest.Route{
		rest.Commit("POST", all, "finance.apply", "Draft an application for an account or a loan", made, s.Apply),
		rest.Handle("GET", all, "finance.list", "List one's applications, or those put to one's bank", ok, s.List),
		rest.Handle("GET", one, "finance.show", "Show an application with what happened to it", ok, s.Show),
		rest.Commit("POST", one+"/submit", "finance.submit", "Put an application to its bank, with the consent to see what it names", ok, s.HandIn),
		rest.Commit("POST", one+"/answer", "finance.answer", "Answer what the bank asked for besides", ok, s.AnswerQuestion),
		rest.Commit("POST", one+"/accept", "finance.accept", "Accept the bank's offer", ok, s.AcceptOffer),
		rest.Commit("POST", one+"/decline", "finance.decline", "Say that the offer is not wanted", ok, s.DeclineOffer),
		rest.Commit("POST", one+"/withdraw", "finance.withdraw", "Take an application back", ok, s.TakeBack),
		rest.Commit("POST", one+"/use-account", "finance.use_account", "Be paid on the account that the bank opened, once it is verified", ok, s.UseAccount),

		rest.Commit("POST", one+"/receive", "finance.receive", "Say that the bank has an application", ok, s.Acknowledge),
		rest.Commit("POST", one+"/review", "finance.review", "Say that somebody looks at an application", ok, s.Begin),
		rest.Commit("POST", one+"/ask", "finance.ask", "Ask the member for papers or an answer", ok, s.AskMore),
		rest.Commit("POST", one+"/offer", "finance.offer", "Make an offer", ok, s.MakeOffer),
		rest.Commit("POST", one+"/refuse", "finance.refuse", "Refuse an application, and say why", ok, s.Refuse),
		rest.Commit("POST", one+"/complete", "finance.complete", "Give the RIB of the account that was opened, or say that the loan is granted", ok, s.Complete),

		rest.Handle("GET", "/v1/finance/desk", "finance.desk", "Ask for the hub's time, and how much waits for one's bank", ok, s.Desk),
		rest.Handle("GET", "/v1/finance/errands", "finance.errands", "List what banks' systems have not heard yet, and why", ok, s.Errands),
		rest.Handle("PUT", "/v1/finance/banks/{bank}/channel", "finance.channel", "Have a bank's applications go to its own system, or to the desk", ok, s.SetChannel),
	}, productRoutes(s)...)
}

// ApplyInput drafts an application.
type ApplyInput struct {
	Product   string       `json:"product" required:"true" maxLength:"40"`
	Amount    *money.Money `json:"amount,omitempty" description:"Of a loan."`
	Months    int          `json:"months,omitempty" minimum:"0" maximum:"360" description:"Of a loan."`
	Purpose   string       `json:"purpose,omitempty" maxLength:"500" description:"What it is for, in one's own words; the bank reads it."`
	Sections  []string     `json:"sections" required:"true" minItems:"1" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project" description:"What the bank may see of the dossier; at least what the product asks for."`
	Sensitive bool         `json:"sensitive,omitempty" description:"What is sensitive too."`
	Days      int          `json:"days" required:"true" minimum:"1" maximum:"730" description:"For how long the bank may see it."`
}

// OneApplication names an application.
type OneApplication struct {
	Application string `path:"application"`
}

// SubmitInput puts an application to its bank.
type SubmitInput struct {
	Application string `path:"application"`
	Digest      string `json:"digest,omitempty" maxLength:"64" description:"Of the text that was shown: a consent is given with it."`
	Consent     string `json:"consent,omitempty" maxLength:"40" description:"Or a consent that this bank was given before."`
}

// AnswerInput answers a question of the bank's.
type AnswerInput struct {
	Application string `path:"application"`
	Text        string `json:"text,omitempty" maxLength:"2000"`
	Digest      string `json:"digest,omitempty" maxLength:"64" description:"Of the text that was shown, when the bank asks for more of the dossier."`
}

// ReasonedInput says no, and why if one likes.
type ReasonedInput struct {
	Application string `path:"application"`
	Reason      string `json:"reason,omitempty" maxLength:"500"`
}

// AskInput asks the member for something.
type AskInput struct {
	Application string   `path:"application"`
	Text        string   `json:"text" required:"true" minLength:"1" maxLength:"1000"`
	Sections    []string `json:"sections,omitempty" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project" description:"What the bank needs to see besides."`
}

// OfferInput makes an offer.
type OfferInput struct {
	Application string       `path:"application"`
	Amount      *money.Money `json:"amount,omitempty" description:"Of a loan."`
	Rate        string       `json:"rate,omitempty" pattern:"^[0-9]{1,2}(\\.[0-9]{1,2})?$" description:"Of a loan: percent a year, as 7.25."`
	Months      int          `json:"months,omitempty" minimum:"0" maximum:"360" description:"Of a loan."`
	Fees        *money.Money `json:"fees,omitempty" description:"Paid once."`
	Terms       string       `json:"terms,omitempty" maxLength:"2000" description:"In plain words; of an account at least."`
	ValidUntil  time.Time    `json:"valid_until" required:"true"`
}

// RefuseInput refuses an application.
type RefuseInput struct {
	Application string `path:"application"`
	Reason      string `json:"reason" required:"true" minLength:"1" maxLength:"500" description:"The member reads it."`
}

// CompleteInput ends an application well.
type CompleteInput struct {
	Application string `path:"application"`
	RIB         string `json:"rib,omitempty" maxLength:"40" description:"24 digits; of an account at least."`
	Holder      string `json:"holder,omitempty" maxLength:"140" description:"In whose name the account is."`
}

// ChannelInput says where a bank takes applications.
type ChannelInput struct {
	Bank    string `path:"bank"`
	Partner string `json:"partner" required:"true" maxLength:"40" description:"Whose connector has the feature applications; empty: the desk."`
}

// ChannelView is where a bank takes applications.
type ChannelView struct {
	Bank    string    `json:"bank" required:"true"`
	Partner string    `json:"partner" required:"true"`
	SetBy   string    `json:"set_by" required:"true"`
	SetAt   time.Time `json:"set_at" required:"true"`
}

// NamedView is an organisation by its names.
type NamedView struct {
	ID    string            `json:"id" required:"true"`
	Names map[string]string `json:"names" required:"true"`
}

// OfferView is what the bank offers.
type OfferView struct {
	Amount     *money.Money `json:"amount,omitempty"`
	Rate       string       `json:"rate,omitempty" description:"Percent a year."`
	Months     int          `json:"months,omitempty"`
	Monthly    *money.Money `json:"monthly,omitempty" description:"Constant: the annuity at the rate divided by twelve, without fees and insurance."`
	Total      *money.Money `json:"total,omitempty" description:"All payments and the fees."`
	Fees       money.Money  `json:"fees" required:"true"`
	Terms      string       `json:"terms" required:"true"`
	ValidUntil time.Time    `json:"valid_until" required:"true"`
}

// ConsentView is what the bank reads on.
type ConsentView struct {
	ID       string     `json:"id" required:"true"`
	Sections []string   `json:"sections" required:"true"`
	Until    time.Time  `json:"until" required:"true"`
	Ended    string     `json:"ended,omitempty" enum:"withdrawn,expired" description:"The bank's next read is refused."`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
}

// QuestionView is what the bank asked for besides.
type QuestionView struct {
	N          int        `json:"n" required:"true"`
	Text       string     `json:"text" required:"true"`
	Sections   []string   `json:"sections" required:"true"`
	AskedAt    time.Time  `json:"asked_at" required:"true"`
	Answer     string     `json:"answer,omitempty"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
}

// StepView is something that happened.
type StepView struct {
	State State     `json:"state" required:"true"`
	By    string    `json:"by" required:"true" enum:"member,bank,hub"`
	Note  string    `json:"note,omitempty"`
	At    time.Time `json:"at" required:"true"`
}

// AgreeView is the text that the member agrees to with its next step.
type AgreeView struct {
	Text   map[string]string `json:"text" required:"true" description:"By language."`
	Digest string            `json:"digest" required:"true" description:"What goes back with the step."`
}

// ApplicationView is an application as its member and its bank see it.
type ApplicationView struct {
	ID           string            `json:"id" required:"true"`
	Kind         ProductKind       `json:"kind" required:"true" enum:"account,loan"`
	State        State             `json:"state" required:"true" enum:"draft,submitted,received,in_review,papers_asked,offered,accepted,declined,refused,withdrawn,expired,opened,granted"`
	Product      string            `json:"product" required:"true"`
	Version      int               `json:"version" required:"true" description:"Of the product."`
	ProductNames map[string]string `json:"product_names" required:"true"`
	Bank         NamedView         `json:"bank" required:"true"`
	Member       NamedView         `json:"member" required:"true"`
	Amount       *money.Money      `json:"amount,omitempty"`
	Months       int               `json:"months,omitempty"`
	Purpose      string            `json:"purpose" required:"true"`
	Sections     []string          `json:"sections" required:"true"`
	Sensitive    bool              `json:"sensitive" required:"true"`
	Days         int               `json:"days" required:"true"`
	BySystem     bool              `json:"by_system" required:"true" description:"The bank's own system answers, not its desk."`
	Offer        *OfferView        `json:"offer,omitempty"`
	Reason       string            `json:"reason,omitempty" description:"Why the bank refused."`
	RIB          string            `json:"rib,omitempty" description:"Whole for the member, the last four digits for others."`
	Holder       string            `json:"holder,omitempty"`
	Account      string            `json:"account,omitempty" description:"The member's bank account that it became; it waits until it is verified."`
	Deadline     *time.Time        `json:"deadline,omitempty" description:"When it expires if nothing happens."`
	MadeAt       time.Time         `json:"made_at" required:"true"`
	MovedAt      time.Time         `json:"moved_at" required:"true"`
	Consents     []ConsentView     `json:"consents,omitempty" description:"Left out in lists."`
	Questions    []QuestionView    `json:"questions,omitempty" description:"Left out in lists."`
	Steps        []StepView        `json:"steps,omitempty" description:"The newest first; left out in lists."`
	Agree        *AgreeView        `json:"agree,omitempty" description:"For the member, before it hands in, and when the bank asks for more."`
}

// A listed is an application with the names of its product.
type listed struct {
	Application
	ProductNames map[string]string
}

func (l listed) view(ctx context.Context, names map[string]map[string]string) ApplicationView {
	v := ApplicationView{
		ID: l.ID, Kind: l.Kind, State: l.State, Product: l.Product, Version: l.ProductVersion, ProductNames: l.ProductNames,
		Bank: NamedView{l.Bank, names[l.Bank]}, Member: NamedView{l.Member, names[l.Member]}, Amount: dirhams(l.Amount), Purpose: l.Purpose,
		Sections: l.Sections, Sensitive: l.Sensitive, Days: l.Days, BySystem: l.Partner != "", Reason: l.Reason, Holder: l.Holder, Account: l.Account,
		Deadline: rest.UTC(l.Deadline), MadeAt: l.MadeAt.UTC(), MovedAt: l.MovedAt.UTC(),
	}
	if l.Months != nil {
		v.Months = *l.Months
	}
	if l.OfferUntil != nil {
		v.Offer = l.offer()
	}
	if l.RIB != nil {
		if v.RIB = masked(l.RIB); auth.From(ctx).Role == auth.Seller {
			v.RIB = *l.RIB
		}
	}
	return v
}

func (a Application) offer() *OfferView {
	o := &OfferView{Amount: dirhams(a.OfferAmount), Monthly: dirhams(a.OfferMonthly), Fees: money.Dirhams(*a.OfferFees), Terms: a.OfferTerms, ValidUntil: a.OfferUntil.UTC()}
	if a.OfferAmount != nil {
		o.Rate, o.Months = Percent(*a.OfferRate), *a.OfferMonths
		total := *a.OfferMonthly*int64(*a.OfferMonths) + *a.OfferFees
		o.Total = dirhams(&total)
	}
	return o
}

// named are the names of the organisations of some applications.
func (s *Service) named(ctx context.Context, db pg.DB, all []listed) (map[string]map[string]string, error) {
	var ids []string
	for _, l := range all {
		ids = append(ids, l.Bank, l.Member)
	}
	slices.Sort(ids)
	found, err := s.Members.Sellers(ctx, db, slices.Compact(ids))
	out := map[string]map[string]string{}
	for id, x := range found {
		out[id] = x.Names
	}
	return out, err
}

// whole is an application with all that belongs to it, as the caller sees it.
func (s *Service) whole(ctx context.Context, db pg.DB, a Application) (v ApplicationView, err error) {
	e, err := editionOf(ctx, db, a.Product, a.ProductVersion)
	if err != nil {
		return v, err
	}
	l := listed{a, e.Names}
	names, err := s.named(ctx, db, []listed{l})
	if err != nil {
		return v, err
	}
	var grounds []Ground
	var questions []Question
	var steps []Step
	if err := pg.Together(ctx, db, readGrounds(a.ID, &grounds), readQuestions(a.ID, &questions), readSteps(a.ID, &steps)); err != nil {
		return v, err
	}
	v = l.view(ctx, names)
	if grounds, err = s.now(ctx, db, grounds); err != nil {
		return v, err
	}
	for _, g := range grounds {
		v.Consents = append(v.Consents, ConsentView{g.Consent, g.Sections, g.Until.UTC(), g.Ended, rest.UTC(g.EndedAt)})
	}
	for _, q := range questions {
		v.Questions = append(v.Questions, QuestionView{q.N, q.Text, q.Sections, q.AskedAt.UTC(), q.Answer, rest.UTC(q.AnsweredAt)})
	}
	for _, x := range steps {
		v.Steps = append(v.Steps, StepView{x.State, x.Side, x.Note, x.At.UTC()})
	}
	if auth.From(ctx).Role == auth.Seller {
		v.Agree, err = s.agree(ctx, db, a, grounds, questions)
	}
	return v, err
}

// now are grounds as sharing says that they stand, which may have ended a moment ago.
func (s *Service) now(ctx context.Context, db pg.DB, all []Ground) ([]Ground, error) {
	var ids []string
	for _, g := range all {
		ids = append(ids, g.Consent)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	known, err := s.Sharing.Known(ctx, db, ids...)
	for i, g := range all {
		if c := known[g.Consent]; c.State == sharing.Withdrawn || c.State == sharing.Expired {
			all[i].Ended, all[i].EndedAt = string(c.State), c.EndedAt
		}
	}
	return all, err
}

// agree is the text that the member is to agree to next, if there is one.
func (s *Service) agree(ctx context.Context, db pg.DB, a Application, grounds []Ground, questions []Question) (*AgreeView, error) {
	var sections []string
	switch {
	case a.State == Draft:
		sections = a.Sections
	case a.State == PapersAsked && len(questions) > 0:
		for _, x := range questions[len(questions)-1].Sections {
			if !slices.ContainsFunc(grounds, func(g Ground) bool { return g.Ended == "" && slices.Contains(g.Sections, x) }) {
				sections = append(sections, x)
			}
		}
	}
	if len(sections) == 0 {
		return nil, nil
	}
	text, digest, err := s.Sharing.Wording(ctx, db, a.Bank, a.terms(sections))
	return &AgreeView{text, digest}, err
}

// ListInput asks for applications.
type ListInput struct {
	State State       `query:"state" enum:"draft,submitted,received,in_review,papers_asked,offered,accepted,declined,refused,withdrawn,expired,opened,granted"`
	Kind  ProductKind `query:"kind" enum:"account,loan"`
	Sort  string      `query:"sort" enum:"newest,deadline" default:"newest" description:"By deadline those alone are listed that go on."`
	rest.Paging
}

// List lists a member's own applications, those put to a bank, or all for the
// market's people, who see no drafts.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[ApplicationView], err error) {
	f := filter{in: in}
	switch who := auth.From(ctx); who.Role {
	case auth.Seller:
		f.member = who.Subject
	case auth.Bank:
		f.bank = who.Subject
	case auth.Operator:
	default:
		return p, ErrNotFound
	}
	if in.Sort == "deadline" {
		if err := rest.DecodeCursor(in.Cursor, &f.after); err != nil {
			return p, err
		}
	} else if f.below, err = in.After(id.Application); err != nil {
		return p, err
	}
	all, err := list(ctx, s.db, f)
	if err != nil {
		return p, err
	}
	names, err := s.named(ctx, s.db, all)
	return rest.View(all, in.Limit, func(l listed) ApplicationView { return l.view(ctx, names) }, func(v ApplicationView) any {
		if in.Sort == "deadline" {
			return place{*v.Deadline, v.ID}
		}
		return v.ID
	}), err
}

// A place is where a list by deadline goes on.
type place struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Show shows an application to its member, to its bank once it was handed in, and to
// the market's people.
func (s *Service) Show(ctx context.Context, in OneApplication) (v ApplicationView, err error) {
	a, err := loadApplication(ctx, s.db, in.Application)
	if err != nil {
		return v, err
	}
	who := auth.From(ctx)
	mine := who.Role == auth.Seller && who.Subject == a.Member
	theirs := a.State != Draft && (who.Role == auth.Bank && who.Subject == a.Bank || who.Role == auth.Operator)
	if !mine && !theirs {
		return v, ErrNotFound
	}
	return s.whole(ctx, s.db.Asking(), a)
}

// DeskView is what the desk of a bank or an insurer begins with.
type DeskView struct {
	Now     time.Time `json:"now" required:"true" description:"The hub's time."`
	Waiting int       `json:"waiting" required:"true" description:"Applications that the bank's people are to answer, up to a hundred."`
}

// Desk says what time it is, and how much waits for the caller's bank.
func (s *Service) Desk(ctx context.Context, _ rest.None) (v DeskView, err error) {
	if v.Now, err = clock.Now(ctx, s.db); err != nil {
		return v, err
	}
	v.Now = v.Now.UTC()
	if who := auth.From(ctx); who.Role == auth.Bank {
		v.Waiting, err = waiting(ctx, s.db, who.Subject)
	}
	return v, err
}

// ErrandView is something that a bank's system has not heard yet.
type ErrandView struct {
	Application string      `json:"application" required:"true"`
	N           int         `json:"n" required:"true"`
	Kind        string      `json:"kind" required:"true" enum:"apply,papers,accept,decline,withdraw"`
	State       ErrandState `json:"state" required:"true" enum:"intent,sending,unknown,done,refused" description:"unknown: it may have been heard, and is asked for by our reference before anything is said again."`
	Tries       int         `json:"tries" required:"true"`
	Said        string      `json:"said" required:"true"`
	MadeAt      time.Time   `json:"made_at" required:"true"`
	TriedAt     *time.Time  `json:"tried_at,omitempty"`
}

// ErrandsInput asks for errands.
type ErrandsInput struct {
	Application string `query:"application" maxLength:"40" description:"All of one application, also what was heard."`
	rest.Paging
}

// Errands lists what banks' systems have not heard yet.
func (s *Service) Errands(ctx context.Context, in ErrandsInput) (p rest.Page[ErrandView], err error) {
	var at errandPlace
	if err := rest.DecodeCursor(in.Cursor, &at); err != nil {
		return p, err
	}
	all, err := errands(ctx, s.db, in.Application, at, in.Limit+1)
	return rest.View(all, in.Limit, func(e Errand) ErrandView {
		return ErrandView{e.Application, e.N, e.Kind, e.State, e.Tries, e.Said, e.MadeAt.UTC(), rest.UTC(e.TriedAt)}
	}, func(v ErrandView) any { return errandPlace{v.Application, v.N} }), err
}

type errandPlace struct {
	Application string `json:"application"`
	N           int    `json:"n"`
}
