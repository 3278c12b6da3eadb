package rest

import (
	"context"
	"sync"

	"github.com/go-kit/kit/endpoint"

	"tiwiza/pkg/fault"
)

var (
	errFull  = fault.New(fault.Unavailable, "request.full", "Many are sending large files just now; send yours again after Retry-After seconds.")
	errYours = fault.New(fault.Limited, "request.too_many_at_once", "You are sending several large files at once; send the next when one is through.")
)

// places are those who are at work on one row.
type places struct {
	mu    sync.Mutex
	all   int
	taken map[string]int // by caller
}

// take takes a place, or says why there is none.
func (p *places) take(who string, all, each int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken[who] >= each:
		return errYours
	case p.all >= all:
		return errFull
	}
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	p.all++
	p.taken[who]++
	return nil
}

func (p *places) leave(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.taken[who]--; p.taken[who] == 0 {
		delete(p.taken, who)
	}
}

// place keeps the bounds of a row that has some.
func (s *server) place(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		rt := c.route
		if rt.all == 0 {
			return next(ctx, in)
		}
		who := owner(c.who)
		if c.who.Subject == "" {
			who = address(c.r)
		}
		if err := rt.places.take(who, rt.all, rt.each); err != nil {
			c.w.Header().Set("Retry-After", "2")
			return nil, err
		}
		defer rt.places.leave(who)
		return next(ctx, in)
	}
}
