package rest_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/auth"
)

// TestManyWithOneKeyAskOnce has fifty requests come with one key while it is
// being looked up: they share the next look-up, which is put after they came, so
// that a key revoked meanwhile is refused to all of them.
func TestManyWithOneKeyAskOnce(t *testing.T) {
	t.Parallel()
	e := edge()
	look := e.Authenticate
	var asked, came atomic.Int64
	var revoked atomic.Bool
	began, on := make(chan struct{}), make(chan struct{})
	e.Authenticate = func(ctx context.Context, k auth.Key) (auth.Principal, error) {
		if asked.Add(1) == 1 {
			close(began)
			<-on
			return look(ctx, k)
		}
		if revoked.Load() {
			return auth.Nobody, auth.ErrUnknown
		}
		return look(ctx, k)
	}
	h := mount(shop(), e)
	var wg sync.WaitGroup
	wg.Go(func() {
		if w := ask(h, "GET", "/v1/me", ""); w.Code != http.StatusOK {
			t.Errorf("the first was answered %d, want 200: it came before the key was revoked", w.Code)
		}
	})
	<-began
	revoked.Store(true)
	for range 50 {
		wg.Go(func() {
			came.Add(1)
			if w := ask(h, "GET", "/v1/me", ""); w.Code != http.StatusUnauthorized {
				t.Errorf("one that came later was answered %d, want 401", w.Code)
			}
		})
	}
	for came.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // they wait inside
	close(on)
	wg.Wait()
	if n := asked.Load(); n > 10 {
		t.Errorf("fifty requests asked %d times, want a few", n)
	}
}
