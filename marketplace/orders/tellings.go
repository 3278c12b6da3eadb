package orders

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// PlacedNews is what a buyer is told of a checkout.
type PlacedNews struct {
	Group  string   `json:"order_group"`
	Orders []string `json:"orders"`
}

// News is what a buyer and a seller are told of an order. Who the buyer is, the
// seller sees in the order, once it may.
type News struct {
	Order  string `json:"order"`
	Group  string `json:"order_group"`
	Seller string `json:"seller"`
	State  State  `json:"state"`
}

// ShipmentNews is what a buyer and a seller are told of a parcel.
type ShipmentNews struct {
	Shipment string        `json:"shipment"`
	Order    string        `json:"order"`
	Seller   string        `json:"seller"`
	State    ShipmentState `json:"state"`
	Attempts int           `json:"attempts"`
}

// InvoiceNews is what a buyer and a seller are told of an invoice.
type InvoiceNews struct {
	Invoice string `json:"invoice"`
	Order   string `json:"order"`
	Seller  string `json:"seller"`
	Kind    string `json:"kind"`
	Number  string `json:"number"`
}

// ReviewNews is what a buyer and a seller are told of a review.
type ReviewNews struct {
	Review  string `json:"review"`
	Order   string `json:"order"`
	Offer   string `json:"offer"`
	Stars   int    `json:"rating"`
	State   string `json:"state"`
	Replied bool   `json:"replied"`
}

// MessageNews is what a buyer and a seller are told of a message.
type MessageNews struct {
	Message string `json:"message"`
	Order   string `json:"order"`
	Seller  string `json:"seller"`
	Sender  string `json:"sender"`
}

// OpenedNews is what a buyer and a seller are told of files and codes that were
// opened: these, or all.
type OpenedNews struct {
	Order    string   `json:"order"`
	Seller   string   `json:"seller"`
	Variants []string `json:"variants,omitempty"`
}

// ReturnNews is what a buyer and a seller are told of a return.
type ReturnNews struct {
	Return string      `json:"return"`
	Order  string      `json:"order"`
	Seller string      `json:"seller"`
	State  ReturnState `json:"state"`
	Over   bool        `json:"over"`
}

func (e Moved) news(s State) map[string]News {
	n := News{e.Order, e.Group, e.Seller, s}
	return map[string]News{e.Seller: n, e.Buyer: n}
}

