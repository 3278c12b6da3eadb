package bank

import "context"

// A Note is one thing that a driver must not forget: Value under Key. A note
// that is Done is kept and never listed.
type Note struct {
	Key   string
	Value string
	Done  bool
}

// Notes is the memory of a driver whose bank does not keep what it needs, as the
// name that the bank gave to an order. It is shared by all hubs and outlives
// them. It is never called inside a transaction.
type Notes interface {
	// Recall is the note under a key, or one without a value.
	Recall(ctx context.Context, key string) (Note, error)
	// Swap writes a note whose value was "was", "" for none; without a value it is
	// taken away. It is false, and nothing is written, when the value is another.
	Swap(ctx context.Context, was string, n Note) (bool, error)
	// Open are notes that are not done and whose keys begin so, by key.
	Open(ctx context.Context, prefix string, limit int) ([]Note, error)
}
