package event_test

import (
	"context"
	"testing"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// The sweep looks at what was written in the last two days, and not at all that
// ever was.
func TestYearsOfEventsCostNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, `insert into platform.event (id, type, subject, payload, actor, at)
			select 'evt_' || n, case n % 2 when 0 then 'test.ripe' else 'x' end, 'fig', '{}', 'x', now() - interval '4 hours' * (6001 - n) from generate_series(1, 6000) n`,
		`insert into platform.handled (event, subscriber) select id, 'cook' from platform.event where id <> 'evt_6000'`)
	db, bus := pgtest.Open(t, url, pg.Options{MaxConns: 2}), event.NewBus()
	pgtest.Queue(t, db, bus)
	event.Subscribe(bus, "cook", func(context.Context, *pg.Tx, ripe) error { return nil })
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		return pgtest.Through(t.Context(), t, tx, func() error {
			found, err := event.Undelivered(t.Context(), tx, "test.ripe", "cook")
			if err == nil && (len(found) != 1 || found[0] != "evt_6000") {
				t.Errorf("nobody took in %v, want evt_6000", found)
			}
			return err
		}, "platform.event", "platform.handled")
	})
	if err != nil {
		t.Fatal(err)
	}
}
