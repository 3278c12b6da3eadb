package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/pg"
)

// Everything is how the operator stands among the members that hear of events:
// it hears of all of them, as they were written.
const Everything = "*"

// A Publication is a type of event that members hear of. What they are told has
// a version: fields may be added to it; whatever else changes makes the next.
type Publication struct {
	Type    string
	Version int
	About   string
	Fields  []string // of what is told, in order
}

// teller makes of an event what each member is told of it.
type teller struct {
	Publication
	tell func(ctx context.Context, tx *pg.Tx, payload []byte) (map[string]any, error)
}

// Tell publishes the events of E's type: to says, for each member who hears of
// one, what that member is told; an empty name is nobody. It is called once for
// each event, and must put nothing in that the member may not see. Events that nobody publishes are for
// the operator alone.
func Tell[E pg.Event, D any](b *Bus, version int, about string, to func(ctx context.Context, tx *pg.Tx, e E) (map[string]D, error)) {
	var zero E
	typ := zero.EventType()
	if _, twice := b.tellers[typ]; twice {
		panic("event: " + typ + " is published twice")
	}
	b.tellers[typ] = teller{Publication{typ, version, about, fields(reflect.TypeFor[D]())}, func(ctx context.Context, tx *pg.Tx, payload []byte) (map[string]any, error) {
		var e E
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, fmt.Errorf("read event %s: %w", typ, err)
		}
		told, err := to(ctx, tx, e)
		out := make(map[string]any, len(told))
		for member, data := range told {
			out[member] = data
		}
		return out, err
	}}
}

// fields are the JSON names of a struct.
func fields(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// Published are the events that members hear of, in order of their names.
func (b *Bus) Published() []Publication {
	out := make([]Publication, 0, len(b.tellers))
	for _, t := range b.tellers {
		out = append(out, t.Publication)
	}
	slices.SortFunc(out, func(a, b Publication) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// A Telling is an event as one member hears of it.
type Telling struct {
	Pos     int64 // its place in the log
	ID      string
	Type    string
	Subject string
	At      time.Time
	Member  string // or Everything
	Version int    // 0: as it was written, which may change
	Data    []byte // JSON
}

// Forward has f be given each telling once, in the order of the log, as part of
// the unit of work that gives the events their places. It is called at start.
func (b *Bus) Forward(f func(ctx context.Context, tx *pg.Tx, told []Telling) error) {
	b.forward = append(b.forward, f)
}

// batch is how many events get their places at once.
const batch = 500

// Place gives the events that were committed since their places in the log and
// tells the members of them; it says how many. Hubs take turns: while another
// is at it, there is nothing to do.
//
// Of one subject, events keep the order in which they were written: whoever
// writes the second has locked the subject after the first was committed, so
// the second is never seen without the first.
func (b *Bus) Place(ctx context.Context, store *pg.Store) (placed int, err error) {
	err = store.InTx(ctx, func(tx *pg.Tx) error {
		placed = 0
		st, err := lockLog(ctx, tx)
		if errors.Is(err, errTaken) {
			return nil
		}
		if err != nil {
			return err
		}
		fresh, err := unplaced(ctx, tx, st.High, batch)
		if err != nil || len(fresh) == 0 {
			return err
		}
		told, err := b.told(ctx, tx, fresh, st.Pos)
		if err != nil {
			return err
		}
		saveLog(tx, st, fresh)
		insertTellings(tx, told)
		for _, f := range b.forward {
			if err := f(ctx, tx, told); err != nil {
				return err
			}
		}
		placed = len(fresh)
		return nil
	})
	return placed, err
}

// told makes the tellings of some events that follow the place pos.
func (b *Bus) told(ctx context.Context, tx *pg.Tx, fresh []row, pos int64) (out []Telling, err error) {
	for i, e := range fresh {
		t := Telling{Pos: pos + int64(i) + 1, ID: e.ID, Type: e.Type, Subject: e.Subject, At: e.At, Member: Everything, Data: e.Payload}
		out = append(out, t)
		teller, ok := b.tellers[e.Type]
		if !ok {
			continue
		}
		members, err := teller.tell(ctx, tx, e.Payload)
		if err != nil {
			return nil, fmt.Errorf("tell of %s %s: %w", e.Type, e.ID, err)
		}
		for member, data := range members {
			if member == "" {
				continue
			}
			if member == Everything {
				return nil, fmt.Errorf("%s %s is told to %q, which is no member", e.Type, e.ID, member)
			}
			t.Member, t.Version = member, teller.Version
			if t.Data, err = json.Marshal(data); err != nil {
				return nil, fmt.Errorf("tell of %s %s: %w", e.Type, e.ID, err)
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// missing are the numbers below the highest of some events that are neither
// among them nor below high.
func missing(high int64, fresh []row) (gaps []int64) {
	for _, e := range fresh {
		if e.Seq <= high {
			continue // one that was missed before
		}
		for n := high + 1; n < e.Seq; n++ {
			gaps = append(gaps, n)
		}
		high = e.Seq
	}
	return gaps
}
