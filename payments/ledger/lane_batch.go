package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const (
	laneTries    = 6
	lanePatience = 30 * time.Second
)

// run settles each call of a batch, or says that it goes with the next.
func (l *Lane) run(batch []*call) {
	if c := batch[0]; len(batch) == 1 && c.simple() {
		err := l.persist(c.ctx, func(ctx context.Context) error { return l.alone(ctx, c) })
		if c.answer == nil && fault.KindOf(err) != fault.Internal && fault.KindOf(err) != fault.Unavailable {
			c.postings[0].err, err = err, nil // the item was refused, not the call
		}
		c.err = err
		return
	}
	ctx, cancel := context.WithTimeout(auth.With(context.Background(), auth.Hub), lanePatience)
	defer cancel()
	err := l.persist(ctx, func(ctx context.Context) error {
		return l.books.db.InTx(ctx, func(tx *pg.Tx) error { return l.attempt(ctx, tx, batch) })
	})
	if err == nil {
		return
	}
	for _, c := range batch {
		c.later = false
		if len(batch) == 1 || errors.Is(err, pg.ErrInDoubt) || pg.Code(err) == "" {
			c.err = err
			continue
		}
		l.run([]*call{c}) // the database refused something: only whose it is shall suffer
	}
}

// persist runs do again after what another try may mend. A commit whose answer
// was lost is one of these: all keys are looked up anew.
func (l *Lane) persist(ctx context.Context, do func(ctx context.Context) error) error {
	doubt := false
	for try := 1; ; {
		err := do(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errUnclaim):
			continue // each time with fewer that can be in the way
		case errors.Is(err, pg.ErrInDoubt):
			doubt = true
		case !passes(err):
			if doubt {
				err = pg.ErrInDoubt.With(err)
			}
			return err
		}
		if try++; try > laneTries {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(try*try) * int64(10*time.Millisecond)))):
		case <-ctx.Done():
			return err
		}
	}
}

// passes says whether a refusal comes of what others did at the same time.
func passes(err error) bool {
	if errors.Is(err, errRaced) {
		return true
	}
	switch pg.Code(err) {
	case "23505", "40P01", "40001", "HB010":
		return true
	}
	return false
}

// simple says whether a call needs nothing but its transfer, and its answer.
func (c *call) simple() bool {
	if len(c.postings) != 1 {
		return false
	}
	it := c.postings[0].item
	return it.Guard == nil && len(it.Events) == 0
}

// alone posts a single transfer in one round trip.
func (l *Lane) alone(ctx context.Context, c *call) error {
	p := c.postings[0]
	if p.err != nil && c.answer == nil {
		return nil
	}
	err := l.books.db.InTx(ctx, func(tx *pg.Tx) error {
		if c.answer != nil {
			out, err := c.answer.Of([]error{p.err})
			if err != nil {
				return err
			}
			if err := c.answer.Keep.Is(out); err != nil {
				return err
			}
			rest.Save(tx, c.answer.Keep)
		}
		if p.err != nil {
			return nil
		}
		if p.t.alone != nil && !p.t.Effective.IsZero() {
			if err := p.t.due(tx.Now()); err != nil {
				return err
			}
		}
		return l.books.Post(ctx, tx, p.t)
	})
	if c.answer == nil || err == nil {
		return err
	}
	if rest.Taken(err) {
		_, rerr := c.answer.Keep.Recall(ctx, l.books.db)
		return rerr
	}
	return l.refusedAlone(ctx, c, err)
}

// refusedAlone is what a caller with a key hears of a refusal: the answer of
// before if there is one, else what its answer makes of the refusal.
func (l *Lane) refusedAlone(ctx context.Context, c *call, err error) error {
	if errors.Is(err, pg.ErrInDoubt) || passes(err) {
		return err
	}
	found, rerr := c.answer.Keep.Recall(ctx, l.books.db)
	if found || rerr != nil {
		return rerr
	}
	out, err := c.answer.Of([]error{err})
	if err != nil {
		return err
	}
	if err := c.answer.Keep.Is(out); err != nil {
		return err
	}
	return l.books.db.InTx(ctx, func(tx *pg.Tx) error { rest.Save(tx, c.answer.Keep); return nil })
}

// attempt decides and writes a whole batch, as part of tx.
func (l *Lane) attempt(ctx context.Context, tx *pg.Tx, batch []*call) error {
	var all []*posting
	var keeps keeping
	var keepers []*call
	for _, c := range batch {
		c.err, c.settled, c.later = nil, false, false
		for _, p := range c.postings {
			p.again()
		}
		all = append(all, c.postings...)
		if c.answer != nil {
			keeps.keeps, keepers = append(keeps.keeps, c.answer.Keep), append(keepers, c)
		}
	}
	byIndex(tx)
	if err := l.books.openAll(ctx, tx, all); err != nil {
		return err
	}
	if err := claimAll(ctx, tx, batch, keepers, keeps); err != nil {
		return err
	}
	asked := &keeps
	if len(keepers) == 0 {
		asked = nil
	}
	seen, err := l.books.look(ctx, tx, all, asked)
	if err != nil {
		return err
	}
	settle(keepers, keeps)
	all = going(batch)
	decide(all, seen, tx.Now())
	if err := unclaimed(batch); err != nil {
		return err
	}
	if err := tell(ctx, tx, all); err != nil {
		return err
	}
	l.books.write(tx, all, seen)
	return answer(tx, keepers)
}

