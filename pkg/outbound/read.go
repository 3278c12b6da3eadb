package outbound

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Read sends a request that only asks, whatever its method, and reads the whole
// answer. When the partner did not answer, or stumbled, it is asked again, as
// often as its lane's settings say: after a wait drawn anew each time, within
// the lane's deadline, and never for more than a tenth of the lane's calls, so
// that nobody who is down is asked more because of it. What a partner asks us to
// wait for is left to the caller's job. The breaker counts one call. Outside a
// lane, and for what moves anything, use Send.
func Read(c *http.Client, req *http.Request) (a Answer, r Result, ok bool) {
	on, carries := req.Context().Value(carriedKey{}).(*carried)
	if !carries || on.once || on.set.Retries <= 0 {
		return Send(c, req)
	}
	again := &retryablehttp.Client{
		HTTPClient: c, RetryMax: on.set.Retries, RetryWaitMin: on.set.RetryMin, RetryWaitMax: on.set.RetryMax,
		Backoff: jittered, ErrorHandler: retryablehttp.PassthroughErrorHandler,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			return on.again(ctx, resp, err), nil
		},
	}
	return answered(req, func(req *http.Request) (*http.Response, error) {
		wrapped, err := retryablehttp.FromRequest(req)
		if err != nil {
			return nil, err
		}
		return again.Do(wrapped)
	})
}

// again says whether a question is asked again after such an answer, and takes
// it off the budget.
func (o *carried) again(ctx context.Context, resp *http.Response, err error) bool {
	if ctx.Err() != nil || err == nil && !stumbled(resp) {
		return false
	}
	if err != nil && unanswered(err, true).Reason != "" {
		return false // we gave up, or do not trust who answers
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < 2*o.set.RetryMin {
		return false
	}
	if !o.lane.budget.take() {
		return false
	}
	o.lane.metrics.retries.WithLabelValues(o.lane.partner).Inc()
	return true
}

// stumbled says whether an answer is one that may be better the next time.
func stumbled(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		return resp.Header.Get("Retry-After") == ""
	}
	return false
}

// jittered waits for any time up to a bound that doubles: all who wait for the
// same partner come back at different times.
func jittered(least, most time.Duration, attempt int, _ *http.Response) time.Duration {
	bound := most
	if attempt < 16 {
		bound = min(most, least<<attempt)
	}
	return rand.N(bound) + time.Millisecond
}

// A budget lets a tenth of a lane's calls be repeated, and a few more after a
// quiet time.
type budget struct {
	mu    sync.Mutex
	tenth int
}

const budgetMost = 100 // ten repetitions

func newBudget() *budget { return &budget{tenth: budgetMost} }

// called earns a tenth of a repetition.
func (b *budget) called() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenth = min(b.tenth+1, budgetMost)
}

// take spends one, if there is one.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenth < 10 {
		return false
	}
	b.tenth -= 10
	return true
}
