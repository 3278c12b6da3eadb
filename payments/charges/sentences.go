package charges

import "tiwiza/pkg/said"

// The sentences that charges writes about money that came, and about whom it pays.
var (
	told             = said.Sentence{Code: "charges_told", English: "told to be {wallet_state}"}
	namesSeveral     = said.Sentence{Code: "charges_names_several", English: "it names {all}"}
	moreThanExplains = said.Sentence{Code: "charges_more_than_explains", English: "{sum} is more than {ref} explains"}
	otherCurrency    = said.Sentence{Code: "charges_other_currency", English: "another currency than {ref}"}
	goesBack         = said.Sentence{Code: "charges_goes_back", English: "the charge is {charge_state}: it goes back"}
	partCame         = said.Sentence{Code: "charges_part_came", English: "a part: {sum} is still to come"}
	moreThanAsked    = said.Sentence{Code: "charges_more_than_asked", English: "{sum} more than asked: that goes back"}
	coveredBefore    = said.Sentence{Code: "charges_covered_before", English: "all of the remittance {ref} was covered before"}
	lessAnnounced    = said.Sentence{Code: "charges_less_announced", English: "{sum} less than announced: {carrier} still owes it"}
	moreAnnounced    = said.Sentence{Code: "charges_more_announced", English: "{sum} more than announced"}
	moreThanCash     = said.Sentence{Code: "charges_more_than_cash", English: "{sum} more than the cash of the order"}
	noAccount        = said.Sentence{Code: "charges_no_account", English: "The buyer has given no account for 30 days; the refund shall go to {rib} of {name}."}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	told, namesSeveral, moreThanExplains, otherCurrency, goesBack, partCame, moreThanAsked, coveredBefore,
	lessAnnounced, moreAnnounced, moreThanCash, noAccount,
}
