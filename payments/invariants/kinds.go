package invariants

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tiwiza/payments/ledger"
)

// classes are the accounts of the chart, a star for a name, those there are
// most of first. What the ledger says of each (normal side, floor, whose money) becomes part of the queries;
// an account of no class is itself a violation (I7), so that a new one cannot
// go unwatched.
var classes = []string{
	"escrow:*", "payout:*", "refund:*", "suspense:*", "seller:*:available", "seller:*:reserve", "seller:*:receivable",
	"bank:*:safeguard", "bank:*:transit", "bank:*:operating", "psp:*:clearing", "psp:*:disputed", "carrier:*:cod",
	"payable:carrier:*", "payable:insurer:*", "payable:vat", "fees", "psp_cost", "dispute_cost", "loss", "capital", "promotions",
}

// A leg is what a kind of transfer may do to a class of accounts.
type leg struct {
	debit bool
	class string
	must  bool // the kind is not what it says without it
}

func debit(class string) leg     { return leg{true, class, true} }
func credit(class string) leg    { return leg{false, class, true} }
func mayDebit(class string) leg  { return leg{true, class, false} }
func mayCredit(class string) leg { return leg{false, class, false} }

// kinds are the transfers there are and the legs they are made of
// (PAYMENTS.md §2). A kind that is not here is a violation (I8): a new posting
// gets its row in the same commit.
var kinds = map[string][]leg{
	"capital":     {debit("bank:*:operating"), credit("capital")},
	"escrow.fund": {credit("escrow:*"), mayDebit("psp:*:clearing"), mayDebit("bank:*:safeguard"), mayDebit("suspense:*")},
	"charge.late": {debit("psp:*:clearing"), credit("suspense:*")},

	"refund.intent": {
		mayDebit("payable:carrier:*"), mayCredit("promotions"),
		credit("refund:*"), mayDebit("escrow:*"),
		mayDebit("seller:*:reserve"), mayDebit("seller:*:available"), mayDebit("seller:*:receivable"),
		mayDebit("fees"), mayDebit("payable:vat"), mayDebit("loss"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"refund.undone": {
		mayCredit("payable:carrier:*"), mayDebit("promotions"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
		debit("refund:*"), mayCredit("escrow:*"), mayCredit("suspense:*"),
		mayCredit("seller:*:reserve"), mayCredit("seller:*:available"), mayCredit("seller:*:receivable"),
		mayCredit("fees"), mayCredit("payable:vat"), mayCredit("loss"), mayCredit("bank:*:transit"), mayDebit("bank:*:operating"),
	},
	"suspense.refund":     {debit("suspense:*"), credit("refund:*")},
	"refund.paid":         {debit("refund:*"), mayCredit("psp:*:clearing"), mayCredit("bank:*:safeguard")},
	"refund.returned":     {debit("bank:*:safeguard"), credit("refund:*")},
	"refund.loss_back":    {mayDebit("bank:*:safeguard"), mayDebit("psp:*:clearing"), credit("loss")},
	"refund.contradicted": {debit("loss"), debit("bank:*:transit"), credit("bank:*:operating"), mayCredit("psp:*:clearing"), mayCredit("bank:*:safeguard")},
	"chargeback.opened":   {debit("psp:*:disputed"), mayDebit("dispute_cost"), debit("bank:*:transit"), credit("psp:*:clearing"), credit("bank:*:operating")},
	"chargeback.won":      {debit("psp:*:clearing"), credit("psp:*:disputed")},
	"chargeback.lost": {
		mayDebit("payable:carrier:*"), mayCredit("promotions"),
		credit("psp:*:disputed"), mayDebit("escrow:*"), mayDebit("suspense:*"),
		mayDebit("seller:*:reserve"), mayDebit("seller:*:available"), mayDebit("seller:*:receivable"), mayDebit("fees"), mayDebit("payable:vat"), mayDebit("loss"),
	},
	"chargeback.regained": {
		mayDebit("payable:carrier:*"), mayCredit("promotions"),
		credit("loss"), mayDebit("escrow:*"), mayDebit("suspense:*"),
		mayDebit("seller:*:reserve"), mayDebit("seller:*:available"), mayDebit("seller:*:receivable"), mayDebit("fees"), mayDebit("payable:vat"),
	},
	"escrow.release": {
		debit("escrow:*"), mayCredit("seller:*:available"), mayCredit("seller:*:reserve"), mayCredit("seller:*:receivable"),
		mayCredit("payable:carrier:*"), mayCredit("fees"), mayCredit("payable:vat"),
		// what the market adds
		mayDebit("promotions"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"reserve.release": {debit("seller:*:reserve"), mayCredit("seller:*:available"), mayCredit("seller:*:receivable")},
	// A refund and a release in one.
	"dispute.ruling": {
		mayDebit("promotions"), mayCredit("promotions"),
		debit("escrow:*"), mayCredit("refund:*"),
		mayDebit("seller:*:reserve"), mayDebit("seller:*:available"), mayDebit("seller:*:receivable"),
		mayDebit("fees"), mayDebit("payable:vat"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
		mayCredit("seller:*:available"), mayCredit("seller:*:reserve"), mayCredit("seller:*:receivable"),
		mayCredit("payable:carrier:*"), mayCredit("fees"), mayCredit("payable:vat"),
	},
	"cash.collected": {debit("carrier:*:cod"), mayCredit("escrow:*"), mayCredit("payable:carrier:*")},
	"cash.refused":   {debit("seller:*:receivable"), debit("bank:*:transit"), credit("payable:carrier:*"), credit("bank:*:operating")},
	"cash.remitted": {
		credit("carrier:*:cod"), mayDebit("bank:*:safeguard"), mayDebit("suspense:*"), mayDebit("payable:carrier:*"),
		mayDebit("psp_cost"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"cash.lost": {mayDebit("loss"), mayDebit("seller:*:receivable"), debit("bank:*:transit"), credit("carrier:*:cod"), credit("bank:*:operating")},
	"settlement": {
		credit("psp:*:clearing"), mayDebit("bank:*:safeguard"), mayDebit("psp:*:clearing"), mayCredit("bank:*:safeguard"),
		mayDebit("psp_cost"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
		// a fee that is given back
		mayCredit("psp_cost"), mayCredit("bank:*:transit"), mayDebit("bank:*:operating"),
	},
	"settlement.negative": {
		debit("psp:*:clearing"), credit("bank:*:safeguard"),
		mayDebit("psp_cost"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"bank.charge":          {debit("psp_cost"), credit("bank:*:operating"), mayDebit("bank:*:transit"), mayCredit("bank:*:safeguard")},
	"bank.charge_returned": {credit("psp_cost"), debit("bank:*:operating"), mayCredit("bank:*:transit"), mayDebit("bank:*:safeguard")},
	"vat.paid":             {debit("payable:vat"), credit("bank:*:operating")},
	"suspense.undone":      {debit("suspense:*"), credit("bank:*:safeguard")},
	// Given up by people: what left is our loss, what came in excess a gain.
	"line.written_off": {
		mayDebit("loss"), mayDebit("bank:*:transit"), mayCredit("bank:*:safeguard"), mayCredit("bank:*:operating"),
		mayCredit("loss"), mayDebit("bank:*:safeguard"), mayDebit("bank:*:operating"),
	},
	"suspense":         {debit("bank:*:safeguard"), credit("suspense:*")},
	"suspense.matched": {debit("suspense:*"), credit("suspense:*")},
	"payout.intent": {
		credit("payout:*"), mayDebit("seller:*:available"), mayDebit("payable:carrier:*"), mayDebit("payable:insurer:*"),
	},
	"payout.paid": {debit("payout:*"), credit("bank:*:safeguard")},
	"payout.rejected": {
		debit("payout:*"), mayCredit("seller:*:available"), mayCredit("payable:carrier:*"), mayCredit("payable:insurer:*"),
	},
	"payout.returned": {
		debit("bank:*:safeguard"), mayCredit("seller:*:available"), mayCredit("seller:*:receivable"), mayCredit("payable:carrier:*"), mayCredit("payable:insurer:*"),
	},
	"payout.contradicted": {
		credit("bank:*:safeguard"), mayDebit("seller:*:available"), mayDebit("seller:*:receivable"), mayDebit("payable:carrier:*"), mayDebit("payable:insurer:*"),
		mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	// A member's insurance: what it pays, and what the insurer owes it.
	"premium.taken": {debit("seller:*:available"), credit("payable:insurer:*"), mayCredit("fees"), mayCredit("payable:vat")},
	"premium.undone": {
		credit("seller:*:available"), debit("payable:insurer:*"),
		mayDebit("fees"), mayDebit("payable:vat"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"premium.returned": {
		credit("seller:*:available"), mayDebit("payable:insurer:*"), mayDebit("bank:*:safeguard"), mayDebit("suspense:*"),
		mayDebit("fees"), mayDebit("payable:vat"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
	},
	"indemnity.paid": {credit("seller:*:available"), mayDebit("payable:insurer:*"), mayDebit("bank:*:safeguard"), mayDebit("suspense:*")},
	// A fee of an institution's procedure, of the one's balance and in the other's.
	"procedure_fee.taken":  {debit("seller:*:available"), credit("seller:*:available")},
	"procedure_fee.undone": {debit("seller:*:available"), credit("seller:*:available")},
	// Asked for by people: whatever no machine owns.
	"hand":           byHand(),
	"top_up":         {debit("bank:*:safeguard"), credit("bank:*:transit")},
	"top_up.undone":  {debit("bank:*:transit"), credit("bank:*:safeguard")},
	"sweep.returned": {debit("bank:*:safeguard"), credit("bank:*:operating")},
	sweep:            {debit("bank:*:operating"), credit("bank:*:safeguard")},
}

// byHand are the legs of a transfer by hand, on either side.
func byHand() (legs []leg) {
	for _, c := range classes {
		example := strings.ReplaceAll(c, "*", "x")
		_, err := ledger.ByHand(ledger.Transfer{Legs: []ledger.Leg{ledger.Debit(example, 1), ledger.Credit(example, 1)}})
		if err == nil {
			legs = append(legs, mayDebit(c), mayCredit(c))
		}
	}
	return legs
}

// sweep takes our own money out of the clients' account: the only kind that may
// lower client assets − client liabilities.
const sweep = "sweep"

// reversal is the mirror of another transfer: it has the legs of that one's kind,
// on the other side.
const reversal = "reversal"

// account is the chart as the queries see it: each account with its class, the
// bit of its debits, whether it is clients' money (1 an asset of theirs, -1 a
// debt to them), and the side and floor it should have.
var account = `account as materialized (
	select a.id, a.code, a.currency, a.normal, a.floor, c.class, c.client, c.bit, c.side, c.floored
	from (select *, ` + number() + ` as class_no from ledger.account) a
	left join ` + chart() + ` c (class_no, class, client, bit, side, floored) on c.class_no = a.class_no)`

// number is a case that tells an account's place in classes.
func number() string {
	var b strings.Builder
	b.WriteString("case")
	for i, c := range classes {
		fmt.Fprintf(&b, " when code like '%s' then %d", strings.NewReplacer("*", "%", "_", `\_`).Replace(c), i)
	}
	b.WriteString(" end")
	return b.String()
}

// chart is what the ledger says of each class.
func chart() string {
	rows := make([]string, len(classes))
	for i, c := range classes {
		example := strings.ReplaceAll(c, "*", "x")
		a, err := ledger.Find(example)
		if err != nil {
			panic("invariants: the chart has no " + c) // a name above is wrong
		}
		rows[i] = fmt.Sprintf("(%d, '%s', %d, %d::bigint, '%s', %t)", i, c, ledger.Client(example), bit(debit(c)), a.Normal, a.Floor)
	}
	return "(values " + strings.Join(rows, ", ") + ")"
}

// bit stands for a class on a side of a transfer: debits below, credits above.
func bit(l leg) int64 {
	b := int64(1) << slices.Index(classes, l.class)
	if !l.debit {
		b <<= 32
	}
	return b
}

// needs are the kinds: values (kind, the legs that must be there, the legs that
// may), a bit for each.
func needs() string {
	var rows []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		var must, may int64
		for _, l := range kinds[kind] {
			may |= bit(l)
			if l.must {
				must |= bit(l)
			}
		}
		rows = append(rows, fmt.Sprintf("('%s', %d::bigint, %d::bigint)", kind, must, may))
	}
	return "(values " + strings.Join(rows, ", ") + ")"
}
