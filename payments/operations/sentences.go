package operations

import "tiwiza/pkg/said"

// The sentences that the engine writes about an operation.
var (
	timeOver = said.Sentence{Code: "operations_time_over", English: "the time for sending it again is over"}
	takenAs  = said.Sentence{Code: "operations_taken_as", English: "The {op_kind} {ref} at {partner} is {op_state}; it shall be taken as {op_decision}."}
)

// Sentences are all of them: pages find what a row says among them, to say it in
// their own language.
var Sentences = said.Sentences{
	timeOver, takenAs,
}
