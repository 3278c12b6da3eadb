// Package policies is members' insurance. The market carries what licensed insurers
// offer: an operator lets a product be shown, a member asks for a quote, reads its
// papers, agrees, and pays out of its balance; the insurer binds. Claims are the
// insurer's to decide; that a claim is paid the member's balance says.
//
// The money moves in payments/premiums, in the unit of work that writes here what
// it is for.
package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of policies.
var (
	ErrNotFound = fault.New(fault.NotFound, "policies.not_found", "There is no such thing among your insurances.")
	ErrInvalid  = fault.New(fault.Invalid, "policies.invalid", "This cannot be taken as it is; see errors.")
	ErrProduct  = fault.New(fault.Conflict, "policies.product", "This product is not offered at the moment.")
	ErrDecided  = fault.New(fault.Conflict, "policies.decided", "This version of the product was decided on before.")
	ErrOwn      = fault.New(fault.Denied, "policies.own_product", "Whoever wrote a product down does not let it be shown.")
	ErrQuote    = fault.New(fault.Conflict, "policies.quote", "This quote does not hold any more; ask for a new one.")
	ErrConsent  = fault.New(fault.Invalid, "policies.consent", "What was agreed to is not what this quote says; read it again.")
	ErrState    = fault.New(fault.Conflict, "policies.state", "This does not allow that now.")
	ErrCooling  = fault.New(fault.Conflict, "policies.cooling_off", "The time to cancel this policy freely is over.")
	ErrParcel   = fault.New(fault.Conflict, "policies.parcel", "A parcel is insured before it leaves, and once; look at the sale again.")
	ErrNoHub    = fault.New(fault.Conflict, "policies.no_insurer", "This insurer is not connected at the moment.")
	ErrTwice    = fault.New(fault.Conflict, "policies.twice", "This was entered before.")
	ErrSigned   = fault.New(fault.Invalid, "policies.signature", "The signature is not that of the source.")
)

// Texts are one text in several languages.
type Texts = insurance.Texts

// Line is what a product insures.
type Line = insurance.Line

// ProductState is where a version of a product stands.
type ProductState string

// The states of a product's version.
const (
	Offered   ProductState = "offered"   // waits for an operator
	Approved  ProductState = "approved"  // is sold
	Rejected  ProductState = "rejected"  // is not
	Withdrawn ProductState = "withdrawn" // was sold; policies of it go on
)

// A Product is one version of what an insurer offers.
type Product struct {
	ID        string
	Insurer   string
	Code      string // the insurer's
	Number    int    // of the version
	Line      insurance.Line
	Doc       insurance.Product
	Digest    []byte
	Source    string // insurer, or desk when its people wrote it
	State     ProductState
	MadeBy    string
	MadeAt    time.Time
	DecidedBy string
	DecidedAt *time.Time
	Note      string
	Version   int
}

// QuoteState is where a quote stands.
type QuoteState string

// The states of a quote.
const (
	QuoteAsked   QuoteState = "asked" // the insurer is being asked
	QuoteOpen    QuoteState = "open"
	QuoteUsed    QuoteState = "used"
	QuoteRefused QuoteState = "refused"
)

// A Quote is an insurer's price for one member, in centimes.
type Quote struct {
	ID         string
	Ref        string
	Product    string
	Insurer    string
	Member     string
	AskedBy    string
	Subject    insurance.Subject
	Order      string `db:"order_id"` // the sale whose parcel it is, of a parcel
	SumInsured int64
	Currency   string
	Starts     time.Time
	Ends       time.Time
	State      QuoteState
	Number     string // the insurer's name of it
	Premium    int64
	Taxes      int64
	Commission int64
	ValidUntil *time.Time
	Documents  []insurance.Document
	Why        string
	AskedAt    time.Time
	Version    int
}

func (q Quote) money(c int64) money.Money { return money.FromCentimes(c, q.Currency) }

// A Policy is an insurance that a member has, in centimes.
type Policy struct {
	ID          string
	Ref         string
	Quote       string
	Product     string
	Insurer     string
	Member      string
	Order       string `db:"order_id"` // the sale whose parcel it insures, of a parcel
	SumInsured  int64
	Premium     int64
	Commission  int64
	Currency    string
	Period      string
	First       string
	State       insurance.PolicyState
	Why         string
	PartnerID   string
	Number      string
	Starts      time.Time
	Ends        time.Time
	Documents   []insurance.Document
	ConsentLang string
	ConsentText string
	ConsentHash string
	ConsentBy   string
	ConsentWay  string
	ConsentAt   time.Time
	CancelRef   string
	CancelWhy   string
	CancelAt    *time.Time
	Refund      int64
	NextDue     *time.Time
	Periods     int // that are paid for
	Reminded    bool
	EndingTold  bool
	AskedAt     time.Time
	Version     int
}

