package orders

import "tiwiza/pkg/said"

// The sentences that orders asks a second person with.
var (
	refundAsked = said.Sentence{Code: "orders_refund_asked", English: "{sum} of order {order} shall go back, though its money was released: {reason}"}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	refundAsked,
}
