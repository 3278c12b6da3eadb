package invariants

import (
	"slices"
	"strings"
)

// Whom a guarantee is for.
const (
	buyers       = "buyers"
	cooperatives = "cooperatives"
	banks        = "banks and partners"
	everyone     = "everyone"
)

// A Guarantee is a promise in the words of those it is given to, and what shows
// that it is kept: invariants that a hub looks at each minute, and tests.
type Guarantee struct {
	ID         string
	Promise    string // one plain sentence
	For        []string
	Invariants []string // none: no look at the database could tell; the tests alone do
	Tests      []string // "package.Test"
	Of         string   // what is counted, a name in counts
}

// Guarantees are all promises there are, in the order in which they are shown.
// docs/guarantees.md is written from this table; tests check that each test
// exists, and that each invariant stands for a promise.
var Guarantees = []Guarantee{
	{
		"held-until-delivery", "A buyer's money is held until the goods have arrived, and only the buyer's word, the wait after delivery, a ruling, or an agent whose name is kept lets it go.",
		[]string{buyers},
		[]string{"I9", "E2"},
		[]string{"payments/escrow.TestMoneyGoesByItselfAfterTheWait", "payments/escrow.TestOnlyTheWaitLetsMoneyGoByItself", "payments/escrow.TestACaseStopsTheMoneyAndTheTimers"},
		"escrows",
	},
	{
		"one-order-one-payment", "A basket is ordered once and paid once, and exactly what was shown is taken, however often a button is pressed.",
		[]string{buyers},
		[]string{"R1"},
		[]string{"marketplace/orders.TestRule3_5ManyKeysForOneBasketAreOneOrder", "marketplace/orders.TestRule3_5OneKeySentTwentyTimesAtOnceIsOneOrder", "payments/charges.TestTwentyCallbacksAtOnceConfirmOnce"},
		"order groups",
	},
	{
		"every-centime-explained", "Whatever was taken from a buyer has been released, given back, is still held, or waits for its owner to be known: to the centime.",
		[]string{buyers, cooperatives},
		[]string{"I11"},
		[]string{"payments/escrow.TestAnySequenceKeepsTheBooksSound", "payments/escrow.TestWhatGoesBackIsSharedExactly", "payments/charges.TestNoMoreGoesBackThanCameIn"},
		"charges",
	},
	{
		"no-double-payment", "Nothing is paid twice, and nobody is paid more than is due, even when a bank's answer is lost.",
		[]string{everyone},
		[]string{"I13"},
		[]string{"cmd/hub.TestRandomFaultsMoveMoneyOnce", "cmd/hub.TestBankThatMisbehavesPaysOnce", "payments/operations.TestNoSequenceExecutesTwice", "payments/operations.TestACrashAtAnyPointMovesTheMoneyOnce", "payments/payouts.TestTheSameMoneyIsNeverPaidOutTwice", "payments/charges.TestTwoPagesAreChargedOnce"},
		"operations",
	},
	{
		"one-sick-partner", "A partner that does not answer holds up no other: its calls stop after three failures, and a card is charged by an acquirer that answers, once.",
		[]string{buyers, banks},
		nil,
		[]string{"pkg/outbound.TestASickPartnerLeavesTheOthersAlone", "pkg/outbound.TestTheSickOneIsOpenWithinThreeFailures", "pkg/outbound.TestQuestionsAreAskedAgainAndMoneyNeverIs", "payments/charges.TestAChargeGoesToTheAcquirerThatAnswers", "cmd/hub.TestChargesGoToTheAcquirerThatAnswers"},
		"operations",
	},
	{
		"unknown-is-never-guessed", "A payment whose outcome is not known is asked about until it is, and is never guessed.",
		[]string{everyone},
		[]string{"I16"},
		[]string{"payments/operations.TestInquiriesGrowRareAndNeverEnd", "payments/operations.TestAbsenceIsBelievedTwiceAndAfterTheQuietPeriod", "payments/operations.TestPeopleAreCalledAfterAnHourAndEachWeekAndItNeverFails"},
		"operations",
	},
	{
		"refunds-arrive-once", "A refund or payout on its way is exactly its amount until its end is known, and then nothing.",
		[]string{buyers, cooperatives},
		[]string{"I10"},
		[]string{"payments/charges.TestEveryRefundIsDoneOnceWhateverTheAcquirerAnswers", "cmd/hub.TestAcquirerThatMisbehavesGivesBackOnce", "payments/escrow.TestWhatWasNeverSentIsPutBack"},
		"refunds and payouts",
	},
	{
		"clients-money-covered", "The money at the bank and the acquirers is never less than what is owed to buyers and cooperatives.",
		[]string{buyers, cooperatives, banks},
		[]string{"I12"},
		[]string{"payments/invariants.TestWhatGoesBackKeepsEveryPromise", "payments/treasury.TestASweepTakesWhatIsOursAndNoMore", "payments/treasury.TestASweepLeavesWhatPaymentsUnderWayNeed"},
		"accounts",
	},
	{
		"reserve-is-yours", "What is kept back of a cooperative's sales is written down sale by sale and goes to it after thirty days.",
		[]string{cooperatives},
		[]string{"E1"},
		[]string{"payments/escrow.TestTheReserveGoesAfterThirtyDays", "payments/escrow.TestTheWaterfallGoesInItsOrder"},
		"reserves",
	},
	{
		"one-of-many-wins", "Of a release, a refund and a dispute that come at the same moment, exactly one happens, and the others are told which.",
		[]string{buyers, cooperatives},
		nil,
		[]string{"payments/disputes.TestOfReleaseRefundAndDisputeOneWins", "payments/escrow.TestFiftyReleasesAtOnceReleaseOnce"},
		"",
	},
	{
		"same-request-same-answer", "A request that is sent again with its key does nothing a second time and gets the first answer, byte for byte, for thirty days.",
		[]string{everyone},
		nil, // the key is locked and stored by the transaction that answers it
		[]string{"pkg/rest.TestSameKeyAndBodyMovesOnceAndAnswersTheSameBytes", "pkg/rest.TestRaceOfFiftyMovesOnce", "cmd/hub.TestRefundsAreIdempotent"},
		"answers kept",
	},
	{
		"survives-a-crash", "A hub that is killed at any moment loses nothing that it confirmed, and another one goes on with its work.",
		[]string{everyone},
		nil,
		[]string{"cmd/hub.TestKilledHubLosesNothing", "pkg/job.TestJobsOfADeadHubAreGivenBack", "pkg/webhook.TestAHubThatDiesLosesNothing"},
		"",
	},
	{
		"due-is-done", "Whatever is due is done within ten minutes, and whoever must hear of something hears of it.",
		[]string{buyers, cooperatives},
		[]string{"R5"},
		[]string{"pkg/job.TestTimersFireAtTheHubsTimeAndOnce", "pkg/event.TestTheSweepTellsAgainWhatNobodyTookIn", "pkg/event.TestNothingIsSkippedAndSubjectsKeepTheirOrder"},
		"events",
	},
	{
		"never-oversold", "No more is sold than there is, and the goods of an order leave the stock exactly once.",
		[]string{buyers, cooperatives},
		[]string{"R2", "R3"},
		[]string{"marketplace/catalog.TestTwoHundredBuyersOfFiveGetFive", "marketplace/orders.TestRule3_1FortyBuyersRaceForFiveUnits", "marketplace/orders.TestRule3_5BeingToldTwiceOfPaymentTakesStockOnce"},
		"variants",
	},
	{
		"premium-or-policy", "No premium is kept without a policy: it was bound, is being asked for, or the premium went back whole; and a claim counts as paid when its money is in the balance of the insured.",
		[]string{cooperatives, banks},
		[]string{"N1", "N2"},
		[]string{"marketplace/policies.TestAnySequenceKeepsPremiumsAndPoliciesTogether", "marketplace/policies.TestALostAnswerBindsOnce", "marketplace/policies.TestAClaimIsPaidByTheBanksStatement"},
		"policies",
	},
	{
		"market-pays-what-it-says", "A cooperative gets for goods that the market makes cheaper what it would have got at their price, and no promotion is used more often, or costs more, than it says.",
		[]string{buyers, cooperatives},
		[]string{"P1", "P2"},
		[]string{"payments/escrow.TestTheMarketAddsInProportion", "payments/escrow.TestAnySequenceKeepsTheBooksSound", "marketplace/orders.TestRule3_7TwoHundredAtOnceSpendABudgetExactly", "marketplace/orders.TestRule3_7TwoHundredAtOnceUseFiveSlots"},
		"promotions used",
	},
	{
		"together-or-not-at-all", "Who joins a group buy pays no more than the price that the group reached, and has the rest back to the centime; when too few join, all of it.",
		[]string{buyers, cooperatives},
		[]string{"G1"},
		[]string{"marketplace/groupbuys.TestAGroupThatReachesATierPaysBackTheDifference", "marketplace/groupbuys.TestAGroupThatMissesItsMinimumGivesAllBack", "marketplace/groupbuys.TestWhatIsPaidAfterTheGroupWasDecidedGoesBack", "marketplace/groupbuys.TestFiftyJoinersGetTheLastUnits"},
		"group buys",
	},
	{
		"one-price-for-a-pool", "In a pool all buy and sell at one price: nobody pays more than pledged, and nobody gets less.",
		[]string{buyers, cooperatives},
		[]string{"G2"},
		[]string{"marketplace/pools.TestNobodyIsWorseOffThanPledged", "marketplace/pools.TestAPoolClearsAtOnePrice"},
		"pools",
	},
	{
		"invoices-without-holes", "Every delivered order has an invoice of its seller's, numbered without holes, and what goes back is credited on it.",
		[]string{buyers, cooperatives},
		[]string{"R11"},
		[]string{"marketplace/orders.TestInvoiceNumbersHaveNoHolesWhoeverHangsUp", "marketplace/orders.TestWhatGoesBackIsCreditedOnce", "marketplace/orders.TestCreditNotesTakeExactlyWhatAnInvoiceHad"},
		"invoices",
	},
	{
		"points-add-up", "Each point is issued once and spent, taken back or over once; what goes back of an order takes its part of its points, and no more.",
		[]string{buyers},
		[]string{"R12"},
		[]string{"marketplace/loyalty.TestBooksOfPointsHold", "marketplace/loyalty.TestNoPointIsSpentTwice", "marketplace/loyalty.TestTwoBurnsAtOnceSpendWhatThereIsOnce"},
		"moves of points",
	},
	{
		"second-person", "A payout above the limit leaves only with the word of a second person, who approves exactly that amount to exactly that account.",
		[]string{cooperatives, banks},
		[]string{"R6"},
		[]string{"payments/payouts.TestAboveTheLimitASecondPersonDecides", "payments/payouts.TestAnApprovalIsForExactlyOnePayout", "payments/approvals.TestASecondPersonApprovesAndTheFirstCannot"},
		"payouts",
	},
	{
		"halt-in-five-seconds", "One person stops all money that leaves within five seconds on every hub; only two let it go on.",
		[]string{banks},
		[]string{"H1"},
		[]string{"payments/treasury.TestAHaltStopsEveryHubWithinFiveSeconds", "payments/treasury.TestOnePersonHaltsAndTwoLetGoOn"},
		"halts",
	},
	{
		"books-add-up", "Every transfer in the books adds up to zero, and every balance is the sum of its entries, in dirhams and centimes.",
		[]string{banks},
		[]string{"I1", "I2", "I3", "I5", "I6", "I7", "I8"},
		[]string{"payments/ledger.TestTheBooksAreTheOracles", "payments/ledger.TestTheDatabaseRefusesWhatDoesNotBalance", "payments/ledger.TestHledgerAgreesWithTheBooks", "payments/ledger.TestRacingPostsAreExact"},
		"transfers",
	},
	{
		"no-overdraft", "No account of a buyer, a cooperative or an order is ever below zero, nor is our own at the bank.",
		[]string{buyers, cooperatives, banks},
		[]string{"I4", "I17"},
		[]string{"payments/ledger.TestAFloorHolds", "payments/ledger.TestHeldMoneyCannotBeSpent", "payments/treasury.TestWhatMovesIsNeverMoreThanThereIs"},
		"accounts",
	},
	{
		"books-cannot-be-altered", "What is in the books and in the audit trail is never changed; if somebody did, the first altered row is named, and a head of the chain that was kept elsewhere shows if its end was cut off.",
		[]string{banks},
		[]string{"I14", "R7"},
		[]string{"payments/ledger.TestAnAlteredRowIsNamed", "payments/ledger.TestManySealersMakeOneChain", "pkg/pg.TestTheHubMayOnlyInsertIntoTheTrail"},
		"sealed blocks",
	},
	{
		"books-are-the-banks", "The books' account of clients' money is the bank's own statement plus what was booked since.",
		[]string{banks},
		[]string{"M1", "I15"},
		[]string{"payments/invariants.TestWhateverTheBankStatesTheMirrorHolds", "payments/recon.TestAStatementThatDoesNotBalanceChangesNothing", "payments/invariants.TestEachWayToResolveABreakKeepsEveryPromise"},
		"statement lines",
	},
	{
		"told-once-counts-once", "What a bank or an acquirer tells us counts once, however often it is told, and a forgery counts for nothing.",
		[]string{banks},
		[]string{"R4"},
		[]string{"payments/recon.TestAStatementCountsOnce", "payments/recon.TestAMovementInTwoStatementsIsBookedOnce", "payments/recon.TestAStatementPutOutAgainBooksOnlyWhatIsNew", "payments/recon.TestAReferenceThatAFormatCutsIsOneMovement", "payments/recon.TestOnlyItsAcquirerSettlesACharge", "adapters/card/nestpay.TestNoAlteredNoticeIsAccepted", "adapters/card/nestpay.TestForgedNoticesAreRefused"},
		"pieces of evidence",
	},
	{
		"closed-days-stay", "A day that was closed stays as it is; a late statement makes a new revision that everybody sees.",
		[]string{banks},
		[]string{"M2"},
		[]string{"payments/recon.TestAClosedDayThatChangesIsSeenAndClosedAnew", "payments/recon.TestADayIsNotClosedOverAHoleOrADifference"},
		"closed days",
	},
	{
		"cash-only-once-remitted", "Cash that a carrier collected is released only once it has been remitted; until then the carrier owes it.",
		[]string{cooperatives, banks},
		[]string{"I9"},
		[]string{"payments/escrow.TestCashIsNotReleasedBeforeItIsRemitted", "payments/charges.TestCashIsTheCarriersDebtUntilItsListArrives"},
		"parcels paid in cash",
	},
	{
		"webhooks-stay-outside", "A webhook is signed, keeps the order of what happened, and never reaches into a private network.",
		[]string{cooperatives, banks},
		nil,
		[]string{"pkg/webhook.TestANameThatPointsInsideIsNeverCalled", "pkg/webhook.TestANameThatChangesItsMindIsRefused", "pkg/webhook.TestOnlyTheOpenInternetIsPublic", "pkg/webhook.TestSignatureIsThatOfTheSpecification", "pkg/webhook.TestTwoHubsDeliverAllInOrder"},
		"webhooks delivered",
	},
	{
		"nobody-looks-unseen", "Nobody looks into a member's dossier without its consent, which it takes back at any moment, and each look is in a log that its owner reads and nobody can alter.",
		[]string{cooperatives, banks},
		[]string{"R10", "R13"},
		[]string{"marketplace/sharing.TestNoSequenceLetsAReadThroughWithoutALiveConsent", "marketplace/sharing.TestWithdrawnIsRefusedOnTheNextRequest", "marketplace/sharing.TestTheDatabaseRefusesALookWithoutConsent"},
		"looks into dossiers",
	},
	{
		"agreed-is-written-down", "What somebody agreed to, refused or took back is in a ledger, with the text that was shown and its hash, that it reads and nobody can alter; what it allows follows the last word.",
		[]string{everyone},
		[]string{"R14", "R15"},
		[]string{"marketplace/accords.TestTheLedgerIsOnlyAddedTo", "marketplace/relations.TestTheStanceIsTheLastWord", "marketplace/sharing.TestAConsentIsTheLastWord"},
		"words of people",
	},
	{
		"strangers-see-nothing", "Nobody sees or moves what is another member's, and who may do what is written down where an auditor can read it.",
		[]string{everyone},
		nil,
		[]string{"pkg/authz.TestEveryRoleMayDoWhatTheMatrixSays", "marketplace/orders.TestStrangersFindNoOrders", "payments/escrow.TestPoliciesAreTheMachines"},
		"",
	},
}

