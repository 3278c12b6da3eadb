package bank

import "tiwiza/pkg/outbound"

// A reason is what a bank's refusal of a transfer is taken for, and why.
type reason struct {
	final     bool // nothing was paid, and nothing will be
	elsewhere bool // another bank may be asked instead
	why       string
}

// reasons are the ISO 20022 external status reasons that banks refuse transfers
// with. The table is reviewed data. A refusal for a reason that is not listed as
// final is not believed: a person looks, or the statement tells.
var reasons = map[string]reason{
	"AC01": {true, false, "account number wrong"},
	"AC02": {true, false, "debtor's account number wrong"},
	"AC03": {true, false, "creditor's account number wrong"},
	"AC04": {true, false, "account closed"},
	"AC06": {true, false, "account blocked"},
	"AC13": {true, false, "debtor's account type wrong"},
	"AC14": {true, false, "creditor's account type wrong"},
	"AG01": {true, false, "transaction forbidden on this account"},
	"AM01": {true, false, "amount zero"},
	"AM02": {true, false, "amount above what is allowed"},
	"AM03": {true, false, "currency not taken"},
	"AM04": {true, false, "not enough money"},
	"AM06": {true, false, "amount under the minimum"},
	"AM09": {true, false, "amount not as agreed"},
	"AM11": {true, false, "currency not valid"},
	"AM12": {true, false, "amount not valid"},
	"AM14": {true, false, "amount above the limit agreed"},
	"BE01": {true, false, "name does not fit the account"},
	"BE04": {true, false, "creditor's address missing"},
	"BE05": {true, false, "initiator not known"},
	"BE06": {true, false, "customer not known"},
	"BE22": {true, false, "creditor's name missing"},
	"CH03": {true, false, "requested day too far off"},
	"CH21": {true, false, "mandatory element missing"},
	"DS02": {true, false, "order cancelled by the customer"},
	"DS04": {true, false, "order refused by the bank's checks"},
	"DT01": {true, false, "date not valid"},
	"FF01": {true, false, "file cannot be read"},
	"MD07": {true, false, "customer deceased"},
	"RC01": {true, false, "bank code wrong"},
	"RC04": {true, false, "creditor's bank code wrong"},
	"RR01": {true, false, "debtor's identification missing"},
	"RR02": {true, false, "debtor's name or address missing"},
	"RR03": {true, false, "creditor's name or address missing"},
	"RR04": {true, false, "regulatory reason"},

	"AG02": {true, true, "kind of transfer not taken by this bank"},
	"AG07": {true, true, "this bank cannot debit that account"},
	"CNOR": {true, true, "creditor's bank not reachable from this one"},
	"DNOR": {true, true, "debtor's bank not reachable"},
	"TM01": {true, true, "after the cut-off time"},

	"AB05": {false, false, "a station on the way timed out"},
	"AB06": {false, false, "a station on the way timed out"},
	"AM05": {false, false, "sent twice: the first may stand"},
	"DU01": {false, false, "message sent twice: the first may stand"},
	"DU03": {false, false, "transaction sent twice: the first may stand"},
	"DU04": {false, false, "reference used twice: the first may stand"},
	"DUPL": {false, false, "payment made twice: the first may stand"},
	"MS02": {false, false, "not said by the customer"},
	"MS03": {false, false, "not said by the bank"},
	"NARR": {false, false, "told in words"},
	"TS01": {false, false, "transmission cut off"},
}

// Result is what the bank's word on a transfer means. It never proves that
// money moved, and proves that none did only by a reason that is listed as
// final.
func (i Item) Result() outbound.Result {
	r := outbound.Result{Outcome: outbound.Accepted, Code: i.Reason, Text: i.Text}
	if i.Standing != Rejected {
		return r
	}
	why := reasons[i.Reason]
	if !why.final {
		r.Outcome, r.Reason = outbound.Unknown, outbound.Unlisted
		return r
	}
	r.Outcome, r.Elsewhere = outbound.Declined, why.elsewhere
	return r
}