func (p Policy) money(c int64) money.Money { return money.FromCentimes(c, p.Currency) }

// Holds says whether it covers anything now.
func (p Policy) Holds() bool {
	return p.State == insurance.PolicyActive || p.State == insurance.PolicyClaimed
}

// freeUntil is when the time is over in which it can be cancelled freely.
func (p Policy) freeUntil(d Product) time.Time {
	return p.AskedAt.AddDate(0, 0, d.Doc.CoolingOff).UTC()
}

// cancelRef is how the insurer knows the cancelling of a policy.
func (p Policy) cancelRef() string { return "C" + p.Ref }

var policyMoves = map[insurance.PolicyState][]insurance.PolicyState{
	insurance.PolicyPending: {insurance.PolicyActive, insurance.PolicyRefused},
	insurance.PolicyActive:  {insurance.PolicyLapsed, insurance.PolicyCancelled, insurance.PolicyExpired, insurance.PolicyClaimed},
	insurance.PolicyClaimed: {insurance.PolicyLapsed, insurance.PolicyCancelled, insurance.PolicyExpired},
}

// Move moves a policy on.
func (p Policy) Move(to insurance.PolicyState, why string) (Policy, error) {
	if !slices.Contains(policyMoves[p.State], to) {
		return p, ErrState.Say("This policy is %s; it cannot become %s.", p.State, to)
	}
	p.State, p.Why = to, why
	if to != insurance.PolicyActive && to != insurance.PolicyClaimed {
		p.NextDue = nil
	}
	return p, nil
}

// A Claim is what a member declares under a policy, in centimes.
type Claim struct {
	ID          string
	Ref         string
	Policy      string
	Insurer     string
	Member      string
	EventAt     time.Time
	Kind        string
	Description string
	Amount      int64
	Currency    string
	Observation string
	State       insurance.ClaimState
	Why         string
	Asks        []string
	Accepted    *int64
	Transfer    string
	SetOff      bool
	PartnerID   string
	Told        int
	Filed       int
	AnswerBy    time.Time
	MadeBy      string
	MadeAt      time.Time
	Version     int
}

func (c Claim) money(n int64) money.Money { return money.FromCentimes(n, c.Currency) }

// answerWithin is how long an insurer has to say something of a claim.
const answerWithin = 30 * 24 * time.Hour

var claimMoves = map[insurance.ClaimState][]insurance.ClaimState{
	insurance.ClaimNotified: {insurance.ClaimReview, insurance.ClaimAccepted, insurance.ClaimRejected},
	insurance.ClaimReview:   {insurance.ClaimAccepted, insurance.ClaimRejected},
	insurance.ClaimRejected: {insurance.ClaimReview, insurance.ClaimAccepted},
	insurance.ClaimAccepted: {insurance.ClaimPaid},
}

// Hear is what a claim becomes by its insurer's word. That it is paid the insurer
// cannot say: then it is accepted, and is paid out of what is payable to the
// insurer when no transfer is named. An amount that the policy does not cover, or
// that changes after it was accepted, is wrong.
func (c Claim) Hear(said insurance.Claim, most int64) (next Claim, wrong string) {
	to := said.State
	setOff := to == insurance.ClaimPaid && said.Transfer == ""
	if to == insurance.ClaimPaid {
		to = insurance.ClaimAccepted
	}
	next = c
	if next.PartnerID == "" {
		next.PartnerID = said.ID
	}
	done := c.State == insurance.ClaimAccepted || c.State == insurance.ClaimPaid
	switch {
	case done && (to == insurance.ClaimNotified || to == insurance.ClaimReview): // its people have answered, and its system has not heard yet
		return c, ""
	case done && to != insurance.ClaimAccepted:
		return c, fmt.Sprintf("the claim was accepted, and is %s now", said.State)
	case done && said.Amount.Centimes() != *c.Accepted:
		return c, fmt.Sprintf("%s was accepted, and is %s now", c.money(*c.Accepted), said.Amount)
	case to == insurance.ClaimAccepted && (said.Amount.Currency() != c.Currency || said.Amount.Sign() <= 0 || said.Amount.Centimes() > most):
		return c, fmt.Sprintf("%s is accepted of a claim of %s under a policy for %s", said.Amount, c.money(c.Amount), c.money(most))
	case said.Transfer != "" && c.Transfer != "" && said.Transfer != c.Transfer && c.State == insurance.ClaimPaid:
		return c, "the transfer was named otherwise when it came"
	}
	if to == c.State || slices.Contains(claimMoves[c.State], to) {
		next.State, next.Why, next.Asks = to, said.Reason, said.Asks
	}
	if c.State == insurance.ClaimPaid {
		next.State, next.Asks = c.State, c.Asks
		return next, ""
	}
	if to == insurance.ClaimAccepted {
		n := said.Amount.Centimes()
		next.Accepted, next.Asks = &n, []string{}
		if said.Transfer != "" {
			next.Transfer, next.SetOff = said.Transfer, false
		} else if next.Transfer == "" {
			next.SetOff = next.SetOff || setOff
		}
	}
	if next.Asks == nil {
		next.Asks = []string{}
	}
	return next, ""
}

