package picture

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"
)

// A Press makes renditions, a few at a time: as many as the memory it was given
// holds, each taking what its own picture needs. Whoever would have to wait long
// is told to come back.
type Press struct {
	memory *semaphore.Weighted
	size   int64
	queue  chan struct{}
	o      PressOptions
}

// PressOptions tune a press; zero values take their defaults.
type PressOptions struct {
	Memory int64         // for all pictures at work: 256 MB
	Queue  int           // pictures at work or waiting: 8
	Wait   time.Duration // for a place: 5 s
	Work   time.Duration // on one picture: 20 s
}

// NewPress makes a press.
func NewPress(o PressOptions) *Press {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	if o.Memory == 0 {
		o.Memory = 256 << 20
	}
	if o.Queue == 0 {
		o.Queue = 8
	}
	set(&o.Wait, 5*time.Second)
	set(&o.Work, 20*time.Second)
	return &Press{semaphore.NewWeighted(o.Memory), o.Memory, make(chan struct{}, o.Queue), o}
}

// Make gives a picture in the widths, smallest first; none: Widths. Anyone may
// call it at any time: too many callers are ErrBusy at once, and what is no
// picture is refused before it takes a place.
func (p *Press) Make(ctx context.Context, b []byte, widths ...int) (Head, []Rendition, error) {
	h, err := Look(b)
	if err != nil {
		return h, nil, err
	}
	if len(widths) == 0 {
		widths = Widths
	}
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return h, nil, ErrBusy
	}
	need := min(h.Memory, p.size)
	if err := p.wait(ctx, need); err != nil {
		return h, nil, err
	}
	defer p.memory.Release(need)
	working, cancel := context.WithTimeout(ctx, p.o.Work)
	defer cancel()
	out, err := develop(working, b, h, widths)
	if err != nil && ctx.Err() == nil && errors.Is(working.Err(), context.DeadlineExceeded) {
		return h, nil, ErrForm.With(err)
	}
	return h, out, err
}

func (p *Press) wait(ctx context.Context, need int64) error {
	waiting, cancel := context.WithTimeout(ctx, p.o.Wait)
	defer cancel()
	if err := p.memory.Acquire(waiting, need); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return ErrBusy.With(err)
	}
	return nil
}
