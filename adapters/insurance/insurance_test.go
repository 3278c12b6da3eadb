package insurance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// paper is an insurer that answers what it is told to.
type paper struct {
	products  []insurance.Product
	quote     insurance.Quote
	policy    insurance.Policy
	claim     insurance.Claim
	statement insurance.Statement
	calls     int
}

func (p *paper) said() outbound.Result {
	p.calls++
	return outbound.Result{Outcome: outbound.Succeeded}
}
func (p *paper) Name() string { return "paper" }
func (p *paper) Products(context.Context) ([]insurance.Product, outbound.Result) {
	return p.products, p.said()
}

func (p *paper) Quote(context.Context, insurance.Ask) (insurance.Quote, outbound.Result) {
	return p.quote, p.said()
}

func (p *paper) Bind(context.Context, insurance.Binding) (insurance.Policy, outbound.Result) {
	return p.policy, p.said()
}

func (p *paper) FindPolicy(context.Context, string) (insurance.Policy, outbound.Result) {
	return p.policy, p.said()
}

func (p *paper) Cancel(context.Context, insurance.Cancellation) (insurance.Policy, outbound.Result) {
	return p.policy, p.said()
}
func (p *paper) Paid(context.Context, insurance.Payment) outbound.Result { return p.said() }
func (p *paper) Notify(context.Context, insurance.Loss) (insurance.Claim, outbound.Result) {
	return p.claim, p.said()
}

func (p *paper) FindClaim(context.Context, string) (insurance.Claim, outbound.Result) {
	return p.claim, p.said()
}

func (p *paper) Statement(context.Context, string) (insurance.Statement, outbound.Result) {
	return p.statement, p.said()
}

var (
	now   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	hash  = strings.Repeat("ab", 32)
	sheet = []insurance.Document{{Kind: "information_sheet", Lang: "fr", URL: "https://insurer.example/s.pdf", SHA256: hash}}
)

func dh(s string) money.Money { return money.MustParse(s, money.MAD) }

func said(s string) insurance.Texts { return insurance.Texts{"fr": s, "ar": s} }

func product() insurance.Product {
	return insurance.Product{
		ID: "p", Version: 1, Line: insurance.Crop, Names: said("n"), Covers: []insurance.Texts{said("c")}, Exclusions: []insurance.Texts{said("e")},
		Premium: insurance.Premium{Rate: 20, Period: "season"}, Most: dh("1000.00"), Papers: []string{"photo"},
		Trigger: &insurance.Trigger{Index: "rain_mm", Source: "s", Threshold: "-1.5", Pays: dh("10.00")}, Documents: sheet,
	}
}

func good() *paper {
	return &paper{
		products: []insurance.Product{product()},
		quote: insurance.Quote{
			ID: "Q1", Ref: "ASK", Premium: dh("100.00"), Taxes: dh("12.00"), Commission: dh("10.00"), ValidUntil: now.Add(time.Hour), Documents: sheet,
		},
		policy: insurance.Policy{ID: "P1", Ref: "POL", Number: "N1", State: insurance.PolicyActive, Start: now, End: now.Add(time.Hour), Documents: sheet},
		claim:  insurance.Claim{ID: "C1", Ref: "CLM", Policy: "P1", State: insurance.ClaimAccepted, Amount: dh("50.00")},
		statement: insurance.Statement{
			ID: "S1", Period: "2026-11", Premiums: dh("100.00"), Commission: dh("7.50"), Claims: dh("40.00"), Due: dh("67.50"),
			Rows: []insurance.Row{
				{Kind: "premium", Ref: "PAY-1", Policy: "P1", Amount: dh("100.00"), Commission: dh("10.00")},
				{Kind: "refund", Ref: "CAN-1", Policy: "P1", Amount: dh("25.00"), Commission: dh("2.50")},
				{Kind: "claim", Ref: "CLM-1", Policy: "P1", Amount: dh("40.00")},
			},
		},
	}
}

func insurer(p *paper) *insurance.Insurer {
	fast := outbound.Settings{Rate: 10_000, Burst: 10_000, Consecutive: 10_000, Volume: 10_000}
	return insurance.New("insurer", p, insurance.Options{Pay: fast, Query: fast, Now: func() time.Time { return now }})
}

