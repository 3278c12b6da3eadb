package meili

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

const (
	batch  = 1000             // documents sent at once
	hold   = time.Minute      // how long one hub tells the server without a word
	finish = 10 * time.Minute // how long a task may take
	look   = 20 * time.Second // how long it is waited for before the lease is renewed
)

// Run tells the server what changed, compares it now and then, and tries again
// when it was away, until ctx ends. Of several hubs one does it.
func (x *Index) Run(ctx context.Context) {
	wait, down := x.o.Every, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := x.Tell(ctx)
		switch {
		case err == nil, errors.Is(err, ErrHeld):
			if down {
				slog.InfoContext(ctx, "Meilisearch is told again")
			}
			wait, down = x.o.Every, false
		case ctx.Err() == nil:
			if !down {
				slog.WarnContext(ctx, "Meilisearch cannot be told what changed; PostgreSQL answers", "error", err)
			}
			wait, down = min(2*wait, 15*time.Second), true
		}
	}
}

// Tell brings the server up to date: its settings, each change in order, and,
// when it was long ago, whatever is not as it should be.
//
// Every hub looks for the key that searches use; one of them tells.
func (x *Index) Tell(ctx context.Context) error {
	kept, err := search.Groups(ctx, x.db)
	if err != nil {
		return err
	}
	table := search.NewSynonyms(kept.Groups)
	x.synonym.set(table)
	if err := x.narrow(ctx); err != nil {
		return err
	}
	l, err := lease(ctx, x.db, x.o.Name, x.holder, hold, x.o.Compare)
	if err != nil {
		return err
	}
	want := settings(table)
	if l.Settings != fingerprint(want) || !x.exists(ctx) {
		if err := x.Rebuild(ctx); err != nil {
			return err
		}
	}
	for {
		n, err := x.push(ctx)
		if err != nil {
			return err
		}
		if n < batch {
			break
		}
	}
	if l.Due || !x.looked {
		_, err = x.Compare(ctx)
		x.looked = err == nil
	}
	return err
}

// exists says whether the index is there. A server that does not answer is
// found out by what comes next.
func (x *Index) exists(ctx context.Context) bool {
	_, err := x.admin.GetIndexWithContext(ctx, x.o.Name)
	var e *meilisearch.Error
	return !errors.As(err, &e) || e.StatusCode != http.StatusNotFound
}

func fingerprint(s *meilisearch.Settings) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain fields
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// push tells the server the oldest changes and says how many there were.
func (x *Index) push(ctx context.Context) (int, error) {
	list, err := changes(ctx, x.db, batch)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	if err := x.send(ctx, x.o.Name, list); err != nil {
		return 0, err
	}
	if _, err := lease(ctx, x.db, x.o.Name, x.holder, hold, x.o.Compare); err != nil {
		return 0, err
	}
	return len(list), heard(ctx, x.db, list)
}

// send gives documents to an index, takes those without a source out of it, and
// waits until both are done: an accepted task proves nothing.
func (x *Index) send(ctx context.Context, index string, list []change) error {
	var docs []document
	var gone []string
	for _, c := range list {
		if c.Source == nil {
			gone = append(gone, c.ID)
			continue
		}
		d, err := c.document()
		if err != nil {
			return err
		}
		docs = append(docs, documentOf(d, c.Digest))
	}
	to := x.admin.Index(index)
	key := "id"
	for rest := docs; len(rest) > 0; {
		piece := rest
		for {
			err := x.done(ctx)(to.AddDocumentsWithContext(ctx, piece, &meilisearch.DocumentOptions{PrimaryKey: &key}))
			if is(err, "payload_too_large") && len(piece) > 1 {
				piece = piece[:len(piece)/2]
				continue
			}
			if err != nil {
				return fmt.Errorf("add %d documents: %w", len(piece), err)
			}
			break
		}
		rest = rest[len(piece):]
	}
	if len(gone) > 0 {
		if err := x.done(ctx)(to.DeleteDocumentsWithContext(ctx, gone, nil)); err != nil {
			return fmt.Errorf("delete %d documents: %w", len(gone), err)
		}
	}
	return nil
}

// done waits for a task and says how it failed.
func (x *Index) done(ctx context.Context) func(*meilisearch.TaskInfo, error) error {
	return func(t *meilisearch.TaskInfo, err error) error {
		if err != nil {
			return err
		}
		task, err := x.wait(ctx, t.TaskUID)
		if err != nil {
			return fmt.Errorf("wait for task %d: %w", t.TaskUID, err)
		}
		if task.Status != meilisearch.TaskStatusSucceeded {
			return failed(task)
		}
		return nil
	}
}

// wait waits for a task to end. A long one keeps this hub the one that tells: to
// send the same again would only make the server's queue longer.
func (x *Index) wait(ctx context.Context, task int64) (*meilisearch.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, finish)
	defer cancel()
	for {
		short, done := context.WithTimeout(ctx, look)
		t, err := x.admin.WaitForTaskWithContext(short, task, 20*time.Millisecond)
		still := err != nil && short.Err() != nil && ctx.Err() == nil
		done()
		if !still {
			return t, err
		}
		if _, err := x.admin.GetTaskWithContext(ctx, task); err != nil {
			return nil, err // it is not slow but away
		}
		if _, err := lease(ctx, x.db, x.o.Name, x.holder, hold, x.o.Compare); err != nil {
			return nil, err
		}
	}
}

