package rest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tiwiza/pkg/auth"
)

// Limits are how much one caller may ask of one hub. A zero figure takes its
// default; a negative rate means no limit.
type Limits struct {
	Principal, PrincipalBurst float64 // requests a second of one member: 500, 2000
	Address, AddressBurst     float64 // of one address without a key: 200, 1000
	Refused, RefusedBurst     float64 // wrong keys from one address: 1, 30
}

// limiter counts each caller's requests in a bucket of its own.
type limiter struct {
	name        string
	rate, burst float64
	policy      string

	mu      sync.Mutex
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

func newLimiter(name string, perSecond, burst, defaultRate, defaultBurst float64) *limiter {
	l := &limiter{name: name, rate: cmp.Or(perSecond, defaultRate), burst: math.Max(1, cmp.Or(burst, defaultBurst)), buckets: map[string]*bucket{}}
	l.policy = fmt.Sprintf("%q;q=%d;w=%d", name, int(l.burst), int(math.Ceil(l.burst/l.rate)))
	return l
}

// off says whether everything passes.
func (l *limiter) off() bool { return l.rate < 0 }

// bucket finds a caller's bucket. Buckets that are full again are forgotten.
func (l *limiter) bucket(who string, now time.Time) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute {
		full := time.Duration(l.burst / l.rate * float64(time.Second))
		for k, b := range l.buckets {
			if now.Sub(b.used) > full {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	b := l.buckets[who]
	if b == nil {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(l.rate), int(l.burst))}
		l.buckets[who] = b
	}
	b.used = now
	return b
}

// take counts one request, and tells the caller where it stands.
func (l *limiter) take(h http.Header, who string, now time.Time) error {
	if l.off() {
		return nil
	}
	b := l.bucket(who, now)
	ok := b.AllowN(now, 1)
	left := math.Max(0, b.TokensAt(now))
	h.Set("RateLimit-Policy", l.policy)
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", l.name, int(left), int(math.Ceil((l.burst-left)/l.rate))))
	if !ok {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil((1-left)/l.rate)))))
		return errLimited
	}
	return nil
}

// spent says whether nothing is left, without counting.
func (l *limiter) spent(h http.Header, who string, now time.Time) bool {
	if l.off() || l.bucket(who, now).TokensAt(now) >= 1 {
		return false
	}
	h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(1/l.rate)))))
	return true
}

// keyring remembers the keys that were right since the start. One that was
// revoked since is looked up and refused like any other.
type keyring struct{ m sync.Map }

func (k *keyring) add(key auth.Key) { k.m.Store([sha256.Size]byte(key.Hash()), true) }

func (k *keyring) has(key auth.Key) bool {
	_, ok := k.m.Load([sha256.Size]byte(key.Hash()))
	return ok
}

// address is where a request comes from: the connection's own address, never a
// header's. A home has a whole /64 of IPv6.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