var ask = insurance.Ask{
	Ref: "ASK", Product: "p", Version: 1, Insured: "INS", Subject: insurance.Subject{Kind: "crop", Ref: "LOT"}, Sum: dh("1000.00"), Start: now, End: now.Add(time.Hour),
}

// calls are what is asked of the insurer, by what its answer is about.
var calls = map[string]func(context.Context, *insurance.Insurer) outbound.Result{
	"products": func(ctx context.Context, i *insurance.Insurer) outbound.Result { _, r := i.Products(ctx); return r },
	"quote":    func(ctx context.Context, i *insurance.Insurer) outbound.Result { _, r := i.Quote(ctx, ask); return r },
	"policy": func(ctx context.Context, i *insurance.Insurer) outbound.Result {
		_, r := i.FindPolicy(ctx, "POL")
		return r
	},
	"bind": func(ctx context.Context, i *insurance.Insurer) outbound.Result {
		_, r := i.Bind(ctx, insurance.Binding{Ref: "POL", Quote: "Q1", Holder: "H", Consent: insurance.Consent{TextHash: hash, At: now}, Payment: "PAY"})
		return r
	},
	"claim": func(ctx context.Context, i *insurance.Insurer) outbound.Result {
		_, r := i.FindClaim(ctx, "CLM")
		return r
	},
	"notify": func(ctx context.Context, i *insurance.Insurer) outbound.Result {
		_, r := i.Notify(ctx, insurance.Loss{Ref: "CLM", Policy: "P1", At: now, Type: "hail", Amount: dh("60.00")})
		return r
	},
	"statement": func(ctx context.Context, i *insurance.Insurer) outbound.Result {
		_, r := i.Statement(ctx, "2026-11")
		return r
	},
}

