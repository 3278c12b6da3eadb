package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

// PostEach is PostAll of the transfers that items stand for, and tells those
// that are in the books from those that were refused.
func PostEach[T any](ctx context.Context, tx *pg.Tx, books interface {
	PostAll(ctx context.Context, tx *pg.Tx, all []Transfer) ([]error, error)
}, items []T, transfer func(T) Transfer,
) (done, refused []T, err error) {
	if len(items) == 0 {
		return nil, nil, nil
	}
	transfers := make([]Transfer, len(items))
	for i, item := range items {
		transfers[i] = transfer(item)
	}
	errs, err := books.PostAll(ctx, tx, transfers)
	if err != nil {
		return nil, nil, err
	}
	for i, item := range items {
		if errs[i] != nil {
			refused = append(refused, item)
		} else {
			done = append(done, item)
		}
	}
	return done, refused, nil
}