// Rebuild fills a new index beside the one that answers, and swaps the two when
// it is complete: no search waits or misses anything. What changes meanwhile is
// told afterwards.
func (x *Index) Rebuild(ctx context.Context) error {
	kept, err := search.Groups(ctx, x.db)
	if err != nil {
		return err
	}
	want := settings(search.NewSynonyms(kept.Groups))
	fresh := x.o.Name + "_new"
	if err := x.drop(ctx, fresh); err != nil {
		return err
	}
	for _, name := range []string{x.o.Name, fresh} {
		if err := x.done(ctx)(x.admin.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: name, PrimaryKey: "id"})); err != nil && !is(err, "index_already_exists") {
			return fmt.Errorf("create index %s: %w", name, err)
		}
	}
	if err := x.done(ctx)(x.admin.Index(fresh).UpdateSettingsWithContext(ctx, want)); err != nil {
		return fmt.Errorf("set index %s: %w", fresh, err)
	}
	for last := ""; ; {
		list, err := after(ctx, x.db, last, batch)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		if err := x.send(ctx, fresh, list); err != nil {
			return err
		}
		last = list[len(list)-1].ID
		if _, err := lease(ctx, x.db, x.o.Name, x.holder, hold, x.o.Compare); err != nil {
			return err
		}
	}
	if err := x.done(ctx)(x.admin.SwapIndexesWithContext(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{x.o.Name, fresh}}})); err != nil {
		return fmt.Errorf("swap %s: %w", x.o.Name, err)
	}
	if err := settled(ctx, x.db, x.o.Name, fingerprint(want)); err != nil {
		return err
	}
	return x.drop(ctx, fresh)
}

func (x *Index) drop(ctx context.Context, index string) error {
	if err := x.done(ctx)(x.admin.DeleteIndexWithContext(ctx, index)); err != nil && !is(err, "index_not_found") {
		return fmt.Errorf("drop index %s: %w", index, err)
	}
	return nil
}

// Forget takes the index off the server.
func (x *Index) Forget(ctx context.Context) error { return x.drop(ctx, x.o.Name) }

// A Drift is how the server differed from PostgreSQL, changes it has not heard
// of left out.
type Drift struct{ Missing, Changed, Extra int }

// Compare holds the server's documents against PostgreSQL's, by their digests,
// and notes what differs as changes to tell.
func (x *Index) Compare(ctx context.Context) (Drift, error) {
	have := map[string]string{}
	for offset := int64(0); ; offset += batch {
		var page meilisearch.DocumentsResult
		err := x.admin.Index(x.o.Name).GetDocumentsWithContext(ctx, &meilisearch.DocumentsQuery{Offset: offset, Limit: batch, Fields: []string{"id", "digest"}}, &page)
		if err != nil {
			return Drift{}, fmt.Errorf("read what the server has: %w", err)
		}
		var rows []struct {
			ID     string `json:"id"`
			Digest string `json:"digest"`
		}
		if err := page.Results.DecodeInto(&rows); err != nil {
			return Drift{}, fmt.Errorf("read what the server has: %w", err)
		}
		for _, r := range rows {
			have[r.ID] = r.Digest
		}
		if len(rows) < batch {
			break
		}
	}
	// What is still to be told is asked before and after, or a change in between
	// would look like drift.
	pending, err := waiting(ctx, x.db)
	if err != nil {
		return Drift{}, err
	}
	want, err := digests(ctx, x.db)
	if err != nil {
		return Drift{}, err
	}
	later, err := waiting(ctx, x.db)
	if err != nil {
		return Drift{}, err
	}
	var d Drift
	var repair []string
	wrong := func(id string, count *int) {
		if !pending[id] && !later[id] {
			*count++
			repair = append(repair, id)
		}
	}
	for id, digest := range want {
		if got, ok := have[id]; !ok {
			wrong(id, &d.Missing)
		} else if got != digest {
			wrong(id, &d.Changed)
		}
	}
	for id := range have {
		if _, ok := want[id]; !ok {
			wrong(id, &d.Extra)
		}
	}
	if len(repair) > 0 {
		slog.WarnContext(ctx, "Meilisearch was not as PostgreSQL says; it is told again", "missing", d.Missing, "changed", d.Changed, "extra", d.Extra)
		if err := x.db.InTx(ctx, func(tx *pg.Tx) error { queue(tx, repair); return nil }); err != nil {
			return d, err
		}
	}
	return d, compared(ctx, x.db, x.o.Name)
}

// is says whether an error is one of the server's by its code, from an answer
// or from a task.
func is(err error, code string) bool {
	var e *meilisearch.Error
	if errors.As(err, &e) {
		return e.MeilisearchApiError.Code == code
	}
	var t taskError
	return errors.As(err, &t) && t.code == code
}
