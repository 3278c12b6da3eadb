// Package event carries facts between domains: an append-only row in the same
// transaction as the change, and a job for each subscriber. A subscriber runs
// in a transaction of its own and takes each event in exactly once, however
// often its job runs.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/riverqueue/river"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Bus knows who listens to what, and what members are told. It is filled at start and then only read.
type Bus struct {
	byType map[string][]string                                                   // event type → subscribers
	take   map[string]func(ctx context.Context, tx *pg.Tx, payload []byte) error // "type subscriber"

	while map[string]func() bool // "type subscriber" → whether it listens now; none: always

	tellers map[string]teller // event type → what members are told
	forward []func(ctx context.Context, tx *pg.Tx, told []Telling) error
}

// NewBus makes a bus without subscribers.
func NewBus() *Bus {
	return &Bus{byType: map[string][]string{}, take: map[string]func(context.Context, *pg.Tx, []byte) error{}, while: map[string]func() bool{}, tellers: map[string]teller{}}
}

// Subscribe has take called once for each event of E's type, in a unit of
// work of its own that the hub retries until it succeeds. The subscriber's
// name is written down with each event taken in: it must never change.
func Subscribe[E pg.Event](b *Bus, subscriber string, take func(ctx context.Context, tx *pg.Tx, e E) error) {
	var zero E
	typ := zero.EventType()
	b.byType[typ] = append(b.byType[typ], subscriber)
	b.take[typ+" "+subscriber] = func(ctx context.Context, tx *pg.Tx, payload []byte) error {
		var e E
		if err := json.Unmarshal(payload, &e); err != nil {
			return fmt.Errorf("read event %s: %w", typ, err)
		}
		return take(ctx, tx, e)
	}
}

// SubscribeWhile is Subscribe for one that has nothing to do at times: nothing is queued
// for it while listens says no. What was told meanwhile it hears by the next Sweep after
// it says yes, of the days that Sweep looks back. Listens asks nobody: it runs with each
// event.
func SubscribeWhile[E pg.Event](b *Bus, subscriber string, listens func() bool, take func(ctx context.Context, tx *pg.Tx, e E) error) {
	Subscribe(b, subscriber, take)
	var zero E
	b.while[zero.EventType()+" "+subscriber] = listens
}

// listeners are who hears of a type of event now.
func (b *Bus) listeners(typ string) []string {
	all := b.byType[typ]
	deaf := func(s string) bool {
		listens, ok := b.while[typ+" "+s]
		return ok && !listens()
	}
	if !slices.ContainsFunc(all, deaf) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), deaf)
}

// Delivery is the job of telling one subscriber of one event.
type Delivery struct {
	Event      string `json:"event"`
	Type       string `json:"type"`
	Subscriber string `json:"subscriber"`
}

// Kind names the job.
func (Delivery) Kind() string { return "event.deliver" }

// Append writes e and queues its deliveries in the caller's transaction.
func (b *Bus) Append(ctx context.Context, tx *pg.Tx, e pg.Event) error {
	payload, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.EventType(), err)
	}
	eid := id.New(id.Event)
	insert(tx, eid, e.EventType(), e.Subject(), payload)
	for _, s := range b.listeners(e.EventType()) {
		tx.Enqueue(Delivery{eid, e.EventType(), s}, &river.InsertOpts{Queue: "events", MaxAttempts: 25})
	}
	return nil
}

// AppendAll is Append of many events, in their order and in one statement.
// actors says who brought each of them about; nil: whoever is at work.
func (b *Bus) AppendAll(_ context.Context, tx *pg.Tx, all []pg.Event, actors []string) error {
	if len(all) == 0 {
		return nil
	}
	eids, types, subjects, payloads := make([]string, len(all)), make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, e := range all {
		payload, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write event %s: %w", e.EventType(), err)
		}
		eids[i], types[i], subjects[i], payloads[i] = id.New(id.Event), e.EventType(), e.Subject(), string(payload)
		for _, s := range b.listeners(types[i]) {
			tx.Enqueue(Delivery{eids[i], types[i], s}, &river.InsertOpts{Queue: "events", MaxAttempts: 25})
		}
	}
	insertAll(tx, eids, types, subjects, payloads, actors)
	return nil
}

// Sweep queues the deliveries again that nobody took in and no job is about to
// make, of events older than a while; a job may have been given up, or lost.
func (b *Bus) Sweep(ctx context.Context, store *pg.Store) (queued int, err error) {
	err = store.InTx(ctx, func(tx *pg.Tx) error {
		for typ := range b.byType {
			for _, s := range b.listeners(typ) {
				ids, err := undelivered(ctx, tx, typ, s)
				if err != nil {
					return err
				}
				for _, eid := range ids {
					tx.Enqueue(Delivery{eid, typ, s}, &river.InsertOpts{Queue: "events", MaxAttempts: 25})
				}
				queued += len(ids)
			}
		}
		return nil
	})
	return queued, err
}

// Deliver tells one subscriber, once.
func (b *Bus) Deliver(ctx context.Context, store *pg.Store, d Delivery) error {
	take, ok := b.take[d.Type+" "+d.Subscriber]
	if !ok {
		return fmt.Errorf("nobody called %s listens to %s", d.Subscriber, d.Type)
	}
	return store.InTx(ctx, func(tx *pg.Tx) error {
		first, err := claim(ctx, tx, d.Event, d.Subscriber)
		if err != nil || !first {
			return err
		}
		payload, err := load(ctx, tx, d.Event)
		if err != nil {
			return err
		}
		return take(ctx, tx, payload)
	})
}
