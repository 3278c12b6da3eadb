package media_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// Members of the tests.
const (
	ours   = "org_ours"
	others = "org_others"
)

var (
	ourKey, otherKey, operatorKey, bankKey = auth.NewKey(), auth.NewKey(), auth.NewKey(), auth.NewKey()

	holders = map[string]auth.Principal{
		ourKey.ID:      {Key: ourKey.ID, Subject: ours, Role: auth.Seller},
		otherKey.ID:    {Key: otherKey.ID, Subject: others, Role: auth.Seller},
		operatorKey.ID: {Key: operatorKey.ID, Subject: "org_operator", Role: auth.Operator},
		bankKey.ID:     {Key: bankKey.ID, Subject: "org_bank", Role: auth.Bank},
	}
)

// watched is a driver that tells what is in it, and can be told to fail.
type watched struct {
	blob.Driver
	mu   sync.Mutex
	keys map[blob.Key]bool
	down error
	slow func() // called before each Put
}

// Put notes the key.
func (w *watched) Put(ctx context.Context, k blob.Key, b []byte) error {
	w.mu.Lock()
	down, slow := w.down, w.slow
	w.mu.Unlock()
	if slow != nil {
		slow()
	}
	if down != nil {
		return down
	}
	err := w.Driver.Put(ctx, k, b)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[k] = true
	return err
}

// Get reads.
func (w *watched) Get(ctx context.Context, k blob.Key, limit int64) ([]byte, error) {
	w.mu.Lock()
	down := w.down
	w.mu.Unlock()
	if down != nil {
		return nil, down
	}
	return w.Driver.Get(ctx, k, limit)
}

// Delete forgets the key.
func (w *watched) Delete(ctx context.Context, k blob.Key) error {
	err := w.Driver.Delete(ctx, k)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.keys, k)
	return err
}

func (w *watched) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.keys)
}

// shelf is files with a database and a folder of their own.
type shelf struct {
	*testing.T
	db     *pg.Store
	s      *media.Service
	bucket *watched
	server http.Handler
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	db := pgtest.New(t)
	folder, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	w := &watched{Driver: folder, keys: map[blob.Key]bool{}}
	s := media.New(db, blob.Over(w), picture.NewPress(picture.PressOptions{}))
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	rest.Mount(mux, media.Routes(s), rest.Edge{
		Store: db, Log: slog.New(slog.DiscardHandler),
		Authenticate: func(_ context.Context, k auth.Key) (auth.Principal, error) {
			p, ok := holders[k.ID]
			if !ok {
				return p, auth.ErrUnknown
			}
			return p, nil
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	return &shelf{t, db, s, w, mux}
}

// call asks a route.
func (s *shelf) call(key auth.Key, method, path, contentType, body string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if key.ID != "" {
		r.Header.Set("Authorization", "Bearer "+key.String())
	}
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return w
}

// upload sends a file, which must be taken.
func (s *shelf) upload(kind media.Kind, body string) media.View {
	s.Helper()
	w := s.call(ourKey, "POST", "/v1/files?kind="+string(kind), "application/octet-stream", body)
	var v media.View
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusCreated {
		s.Fatalf("upload answers %d %s", w.Code, w.Body)
	}
	return v
}

func (s *shelf) refused(w *httptest.ResponseRecorder, status int, code string) {
	s.Helper()
	var p struct{ Code, Detail string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != status || p.Code != code || !strings.HasSuffix(p.Detail, ".") {
		s.Errorf("answers %d %s, want %d %s", w.Code, w.Body, status, code)
	}
}

func (s *shelf) tx(fn func(tx *pg.Tx) error) {
	s.Helper()
	if err := s.db.InTx(s.Context(), fn); err != nil {
		s.Fatal(err)
	}
}

func (s *shelf) use(file string, kind media.Kind, subject string) {
	s.Helper()
	s.tx(func(tx *pg.Tx) error {
		_, err := s.s.Use(s.Context(), tx, file, ours, kind, subject)
		return err
	})
}

func (s *shelf) release(file, subject string) {
	s.Helper()
	s.tx(func(tx *pg.Tx) error { s.s.Release(tx, file, subject); return nil })
}

// later moves the hub's clock.
func (s *shelf) later(interval string) {
	s.Helper()
	s.tx(func(tx *pg.Tx) error {
		tx.Queue(`update platform.clock set shift = shift + $1::text::interval`, interval)
		return nil
	})
}

func (s *shelf) sweep() int {
	s.Helper()
	n, err := s.s.Sweep(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// adds adds a photograph of ours.
func (s *shelf) adds(b []byte) media.File {
	s.Helper()
	f, err := s.s.Add(s.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: b})
	if err != nil {
		s.Fatal(err)
	}
	return f
}

var errDown = errors.Join(blob.ErrUnreachable, errors.New("the cable is out"))
