package files

import (
	"context"
	"errors"
	"sync/atomic"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

// Notes are the memory of one bank's driver, the same for all hubs. They are
// made with the driver, before there is a database; Over gives them theirs.
type Notes struct {
	bank string
	db   atomic.Pointer[pg.Store]
}

var _ bank.Notes = (*Notes)(nil)

// NewNotes makes the notes of the named bank.
func NewNotes(bank string) *Notes { return &Notes{bank: bank} }

// Over has them kept in a database. It is called at start.
func (n *Notes) Over(db *pg.Store) { n.db.Store(db) }

var errNoNotes = errors.New("the bank's notes have no database yet")

// Recall is the note under a key, or one without a value.
func (n *Notes) Recall(ctx context.Context, key string) (bank.Note, error) {
	db := n.db.Load()
	if db == nil {
		return bank.Note{}, errNoNotes
	}
	found, err := recall(ctx, db, n.bank, key)
	if errors.Is(err, errNoNote) {
		return bank.Note{Key: key}, nil
	}
	return found, err
}

// Swap writes a note if its value was "was"; see bank.Notes.
func (n *Notes) Swap(ctx context.Context, was string, to bank.Note) (bool, error) {
	db := n.db.Load()
	if db == nil {
		return false, errNoNotes
	}
	return swap(ctx, db, n.bank, was, to)
}

// Open are notes that are not done and whose keys begin so, by key.
func (n *Notes) Open(ctx context.Context, prefix string, limit int) ([]bank.Note, error) {
	db := n.db.Load()
	if db == nil {
		return nil, errNoNotes
	}
	return openNotes(ctx, db, n.bank, prefix, limit)
}
