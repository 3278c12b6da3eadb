package bank

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Applicants is what a bank's driver can do besides when the bank takes members'
// applications for accounts and loans by its own system. Ref is ours and names an
// application for ever: whatever was asked, or not answered, is asked for by it.
type Applicants interface {
	// Apply puts an application to the bank. The same Ref again is the same
	// application: Accepted; Declined says that the bank will never take it.
	Apply(ctx context.Context, a Application) outbound.Result
	// Progress asks how an application stands: Succeeded, NotFound or Unknown.
	Progress(ctx context.Context, ref string) (Progress, outbound.Result)
	// Tell passes the member's word on. The same N again changes nothing.
	Tell(ctx context.Context, ref string, a Answer) outbound.Result
}

// An Application is what a member asks of a bank. What its papers say is not in it:
// the bank reads them at the hub, on the consent.
type Application struct {
	Ref       string
	Product   string
	Version   int
	Kind      string       // account or loan
	Amount    *money.Money // of a loan
	Months    int
	Purpose   string
	Applicant Applicant
	Consent   string
	Sections  []string
	Until     time.Time // of the consent
	Dossier   string    // where at the hub the papers are read
	Made      time.Time
}

// An Applicant is who applies.
type Applicant struct{ ID, Name, Kind, ICE, Region, Commune string }

// An Answer is a member's word: papers, accept, decline or withdraw. N counts them
// per application.
type Answer struct {
	N    int
	Kind string
	Text string
	At   time.Time
}

// A Progress is how an application stands at its bank. Seq grows with each change,
// so that what is older is told from what is newer.
type Progress struct {
	Ref      string
	State    string
	Seq      int64
	Reason   string    // why it was refused
	Question *Question // while papers are asked
	Offer    *Offer
	RIB      string // once it is opened
	Holder   string
	Answers  []int // those that the bank has heard
}

// A Question is what a bank asks a member for.
type Question struct {
	Text     string
	Sections []string
}

// An Offer is what a bank offers. An account has no amount.
type Offer struct {
	Amount *money.Money
	Rate   string // percent a year, as 7.25
	Months int
	Fees   money.Money
	Terms  string
	Until  time.Time
}

// TakesApplications says whether the bank's driver can take applications at all.
func (b *Bank) TakesApplications() bool {
	_, ok := b.d.(Applicants)
	return ok
}

var _ Applicants = (*Bank)(nil)

var refused = outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "this bank takes no applications"}

// Apply puts an application to the bank; what the bank could not take is NotSent.
func (b *Bank) Apply(ctx context.Context, a Application) outbound.Result {
	d, ok := b.d.(Applicants)
	if !ok {
		return refused
	}
	if err := a.check(); err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
	}
	return b.file.Do(ctx, "bank.apply", func(ctx context.Context) outbound.Result { return d.Apply(ctx, a) })
}

// Progress asks how an application stands. What the bank says and cannot be is
// Unknown, and a person must look.
func (b *Bank) Progress(ctx context.Context, ref string) (st Progress, r outbound.Result) {
	d, ok := b.d.(Applicants)
	if !ok {
		return st, refused
	}
	r = b.query.Do(ctx, "bank.progress", func(ctx context.Context) (r outbound.Result) {
		if st, r = d.Progress(ctx, ref); r.Outcome != outbound.Succeeded {
			return r
		}
		if err := st.check(ref); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Differs, Text: err.Error(), Evidence: r.Evidence, Err: err}
		}
		return r
	})
	return st, r
}

// Tell passes the member's word on.
func (b *Bank) Tell(ctx context.Context, ref string, a Answer) outbound.Result {
	d, ok := b.d.(Applicants)
	if !ok {
		return refused
	}
	if !refShape.MatchString(ref) || a.N < 1 || !slices.Contains([]string{"papers", "accept", "decline", "withdraw"}, a.Kind) {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "this is no answer of a member's"}
	}
	return b.file.Do(ctx, "bank.tell", func(ctx context.Context) outbound.Result { return d.Tell(ctx, ref, a) })
}

func (a Application) check() error {
	loan := a.Kind == "loan"
	switch {
	case !refShape.MatchString(a.Ref):
		return fmt.Errorf("%w: an application's reference has 1 to 35 letters, digits, - and _", ErrInvalid)
	case !loan && a.Kind != "account":
		return fmt.Errorf("%w: an application is for an account or a loan, not %q", ErrInvalid, a.Kind)
	case loan != (a.Amount != nil) || loan && (a.Amount.Sign() <= 0 || a.Amount.Currency() != money.MAD) || loan != (a.Months > 0):
		return fmt.Errorf("%w: a loan has an amount in MAD and months, an account has neither", ErrInvalid)
	case a.Consent == "" || len(a.Sections) == 0 || a.Applicant.ID == "" || a.Applicant.Name == "":
		return fmt.Errorf("%w: an application names who applies, and the consent to see its papers", ErrInvalid)
	}
	return nil
}

// standings are what a bank may say of an application.
var standings = []string{"received", "in_review", "papers_asked", "offered", "accepted", "declined", "refused", "withdrawn", "expired", "opened", "granted"}

var (
	rateShape = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,2})?$`)
	sections  = []string{"identity", "financial", "production", "social", "project"}
)

func (s Progress) check(ref string) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("the bank's word on application %s: "+format, append([]any{ref}, args...)...)
	}
	switch {
	case s.Ref != ref:
		return wrong("it speaks of %q", s.Ref)
	case !slices.Contains(standings, s.State) || s.Seq < 1:
		return wrong("there is no state %q with seq %d", s.State, s.Seq)
	case s.State == "refused" && s.Reason == "":
		return wrong("it refuses without a reason")
	case s.State == "papers_asked" && (s.Question == nil || s.Question.Text == "" || len(s.Question.Text) > 1000 || slices.ContainsFunc(s.Question.Sections, func(x string) bool { return !slices.Contains(sections, x) })):
		return wrong("it asks without a question that can be shown")
	case s.State == "offered" && s.Offer == nil:
		return wrong("it offers nothing")
	case s.State == "opened" && s.RIB == "", (s.RIB == "") != (s.Holder == ""):
		return wrong("an account is opened with its RIB and its holder")
	case s.RIB != "" && CheckRIB(s.RIB) != nil:
		return wrong("%w", CheckRIB(s.RIB))
	}
	if o := s.Offer; o != nil {
		if o.Amount != nil && (o.Amount.Currency() != money.MAD || o.Amount.Sign() <= 0 || !rateShape.MatchString(o.Rate) || o.Months < 1) ||
			o.Fees.Currency() != money.MAD || o.Fees.Sign() < 0 || len(o.Terms) > 4000 || o.Until.IsZero() {
			return wrong("its offer cannot be")
		}
	}
	return nil
}