// An Evidence is a paper or a photograph of a claim.
type Evidence struct {
	Claim   string
	File    string
	Kind    string
	Digest  string
	AddedBy string
	AddedAt time.Time
}

// words are the consent by language. Places: insurer, product, sum, start, end,
// premium, taxes, sheet, days.
var words = map[string]string{
	"fr": "Je demande à %[1]s l'assurance « %[2]s » : %[3]s assurés du %[4]s au %[5]s. La prime est de %[6]s, dont %[7]s de taxes, prise sur mon solde. J'ai reçu et lu la fiche d'information (%[8]s). Je peux y renoncer pendant %[9]d jours. Le marché présente l'offre de l'assureur et reçoit une commission de %[10]s comprise dans la prime.",
	"ar": "أطلب من %[1]s تأمين «%[2]s»: مبلغ %[3]s من %[4]s إلى %[5]s. القسط %[6]s، منه %[7]s رسوما، يؤخذ من رصيدي. تسلمت ورقة المعلومات وقرأتها (%[8]s). يمكنني التراجع خلال %[9]d يوما. يعرض السوق عرض المؤمِّن ويتلقى عمولة قدرها %[10]s داخل القسط.",
	"en": "I ask %[1]s for the insurance “%[2]s”: %[3]s insured from %[4]s to %[5]s. The premium is %[6]s, of which %[7]s are taxes, taken out of my balance. I was given the information sheet and read it (%[8]s). I can withdraw within %[9]d days. The market presents the insurer's offer and gets a commission of %[10]s within the premium.",
}

// Langs are the languages of a consent.
var Langs = []string{"fr", "ar", "en"}

// Consent is what a member agrees to when it takes a quote, and the hash of that.
// It names the information sheet by the hash of its bytes.
func Consent(q Quote, p Product, insurer Texts, lang string) (text, hash string) {
	sheet := ""
	for _, d := range append(slices.Clone(q.Documents), p.Doc.Documents...) {
		if d.Kind == sheetKind && (sheet == "" || d.Lang == lang) {
			sheet = d.SHA256
			if d.Lang == lang {
				break
			}
		}
	}
	day := func(t time.Time) string { return t.UTC().Format("02/01/2006") }
	text = fmt.Sprintf(words[lang], named(insurer, lang, q.Insurer), named(p.Doc.Names, lang, p.Code), q.money(q.SumInsured), day(q.Starts), day(q.Ends),
		q.money(q.Premium), q.money(q.Taxes), sheet, p.Doc.CoolingOff, q.money(q.Commission))
	sum := sha256.Sum256([]byte(text))
	return text, hex.EncodeToString(sum[:])
}

// sheetKind is the paper without which nothing is sold.
const sheetKind = "information_sheet"

// named is a name in a language, in French, or what stands for it.
func named(t Texts, lang, other string) string {
	for _, l := range []string{lang, "fr"} {
		if s := t[l]; s != "" {
			return s
		}
	}
	return other
}

