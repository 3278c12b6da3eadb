package recon

import "tiwiza/pkg/said"

// The sentences that reconciliation writes about a line, a break or a suggestion.
var (
	sameAs              = said.Sentence{Code: "recon_same_as", English: "the same movement as in statement {statement}"}
	nobodys             = said.Sentence{Code: "recon_nobodys", English: "no charge of ours is named"}
	stranger            = said.Sentence{Code: "recon_stranger", English: "it names the charge {ref}, and its acquirer did not send it"}
	otherThanCharge     = said.Sentence{Code: "recon_other_than_charge", English: "another amount than the charge {ref}"}
	settledBefore       = said.Sentence{Code: "recon_settled_before", English: "the charge {ref} was settled before"}
	refusedYetSettled   = said.Sentence{Code: "recon_refused_yet_settled", English: "the charge {ref} was refused, and yet it is settled"}
	noFee               = said.Sentence{Code: "recon_no_fee", English: "{fee} kept of {ref} is no fee"}
	overContract        = said.Sentence{Code: "recon_over_contract", English: "the fee {fee} kept of {ref} is more than its contract's"}
	overAlone           = said.Sentence{Code: "recon_over_alone", English: "the fee {fee} kept of {ref} is more than what may be booked without people"}
	takesAway           = said.Sentence{Code: "recon_takes_away", English: "a part of it takes money away, and no acquirer sent it: {ref}"}
	takesUnknown        = said.Sentence{Code: "recon_takes_unknown", English: "a part of it takes money away for a reason that is not known: {ref}"}
	otherThanChargeback = said.Sentence{Code: "recon_other_than_chargeback", English: "another amount than the chargeback {case}"}
	shownBefore         = said.Sentence{Code: "recon_shown_before", English: "shown before: {ref}"}
	lostAgain           = said.Sentence{Code: "recon_lost_again", English: "lost, and yet it comes again: {case}"}
	bankOwn             = said.Sentence{Code: "recon_bank_own", English: "the bank's own charge: {ref}"}
	ownMovement         = said.Sentence{Code: "recon_own_movement", English: "a movement of our own account that no operation explains"}
	otherSide           = said.Sentence{Code: "recon_other_side", English: "the other side of {ref}"}
	cameBack            = said.Sentence{Code: "recon_came_back", English: "came back {ref}"}
	notWhat             = said.Sentence{Code: "recon_not_what", English: "not what {ref} is"}
	peopleHad           = said.Sentence{Code: "recon_people_had", English: "people had confirmed it"}
	secondTime          = said.Sentence{Code: "recon_second_time", English: "paid a second time: {ref}"}
	againRefused        = said.Sentence{Code: "recon_again_refused", English: "paid again after it was refused: {ref}"}
	afterRefused        = said.Sentence{Code: "recon_after_refused", English: "paid after it was refused: {ref}"}
	notAddUp            = said.Sentence{Code: "recon_not_add_up", English: "its details do not add up to it"}
	mixes               = said.Sentence{Code: "recon_mixes", English: "it mixes money that came with money that left"}
	noReference         = said.Sentence{Code: "recon_no_reference", English: "no operation of ours has this reference"}
	otherThan           = said.Sentence{Code: "recon_other_than", English: "another amount than {ref}"}
	neverPaid           = said.Sentence{Code: "recon_never_paid", English: "came back, though it was never paid: {ref}"}
	notBooked           = said.Sentence{Code: "recon_not_booked", English: "not booked yet"}
	byHand              = said.Sentence{Code: "recon_by_hand", English: "explained by hand: {ref}"}
	gapOpening          = said.Sentence{Code: "recon_gap_opening", English: "no statement leads up to its opening balance"}
	gapMissing          = said.Sentence{Code: "recon_gap_missing", English: "statements {first} to {last} are missing before it, though the balances agree"}
	gapTwice            = said.Sentence{Code: "recon_gap_twice", English: "the bank gave its number {number} to {statement} too"}
	cameAfter           = said.Sentence{Code: "recon_came_after", English: "statement {statement} came after {day} was closed"}
	handedIn            = said.Sentence{Code: "recon_handed_in", English: "Statement {file} of {partner}, handed in by hand."}
	hintClose           = said.Sentence{Code: "recon_hint_close", English: "look at the statement, then close the day anew"}
	hintAskBetween      = said.Sentence{Code: "recon_hint_ask_between", English: "ask the bank for what it put out between {first} and {last}"}
	hintCharge          = said.Sentence{Code: "recon_hint_charge", English: "small, and paid to nobody: it looks like a charge of the bank"}
	hintSameRef         = said.Sentence{Code: "recon_hint_same_ref", English: "the bank's reference, amount and day are those of this line"}
	hintOverlap         = said.Sentence{Code: "recon_hint_overlap", English: "amount and day are those of this line, and the two statements overlap"}
	hintOpposite        = said.Sentence{Code: "recon_hint_opposite", English: "the only unexplained line of the opposite amount within ten days: the bank may have corrected itself"}
	hintCameBack        = said.Sentence{Code: "recon_hint_came_back", English: "it has the reference and the amount of {ref}, which was paid: it may have come back"}
	hintCorrect         = said.Sentence{Code: "recon_hint_correct", English: "ask the bank to correct it: {ref} was paid before"}
	hintAdded           = said.Sentence{Code: "recon_hint_added", English: "{ref} is {sum}; the bank may have added a charge of {fee}"}
	hintAskBank         = said.Sentence{Code: "recon_hint_ask_bank", English: "it has the reference of {ref}, which is {op_state} of {sum}: ask the bank"}
	hintAskAcquirer     = said.Sentence{Code: "recon_hint_ask_acquirer", English: "the acquirer paid {ref} before: ask it"}
	hintFee             = said.Sentence{Code: "recon_hint_fee", English: "the reference is of this charge of {sum}; {fee} less may be the acquirer's fee"}
	hintOfCharge        = said.Sentence{Code: "recon_hint_of_charge", English: "the reference is of {ref}, which is {charge_state} of {sum}"}
	hintOnly            = said.Sentence{Code: "recon_hint_only", English: "the only payment of this amount that the bank has not shown yet"}
	hintReceiver        = said.Sentence{Code: "recon_hint_receiver", English: "amount, day and receiver ({name}) are those of this payment"}
	hintSeveral         = said.Sentence{Code: "recon_hint_several", English: "{n} payments of this amount are under way, {ref} the first: compare the receivers"}
	hintName            = said.Sentence{Code: "recon_hint_name", English: "amount and name ({name}) are those of this charge, which is not settled yet"}
	hintOnlyCharge      = said.Sentence{Code: "recon_hint_only_charge", English: "the only charge of this amount that is not settled yet"}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	sameAs, nobodys, stranger, otherThanCharge, settledBefore, refusedYetSettled, noFee, overContract, overAlone,
	takesAway, takesUnknown, otherThanChargeback, shownBefore, lostAgain, bankOwn, ownMovement, otherSide,
	cameBack, notWhat, peopleHad, secondTime, againRefused, afterRefused, notAddUp, mixes, noReference, otherThan,
	neverPaid, notBooked, byHand, gapOpening, gapMissing, gapTwice, cameAfter, handedIn, hintClose,
	hintAskBetween, hintCharge, hintSameRef, hintOverlap, hintOpposite, hintCameBack, hintCorrect, hintAdded,
	hintAskBank, hintAskAcquirer, hintFee, hintOfCharge, hintOnly, hintReceiver, hintSeveral, hintName,
	hintOnlyCharge,
}
