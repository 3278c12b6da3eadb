package services

import (
	"strconv"
	"strings"

	"tiwiza/marketplace/policies"
	"tiwiza/web/ui"
)

// lines are the pictures of what is insured.
var lines = map[string]string{"parcel": "truck", "stock": "package", "crop": "cloud-rain", "health": "heart-pulse"}

// LineIcon is the picture of what an insurance is for.
func LineIcon(line string) string {
	if i := lines[line]; i != "" {
		return i
	}
	return "umbrella"
}

var tones = map[string]string{
	"quote_asked": "warn", "quote_open": "warn", "quote_refused": "bad", "quote_expired": "bad",
	"policy_pending": "warn", "policy_active": "ok", "policy_claimed": "ok", "policy_lapsed": "bad", "policy_refused": "bad",
	"claim_notified": "warn", "claim_review": "warn", "claim_accepted": "ok", "claim_paid": "ok", "claim_rejected": "bad",
	"product_offered": "warn", "product_approved": "ok", "product_rejected": "bad",
}

// Tone is how a state of a quote, a policy, a claim or a product looks.
func Tone(kind, state string) string { return tones[kind+"_"+state] }

// Cover is an insurer's product as a member sees it, in a language.
func Cover(l ui.Lang, p policies.ProductView) ui.OfferCard {
	c := ui.OfferCard{Icon: LineIcon(string(p.Line)), Kind: l.T("insure.line_" + string(p.Line)), Name: l.Say(p.Names), By: l.Say(p.InsurerName), ByID: p.Insurer}
	if c.By.Text == "" {
		c.By.Text = p.Insurer
	}
	add := func(key, said string) { c.Lines = append(c.Lines, [2]string{l.T("insure." + key), said}) }
	add("covers", texts(l, p.Covers))
	if len(p.Exclusions) > 0 {
		add("excludes", texts(l, p.Exclusions))
	}
	add("most", l.Sum(p.Most))
	add("premium", Premium(l, p.Premium))
	if p.Excess != nil {
		add("excess", l.Sum(*p.Excess))
	}
	if p.Waiting > 0 {
		add("waiting", l.T("insure.days", "n", p.Waiting))
	}
	if p.CoolingOff > 0 {
		add("cooling", l.T("insure.days", "n", p.CoolingOff))
	}
	if t := p.Trigger; t != nil {
		add("trigger", l.T("insure.trigger_"+map[bool]string{true: "below", false: "above"}[t.Below], "index", Word(l, "insure.index_", t.Index), "n", t.Threshold, "sum", l.Sum(t.Pays)))
	}
	return c
}

// Premium is how a price is made, in words.
func Premium(l ui.Lang, r policies.PremiumRule) string {
	said := l.T("insure.rate", "n", Permille(l, r.Rate))
	if r.Fixed != nil {
		said = l.Sum(*r.Fixed)
	}
	said += l.T("common.comma") + l.T("insure.period_"+r.Period)
	if r.Min != nil {
		said += l.T("common.comma") + l.T("insure.at_least", "sum", l.Sum(*r.Min))
	}
	return said
}

// Permille is so many thousandths, as a language writes them in hundredths.
func Permille(l ui.Lang, n int) string {
	said := strconv.Itoa(n / 10)
	if n%10 != 0 {
		said += "." + strconv.Itoa(n%10)
	}
	return Percent(l, said)
}

// Word is what a code is called, or the code where it has no name.
func Word(l ui.Lang, prefix, code string) string {
	key := prefix + strings.ReplaceAll(code, "-", "_")
	if said := l.T(key); said != key {
		return said
	}
	return code
}

func texts(l ui.Lang, all []policies.Texts) string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = l.Say(t).Text
	}
	return strings.Join(out, l.T("insure.and"))
}
