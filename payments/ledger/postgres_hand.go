package ledger

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const draftColumns = `reference, request, transfer, state`

// putDraft keeps a transfer that waits for a second person, or answers the one
// that has the reference already.
func putDraft(ctx context.Context, tx *pg.Tx, d draft) (draft, error) {
	tx.Queue(`insert into ledger.draft (reference, request, transfer) values ($1, $2, $3::jsonb) on conflict (reference) do nothing`,
		d.Reference, d.Request, string(d.Transfer))
	return lockDraft(ctx, tx, d.Reference)
}

func lockDraft(ctx context.Context, tx *pg.Tx, reference string) (draft, error) {
	return pg.One[draft](ctx, tx, ErrTransfer, `select `+draftColumns+` from ledger.draft where reference = $1 for update`, reference)
}

func endDraft(tx *pg.Tx, reference, state string, at time.Time) {
	tx.QueueOne(ErrTransfer, `update ledger.draft set state = $2, ended_at = $3 where reference = $1 and state = 'waiting'`, reference, state, at)
}
