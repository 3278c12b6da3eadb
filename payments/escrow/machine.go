package escrow

import (
	"slices"
	"strings"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// A Move is what can happen to an escrow.
type Move string

// The moves.
const (
	MoveOpen      Move = "open"
	MoveAuthorize Move = "authorize"
	MoveVoid      Move = "void"
	MoveFund      Move = "fund"
	MoveExpire    Move = "expire"
	MoveCollect   Move = "collect"
	MoveRefuse    Move = "refuse"
	MoveRemit     Move = "remit"
	MoveShip      Move = "ship"
	MoveDeliver   Move = "deliver"
	MoveRelease   Move = "release"
	MoveRefund    Move = "refund"
	MoveTakeBack  Move = "refund after release"
	MoveArrive    Move = "refund arrived"
	MoveUndo      Move = "refund undone"
	MoveReturn    Move = "refund returned"
	MoveFreeze    Move = "case opened"
	MoveThaw      Move = "case ended"
	MoveUnsigned  Move = "no sign of delivery"
	MoveCap       Move = "held too long"
	MoveRule      Move = "ruling"
	MoveContest   Move = "chargeback opened"
	MoveWin       Move = "chargeback won"
	MoveLose      Move = "chargeback lost"
	MoveReserve   Move = "reserve released"
	MoveClose     Move = "close"
)

// An Actor is who moves an escrow.
type Actor string

// The actors.
const (
	Buyer     Actor = "buyer"
	Seller    Actor = "seller"
	Courier   Actor = "courier"
	Agent     Actor = "agent"
	TwoAgents Actor = "two agents"
	Timer     Actor = "timer"
	Partner   Actor = "partner"
)

// roles are who acts for an actor over the interface. A courier's word is
// entered by the seller who sent it or by an agent; a partner's is evidence, and
// no principal's.
var roles = map[Actor][]auth.Role{
	Buyer: {auth.Buyer}, Seller: {auth.Seller}, Agent: {auth.Operator}, TwoAgents: {auth.Operator},
}

// A Way is how an actor does a move: the action of a route for people, the kind
// of a timer, the evidence of a partner.
type Way struct {
	Who Actor
	By  string
}

// A Rule is one row of the machine: the whole of what a move is.
type Rule struct {
	Move    Move
	From    []State // none: there is no escrow yet
	To      []State // none: it stays what it is
	Ways    []Way
	Calm    bool // refused while a case is open
	Guard   string
	Refuses []*fault.Error // what the guard answers, besides ErrState and ErrFrozen
	Post    []Posting      // the first is what the move books, unless it says which
}

// The states that come after one another.
var (
	unpaid = []State{Awaiting, Authorized}
	ended  = []State{Released, Refunded}
	ever   = []State{Funded, Released, Refunded, Closed}
)

// Machine is the whole life of an escrow. The code asks it what is allowed,
// docs/escrow.md is written from it, and a test holds the policies against it.
var Machine = []Rule{
	{
		Move: MoveOpen, To: []State{Awaiting}, Ways: []Way{{Buyer, "checkouts.create"}},
		Guard:   "the seller is active; the shares add up to what the buyer pays and never change; what the market adds for the seller stands beside them, and leaves the buyer to pay delivery, fees and their VAT",
		Refuses: []*fault.Error{ErrTerms, ErrBonus},
	},
	{
		Move: MoveAuthorize, From: []State{Awaiting}, To: []State{Authorized}, Ways: []Way{{Partner, "status query"}},
		Guard: "amount, currency, merchant and reference are those of the charge",
	},
	{
		Move: MoveVoid, From: unpaid, To: []State{Voided}, Ways: []Way{{Partner, "reservation let go"}, {Timer, "cash not confirmed in 72 h"}},
		Guard: "nothing was captured",
	},
	{
		Move: MoveFund, From: unpaid, To: []State{Funded}, Ways: []Way{{Partner, "status query, settlement or statement"}},
		Guard: "a status query, the settlement or the bank's statement says that the money came; a callback alone never does",
		Post:  []Posting{{Kind: "escrow.fund", Debit: "psp:clearing, bank:safeguard, suspense", Credit: "escrow"}},
	},
	{
		Move: MoveExpire, From: []State{Awaiting}, To: []State{Expired}, Ways: []Way{{Timer, "charges.window"}},
		Guard: "card 30 min, transfer 72 h; no operation is on its way, unknown or in review",
	},
	{
		Move: MoveCollect, From: []State{Awaiting}, To: []State{Funded, Released}, Ways: []Way{{Courier, "cash"}, {Seller, "orders.collect"}, {Agent, "orders.collect"}},
		Guard:   "what was collected may be part; the carrier's fee is in it and counts as released",
		Refuses: []*fault.Error{ErrAmount},
		Post:    []Posting{{Kind: "cash.collected", Debit: "carrier:cod", Credit: "escrow, payable:carrier"}},
	},
	{
		Move: MoveRefuse, From: []State{Awaiting}, To: []State{Voided},
		Ways: []Way{
			{Courier, "cash"},
			{Buyer, "orders.refuse"},
			{Seller, "orders.refuse"},
			{Agent, "orders.refuse"},
			{Buyer, "orders.cancel"},
			{Seller, "orders.cancel"},
			{Agent, "orders.cancel"},
		},
		Guard: "cash on delivery, refused or nobody there, with the reason",
		Post:  []Posting{{Kind: "cash.refused", Debit: "seller:receivable, bank:transit", Credit: "payable:carrier, bank:operating", About: "the fee of a carrier who brought it"}},
	},
	{
		Move: MoveRemit, From: ever, Ways: []Way{{Partner, "statement"}},
		Guard: "the cash is on the safeguard account: release is possible from here on, payouts cover it",
	},
	{
		Move: MoveShip, From: []State{Awaiting, Funded, Released}, Ways: []Way{{Seller, "orders.ship"}, {Seller, "orders.ship_part"}, {Partner, "files and codes that were paid"}},
		Guard: "from here on the carrier's leg is never reduced, and is paid; before, one that was released is not paid, and goes back with the rest",
	},
	{
		Move: MoveDeliver, From: []State{Funded}, Ways: []Way{{Seller, "orders.deliver"}, {Agent, "orders.deliver"}, {Seller, "shipments.deliver"}, {Agent, "shipments.deliver"}, {Buyer, "orders.open"}, {Timer, "files and codes at the buyer's disposal for a week"}},
		Guard: "proof that all parcels came starts the wait, three days later when one is proved by a photograph alone; files and codes come when their buyer opens them; it never lets the money go",
	},
	{
		Move: MoveRelease, From: []State{Funded}, To: []State{Released}, Calm: true,
		Ways: []Way{
			{Buyer, "orders.receive"},
			{Buyer, "escrows.release"},
			{Agent, "escrows.release"},
			{Timer, timerRelease},
		},
		Guard: "at most what is held; cash only once remitted; by itself after the longer of the inspection (72 h, fresh food 24 h, at most 14 d) " +
			"and the withdrawal window (7 d, law 31-08; 0 for exempt goods) after delivery; up to half of the seller's share pays its debt first",
		Refuses: []*fault.Error{ErrAmount, ErrCash},
		Post: []Posting{
			{Kind: "escrow.release", Debit: "escrow", Credit: "seller:available, seller:reserve, seller:receivable, fees, payable:vat, payable:carrier"},
			{Kind: "escrow.release", Debit: "promotions, bank:transit", Credit: "seller:available, seller:receivable, bank:operating", About: "what the market adds, in proportion to the goods"},
		},
	},
	{
		Move: MoveRefund, From: []State{Funded}, Calm: true,
		Ways: []Way{
			{Seller, "orders.refund"},
			{Agent, "orders.refund"},
			{TwoAgents, "orders.refund"},
			{Buyer, "orders.cancel"},
			{Seller, "orders.cancel"},
			{Agent, "orders.cancel"},
			{Timer, "an order not served in time"},
			{Timer, "a group that failed, or got a lower price"},
			{Seller, "returns.receive"},
			{Seller, "returns.refund"},
			{Agent, "returns.refund"},
			{Timer, "orders.return"},
		},
		Guard:   "at most what is held, the carrier's leg excepted once shipped; cash only once remitted; cancels the legs by largest remainder",
		Refuses: []*fault.Error{ErrAmount, ErrCash},
		Post:    []Posting{{Kind: "refund.intent", Debit: "escrow", Credit: "refund"}},
	},
	{
		Move: MoveTakeBack, From: []State{Funded, Released}, Calm: true,
		Ways:    []Way{{Agent, "orders.refund"}, {TwoAgents, "orders.refund"}, {Agent, "returns.refund"}, {TwoAgents, "returns.refund"}},
		Guard:   "at most what was captured less what went back; cash only once remitted; once goods came back also a carrier's fee that is still held (by their seller or the timer); this order's reserve, then the oldest, then available, then receivable",
		Refuses: []*fault.Error{ErrAmount, ErrCash},
		Post: []Posting{
			{Kind: "refund.intent", Debit: "escrow, payable:carrier, seller:reserve, seller:available, seller:receivable, fees, payable:vat, loss", Credit: "refund", About: "of the carrier only for goods that never left"},
			{Kind: "refund.intent", Debit: "seller:reserve, seller:available, seller:receivable", Credit: "promotions", About: "what the market had added to it"},
			{Kind: "refund.intent", Debit: "bank:transit", Credit: "bank:operating", About: "receivable + fees + VAT + loss, less what the market has back"},
		},
	},
	{
		Move: MoveArrive, From: ever, To: ended, Ways: []Way{{Partner, "the refund's own evidence"}},
		Guard:   "released if anything was released, else refunded, once nothing is held or on its way",
		Refuses: []*fault.Error{ErrState},
	},
	{
		Move: MoveReturn, From: ever, Ways: []Way{{Partner, "statement"}},
		Guard:   "the bank sent it back after it had arrived: it is on its way again",
		Refuses: []*fault.Error{ErrState},
	},
	{
		Move: MoveUndo, From: ever, To: []State{Funded}, Ways: []Way{{Partner, "a chargeback took its place"}},
		Guard:   "the refund was surely never sent, or came back; what a lost chargeback had cost us beyond its orders is made good first",
		Refuses: []*fault.Error{ErrState},
		Post: []Posting{
			{Kind: "refund.undone", Debit: "refund, promotions", Credit: "escrow, payable:carrier, seller:reserve, seller:available, seller:receivable, fees, payable:vat, loss", About: "what the intent had taken"},
			{Kind: "refund.undone", Debit: "bank:operating, bank:transit", Credit: "bank:transit, bank:operating", About: "the intent's top-up, or what the market has to give again"},
			{Kind: kindRegained, Debit: "escrow, payable:carrier, seller:reserve, seller:available, seller:receivable, fees, payable:vat", Credit: "loss, promotions"},
		},
	},
	{
		Move: MoveFreeze, From: ever, Ways: []Way{{Buyer, "orders.dispute"}, {Buyer, "returns.create"}, {Timer, TimerUndelivered}, {Timer, TimerCap}, {Partner, "chargeback"}},
		Guard: "timers, releases and refunds stop; the order shows the case",
	},
	{
		Move: MoveThaw, From: ever, Ways: []Way{{Agent, "disputes.rule"}, {Partner, "chargeback"}, {Buyer, "returns.withdraw"}, {Seller, "returns.receive"}, {Timer, "orders.return"}},
		Guard: "with the last open case gone the timers go on where they stood",
	},
	{
		Move: MoveUnsigned, From: []State{Funded}, Ways: []Way{{Timer, TimerUndelivered}},
		Guard: "15 d after shipping nothing says that the goods arrived: opens a dispute (lost), never releases",
	},
	{
		Move: MoveCap, From: []State{Funded}, Ways: []Way{{Timer, TimerCap}},
		Guard: "90 d after the money came it is still held: two people must rule, nothing goes silently",
	},
	{
		Move: MoveRule, From: []State{Funded}, To: ended,
		Ways:    []Way{{Agent, "disputes.rule"}, {TwoAgents, "disputes.rule"}, {Seller, "disputes.reply"}, {Timer, "disputes.due"}},
		Guard:   "what goes back and what is released are together what is held; no other case is open; a seller who accepts, or does not answer in 72 h, gives all of it back; an agent has 7 d, from 30 d on two people must rule",
		Refuses: []*fault.Error{ErrCase, ErrShares, ErrCash},
		Post: []Posting{
			{Kind: "dispute.ruling", Debit: "escrow, seller:reserve, seller:available, seller:receivable, fees, payable:vat", Credit: "refund, promotions", About: "as a refund"},
			{Kind: "dispute.ruling", Debit: "escrow, promotions", Credit: "seller:available, seller:reserve, seller:receivable, fees, payable:vat, payable:carrier", About: "as a release"},
			{Kind: "dispute.ruling", Debit: "bank:transit", Credit: "bank:operating", About: "both top-ups"},
		},
	},
	{
		Move: MoveContest, From: ever, Ways: []Way{{Partner, "chargeback"}},
		Guard:   "once for each case of the partner; shared over the charge's escrows by largest remainder; what is not held is kept inside available, now or as the seller's money comes, and payouts stop while it is not covered",
		Refuses: []*fault.Error{ErrAmount, ErrState},
		Post:    []Posting{{Kind: "chargeback.opened", Debit: "psp:disputed, dispute_cost, bank:transit", Credit: "psp:clearing, bank:operating"}},
	},
	{
		Move: MoveWin, From: ever, Ways: []Way{{Partner, "chargeback"}},
		Guard:   "the chargeback is open",
		Refuses: []*fault.Error{ErrState},
		Post:    []Posting{{Kind: "chargeback.won", Debit: "psp:clearing", Credit: "psp:disputed"}},
	},
	{
		Move: MoveLose, From: ever, To: ended, Ways: []Way{{Partner, "chargeback"}},
		Guard:   "no refund of its orders is on its way; escrow first, then as a refund after release, or all our loss where the delivery is proved and we bear it",
		Refuses: []*fault.Error{ErrFlying, ErrState},
		Post:    []Posting{{Kind: "chargeback.lost", Debit: "escrow, payable:carrier, seller:reserve, seller:available, seller:receivable, fees, payable:vat, loss", Credit: "psp:disputed, promotions"}},
	},
	{
		Move: MoveReserve, From: ever, Calm: true, Ways: []Way{{Timer, timerReserve}},
		Guard: "30 d after its release; what is left of it; debt first",
		Post:  []Posting{{Kind: "reserve.release", Debit: "seller:reserve", Credit: "seller:receivable, seller:available"}},
	},
	{
		Move: MoveClose, From: []State{Released, Refunded, Expired, Voided}, To: []State{Closed}, Calm: true, Ways: []Way{{Timer, timerClose}},
		Guard: "nothing is held or on its way, no reserve is kept; 180 d after the end",
	},
}

// row is the rule of a move.
func row(m Move) Rule {
	i := slices.IndexFunc(Machine, func(r Rule) bool { return r.Move == m })
	if i < 0 {
		panic("escrow: the machine has no move " + string(m)) // a name above is wrong
	}
	return Machine[i]
}

// may says why the hold does not allow a move, or nil.
func (h Hold) may(m Move) error {
	r := row(m)
	if !r.starts(h.State) {
		return ErrState.Say("This escrow is %s; for %s it must be %s.", h.State, m, either(r.From)).At("/state", string(h.State))
	}
	if r.Calm && h.frozen() {
		return ErrFrozen.Say("Case %s is open about this order; nothing of its money moves until that has ended.", strings.Join(h.Cases, ", ")).
			At("/case", h.Cases[0])
	}
	return nil
}

// to moves the hold by a rule that leads to one state.
func (h Hold) to(m Move, next State) (Hold, error) {
	if err := h.may(m); err != nil {
		return h, err
	}
	h.State = next
	return h, nil
}

// frozen says whether a case is open.
func (h Hold) frozen() bool { return len(h.Cases) > 0 }

func either(states []State) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Grants are the actions of people that the machine names, with the roles that
// may do each.
func Grants() map[string][]auth.Role {
	out := map[string][]auth.Role{}
	for _, r := range Machine {
		for _, w := range r.Ways {
			for _, role := range roles[w.Who] {
				if strings.Contains(w.By, ".") && !slices.Contains(out[w.By], role) {
					out[w.By] = append(out[w.By], role)
				}
			}
		}
	}
	return out
}

// starts says whether a rule starts from a state.
func (r Rule) starts(s State) bool { return slices.Contains(r.From, s) }
