// Package clock moves the hub's time in demonstrations. The hub's time is the
// database's plus an offset that all hubs on that database share; each unit of
// work reads it once (pg.Tx.Now). Production has no way to move it.
package clock

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrBackwards refuses to turn time back: timers that fired would fire again.
var ErrBackwards = fault.New(fault.Invalid, "clock.backwards", "Time only moves forward: give a duration above zero, such as 72h.")

// Now is the hub's time outside any unit of work, in UTC.
func Now(ctx context.Context, db pg.DB) (time.Time, error) {
	t, err := pg.Value[time.Time](ctx, db, nil, `select platform.now()`)
	return t.UTC(), err
}

// Advance moves the hub's time forward and returns the new time.
func Advance(ctx context.Context, tx *pg.Tx, by time.Duration) (time.Time, error) {
	if by <= 0 {
		return time.Time{}, ErrBackwards.At("/advance", "a duration above zero")
	}
	t, err := pg.Value[time.Time](ctx, tx, nil,
		`update platform.clock set shift = shift + $1::interval returning now() + shift`, by)
	return t.UTC(), err
}

// Later is the later of two times.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
