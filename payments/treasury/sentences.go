package treasury

import "tiwiza/pkg/said"

// The sentences that the halt switch asks a second person with.
var (
	letGoOn = said.Sentence{Code: "treasury_let_go_on", English: "Let payments go on: {reason}"}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	letGoOn,
}