// settle takes in what is known of the calls' answers. Of several with the same
// key the first goes on; the others hear of it with the next batch.
func settle(keepers []*call, keeps keeping) {
	first := map[[2]string]bool{}
	for i, c := range keepers {
		if keeps.found[i] {
			c.settled, c.err = true, keeps.wrong[i]
			continue
		}
		name := c.answer.Keep.Name()
		c.later = first[name]
		first[name] = true
	}
}

// going are the postings of the calls that go on.
func going(batch []*call) (all []*posting) {
	for _, c := range batch {
		if !c.settled && !c.later {
			all = append(all, c.postings...)
		}
	}
	return all
}

// claimAll takes the guards of a batch that has some. Whoever takes a guard's row
// and posts takes them in this order too. Calls that have their answer already
// want no guard.
func claimAll(ctx context.Context, tx *pg.Tx, batch []*call, keepers []*call, keeps keeping) (err error) {
	if !slices.ContainsFunc(batch, func(c *call) bool {
		return slices.ContainsFunc(c.postings, func(p *posting) bool { return p.item.Guard != nil })
	}) {
		return nil
	}
	if len(keepers) > 0 {
		if keeps.found, keeps.wrong, err = rest.Recall(ctx, tx, keeps.keeps); err != nil {
			return err
		}
		settle(keepers, keeps)
	}
	return claim(ctx, tx, going(batch))
}

// claim takes the guards of those transfers whose keys are new, one type after
// the other.
func claim(ctx context.Context, tx *pg.Tx, all []*posting) error {
	var guarded []*posting
	var keys []string
	for _, p := range all {
		if p.err == nil && p.item.Guard != nil {
			guarded, keys = append(guarded, p), append(keys, p.t.Key)
		}
	}
	if len(guarded) == 0 {
		return nil
	}
	there, err := keysThere(ctx, tx, keys)
	if err != nil {
		return err
	}
	first := map[string]*posting{}
	types := map[reflect.Type][]*posting{}
	for _, p := range guarded {
		if p.twin = first[p.t.Key]; p.twin != nil || there[p.t.Key] {
			continue
		}
		first[p.t.Key] = p
		t := reflect.TypeOf(p.item.Guard)
		types[t] = append(types[t], p)
	}
	order := make([]reflect.Type, 0, len(types))
	for t := range types {
		order = append(order, t)
	}
	slices.SortFunc(order, func(a, b reflect.Type) int { return cmp.Compare(a.String(), b.String()) })
	for _, t := range order {
		guards := make([]Guard, len(types[t]))
		for i, p := range types[t] {
			guards[i] = p.item.Guard
		}
		errs, err := guards[0].Claim(ctx, tx, guards)
		if err != nil {
			return fmt.Errorf("claim %d guards: %w", len(guards), err)
		}
		for i, p := range types[t] {
			p.err, p.claimed = errs[i], errs[i] == nil
		}
	}
	return nil
}

// unclaimed is errUnclaim when a guard was taken for a transfer that is not
// posted: all of it is undone, and done again without that one.
func unclaimed(batch []*call) error {
	var found error
	for _, c := range batch {
		for _, p := range c.postings {
			if p.claimed && (!p.fresh() || c.settled || c.later) {
				p.final = p.err != nil
				found = errUnclaim
			}
		}
	}
	return found
}

// tell publishes the events of what is posted.
func tell(ctx context.Context, tx *pg.Tx, all []*posting) error {
	var events []pg.Event
	var actors []string
	for _, p := range all {
		if p.fresh() {
			for _, e := range p.item.Events {
				events, actors = append(events, e), append(actors, p.actor)
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	return tx.PublishAll(ctx, events, actors)
}

// answer keeps what the callers with keys are told.
func answer(tx *pg.Tx, keepers []*call) error {
	var saved []*rest.Keep
	for _, c := range keepers {
		if c.settled || c.later {
			continue
		}
		errs := make([]error, len(c.postings))
		for i, p := range c.postings {
			errs[i] = p.err
		}
		out, err := c.answer.Of(errs)
		if err != nil {
			c.err = err
			continue
		}
		if err := c.answer.Keep.Is(out); err != nil {
			return err
		}
		saved = append(saved, c.answer.Keep)
	}
	rest.Save(tx, saved...)
	return nil
}
