package charges

import (
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
)

// Paid says that a charge is confirmed and its escrows are funded.
type Paid struct {
	Charge string   `json:"charge"`
	Group  string   `json:"group"`
	Orders []string `json:"orders"`
}

// EventType names the event.
func (Paid) EventType() string { return "charges.confirmed" }

// Subject is the charge.
func (e Paid) Subject() string { return e.Charge }

// Lapsed says that a charge will not be paid any more: the window passed, and
// the acquirer says that nothing was paid.
type Lapsed struct {
	Charge string   `json:"charge"`
	Group  string   `json:"group"`
	Orders []string `json:"orders"`
}

// EventType names the event.
func (Lapsed) EventType() string { return "charges.expired" }

// Subject is the charge.
func (e Lapsed) Subject() string { return e.Charge }

// WalletRefused says that a wallet has not paid a charge, and why; until its time is over
// it may be asked for anew.
type WalletRefused struct {
	Charge string         `json:"charge"`
	Group  string         `json:"group"`
	Why    wallet.Refusal `json:"why"`
}

// EventType names the event.
func (WalletRefused) EventType() string { return "charges.declined" }

// Subject is the charge.
func (e WalletRefused) Subject() string { return e.Charge }

// Settled says that a charge's money has reached the safeguard account.
type Settled struct {
	Charge string `json:"charge"`
	Group  string `json:"group"`
}

// EventType names the event.
func (Settled) EventType() string { return "charges.settled" }

// Subject is the charge.
func (e Settled) Subject() string { return e.Charge }

// RefundMade says that money goes back to a buyer.
type RefundMade struct {
	Refund string      `json:"refund"`
	Order  string      `json:"order,omitempty"` // none when the money had waited in suspense
	Charge string      `json:"charge"`
	Buyer  string      `json:"buyer"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (RefundMade) EventType() string { return "refunds.created" }

// Subject is the refund.
func (e RefundMade) Subject() string { return e.Refund }

// RefundWaits says that the buyer must give an account: the card takes nothing
// back, or the bank has returned the transfer.
type RefundWaits struct {
	Refund string      `json:"refund"`
	Order  string      `json:"order,omitempty"`
	Charge string      `json:"charge"`
	Buyer  string      `json:"buyer"`
	State  RefundState `json:"state"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (RefundWaits) EventType() string { return "refunds.waits" }

// Subject is the refund.
func (e RefundWaits) Subject() string { return e.Refund }

// RefundUnclaimed says that a buyer has given no account in 30 days: two people
// decide.
type RefundUnclaimed struct {
	Refund string      `json:"refund"`
	Order  string      `json:"order,omitempty"`
	Buyer  string      `json:"buyer"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (RefundUnclaimed) EventType() string { return "refunds.unclaimed" }

// Subject is the refund.
func (e RefundUnclaimed) Subject() string { return e.Refund }

// Refunded says that a refund has reached its buyer.
type Refunded struct {
	Refund string      `json:"refund"`
	Order  string      `json:"order,omitempty"`
	Charge string      `json:"charge"`
	Buyer  string      `json:"buyer"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (Refunded) EventType() string { return "refunds.confirmed" }

// Subject is the refund.
func (e Refunded) Subject() string { return e.Refund }

// RefundContradicted says that a buyer has a refund twice: an attempt that was
// refused is paid all the same, and the money had been sent anew.
type RefundContradicted struct {
	Refund    string      `json:"refund"`
	Order     string      `json:"order,omitempty"`
	Operation string      `json:"operation"`
	Amount    money.Money `json:"amount"`
}

// EventType names the event.
func (RefundContradicted) EventType() string { return "refunds.contradicted" }

// Subject is the refund.
func (e RefundContradicted) Subject() string { return e.Refund }

// ChargebackOpened says that a buyer's bank takes a payment back.
type ChargebackOpened struct {
	Chargeback string      `json:"chargeback"`
	Charge     string      `json:"charge"`
	Orders     []string    `json:"orders"`
	Amount     money.Money `json:"amount"`
}

// EventType names the event.
func (ChargebackOpened) EventType() string { return "chargebacks.opened" }

// Subject is the chargeback.
func (e ChargebackOpened) Subject() string { return e.Chargeback }

// ChargebackUnfit is an alert: an acquirer speaks of a chargeback that does not
// fit its charge, of another merchant, another currency or more than was taken.
// Nothing is booked; people ask the acquirer.
type ChargebackUnfit struct {
	Charge   string      `json:"charge"`
	Acquirer string      `json:"acquirer"`
	Case     string      `json:"case"` // the acquirer's
	Amount   money.Money `json:"amount"`
}

// EventType names the event.
func (ChargebackUnfit) EventType() string { return "chargebacks.unfit" }

// Subject is the charge.
func (e ChargebackUnfit) Subject() string { return e.Charge }

// ChargebackEnded says how a chargeback ended: won, the money stays with us, or
// lost.
type ChargebackEnded struct {
	Chargeback string          `json:"chargeback"`
	Charge     string          `json:"charge"`
	Orders     []string        `json:"orders"`
	State      ChargebackState `json:"state"`
	Amount     money.Money     `json:"amount"`
}

// EventType names the event.
func (ChargebackEnded) EventType() string { return "chargebacks.ended" }

// Subject is the chargeback.
func (e ChargebackEnded) Subject() string { return e.Chargeback }

// Moved says that a card charge is asked for at another acquirer, since its own
// does not answer, or that it was paid at one that it had left.
type Moved struct {
	Charge string `json:"charge"`
	Group  string `json:"order_group"`
	From   string `json:"from"`
	To     string `json:"to"`
	Why    string `json:"why"`
}

// EventType names the event.
func (Moved) EventType() string { return "charges.moved" }

// Subject is the charge.
func (e Moved) Subject() string { return e.Charge }
