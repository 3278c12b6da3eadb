package rest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// kept is an answer as platform.answer holds it.
type kept struct {
	request []byte
	status  int
	body    []byte
}

const selectAnswer = `select request, status, body from platform.answer where actor = $1 and key = $2`

// once runs a step in one transaction with its answer, or gives the answer of
// the time it ran before.
func once(ctx context.Context, db *pg.Store, actor, key string, request []byte, run func(tx *pg.Tx) (answer, error)) (a answer, err error) {
	err = db.InTx(ctx, func(tx *pg.Tx) (err error) {
		before, found, locked, err := lock(ctx, tx, actor, key)
		switch {
		case err != nil:
			return err
		case found:
			a, err = replay(before, request)
			return err
		case !locked:
			return errKeyBusy
		}
		if a, err = run(tx); err != nil {
			return err
		}
		tx.Queue(`insert into platform.answer (actor, key, request, status, body) values ($1, $2, $3, $4, $5)`,
			actor, key, request, a.status, a.body)
		return nil
	})
	if pg.Violates(err, "answer_pkey") { // somebody was first in spite of the lock
		return recall(ctx, db, actor, key, request, err)
	}
	return a, err
}

// lock takes the key for this transaction and looks, in a second statement
// whose snapshot is therefore later, for an answer that is there already.
func lock(ctx context.Context, tx *pg.Tx, actor, key string) (before kept, found, locked bool, err error) {
	h := sha256.Sum256([]byte(actor + "\x00" + key))
	b := &pgx.Batch{}
	b.Queue(`select pg_try_advisory_xact_lock($1)`, int64(binary.BigEndian.Uint64(h[:8])))
	b.Queue(selectAnswer, actor, key)
	br := tx.SendBatch(ctx, b)
	err = br.QueryRow().Scan(&locked)
	if err == nil {
		err = br.QueryRow().Scan(&before.request, &before.status, &before.body)
		found = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
	}
	if cerr := br.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return kept{}, false, false, fmt.Errorf("look for the answer of before: %w", err)
	}
	return before, found, locked, nil
}

// recall reads an answer outside any transaction.
func recall(ctx context.Context, db *pg.Store, actor, key string, request []byte, cause error) (answer, error) {
	rows, _ := db.Query(ctx, selectAnswer, actor, key)
	before, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (k kept, err error) {
		return k, r.Scan(&k.request, &k.status, &k.body)
	})
	if err != nil {
		return answer{}, fmt.Errorf("read the answer that was first: %w", errors.Join(err, cause))
	}
	return replay(before, request)
}

// saveAll keeps answers.
func saveAll(tx *pg.Tx, keeps []*Keep) {
	if len(keeps) == 1 {
		k := keeps[0]
		tx.Queue(`insert into platform.answer (actor, key, request, status, body) values ($1, $2, $3, $4, $5)`,
			k.owner, k.key, k.request, k.answer.status, k.answer.body)
		return
	}
	owners, keys, requests, statuses, bodies := make([]string, len(keeps)), make([]string, len(keeps)), make([][]byte, len(keeps)), make([]int32, len(keeps)), make([][]byte, len(keeps))
	for i, k := range keeps {
		owners[i], keys[i], requests[i], statuses[i], bodies[i] = k.owner, k.key, k.request, int32(k.answer.status), k.answer.body
	}
	tx.Queue(`insert into platform.answer (actor, key, request, status, body)
		select * from unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::bytea[])`, owners, keys, requests, statuses, bodies)
}

// LookFor adds the question which of some answers are there already to a round
// trip; Found reads what comes back.
func LookFor(b *pgx.Batch, keeps []*Keep) {
	owners, keys := make([]string, len(keeps)), make([]string, len(keeps))
	for i, k := range keeps {
		owners[i], keys[i] = k.owner, k.key
	}
	b.Queue(`select x.n, a.request, a.status, a.body from unnest($1::text[], $2::text[]) with ordinality x (actor, key, n)
		cross join lateral (select request, status, body from platform.answer a where a.actor = x.actor and a.key = x.key offset 0) a`, owners, keys)
}

// Found reads the answer to LookFor: which of the keeps have their answer from
// before, and which of their keys stand for another request.
func Found(br pgx.BatchResults, keeps []*Keep) (found []bool, wrong []error, err error) {
	all, err := readKept(br, len(keeps))
	if err != nil {
		return nil, nil, err
	}
	found, wrong = make([]bool, len(keeps)), make([]error, len(keeps))
	for i, k := range keeps {
		if all[i] != nil {
			found[i], wrong[i] = true, k.again(*all[i])
		}
	}
	return found, wrong, nil
}

// Recall is LookFor and Found in a round trip of their own.
func Recall(ctx context.Context, db pg.DB, keeps []*Keep) (found []bool, wrong []error, err error) {
	b := &pgx.Batch{}
	LookFor(b, keeps)
	br := db.SendBatch(ctx, b)
	found, wrong, err = Found(br, keeps)
	return found, wrong, errors.Join(err, br.Close())
}

func readKept(br pgx.BatchResults, n int) ([]*kept, error) {
	rows, err := br.Query()
	if err != nil {
		return nil, fmt.Errorf("look for answers of before: %w", err)
	}
	all := make([]*kept, n)
	for rows.Next() {
		var i int64
		var k kept
		if err := rows.Scan(&i, &k.request, &k.status, &k.body); err != nil {
			rows.Close()
			return nil, fmt.Errorf("look for answers of before: %w", err)
		}
		all[i-1] = &k
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for answers of before: %w", err)
	}
	return all, nil
}

// ForgetAnswers deletes the answers kept since before a time; their keys are
// free again. It returns how many there were.
func ForgetAnswers(ctx context.Context, db *pg.Store, before time.Time) (int64, error) {
	return db.Exec(auth.With(ctx, auth.Hub), `delete from platform.answer where at < $1`, before)
}

// outage says whether an error means that the database cannot be reached or
// cannot take more, rather than that it refused something.
func outage(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	code := pg.Code(err)
	return pgconn.SafeToRetry(err) || code == pgerrcode.LockNotAvailable ||
		code != "" && (pgerrcode.IsConnectionException(code) || pgerrcode.IsInsufficientResources(code) ||
			pgerrcode.IsOperatorIntervention(code) || pgerrcode.IsTransactionRollback(code) || code == pgerrcode.ReadOnlySQLTransaction)
}
