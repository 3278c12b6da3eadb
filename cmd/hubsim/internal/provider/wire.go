package provider

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxBody is the longest body that is read.
	MaxBody = 64 << 10
	// HideFor is how long something stays unknown by not_found_then_visible.
	HideFor = 10 * time.Minute
	// Lateness is when execute_late executes: later than any caller waits.
	Lateness = 40 * time.Second
)

// Hold lets a caller wait until it gives up, and answers nothing.
func (p *Provider[M]) Hold(rw http.ResponseWriter, r *http.Request) {
	wait := time.NewTimer(Lateness)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-r.Context().Done():
	case <-p.ctx.Done():
	}
	Drop(rw)
}

// Drop closes the connection without an answer.
func Drop(rw http.ResponseWriter) {
	c, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = c.Close() // the point is that the caller gets nothing
}

// Reply writes an answer; slowly, it takes several seconds over it.
func Reply(rw http.ResponseWriter, kind string, status int, b []byte, slowly bool) {
	rw.Header().Set("Content-Type", kind)
	rw.Header().Set("Content-Length", strconv.Itoa(len(b)))
	rw.WriteHeader(status)
	pause, piece := time.Duration(0), len(b)
	if slowly {
		pause, piece = 200*time.Millisecond, len(b)/25+1
	}
	for chunk := range slices.Chunk(b, max(1, piece)) {
		if _, err := rw.Write(chunk); err != nil {
			return
		}
		if err := http.NewResponseController(rw).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		time.Sleep(pause)
	}
}

// Same compares secrets.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// WebAddress is the address as it is used, or "" when it is none.
func WebAddress(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// Number is a random number of so many digits, as partners' references are.
func Number(digits int) string {
	top := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, top)
	if err != nil {
		panic("provider: " + err.Error())
	}
	return fmt.Sprintf("%0*d", digits, n)
}