func TestWhatAnInsurerSaysIsCheckedBeforeItIsBelieved(t *testing.T) {
	t.Parallel()
	for name, call := range calls {
		if r := call(t.Context(), insurer(good())); r.Outcome != outbound.Succeeded {
			t.Errorf("a good %s = %+v, want Succeeded", name, r)
		}
	}
	for name, c := range map[string]struct {
		calls string
		spoil func(*paper)
		why   outbound.Reason
	}{
		"a quote of another reference":         {"quote", func(p *paper) { p.quote.Ref = "OTHER" }, ""},
		"a quote in euros":                     {"quote", func(p *paper) { p.quote.Premium = money.MustParse("100.00", "EUR") }, outbound.Differs},
		"a quote for nothing":                  {"quote", func(p *paper) { p.quote.Premium = dh("0.00") }, outbound.Differs},
		"taxes above the premium":              {"quote", func(p *paper) { p.quote.Taxes = dh("100.00") }, outbound.Differs},
		"taxes below nothing":                  {"quote", func(p *paper) { p.quote.Taxes = dh("-1.00") }, outbound.Differs},
		"taxes in euros":                       {"quote", func(p *paper) { p.quote.Taxes = money.MustParse("1.00", "EUR") }, outbound.Differs},
		"a commission that eats the premium":   {"quote", func(p *paper) { p.quote.Commission = dh("88.01") }, outbound.Differs},
		"a premium above the sum insured":      {"quote", func(p *paper) { p.quote.Premium = dh("1000.01") }, outbound.Differs},
		"a quote that is over":                 {"quote", func(p *paper) { p.quote.ValidUntil = now }, ""},
		"a quote without an end":               {"quote", func(p *paper) { p.quote.ValidUntil = time.Time{} }, ""},
		"a quote for ever":                     {"quote", func(p *paper) { p.quote.ValidUntil = now.AddDate(3, 0, 0) }, ""},
		"a quote without an information sheet": {"quote", func(p *paper) { p.quote.Documents = nil }, ""},
		"a paper without a hash": {"quote", func(p *paper) {
			p.quote.Documents = []insurance.Document{{Kind: "information_sheet", Lang: "fr", URL: "https://x.example/"}}
		}, ""},
		"a paper that is a script": {"quote", func(p *paper) {
			p.quote.Documents = []insurance.Document{{Kind: "information_sheet", Lang: "fr", URL: "javascript:alert(1)", SHA256: hash}}
		}, ""},
		"a policy of another reference":           {"bind", func(p *paper) { p.policy.Ref = "OTHER" }, ""},
		"a policy found under another reference":  {"policy", func(p *paper) { p.policy.Ref = "OTHER" }, ""},
		"a policy in a state that is none":        {"policy", func(p *paper) { p.policy.State = "eaten" }, ""},
		"a policy without a number":               {"policy", func(p *paper) { p.policy.Number = "" }, ""},
		"a policy that ends before it begins":     {"policy", func(p *paper) { p.policy.End = now.Add(-time.Hour) }, ""},
		"a refund of what goes on":                {"policy", func(p *paper) { p.policy.Refund = dh("1.00") }, outbound.Differs},
		"a claim of another reference":            {"claim", func(p *paper) { p.claim.Ref = "OTHER" }, ""},
		"a claim under another policy":            {"notify", func(p *paper) { p.claim.Policy = "P2" }, ""},
		"a claim that is accepted for nothing":    {"claim", func(p *paper) { p.claim.Amount = dh("0.00") }, outbound.Differs},
		"a claim that is notified and worth some": {"claim", func(p *paper) { p.claim.State = insurance.ClaimNotified }, outbound.Differs},
		"a claim that is paid by no transfer":     {"claim", func(p *paper) { p.claim.State = insurance.ClaimPaid }, ""},
		"a claim that is rejected for no reason":  {"claim", func(p *paper) { p.claim.State, p.claim.Amount = insurance.ClaimRejected, dh("0.00") }, ""},
		"a statement of another month":            {"statement", func(p *paper) { p.statement.Period = "2026-10" }, ""},
		"premiums that are not the rows'":         {"statement", func(p *paper) { p.statement.Premiums = dh("100.01") }, outbound.Differs},
		"a commission that is not the rows'":      {"statement", func(p *paper) { p.statement.Commission = dh("10.00") }, outbound.Differs},
		"claims that are not the rows'":           {"statement", func(p *paper) { p.statement.Claims = dh("0.00") }, outbound.Differs},
		"a sum due that is not the rows'":         {"statement", func(p *paper) { p.statement.Due = dh("100.00") }, outbound.Differs},
		"a row twice": {"statement", func(p *paper) {
			p.statement.Rows = append(p.statement.Rows, p.statement.Rows[2])
			p.statement.Claims = dh("80.00")
		}, outbound.Differs},
		"a row below nothing":           {"statement", func(p *paper) { p.statement.Rows[0].Amount = dh("-100.00") }, ""},
		"a row of a kind that is none":  {"statement", func(p *paper) { p.statement.Rows[0].Kind = "gift" }, ""},
		"a product twice":               {"products", func(p *paper) { p.products = append(p.products, product()) }, ""},
		"a product in French alone":     {"products", func(p *paper) { p.products[0].Names = insurance.Texts{"fr": "n"} }, ""},
		"a product without a version":   {"products", func(p *paper) { p.products[0].Version = 0 }, ""},
		"a product that covers nothing": {"products", func(p *paper) { p.products[0].Covers = nil }, ""},
		"a product with six exclusions": {"products", func(p *paper) { p.products[0].Exclusions = make([]insurance.Texts, 6) }, ""},
		"a product with two prices":     {"products", func(p *paper) { p.products[0].Premium.Fixed = dh("5.00") }, ""},
		"a product without a price":     {"products", func(p *paper) { p.products[0].Premium.Rate = 0 }, ""},
		"an excess above the most":      {"products", func(p *paper) { p.products[0].Excess = dh("1000.00") }, outbound.Differs},
		"a trigger that pays nothing":   {"products", func(p *paper) { p.products[0].Trigger.Pays = dh("0.00") }, ""},
		"a trigger without a threshold": {"products", func(p *paper) { p.products[0].Trigger.Threshold = "beaucoup" }, ""},
		"a product without an information sheet": {"products", func(p *paper) {
			p.products[0].Documents = []insurance.Document{{Kind: "terms", Lang: "fr", URL: "https://x.example/", SHA256: hash}}
		}, ""},
	} {
		p := good()
		c.spoil(p)
		if r := calls[c.calls](t.Context(), insurer(p)); r.Outcome != outbound.Unknown || r.Reason != c.why || r.Err == nil {
			t.Errorf("%s = %s %q (%v), want Unknown %q with its cause", name, r.Outcome, r.Reason, r.Err, c.why)
		}
	}
}

