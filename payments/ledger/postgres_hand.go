package ledger

import (
	"context"
	"errors"
	"fmt"
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

// hashesOf is the hash of what was posted under a key, or nothing.
func hashesOf(ctx context.Context, tx *pg.Tx, key string) ([][]byte, error) {
	return pg.Column[[]byte](ctx, tx, `select hash from ledger.lane_keys($1)`, []string{key})
}

func lockDraft(ctx context.Context, tx *pg.Tx, reference string) (draft, error) {
	return pg.One[draft](ctx, tx, ErrTransfer, `select `+draftColumns+` from ledger.draft where reference = $1 for update`, reference)
}

func endDraft(tx *pg.Tx, reference, state string, at time.Time) {
	tx.QueueOne(ErrTransfer, `update ledger.draft set state = $2, ended_at = $3 where reference = $1 and state = 'waiting'`, reference, state, at)
}

// countAlone queues what a person moves by one transfer, if it is new.
func countAlone(tx *pg.Tx, n int64, s share) {
	tx.QueueMapped(beyond, `insert into ledger.alone as a (person, day, centimes)
		select $2, ledger.today(), $3 from ledger.transfer where id = $1
		on conflict (person, day) do update set centimes = a.centimes + excluded.centimes`, n, s.person, s.centimes)
}

func beyond(err error) error {
	if pg.Violates(err, "alone_limit") {
		return ErrDay.With(err)
	}
	return err
}

// errRaced is that others have moved money for a person since it was looked up.
var errRaced = errors.New("what a person has moved today has changed")

// addAlone queues what people move by a batch. Their rows are locked last, in
// order.
func addAlone(tx *pg.Tx, all []share) {
	people, centimes := make([]string, len(all)), make([]int64, len(all))
	for i, s := range all {
		people[i], centimes[i] = s.person, s.centimes
	}
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "alone_limit") {
			return fmt.Errorf("%w: %w", errRaced, ErrDay.With(err))
		}
		return err
	}, `insert into ledger.alone as a (person, day, centimes)
		select x.person, ledger.today(), x.centimes from unnest($1::text[], $2::bigint[]) x (person, centimes) order by 1
		on conflict (person, day) do update set centimes = a.centimes + excluded.centimes`, people, centimes)
}
