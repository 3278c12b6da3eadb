package media

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/pkg/blob"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
)

const columns = `id, owner, kind, type, name, size, width, height, blob, state, created_at`

// again finds a file by what was sent, and notes that it was sent again.
func again(ctx context.Context, tx *pg.Tx, owner string, kind Kind, sha []byte) (File, error) {
	return pg.One[File](ctx, tx, ErrNotFound, `update media.file set seen_at = platform.now()
		where owner = $1 and kind = $2 and sha256 = $3 and state <> 'dropped' returning `+columns, owner, kind, sha)
}

func idleFiles(ctx context.Context, db pg.DB, owner string) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from media.file where owner = $1 and state = 'new'`, owner)
}

// reserve writes contents down before they are put into the bucket, and gives
// their keys by digest: for one that is there already, its own.
func reserve(ctx context.Context, tx *pg.Tx, all map[string]content) (map[string]blob.Key, error) {
	var keys []string
	var sizes []int
	for _, sum := range slices.Sorted(maps.Keys(all)) { // in one order, so that two uploads do not lock each other out
		keys, sizes = append(keys, string(all[sum].key)), append(sizes, len(all[sum].bytes))
	}
	got, err := pg.Column[string](ctx, tx, `insert into media.blob (key, sha256, size, state, touched_at)
		select k, decode(left(k, 64), 'hex'), n, 'loose', platform.now() from unnest($1::text[], $2::int[]) as r(k, n)
		on conflict (sha256) where state <> 'doomed' do update set touched_at = excluded.touched_at
		returning key`, keys, sizes)
	if err != nil {
		return nil, fmt.Errorf("reserve contents: %w", err)
	}
	out := make(map[string]blob.Key, len(got))
	for _, k := range got {
		out[k[:64]] = blob.Key(k)
	}
	return out, nil
}

// errSwept says that a content was taken away while its file was being made,
// which took a day.
var errSwept = errors.New("media: a content was swept while it was put")

// inOrder are keys in the order in which everybody locks them.
func inOrder(keys map[string]blob.Key) []string {
	all := make([]string, 0, len(keys))
	for _, sum := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, string(keys[sum]))
	}
	return all
}

// loosen has the sweeper look whether any file is made of contents.
func loosen(tx *pg.Tx, keys map[string]blob.Key) {
	tx.Queue(`update media.blob set state = 'loose' where key = any($1) and state = 'bound'`, inOrder(keys))
}

// bind has contents belong to a file that this unit of work inserts.
func bind(tx *pg.Tx, keys map[string]blob.Key) {
	all := inOrder(keys)
	tx.Queue(`select key from media.blob where key = any($1) order by key for update`, all)
	tx.QueueThen(func(tag pgconn.CommandTag, err error) error {
		if err == nil && tag.RowsAffected() != int64(len(all)) {
			return ErrUnreachable.With(errSwept)
		}
		return err
	}, `update media.blob set state = 'bound', touched_at = platform.now() where key = any($1) and state <> 'doomed'`, all)
}

// insert writes a file down, or gives the one that somebody made of the same
// bytes in between.
func insert(ctx context.Context, tx *pg.Tx, m made) (File, error) {
	f := m.file
	return pg.One[File](ctx, tx, ErrNotFound, `insert into media.file (id, owner, kind, type, name, sha256, size, width, height, blob, state, created_at, seen_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'new', $11, $11)
		on conflict (owner, kind, sha256) where state <> 'dropped' do update set seen_at = excluded.seen_at
		returning `+columns, f.ID, f.Owner, f.Kind, f.Type, f.Name, m.sha, f.Size, f.Width, f.Height, f.Blob, f.CreatedAt)
}

func insertRendition(tx *pg.Tx, file string, r picture.Rendition, key blob.Key) {
	tx.Queue(`insert into media.rendition (file, nominal, width, height, blob) values ($1, $2, $3, $4, $5)`, file, r.Nominal, r.Width, r.Height, string(key))
}

func byID(ctx context.Context, db pg.DB, ids []string) ([]File, error) {
	return pg.All[File](ctx, db, `select `+columns+` from media.file where id = any($1)`, ids)
}

func one(ctx context.Context, db pg.DB, id string) (File, error) {
	return pg.One[File](ctx, db, ErrNotFound, `select `+columns+` from media.file where id = $1`, id)
}

func usedBy(ctx context.Context, db pg.DB, id, subject string) (File, error) {
	return pg.One[File](ctx, db, ErrNotFound, `select `+columns+` from media.file
		where id = $1 and exists (select from media.use u where u.file = $1 and u.subject = $2)`, id, subject)
}

// rendition is where a public picture is in one width.
func rendition(ctx context.Context, db pg.DB, file string, nominal int) (string, error) {
	return pg.Value[string](ctx, db, ErrNotFound, `select r.blob from media.rendition r join media.file f on f.id = r.file
		where r.file = $1 and r.nominal = $2 and f.state = 'used'`, file, nominal)
}

// use locks a file and notes who uses it.
func use(ctx context.Context, tx *pg.Tx, file, owner string, kind Kind, subject string) (File, error) {
	f, err := pg.One[File](ctx, tx, ErrGone, `update media.file set state = 'used', seen_at = platform.now()
		where id = $1 and owner = $2 and kind = $3 and state <> 'dropped' returning `+columns, file, owner, kind)
	if err != nil {
		return f, err
	}
	tx.Queue(`insert into media.use (file, subject) values ($1, $2) on conflict do nothing`, file, subject)
	return f, nil
}

// release locks the file first, so that of two who release it, or one who
// releases and one who uses, the later sees what the earlier did.
func release(tx *pg.Tx, file, subject string) {
	tx.Queue(`select id from media.file where id = $1 for update`, file)
	tx.Queue(`delete from media.use where file = $1 and subject = $2`, file, subject)
	tx.Queue(`update media.file set state = 'dropped', seen_at = platform.now()
		where id = $1 and state = 'used' and not exists (select from media.use u where u.file = $1)`, file)
}

func dropIdle(tx *pg.Tx, before time.Time) {
	tx.Queue(`update media.file set state = 'dropped', seen_at = platform.now() where state = 'new' and seen_at < $1`, before)
}

// forgetDropped deletes files that were dropped a while ago, and lets their
// contents loose, also those that are: whoever finds one used at this moment waits,
// and looks again.
func forgetDropped(tx *pg.Tx, before time.Time) {
	tx.Queue(`with gone as (select id, blob from media.file where state = 'dropped' and seen_at < $1 order by id for update skip locked),
		parts as (select blob from gone union select r.blob from media.rendition r join gone g on g.id = r.file),
		loose as (update media.blob set state = 'loose', touched_at = platform.now() where key in (select blob from parts) and state <> 'doomed')
		delete from media.file where id in (select id from gone)`, before)
}

// doom marks loose contents that no file is made of, unless they were touched
// since: an upload that touches one at the same time is waited for, and seen.
func doom(tx *pg.Tx, before time.Time) {
	tx.Queue(`update media.blob b set state = 'bound' where b.state = 'loose' and b.touched_at < $1
		and (exists (select from media.file f where f.blob = b.key) or exists (select from media.rendition r where r.blob = b.key))`, before)
	tx.Queue(`update media.blob b set state = 'doomed', touched_at = platform.now() where b.state = 'loose' and b.touched_at < $1`, before)
}

// live are those of the keys that are not being deleted.
func live(ctx context.Context, db pg.DB, keys []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select key from media.blob where key = any($1) and state <> 'doomed'`, keys)
}

func doomed(ctx context.Context, db pg.DB) ([]string, error) {
	return pg.Column[string](ctx, db, `select key from media.blob where state = 'doomed' order by touched_at, key limit 100`)
}

func forget(tx *pg.Tx, keys []string) {
	tx.Queue(`delete from media.blob where key = any($1) and state = 'doomed'`, keys)
}
