package operator

import (
	"regexp"
	"slices"
	"strings"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/money"
)

// sentences are those that the hub writes into what this desk shows.
var sentences = slices.Concat(recon.Sentences, charges.Sentences, operations.Sentences, escrow.Sentences, payouts.Sentences, treasury.Sentences, orders.Sentences)

// says is a text of the hub in the page's language: each of its sentences where it has
// them, and what a person or a partner wrote as it is.
func (v *view) says(text string) string {
	if s, ok := v.sentence(text); ok {
		return s
	}
	parts := strings.Split(text, "; ")
	for i, p := range parts {
		if s, ok := v.sentence(p); ok {
			parts[i] = s
		}
	}
	return strings.Join(parts, v.T("op.and_also"))
}

func (v *view) sentence(text string) (string, bool) {
	code, with, found := sentences.Read(text)
	if !found {
		return "", false
	}
	for i := 0; i+1 < len(with); i += 2 {
		with[i+1] = v.gap(with[i].(string), with[i+1].(string))
	}
	return v.T("said."+code, with...), true
}

var sumOf = regexp.MustCompile(`^(-?\d+(?:\.\d+)?) ([A-Z]{3})$`)

// gap is what stands in a sentence as the page's language writes it.
func (v *view) gap(name, value string) string {
	switch name {
	case "charge_state", "op_state", "wallet_state":
		return v.stateText(strings.TrimSuffix(name, "_state"), value)
	case "op_decision":
		return v.stateText("op", value)
	case "op_kind":
		return v.kind(value)
	}
	if m := sumOf.FindStringSubmatch(value); m != nil {
		if sum, err := money.Parse(m[1], m[2]); err == nil {
			return v.Sum(sum)
		}
	}
	return value
}