// Document is the guarantees for people to read, as Markdown. docs/guarantees.md
// is its output.
func Document() string {
	var b strings.Builder
	b.WriteString(`# Guarantees

What buyers, cooperatives and banks may rely on. This page is written from the table in payments/invariants/guarantees.go: ` + "`make guarantees`" + `
writes it anew, and a test fails when it is not what the table says, or when a test that it names does not exist.

A hub looks each minute whether the invariants hold, in one snapshot of the database, and each day reads the seals from their beginning; ` + "`GET\n/v1/guarantees`" + `
shows each promise with how many things it was checked on and how many are outside. ` + "`make verify`" + ` proves them all at once and names what is wrong.
A promise without an invariant is one that no look at the database could tell; there its tests speak alone.
`)
	for _, g := range Guarantees {
		b.WriteString("\n## " + g.Promise + "\n\n")
		b.WriteString("- `" + g.ID + "`, for " + strings.Join(g.For, ", ") + "\n")
		if g.Of != "" {
			b.WriteString("- counted: " + g.Of + "\n")
		}
		for _, i := range All {
			if slices.Contains(g.Invariants, i.ID) {
				b.WriteString("- " + i.ID + ": " + i.Promise + "\n")
			}
		}
		for _, t := range g.Tests {
			b.WriteString("- test `" + t + "`\n")
		}
	}
	return b.String()
}
