package payouts

import "tiwiza/pkg/said"

// The sentences that payouts writes about a payout.
var (
	payTo          = said.Sentence{Code: "payouts_pay_to", English: "Payout to {to}, account …{end} of {name}."}
	payToSuspended = said.Sentence{Code: "payouts_pay_to_suspended", English: "Payout to {to}, account …{end} of {name}. The member is suspended."}
	refusedYetPaid = said.Sentence{Code: "payouts_refused_yet_paid", English: "the bank refused it and paid it all the same"}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	payTo, payToSuspended, refusedYetPaid,
}