func TestAPolicyOutcomeIsItsState(t *testing.T) {
	t.Parallel()
	for state, want := range map[insurance.PolicyState]outbound.Outcome{
		insurance.PolicyPending: outbound.Accepted, insurance.PolicyRefused: outbound.Declined, insurance.PolicyActive: outbound.Succeeded,
		insurance.PolicyLapsed: outbound.Succeeded, insurance.PolicyCancelled: outbound.Succeeded, insurance.PolicyExpired: outbound.Succeeded, insurance.PolicyClaimed: outbound.Succeeded,
	} {
		p := good()
		p.policy.State = state
		for _, call := range []string{"bind", "policy"} {
			if r := calls[call](t.Context(), insurer(p)); r.Outcome != want || r.PartnerID != "P1" {
				t.Errorf("%s of a policy that is %s = %+v, want %s", call, state, r, want)
			}
		}
	}
}

func TestNothingIsGivenItsCurrency(t *testing.T) {
	t.Parallel()
	p := good()
	p.quote.Commission, p.products[0].Excess = money.Money{}, money.Money{}
	q, _ := insurer(p).Quote(t.Context(), ask)
	all, _ := insurer(p).Products(t.Context())
	if q.Commission.Currency() != money.MAD || all[0].Excess.Currency() != money.MAD || all[0].Premium.Fixed.Currency() != money.MAD {
		t.Errorf("the currencies are %q, %q, %q", q.Commission.Currency(), all[0].Excess.Currency(), all[0].Premium.Fixed.Currency())
	}
}

func TestAnInsurerWithoutEventsHearsNone(t *testing.T) {
	t.Parallel()
	i := insurer(good())
	if _, err := i.Heard(map[string][]string{}, nil); !errors.Is(err, insurance.ErrForged) {
		t.Errorf("Heard = %v, want ErrForged", err)
	}
	if i.CanObserve() || i.Driver() != "paper" || len(i.Lanes()) != 2 {
		t.Errorf("it observes %t, is %s, has %d lanes", i.CanObserve(), i.Driver(), len(i.Lanes()))
	}
}

func TestWhatCannotBeIsNotSent(t *testing.T) {
	t.Parallel()
	p := good()
	i := insurer(p)
	for name, r := range map[string]outbound.Result{
		"a premium of nothing":   i.Paid(t.Context(), insurance.Payment{Ref: "PAY", Policy: "P1", Period: "2026-11", Amount: dh("0.00")}),
		"a premium of no month":  i.Paid(t.Context(), insurance.Payment{Ref: "PAY", Policy: "P1", Period: "novembre", Amount: dh("1.00")}),
		"a policy of another":    i.Paid(t.Context(), insurance.Payment{Ref: "PAY", Policy: "../P1", Period: "2026-11", Amount: dh("1.00")}),
		"a reason of two lines":  second(i.Cancel(t.Context(), insurance.Cancellation{Ref: "CAN", Policy: "P1", Reason: "a\nb"})),
		"an index at nobody":     second(i.Observe(t.Context(), insurance.Observation{Ref: "OBS"})),
		"a reference with a way": second(i.FindPolicy(t.Context(), "../../x")),
		"no reference":           second(i.FindClaim(t.Context(), "")),
	} {
		if r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("%s = %+v, want NotSent, Unfit", name, r)
		}
	}
	if p.calls != 0 {
		t.Errorf("the insurer was called %d times", p.calls)
	}
}

func second[T any](_ T, r outbound.Result) outbound.Result { return r }
