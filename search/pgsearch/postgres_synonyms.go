package pgsearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Kept is the table of synonyms as it stands. Version 0 is the market's own,
// which nobody has changed.
type Kept struct {
	Version int
	Groups  [][]string
	SetBy   string
	SetAt   *time.Time
}

var errUntouched = errors.New("nobody has set synonyms")

// Groups reads the table of synonyms.
func Groups(ctx context.Context, db pg.DB) (Kept, error) {
	type row struct {
		Version int
		Groups  []byte
		SetBy   string
		SetAt   *time.Time
	}
	r, err := pg.One[row](ctx, db, errUntouched, `select version, groups, set_by, set_at from search.synonyms`)
	if errors.Is(err, errUntouched) {
		return Kept{Groups: search.DefaultGroups()}, nil
	}
	k := Kept{Version: r.Version, SetBy: r.SetBy, SetAt: r.SetAt}
	if err == nil {
		err = json.Unmarshal(r.Groups, &k.Groups)
	}
	if err != nil {
		return k, fmt.Errorf("read the synonyms: %w", err)
	}
	return k, nil
}

func synonymsVersion(ctx context.Context, db pg.DB) (int, error) {
	n, err := pg.Value[int](ctx, db, errUntouched, `select version from search.synonyms`)
	if errors.Is(err, errUntouched) {
		return 0, nil
	}
	return n, err
}

// errStale says that somebody else has set the synonyms.
var errStale = fault.New(fault.Conflict, "search.synonyms_changed", "Somebody has changed the synonyms in between; read them again.")

// SetGroups replaces the table in the caller's unit of work; version is the
// one that was read.
func SetGroups(tx *pg.Tx, version int, groups [][]string, by string) error {
	body, err := json.Marshal(groups)
	if err != nil {
		return fmt.Errorf("write the synonyms: %w", err)
	}
	if version == 0 {
		tx.QueueOne(errStale, `insert into search.synonyms (version, groups, set_by, set_at) values (1, $1, $2, $3) on conflict do nothing`,
			string(body), by, tx.Now())
		return nil
	}
	tx.QueueOne(errStale, `update search.synonyms set version = version + 1, groups = $1, set_by = $2, set_at = $3 where version = $4`,
		string(body), by, tx.Now(), version)
	return nil
}
