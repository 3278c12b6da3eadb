package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// A lock is an advisory lock on a file. The kernel drops it when the process
// ends, however it ends.
type lock struct{ f *os.File }

func openLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: this data directory was begun by another user: run as that user, or choose another HUB_DATA_DIR", err)
	}
	if err != nil {
		return nil, err
	}
	return &lock{f}, nil
}

// wait takes the lock for this process alone.
func (l *lock) wait(ctx context.Context) error { return l.until(ctx, syscall.LOCK_EX) }

// share takes the lock together with others.
func (l *lock) share(ctx context.Context) error { return l.until(ctx, syscall.LOCK_SH) }

// own turns a share into the whole if nobody else has one; if somebody has,
// the share may be lost. The caller holds the start lock, so that nobody can
// step in between.
func (l *lock) own() (bool, error) { return l.try(syscall.LOCK_EX) }

func (l *lock) try(how int) (bool, error) {
	for {
		err := syscall.Flock(int(l.f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, fmt.Errorf("lock %s: %w", l.f.Name(), err)
		}
	}
}

func (l *lock) until(ctx context.Context, how int) error {
	for {
		if ok, err := l.try(how); ok || err != nil {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for %s: %w", l.f.Name(), err)
		}
	}
}

func (l *lock) close() error { return l.f.Close() }

// pause waits for d, or for the end of ctx, whose error it gives.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
