package rest

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"tiwiza/pkg/auth"
)

// A crowd asks once for all who want to know who holds the same key: while one
// question is on its way the next collects. Nobody gets an answer to a question
// that was put before it came, so that a key revoked a moment ago is refused.
type crowd struct {
	ask func(ctx context.Context, key auth.Key) (auth.Principal, error)

	mu   sync.Mutex
	keys map[auth.Key]*asking
}

// asking is what is under way about one key.
type asking struct {
	next *question // that which collects; nil: nobody waits
}

// A question is put once and answered to all who wait for it.
type question struct {
	answered context.Context // ends when it is
	finish   context.CancelFunc
	who      auth.Principal
	err      error
}

// authenticate says who holds a key.
func (c *crowd) authenticate(ctx context.Context, key auth.Key) (auth.Principal, error) {
	c.mu.Lock()
	a, busy := c.keys[key]
	if !busy { // nobody is asking: this caller does, for itself
		if c.keys == nil {
			c.keys = map[auth.Key]*asking{}
		}
		c.keys[key] = &asking{}
		c.mu.Unlock()
		defer c.over(ctx, key)
		return c.ask(ctx, key)
	}
	q := a.next
	if q == nil {
		q = &question{}
		q.answered, q.finish = context.WithCancel(context.Background())
		a.next = q
	}
	c.mu.Unlock()
	select {
	case <-q.answered.Done():
		return q.who, q.err
	case <-ctx.Done():
		return auth.Nobody, ctx.Err()
	}
}

// over ends a question, and has the one that collected be put.
func (c *crowd) over(ctx context.Context, key auth.Key) {
	c.mu.Lock()
	q := c.keys[key].next
	if q == nil {
		delete(c.keys, key)
	} else {
		c.keys[key].next = nil
	}
	c.mu.Unlock()
	if q == nil {
		return
	}
	go func() { // whoever waits has its own deadline
		defer q.finish()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultTimeout)
		defer cancel()
		defer c.over(ctx, key)
		defer func() {
			if p := recover(); p != nil {
				q.err = errInternal.With(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		q.who, q.err = c.ask(ctx, key)
	}()
}
