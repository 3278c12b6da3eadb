package outbound_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// A street is five partners with a lane each, and calls that come at a rate.
type street struct {
	t       testing.TB
	clients []*http.Client
	lanes   []*outbound.Lane
	urls    []string
	nets    []*netfault.Network
}

const (
	partners  = 5
	perSecond = 200
)

func newStreet(t testing.TB) *street {
	s := &street{t: t}
	for i := range partners {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(2 * time.Millisecond)
			fmt.Fprint(w, "done")
		}))
		t.Cleanup(srv.Close)
		n := netfault.New(t, srv.Listener.Addr().String())
		s.nets, s.urls = append(s.nets, n), append(s.urls, "http://"+n.Addr)
		s.clients = append(s.clients, outbound.Client(outbound.Settings{}, nil))
		s.lanes = append(s.lanes, outbound.NewLane(fmt.Sprintf("p%d", i), outbound.Pay, outbound.Settings{Rate: 1e4, Burst: 1e4, Deadline: time.Second, Header: time.Second}, nil))
	}
	return s
}

// run spreads calls over the partners for a while and gives the 99th percentile
// of each; at most is how many goroutines there were at once.
func (s *street) run(d time.Duration) (p99 []time.Duration, atMost int) {
	took, mu := make([][]time.Duration, partners), sync.Mutex{}
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for i := range int(d.Seconds() * perSecond) {
		<-tick.C
		at := i % partners
		wg.Go(func() {
			began := time.Now()
			s.lanes[at].Do(context.Background(), "pay", func(ctx context.Context) outbound.Result {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.urls[at], strings.NewReader("pay=1"))
				if err != nil {
					return outbound.Result{Outcome: outbound.NotSent, Err: err}
				}
				_, r, ok := outbound.Send(s.clients[at], req)
				if ok {
					r.Outcome = outbound.Succeeded
				}
				return r
			})
			mu.Lock()
			defer mu.Unlock()
			took[at] = append(took[at], time.Since(began))
		})
		atMost = max(atMost, runtime.NumGoroutine())
	}
	wg.Wait()
	for _, all := range took {
		slices.Sort(all)
		p99 = append(p99, all[len(all)*99/100])
	}
	return p99, atMost
}

// One partner is a black hole, and 200 calls a second are spread over five: the
// other four keep their 99th percentile within 10 % or 5 ms, in the median of
// paired runs. HUB_LONG=1 runs five pairs of ten seconds.
func TestASickPartnerLeavesTheOthersAlone(t *testing.T) {
	pairs, d, slack := 1, 2*time.Second, 50*time.Millisecond // the short form sees a lane that is shared, not a busy machine
	if os.Getenv("HUB_LONG") == "1" {
		pairs, d, slack = 5, 10*time.Second, 5*time.Millisecond
	}
	var more, before []time.Duration
	for range pairs {
		s := newStreet(t)
		well, usual := s.run(d)
		s.nets[0].Break(netfault.RequestLost)
		ill, most := s.run(d)
		st := s.lanes[0].State()
		if st.Breaker == "closed" {
			t.Errorf("the breaker of the sick partner is %s", st.Breaker)
		}
		if st := s.lanes[0].Settings(); most > usual+12*st.Bulkhead+20 { // of each hanging call: its own four, and the proxy's
			t.Errorf("%d goroutines at once, %d when all are well: they pile up", most, usual)
		}
		a, b := slices.Max(well[1:]), slices.Max(ill[1:])
		t.Logf("p99 of the other four: %s when all are well, %s beside a black hole; goroutines %d and %d", a, b, usual, most)
		before, more = append(before, a), append(more, b-a)
	}
	slices.Sort(more)
	slices.Sort(before)
	if got, most := more[pairs/2], max(before[pairs/2]/10, slack); got > most {
		t.Errorf("the others' p99 grew by %s (median of %d pairs), at most %s is allowed", got, pairs, most)
	}
}

// The sick partner costs three calls, and no more.
func TestTheSickOneIsOpenWithinThreeFailures(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.nets[0].Break(netfault.RequestLost)
	sent := 0
	for range 20 {
		r := s.lanes[0].Do(t.Context(), "pay", func(ctx context.Context) outbound.Result {
			sent++
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.urls[0], strings.NewReader("pay=1"))
			if err != nil {
				t.Error(err)
			}
			_, r, _ := outbound.Send(s.clients[0], req)
			return r
		})
		if sent == 3 && r.Outcome != outbound.Unknown && r.Reason != outbound.Open {
			t.Errorf("after three: %+v", r)
		}
	}
	if sent != 3 {
		t.Errorf("%d calls went to a partner that is a black hole, want 3", sent)
	}
}