// Tell publishes what buyers and sellers hear of orders.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The buyer checked out.", func(_ context.Context, _ *pg.Tx, e Placed) (map[string]PlacedNews, error) {
		return map[string]PlacedNews{e.Buyer: {e.Group, e.Orders}}, nil
	})
	event.Tell(bus, 1, "The buyer paid.", func(_ context.Context, _ *pg.Tx, e OrderPaid) (map[string]News, error) {
		return e.news(Paid), nil
	})
	event.Tell(bus, 1, "The buyer did not pay in time.", func(_ context.Context, _ *pg.Tx, e OrderExpired) (map[string]News, error) {
		return e.news(Expired), nil
	})
	event.Tell(bus, 1, "The seller will serve the order.", func(_ context.Context, _ *pg.Tx, e OrderAccepted) (map[string]News, error) {
		return e.news(Accepted), nil
	})
	event.Tell(bus, 1, "The goods are on their way.", func(_ context.Context, _ *pg.Tx, e OrderShipped) (map[string]News, error) {
		return e.news(Shipped), nil
	})
	event.Tell(bus, 1, "The goods are there, by proof.", func(_ context.Context, _ *pg.Tx, e OrderDelivered) (map[string]News, error) {
		return e.news(Delivered), nil
	})
	event.Tell(bus, 1, "The buyer has the goods, the seller the money.", func(_ context.Context, _ *pg.Tx, e OrderCompleted) (map[string]News, error) {
		return e.news(Completed), nil
	})
	event.Tell(bus, 1, "The buyer of a cash order wants it.", func(_ context.Context, _ *pg.Tx, e OrderConfirmed) (map[string]News, error) {
		return e.news(Confirmed), nil
	})
	event.Tell(bus, 1, "A cash order was not taken.", func(_ context.Context, _ *pg.Tx, e OrderRefused) (map[string]News, error) {
		return e.news(Refused), nil
	})
	event.Tell(bus, 1, "The order was cancelled before it was shipped.", func(_ context.Context, _ *pg.Tx, e OrderCancelled) (map[string]News, error) {
		return e.news(Cancelled), nil
	})
	event.Tell(bus, 1, "The order was accepted and not shipped in time: its buyer may cancel.", func(_ context.Context, _ *pg.Tx, e OrderLate) (map[string]News, error) {
		return e.news(Accepted), nil
	})
	event.Tell(bus, 1, "The order was not served in time, and some of its money was released already: the operator decides.", func(_ context.Context, _ *pg.Tx, e OrderUnserved) (map[string]News, error) {
		return e.news(e.State), nil
	})
	event.Tell(bus, 1, "A cash order left 15 days ago, and nobody has said that it was collected or refused.", func(_ context.Context, _ *pg.Tx, e OrderUncollected) (map[string]News, error) {
		return map[string]News{e.Seller: {e.Order, e.Group, e.Seller, Shipped}}, nil
	})
	event.Tell(bus, 1, "The order is being packed.", func(_ context.Context, _ *pg.Tx, e OrderPreparing) (map[string]News, error) {
		return e.news(Accepted), nil
	})
	event.Tell(bus, 1, "A parcel left, came, or was brought in vain.", func(_ context.Context, _ *pg.Tx, e ShipmentMoved) (map[string]ShipmentNews, error) {
		n := ShipmentNews{e.Shipment, e.Order, e.Seller, e.State, e.Attempts}
		return map[string]ShipmentNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "The seller's invoice was made, or a credit note.", func(_ context.Context, _ *pg.Tx, e InvoiceIssued) (map[string]InvoiceNews, error) {
		n := InvoiceNews{e.Invoice, e.Order, e.Seller, e.Kind, e.Number}
		return map[string]InvoiceNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "A review was written, answered, hidden or shown again.", func(_ context.Context, _ *pg.Tx, e ReviewMoved) (map[string]ReviewNews, error) {
		n := ReviewNews{e.Review, e.Order, e.Offer, e.Stars, e.State, e.Replied}
		return map[string]ReviewNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "Somebody wrote about an order.", func(_ context.Context, _ *pg.Tx, e MessageSent) (map[string]MessageNews, error) {
		n := MessageNews{e.Message, e.Order, e.Seller, e.Sender}
		return map[string]MessageNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "Goods on their way back went on.", func(_ context.Context, _ *pg.Tx, e ReturnMoved) (map[string]ReturnNews, error) {
		n := ReturnNews{e.Return, e.Order, e.Seller, e.State, e.Over}
		return map[string]ReturnNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "The group that the order waited for was ordered: its seller serves it now.", func(_ context.Context, _ *pg.Tx, e OrderGathered) (map[string]News, error) {
		return e.news(Paid), nil
	})
	event.Tell(bus, 1, "The buyer opened files or codes of the order.", func(_ context.Context, _ *pg.Tx, e OrderOpened) (map[string]OpenedNews, error) {
		n := OpenedNews{e.Order, e.Seller, e.Variants}
		return map[string]OpenedNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "Files or codes wait to be opened.", func(_ context.Context, _ *pg.Tx, e OrderUnopened) (map[string]News, error) {
		return map[string]News{e.Buyer: {e.Order, e.Group, e.Seller, Shipped}}, nil
	})
	event.Tell(bus, 1, "All the money of the order goes back to its buyer.", func(_ context.Context, _ *pg.Tx, e OrderRefunded) (map[string]News, error) {
		return e.news(Refunded), nil
	})
}
