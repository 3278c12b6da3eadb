package bank

import "tiwiza/pkg/outbound"

// A reason is what a bank's refusal of a transfer is taken for, and why.
type reason struct {
	final bool // nothing was paid, and nothing will be
	why   string
}

// reasons are the ISO 20022 external status reasons that banks refuse transfers
// with. The table is reviewed data. A refusal for a reason that is not listed as
// final is not believed: a person looks, or the statement tells.
var reasons = map[string]reason{
	"AC01": {true, "account number wrong"},
	"AC02": {true, "debtor's account number wrong"},
	"AC03": {true, "creditor's account number wrong"},
	"AC04": {true, "account closed"},
	"AC06": {true, "account blocked"},
	"AC13": {true, "debtor's account type wrong"},
	"AC14": {true, "creditor's account type wrong"},
	"AG01": {true, "transaction forbidden on this account"},
	"AM01": {true, "amount zero"},
	"AM02": {true, "amount above what is allowed"},
	"AM03": {true, "currency not taken"},
	"AM04": {true, "not enough money"},
	"AM06": {true, "amount under the minimum"},
	"AM09": {true, "amount not as agreed"},
	"AM11": {true, "currency not valid"},
	"AM12": {true, "amount not valid"},
	"AM14": {true, "amount above the limit agreed"},
	"BE01": {true, "name does not fit the account"},
	"BE04": {true, "creditor's address missing"},
	"BE05": {true, "initiator not known"},
	"BE06": {true, "customer not known"},
	"BE22": {true, "creditor's name missing"},
	"CH03": {true, "requested day too far off"},
	"CH21": {true, "mandatory element missing"},
	"DS02": {true, "order cancelled by the customer"},
	"DS04": {true, "order refused by the bank's checks"},
	"DT01": {true, "date not valid"},
	"FF01": {true, "file cannot be read"},
	"MD07": {true, "customer deceased"},
	"RC01": {true, "bank code wrong"},
	"RC04": {true, "creditor's bank code wrong"},
	"RR01": {true, "debtor's identification missing"},
	"RR02": {true, "debtor's name or address missing"},
	"RR03": {true, "creditor's name or address missing"},
	"RR04": {true, "regulatory reason"},
	"AG02": {true, "kind of transfer not taken by this bank"},
	"AG07": {true, "this bank cannot debit that account"},
	"CNOR": {true, "creditor's bank not reachable from this one"},
	"DNOR": {true, "debtor's bank not reachable"},
	"TM01": {true, "after the cut-off time"},

	"AB05": {false, "a station on the way timed out"},
	"AB06": {false, "a station on the way timed out"},
	"AM05": {false, "sent twice: the first may stand"},
	"DU01": {false, "message sent twice: the first may stand"},
	"DU03": {false, "transaction sent twice: the first may stand"},
	"DU04": {false, "reference used twice: the first may stand"},
	"DUPL": {false, "payment made twice: the first may stand"},
	"MS02": {false, "not said by the customer"},
	"MS03": {false, "not said by the bank"},
	"NARR": {false, "told in words"},
	"TS01": {false, "transmission cut off"},
}

// Result is what the bank's word on a transfer means. It never proves that
// money moved, and proves that none did only by a reason that is listed as
// final, or by a word on the order itself.
func (i Item) Result() outbound.Result {
	r := outbound.Result{Outcome: outbound.Accepted, Code: i.Reason, Text: i.Text}
	if i.Standing != Rejected {
		return r
	}
	if !i.Final && !reasons[i.Reason].final {
		r.Outcome, r.Reason = outbound.Unknown, outbound.Unlisted
		return r
	}
	r.Outcome = outbound.Declined
	return r
}
