package gsma

import (
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
)

// A code is what an error of the API is taken for, and why. The table is
// reviewed data: what is not in it is Unknown, and an inquiry finds out.
type code struct {
	outcome outbound.Outcome
	refusal wallet.Refusal
	why     string
}

// codes are the error codes of the API. Declined is only what surely moved
// nothing. The rest may have happened all the same, and is listed to show that
// it was considered.
var codes = map[string]code{
	"dailyVolumeLimitExceeded":       {outbound.Declined, wallet.Limit, "over the count of a day"},
	"dailyValueLimitExceeded":        {outbound.Declined, wallet.Limit, "over the sum of a day"},
	"weeklyVolumeLimitExceeded":      {outbound.Declined, wallet.Limit, "over the count of a week"},
	"weeklyValueLimitExceeded":       {outbound.Declined, wallet.Limit, "over the sum of a week"},
	"monthlyVolumeLimitExceeded":     {outbound.Declined, wallet.Limit, "over the count of a month"},
	"monthlyValueLimitExceeded":      {outbound.Declined, wallet.Limit, "over the sum of a month"},
	"accountMaxTotalVolumeExceeded":  {outbound.Declined, wallet.Limit, "over the account's count"},
	"accountMaxTotalValueExceeded":   {outbound.Declined, wallet.Limit, "over the account's sum"},
	"greaterThanTransactionMaxValue": {outbound.Declined, wallet.Limit, "more than one payment may be"},
	"lessThanTransactionMinValue":    {outbound.Declined, wallet.Other, "less than one payment must be"},
	"maxBalanceExceeded":             {outbound.Declined, wallet.Other, "more than the receiving wallet may hold"},
	"insufficientFunds":              {outbound.Declined, wallet.Funds, "not enough money"},
	"requestDeclined":                {outbound.Declined, wallet.NotApproved, "declined on the phone"},

	"requestingPartyAuthorisationError": {outbound.Declined, wallet.NotApproved, "not approved on the phone, or a wrong PIN"},
	"identifierError":                   {outbound.Declined, wallet.NoWallet, "no such account"},
	"samePartiesError":                  {outbound.Declined, wallet.Other, "payer and receiver are one"},
	"incorrectState":                    {outbound.Declined, wallet.Other, "the account or the payment does not allow it any more"},
	"underPaymentNotAllowed":            {outbound.Declined, wallet.Other, "a part is not taken"},
	"overPaymentNotAllowed":             {outbound.Declined, wallet.Other, "more is not taken"},
	"transactionTypeError":              {outbound.Declined, wallet.Other, "not a transaction of this account"},
	"noMandateAuthority":                {outbound.Declined, wallet.Other, "no mandate"},
	"linkViolation":                     {outbound.Declined, wallet.Other, "no link"},
	"countryofOriginNotPermitted":       {outbound.Declined, wallet.Other, "not from this country"},
	"nationalityNotPermitted":           {outbound.Declined, wallet.Other, "not for this nationality"},
	"currencyNotSupported":              {outbound.Declined, wallet.Other, "not in this currency"},
	"formatError":                       {outbound.Declined, wallet.Other, "refused at the door"},
	"lengthError":                       {outbound.Declined, wallet.Other, "refused at the door"},
	"negativeValue":                     {outbound.Declined, wallet.Other, "refused at the door"},
	"mandatoryValueNotSupplied":         {outbound.Declined, wallet.Other, "refused at the door"},

	"duplicateRequest":                 {outbound.Unknown, "", "sent twice: the first may stand"},
	"genericError":                     {outbound.Unknown, "", "whatever it was"},
	"rateLimitError":                   {outbound.Unknown, "", "too many at once"},
	"clientAuthorisationError":         {outbound.Unknown, "", "we are not let in: a person must look"},
	"servicingPartyAuthorisationError": {outbound.Unknown, "", "somebody between is not let in"},
}

// troubles are the categories of which no code decides anything: the provider
// itself is not well.
var troubles = map[string]bool{"internal": true, "serviceUnavailable": true}

// class says what an error object means: Declined for a listed code, Unknown for
// all others.
func class(p problem) outbound.Result {
	r := outbound.Result{Outcome: outbound.Unknown, Code: cut(p.Code, 64), Text: p.text()}
	switch c := codes[p.Code]; {
	case p.Category == "" || troubles[p.Category]:
	case p.Code == "rateLimitError":
		r.Reason = outbound.Limited
	case p.Code == "clientAuthorisationError":
		r.Reason = outbound.Credentials
	case c.outcome == outbound.Declined:
		r.Outcome = outbound.Declined
	}
	return r
}

// Refusal is what a code by which a payment was refused means to its buyer.
func (d *Driver) Refusal(code string) wallet.Refusal {
	if r := codes[code].refusal; r != "" {
		return r
	}
	return wallet.Other
}
