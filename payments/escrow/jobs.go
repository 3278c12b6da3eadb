package escrow

import (
	"context"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers of an escrow, by order; timerReserve by lot. The exported ones are
// set here and fired by payments/disputes: what follows them is a case.
const (
	timerRelease     = "escrow.release"     // the wait after delivery is over
	timerReserve     = "escrow.reserve"     // a lot of the reserve is due
	timerClose       = "escrow.close"       // nothing will move any more
	TimerUndelivered = "escrow.undelivered" // nothing says that the goods arrived
	TimerCap         = "escrow.cap"         // it is held for too long
)

const (
	signWithin = 15 * 24 * time.Hour
	holdFor    = 90 * 24 * time.Hour
	reserveFor = 30 * 24 * time.Hour
	// closeAfter is longer than buyers' banks take to charge back.
	closeAfter = 180 * 24 * time.Hour
)

// Work registers the escrow's timers. Each re-checks what it finds: an escrow
// that is not what the timer was set for is left alone.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerRelease, s.releaseDue)
	t.HandleMany(timerRelease, s.sweep)
	t.Handle(timerReserve, s.freeReserve)
	t.HandleMany(timerReserve, s.sweepReserve)
	t.Handle(timerClose, s.close)
}

func (s *Service) releaseDue(ctx context.Context, tx *pg.Tx, order string) error {
	h, err := lockOrder(ctx, tx, order)
	if err != nil || !h.ripe() {
		return err // the end of the case, or the cash, sets the timer anew
	}
	if h.ReleaseDue != nil && h.ReleaseDue.After(tx.Now()) {
		job.Set(tx, timerRelease, order, *h.ReleaseDue)
		return nil
	}
	_, err = s.release(ctx, tx, h, h.Held())
	return err
}

// ripe says whether nothing but time stands between a hold and its release.
func (h Hold) ripe() bool {
	return h.State == Funded && h.Held() > 0 && !h.frozen() && (!h.Cash || h.Settled)
}

// close ends an escrow for good, and looks again later while something may still
// move.
func (s *Service) close(ctx context.Context, tx *pg.Tx, order string) error {
	h, err := lockOrder(ctx, tx, order)
	if err != nil || h.State == Closed {
		return err
	}
	kept, err := keptOf(ctx, tx, order)
	if err != nil {
		return err
	}
	next, err := h.to(MoveClose, Closed)
	if err != nil || h.Flying > 0 || kept {
		job.Set(tx, timerClose, order, tx.Now().Add(24*time.Hour))
		return nil
	}
	save(tx, next)
	return nil
}
