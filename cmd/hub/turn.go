package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A turn lets demonstrations share one hub's clock: while some still have
// payments to finish, nobody moves it. The kernel drops the locks of a
// demonstration that ends, however it ends. A nil turn has the clock alone.
type turn struct{ door, clock *os.File }

// takeTurns takes part, behind those who wait to move the clock.
func takeTurns(ctx context.Context, dir string) (*turn, error) {
	var t turn
	for name, f := range map[string]**os.File{"demo.door.lock": &t.door, "demo.clock.lock": &t.clock} {
		var err error
		if *f, err = os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			t.end()
			return nil, fmt.Errorf("take turns with other demonstrations: %w", err)
		}
	}
	err := errors.Join(flock(ctx, t.door, syscall.LOCK_EX), flock(ctx, t.clock, syscall.LOCK_SH), flock(ctx, t.door, syscall.LOCK_UN))
	if err != nil {
		t.end()
		return nil, err
	}
	return &t, nil
}

// alone waits until nobody else minds and then calls move. From here on others
// may move the clock too.
func (t *turn) alone(ctx context.Context, move func() error) error {
	if t == nil {
		return move()
	}
	err := errors.Join(flock(ctx, t.clock, syscall.LOCK_UN), flock(ctx, t.door, syscall.LOCK_EX), flock(ctx, t.clock, syscall.LOCK_EX))
	if err == nil {
		err = move()
	}
	return errors.Join(err, flock(ctx, t.clock, syscall.LOCK_UN), flock(ctx, t.door, syscall.LOCK_UN))
}

// end lets go of everything.
func (t *turn) end() {
	for _, f := range []*os.File{t.door, t.clock} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// flock waits for a lock on a file, or lets it go.
func flock(ctx context.Context, f *os.File, how int) error {
	return until(ctx, "another demonstration", func() (bool, error) {
		for {
			switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); {
			case errors.Is(err, syscall.EINTR):
			case errors.Is(err, syscall.EWOULDBLOCK):
				return false, nil
			default:
				return err == nil, err
			}
		}
	})
}

// pass moves the clocks of the hub and of its stand-in partners.
func (p *player) pass(ctx context.Context, by time.Duration) error {
	step := map[string]string{"advance": by.String()}
	if err := p.standIn(ctx, "POST", "/clock", step, nil); err != nil {
		return err
	}
	return p.post(ctx, p.keys.Operator.APIKey, "/v1/demo/clock", step, nil)
}