// Check says all that is wrong with a product, by pointer.
func Check(p insurance.Product) (wrong []fault.Detail) {
	say := func(pointer, text string) { wrong = append(wrong, fault.Detail{Pointer: pointer, Detail: text}) }
	if !codeShape(p.ID) {
		say("/id", "From 1 to 40 letters, digits, dots, strokes.")
	}
	if !slices.Contains([]insurance.Line{insurance.Parcel, insurance.Stock, insurance.Crop, insurance.Health}, p.Line) {
		say("/line", "One of parcel, stock, crop, health.")
	}
	for _, l := range spoken {
		if n := len([]rune(strings.TrimSpace(p.Names[l]))); n < 1 || n > 120 {
			say("/names/"+l, "A name of at most 120 signs, in French and in Arabic.")
		}
	}
	if n := len(p.Covers); n < 1 || n > 20 {
		say("/covers", "From 1 to 20 risks that it covers.")
	}
	if len(p.Exclusions) > 5 {
		say("/exclusions", "At most 5 exclusions, in plain words.")
	}
	for what, all := range map[string][]Texts{"covers": p.Covers, "exclusions": p.Exclusions} {
		for i, t := range all {
			for _, l := range spoken {
				if n := len([]rune(strings.TrimSpace(t[l]))); n < 1 || n > 300 {
					say(fmt.Sprintf("/%s/%d/%s", what, i, l), "At most 300 signs, in French and in Arabic.")
				}
			}
		}
	}
	dirhams := func(pointer string, m money.Money, least int64) {
		if m.Currency() != money.MAD && !m.IsZero() || m.Centimes() < least || m.Centimes() > mostSum {
			say(pointer, fmt.Sprintf("From %s to %s.", money.Dirhams(least), money.Dirhams(mostSum)))
		}
	}
	switch fixed, rate := p.Premium.Fixed.Sign() != 0, p.Premium.Rate != 0; {
	case fixed == rate:
		say("/premium", "Either a fixed amount or a rate of the sum insured.")
	case fixed:
		dirhams("/premium/fixed", p.Premium.Fixed, 1)
	case p.Premium.Rate < 1 || p.Premium.Rate > 500:
		say("/premium/rate_permille", "From 1 to 500 thousandths.")
	}
	dirhams("/premium/minimum", p.Premium.Min, 0)
	if !slices.Contains([]string{"once", "month", "season", "year"}, p.Premium.Period) {
		say("/premium/period", "One of once, month, season, year.")
	}
	dirhams("/most", p.Most, 1)
	dirhams("/excess", p.Excess, 0)
	for pointer, n := range map[string]int{"/waiting_days": p.Waiting, "/cooling_off_days": p.CoolingOff} {
		if n < 0 || n > 730 {
			say(pointer, "From 0 to 730 days.")
		}
	}
	if p.Commission < 0 || p.Commission > 400 {
		say("/commission_permille", "From 0 to 400 thousandths.")
	}
	if len(p.Papers) > 20 {
		say("/papers", "At most 20 papers.")
	}
	sheets := 0
	for i, d := range p.Documents {
		if !hashShape(d.SHA256) || !strings.HasPrefix(d.URL, "https://") && !strings.HasPrefix(d.URL, "http://127.0.0.1") {
			say(fmt.Sprintf("/documents/%d", i), "An address, and the SHA-256 of its bytes in hex.")
		}
		if d.Kind == sheetKind {
			sheets++
		}
	}
	if sheets == 0 {
		say("/documents", "Without its information sheet nothing is offered.")
	}
	slices.SortFunc(wrong, func(a, b fault.Detail) int { return strings.Compare(a.Pointer, b.Pointer) })
	return wrong
}

// spoken are the languages that a product is written in at least.
var spoken = []string{"fr", "ar"}

// mostSum bounds each amount of a product, in centimes.
const mostSum = 10_000_000_00

func codeShape(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func hashShape(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// tidy writes amounts that are left out as nothing.
func tidy(p insurance.Product) insurance.Product {
	for _, m := range []*money.Money{&p.Premium.Fixed, &p.Premium.Min, &p.Most, &p.Excess} {
		if m.Currency() == "" {
			*m = money.Dirhams(0)
		}
	}
	if p.Trigger != nil && p.Trigger.Pays.Currency() == "" {
		t := *p.Trigger
		t.Pays = money.Dirhams(0)
		p.Trigger = &t
	}
	return p
}

// Priced says what is wrong with an insurer's price for what was asked, or "".
func Priced(said insurance.Quote, q Quote, p Product, now time.Time) string {
	premium, taxes, commission := said.Premium, said.Taxes, said.Commission
	if premium.Currency() != q.Currency || !taxes.IsZero() && taxes.Currency() != q.Currency || !commission.IsZero() && commission.Currency() != q.Currency {
		return "the price is in another currency"
	}
	net := premium.Centimes() - taxes.Centimes()
	want := (net*int64(p.Doc.Commission) + 500) / 1000
	switch {
	case premium.Sign() <= 0 || premium.Centimes() > q.SumInsured:
		return fmt.Sprintf("a premium of %s for %s insured", premium, q.money(q.SumInsured))
	case taxes.Sign() < 0 || net <= 0:
		return fmt.Sprintf("taxes of %s in a premium of %s", taxes, premium)
	case commission.Centimes()-want > 1 || want-commission.Centimes() > 1:
		return fmt.Sprintf("a commission of %s, where the product says %s", commission, q.money(want))
	case commission.Centimes() >= premium.Centimes():
		return fmt.Sprintf("a commission of %s in a premium of %s", commission, premium)
	case said.ID == "" || said.Ref != q.Ref:
		return "the quote answers another question"
	case !said.ValidUntil.After(now):
		return "the quote has ended before it came"
	}
	return ""
}
