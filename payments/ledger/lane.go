package ledger

import (
	"context"
	"slices"
	"sync"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/telemetry"
)

// Errors of the lane.
var (
	ErrFull     = fault.New(fault.Limited, "ledger.lane_full", "Too many transfers are waiting; ask again in a moment.")
	ErrDraining = fault.New(fault.Unavailable, "ledger.draining", "This hub is stopping; ask again.")
)

// A Guard is a state that must still be as it was when a transfer was thought
// of. Claim takes all guards of its type in a batch at once, as part of tx: a
// compare-and-set each. It says of each why it is not to be had, nil for those
// it took. What it took is undone when the transfer is not posted.
type Guard interface {
	Claim(ctx context.Context, tx *pg.Tx, all []Guard) ([]error, error)
}

// An Item is a transfer with what belongs into its commit.
type Item struct {
	Transfer Transfer
	Guard    Guard      // nil: none
	Events   []pg.Event // told when it is posted, not when it was there already
}

// An Answer is kept in the commit of the items it tells of. Of makes it of what
// became of each; with an error nothing is kept, and that is what the caller
// gets.
type Answer struct {
	Keep *rest.Keep
	Of   func(errs []error) (any, error)
}

// LaneOptions tune a lane; the zero value is right for a hub.
type LaneOptions struct {
	Batchers int             // how many batches are under way at once (2)
	Batch    int             // how many items one takes (128); a list stays together
	Queue    int             // how many items may wait (8192)
	Metrics  *telemetry.Lane // nil: nobody looks
}

// A Lane commits transfers of many callers together: while one batch is on its
// way the next collects, so that nobody waits for a timer, and a caller alone
// is not slower than without it. It is safe for use by many goroutines.
type Lane struct {
	books *Books
	o     LaneOptions

	mu      sync.Mutex
	queue   []*call
	waiting int // items in the queue
	busy    int // batchers at work
	closed  bool
	working sync.WaitGroup
}

// A call is what one caller waits for.
type call struct {
	ctx      context.Context // without its end: who is asking
	postings []*posting
	answer   *Answer
	wait     telemetry.Wait

	err     error         // of the call as a whole
	settled bool          // it has its answer from before, or err
	later   bool          // another call of the batch has its key: it goes with the next
	done    chan struct{} // closed when the rest may be read
}

// NewLane makes a lane into the books. Close ends it.
func NewLane(b *Books, o LaneOptions) *Lane {
	l := &Lane{books: b, o: o}
	if l.o.Batchers == 0 {
		l.o.Batchers = 2
	}
	if l.o.Batch == 0 {
		l.o.Batch = 128
	}
	if l.o.Queue == 0 {
		l.o.Queue = 8192
	}
	return l
}

// Post commits one item together with those of others, and returns once that is
// done. Posting the same key with the same content again changes nothing; with
// other content it is ErrReused. A lane with too many waiting is ErrFull at
// once. When ctx ends first the item goes its way all the same, and the answer
// is pg.ErrInDoubt: who asks again with the same key hears what became of it.
func (l *Lane) Post(ctx context.Context, it Item) error {
	errs, err := l.PostList(ctx, []Item{it}, nil)
	if err != nil {
		return err
	}
	return errs[0]
}

// PostList is Post of several items, in one commit and in their order; the
// error beside each says why it was refused, which does the others no harm. An
// answer that was kept before is given again, and nothing is done.
func (l *Lane) PostList(ctx context.Context, items []Item, answer *Answer) ([]error, error) {
	c := &call{ctx: context.WithoutCancel(ctx), answer: answer, done: make(chan struct{}), postings: make([]*posting, len(items))}
	actor := auth.From(ctx).Actor()
	for i := range items {
		p := prepare(items[i].Transfer, actor)
		p.item = &items[i]
		c.postings[i] = p
	}
	if err := l.enter(c); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		return nil, pg.ErrInDoubt.With(ctx.Err())
	}
	if c.err != nil {
		return nil, c.err
	}
	errs := make([]error, len(items))
	for i, p := range c.postings {
		errs[i] = p.err
	}
	return errs, nil
}

// enter puts a call in the queue, and a batcher to work if one is free.
func (l *Lane) enter(c *call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrDraining
	case l.waiting+len(c.postings) > l.o.Queue:
		l.o.Metrics.Refused()
		return ErrFull
	}
	c.wait = l.o.Metrics.Begin()
	l.queue = append(l.queue, c)
	l.waiting += len(c.postings)
	l.o.Metrics.Queue(l.waiting)
	if l.busy < l.o.Batchers {
		l.busy++
		l.working.Go(l.work)
	}
	return nil
}

// work commits batches until nothing waits.
func (l *Lane) work() {
	for batch := l.take(); batch != nil; batch = l.take() {
		l.run(batch)
		var again []*call
		for _, c := range batch {
			if c.later {
				again = append(again, c)
				continue
			}
			c.wait.End()
			close(c.done)
		}
		l.giveBack(again)
	}
}

// take is the next batch; without one the batcher is free.
func (l *Lane) take() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, items := 0, 0
	for n < len(l.queue) && (n == 0 || items+len(l.queue[n].postings) <= l.o.Batch) {
		items += len(l.queue[n].postings)
		n++
	}
	if n == 0 {
		l.busy--
		return nil
	}
	batch := slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	l.waiting -= items
	l.o.Metrics.Queue(l.waiting)
	l.o.Metrics.Batch(items)
	return batch
}

// giveBack has calls go with the next batch.
func (l *Lane) giveBack(calls []*call) {
	if len(calls) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.Insert(l.queue, 0, calls...)
	for _, c := range calls {
		l.waiting += len(c.postings)
	}
}

// Close takes nothing more in and waits until what was taken in is done, or ctx
// ends.
func (l *Lane) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	done := make(chan struct{})
	go func() { l.working.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
