package escrow

import "tiwiza/pkg/said"

// The sentences that escrow asks a second person with.
var (
	releaseAsked = said.Sentence{Code: "escrow_release_asked", English: "{sum} of order {order} shall be released without its buyer's word: {reason}"}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	releaseAsked,
}
