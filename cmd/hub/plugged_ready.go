package main

import (
	"context"
	"sync"

	"tiwiza/adapters/remote"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/pg"
)

// ready keeps what was made of connectors of one port, once for each version of
// their rows. It is safe for use by many goroutines.
type ready[T any] struct {
	plugged *connectors.Service
	dial    func(connectors.Opening) (*remote.Connector, error)
	of      func(n *remote.Connector, p connectors.Plug) T

	mu   sync.Mutex
	open map[string]versioned[T]
}

// versioned is what was made of one version of a row.
type versioned[T any] struct {
	version int64
	it      T
}

// made is what is made of a connector as it stands.
func (r *ready[T]) made(ctx context.Context, db pg.DB, p connectors.Plug) (it T, err error) {
	r.mu.Lock()
	have, ok := r.open[p.ID]
	r.mu.Unlock()
	if ok && have.version >= p.Version {
		return have.it, nil
	}
	o, err := r.plugged.Opening(ctx, db, p) // without the lock: who asks the database holds up nobody
	if err != nil {
		return it, err
	}
	n, err := r.dial(o)
	if err != nil {
		return it, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if have, ok := r.open[p.ID]; ok && have.version >= p.Version { // another was quicker
		return have.it, nil
	}
	if r.open == nil {
		r.open = map[string]versioned[T]{}
	}
	it = r.of(n, p)
	r.open[p.ID] = versioned[T]{p.Version, it}
	return it, nil
}
