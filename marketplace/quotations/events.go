package quotations

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// RequestMoved says that a request was made, or went on. Sellers are those who
// were asked by name, or answered.
type RequestMoved struct {
	Request string   `json:"request"`
	Buyer   string   `json:"buyer"`
	State   State    `json:"state"`
	Sellers []string `json:"sellers"`
}

// EventType names the event.
func (RequestMoved) EventType() string { return "quotations.request_moved" }

// Subject is the request.
func (e RequestMoved) Subject() string { return e.Request }

// RequestOpened says that a request was put to all sellers of a category: these
// are told.
type RequestOpened struct {
	Request  string   `json:"request"`
	Category string   `json:"category"`
	Sellers  []string `json:"sellers"`
}

// EventType names the event.
func (RequestOpened) EventType() string { return "quotations.request_opened" }

// Subject is the request.
func (e RequestOpened) Subject() string { return e.Request }

// RequestDeclined says that a seller makes no offer.
type RequestDeclined struct {
	Request string `json:"request"`
	Buyer   string `json:"buyer"`
	Seller  string `json:"seller"`
	Reason  string `json:"reason"`
}

// EventType names the event.
func (RequestDeclined) EventType() string { return "quotations.request_declined" }

// Subject is the request.
func (e RequestDeclined) Subject() string { return e.Request }

// OfferMoved says that an offer was made, or went on.
type OfferMoved struct {
	Offer   string     `json:"offer"`
	Request string     `json:"request"`
	Seller  string     `json:"seller"`
	Buyer   string     `json:"buyer"`
	State   OfferState `json:"state"`
}

// EventType names the event.
func (OfferMoved) EventType() string { return "quotations.offer_moved" }

// Subject is the offer.
func (e OfferMoved) Subject() string { return e.Offer }

// MessageSent says that somebody wrote about a request.
type MessageSent struct {
	Message string `json:"message"`
	Request string `json:"request"`
	Seller  string `json:"seller"`
	Buyer   string `json:"buyer"`
	Sender  string `json:"sender"`
}

// EventType names the event.
func (MessageSent) EventType() string { return "quotations.message_sent" }

// Subject is the request.
func (e MessageSent) Subject() string { return e.Request }

// RequestNews is what a buyer and sellers are told of a request. Which seller's
// offer was accepted, other sellers do not learn.
type RequestNews struct {
	Request string `json:"request"`
	State   State  `json:"state"`
}

// OpenedNews is what sellers are told of a request that is put to all.
type OpenedNews struct {
	Request  string `json:"request"`
	Category string `json:"category"`
}

// DeclinedNews is what a buyer is told of a seller that makes no offer.
type DeclinedNews struct {
	Request string `json:"request"`
	Seller  string `json:"seller"`
	Reason  string `json:"reason"`
}

// OfferNews is what a buyer and a seller are told of an offer.
type OfferNews struct {
	Offer   string     `json:"offer"`
	Request string     `json:"request"`
	Seller  string     `json:"seller"`
	State   OfferState `json:"state"`
}

// MessageNews is what a buyer and a seller are told of a message.
type MessageNews struct {
	Message string `json:"message"`
	Request string `json:"request"`
	Seller  string `json:"seller"`
	Sender  string `json:"sender"`
}

// Tell publishes what buyers and sellers hear of quotations.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Offers are asked for; or a request takes no more of them, or is over.", func(_ context.Context, _ *pg.Tx, e RequestMoved) (map[string]RequestNews, error) {
		out := map[string]RequestNews{e.Buyer: {e.Request, e.State}}
		for _, s := range e.Sellers {
			out[s] = RequestNews{e.Request, outside(e.State)}
		}
		return out, nil
	})
	event.Tell(bus, 1, "Somebody asks all sellers of a category for offers.", func(_ context.Context, _ *pg.Tx, e RequestOpened) (map[string]OpenedNews, error) {
		out := map[string]OpenedNews{}
		for _, s := range e.Sellers {
			out[s] = OpenedNews{e.Request, e.Category}
		}
		return out, nil
	})
	event.Tell(bus, 1, "A seller makes no offer.", func(_ context.Context, _ *pg.Tx, e RequestDeclined) (map[string]DeclinedNews, error) {
		return map[string]DeclinedNews{e.Buyer: {e.Request, e.Seller, e.Reason}}, nil
	})
	event.Tell(bus, 1, "An offer was made, accepted, or stands no more.", func(_ context.Context, _ *pg.Tx, e OfferMoved) (map[string]OfferNews, error) {
		n := OfferNews{e.Offer, e.Request, e.Seller, e.State}
		return map[string]OfferNews{e.Seller: n, e.Buyer: n}, nil
	})
	event.Tell(bus, 1, "Somebody wrote about a request.", func(_ context.Context, _ *pg.Tx, e MessageSent) (map[string]MessageNews, error) {
		n := MessageNews{e.Message, e.Request, e.Seller, e.Sender}
		return map[string]MessageNews{e.Seller: n, e.Buyer: n}, nil
	})
}
