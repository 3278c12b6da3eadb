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
	"payable:carrier:*", "payable:insurer:*", "payable:vat", "fees", "psp_cost", "dispute_cost", "loss", "capital",
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
	"capital":        {debit("bank:*:operating"), credit("capital")},
	"escrow.fund":    {debit("psp:*:clearing"), credit("escrow:*")},
	"charge.late":    {debit("psp:*:clearing"), credit("suspense:*")},
	"escrow.release": {debit("escrow:*"), mayCredit("seller:*:available"), mayCredit("seller:*:reserve"), mayCredit("payable:carrier:*"), mayCredit("fees"), mayCredit("payable:vat")},
	"settlement": {
		credit("psp:*:clearing"), mayDebit("bank:*:safeguard"),
		mayDebit("psp_cost"), mayDebit("bank:*:transit"), mayCredit("bank:*:operating"),
		// a fee that is given back
		mayCredit("psp_cost"), mayCredit("bank:*:transit"), mayDebit("bank:*:operating"),
	},
	"suspense": {debit("bank:*:safeguard"), credit("suspense:*")},
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
	"top_up":         {debit("bank:*:safeguard"), credit("bank:*:transit")},
	"top_up.undone":  {debit("bank:*:transit"), credit("bank:*:safeguard")},
	"sweep.returned": {debit("bank:*:safeguard"), credit("bank:*:operating")},
	sweep:            {debit("bank:*:operating"), credit("bank:*:safeguard")},
}

// sweep takes our own money out of the clients' account: the only kind that may
// lower client assets − client liabilities.
const sweep = "sweep"

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
