package media_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func TestWhatNothingUsesGoes(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	kept, dropped, idle := s.adds(photo(t, 1)), s.adds(photo(t, 2)), s.adds(photo(t, 3))
	s.use(kept.ID, media.Picture, "off")
	s.use(dropped.ID, media.Picture, "off")
	s.release(dropped.ID, "off")
	before := s.bucket.size()
	if n := s.sweep(); n != 0 || s.bucket.size() != before {
		t.Errorf("%d of %d contents go at once", n, before)
	}
	for range 3 { // dropped, forgotten, doomed
		s.later("25 hours")
		s.sweep()
	}
	if got := s.bucket.size(); got >= before || got == 0 {
		t.Errorf("%d of %d contents stay", got, before)
	}
	for _, name := range []string{"160.jpg", "320.jpg", "640.jpg", "960.jpg"} {
		if w := s.call(auth.Key{}, "GET", "/v1/pictures/"+kept.ID+"/"+name, "", ""); w.Code != http.StatusOK {
			t.Errorf("what is used answers %d %s", w.Code, w.Body)
		}
	}
	left, err := s.s.Files(t.Context(), s.db, []string{kept.ID, dropped.ID, idle.ID})
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	s.release(kept.ID, "off")
	for range 3 {
		s.later("25 hours")
		s.sweep()
	}
	if got := s.bucket.size(); got != 0 {
		t.Errorf("%d contents stay for ever", got)
	}
}

// An upload that died after it put its contents leaves no orphan, and one that
// is sent again in the middle of the sweeping loses nothing.
func TestAnUploadThatDiedLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	died := errors.New("killed")
	puts := 0
	s.bucket.slow = func() {
		if puts++; puts == 3 {
			s.bucket.mu.Lock()
			s.bucket.down = died
			s.bucket.mu.Unlock()
		}
	}
	if _, err := s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: photo(t, 1)}); err == nil {
		// the third put was already past the look at down
		_, err = s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: photo(t, 5)})
		if !errors.Is(err, died) {
			t.Fatalf("the upload did not die: %v", err)
		}
	}
	s.bucket.slow, s.bucket.down = nil, nil
	if s.bucket.size() == 0 {
		t.Fatal("nothing was put")
	}
	for range 3 {
		s.later("25 hours")
		s.sweep()
	}
	if got := s.bucket.size(); got != 0 {
		t.Errorf("%d orphans stay", got)
	}
	f := s.adds(photo(t, 1))
	s.use(f.ID, media.Picture, "off")
	if w := s.call(auth.Key{}, "GET", "/v1/pictures/"+f.ID+"/160.jpg", "", ""); w.Code != http.StatusOK {
		t.Errorf("sent again, it answers %d %s", w.Code, w.Body)
	}
}

// The clock is moved a day between an upload's putting and its writing down,
// while sweepers run: the upload either fails or is whole.
func TestSweepersTakeNothingFromARunningUpload(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.bucket.slow = func() {
		s.later("25 hours")
		s.sweep()
	}
	f, err := s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: photo(t, 1)})
	if !errors.Is(err, media.ErrUnreachable) {
		t.Errorf("an upload that took days gives %+v, %v", f, err)
	}
	s.bucket.slow = nil
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for range 4 {
				n := rand.IntN(3)
				f, err := s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: photo(t, n)})
				if err == nil {
					err = s.db.InTx(t.Context(), func(tx *pg.Tx) error {
						_, err := s.s.Use(t.Context(), tx, f.ID, ours, media.Picture, string(rune('a'+worker)))
						return err
					})
				}
				switch {
				case errors.Is(err, media.ErrGone), errors.Is(err, media.ErrUnreachable):
					continue
				case err != nil:
					t.Error(err)
					continue
				}
				for _, name := range []string{"160.jpg", "960.jpg"} {
					if w := s.call(auth.Key{}, "GET", "/v1/pictures/"+f.ID+"/"+name, "", ""); w.Code != http.StatusOK {
						t.Errorf("what is used answers %d %s", w.Code, w.Body)
					}
				}
				if err := s.db.InTx(t.Context(), func(tx *pg.Tx) error { s.s.Release(tx, f.ID, string(rune('a'+worker))); return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 8 {
				s.later("9 hours")
				if _, err := s.s.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range 4 {
		s.later("25 hours")
		s.sweep()
	}
	if got := s.bucket.size(); got != 0 {
		t.Errorf("%d contents stay for ever", got)
	}
}
