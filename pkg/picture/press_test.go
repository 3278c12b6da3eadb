package picture_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/picture"
)

func TestTooManyAtOnceAreToldToComeBack(t *testing.T) {
	t.Parallel()
	file := jpegOf(t, 3000, 2000)
	p := picture.NewPress(picture.PressOptions{Queue: 2, Memory: 64 << 20})
	var done, busy atomic.Int64
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			_, out, err := p.Make(t.Context(), file)
			switch {
			case err == nil && len(out) == 4:
				done.Add(1)
			case errors.Is(err, picture.ErrBusy) && fault.KindOf(err) == fault.Unavailable:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() < 1 || busy.Load() < 1 || done.Load()+busy.Load() != 30 {
		t.Errorf("%d are made and %d told to come back", done.Load(), busy.Load())
	}
	if _, _, err := p.Make(t.Context(), file); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhoeverWaitsLongIsToldToComeBack(t *testing.T) {
	t.Parallel()
	p := picture.NewPress(picture.PressOptions{Memory: 1, Wait: time.Millisecond}) // one at a time
	file := jpegOf(t, 4000, 3000)
	errs := make(chan error, 3)
	for range cap(errs) {
		go func() { _, _, err := p.Make(t.Context(), file); errs <- err }()
	}
	busy := 0
	for range cap(errs) {
		if err := <-errs; errors.Is(err, picture.ErrBusy) {
			busy++
		} else if err != nil {
			t.Error(err)
		}
	}
	if busy == 0 {
		t.Error("nobody is told to come back")
	}
}

func TestWorkEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := press().Make(ctx, jpegOf(t, 2000, 1000)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left is answered %v", err)
	}
	slow := picture.NewPress(picture.PressOptions{Work: time.Microsecond})
	if _, _, err := slow.Make(t.Context(), jpegOf(t, 2000, 1000)); !errors.Is(err, picture.ErrForm) {
		t.Errorf("a picture that takes too long is answered %v", err)
	}
}

// BenchmarkPhotograph makes a telephone's photograph, 12 megapixels, in all
// widths, and tells how high the heap stood while eight were wanted at once.
func BenchmarkPhotograph(b *testing.B) {
	file := jpegOf(b, 4000, 3000)
	p := picture.NewPress(picture.PressOptions{Queue: 64, Wait: time.Minute})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var high atomic.Uint64
	ctx, stop := context.WithCancel(b.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			high.Store(max(high.Load(), m.HeapAlloc-min(before.HeapAlloc, m.HeapAlloc)))
			time.Sleep(2 * time.Millisecond)
		}
	})
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := p.Make(b.Context(), file); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	stop()
	watch.Wait()
	b.ReportMetric(float64(high.Load()>>20), "heap-MB")
	b.ReportMetric(float64(len(file)>>10), "file-KB")
}
