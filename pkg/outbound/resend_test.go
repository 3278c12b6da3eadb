package outbound_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"tiwiza/pkg/outbound"
)

// hangsUp is a partner that answers the first request of each connection, takes
// in the second, and hangs up without an answer: it counts what it took in.
func hangsUp(t *testing.T) (url string, took *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	took = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for n := range 2 {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					took.Add(1)
					if n == 0 {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), took
}

// pays is a POST that net/http would repeat by itself.
func pays(t *testing.T, url, body string) *http.Request {
	t.Helper()
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k1")
	return req
}

// keeps is a client that, unlike outbound.Client, keeps connections.
func keeps(t *testing.T) *http.Client {
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// net/http repeats a request that carries an Idempotency-Key when the connection
// it reused dies under it. Send does not let it, whatever client it is given.
func TestADeadReusedConnectionIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"pay=1", ""} {
		url, took := hangsUp(t)
		plain := keeps(t)
		for range 2 {
			if res, err := plain.Do(pays(t, url, body)); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}
		if got := took.Load(); got != 3 {
			t.Fatalf("net/http by itself sent %d requests for 2 calls with the body %q, want 3: the trap is gone, and this test proves nothing", got, body)
		}
	}
	url, took := hangsUp(t)
	client := keeps(t)
	if _, r, ok := outbound.Send(client, pays(t, url, "pay=1")); !ok {
		t.Fatalf("the first call: %+v", r)
	}
	if _, r, ok := outbound.Send(client, pays(t, url, "pay=1")); ok || r.Outcome != outbound.Unknown {
		t.Errorf("on the dead connection: ok %v, %+v; want unknown", ok, r)
	}
	if got := took.Load(); got != 2 {
		t.Errorf("the partner took %d requests in for 2 calls, want 2", got)
	}
	if _, r, ok := outbound.Send(client, pays(t, url, "")); ok || r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit || took.Load() != 2 {
		t.Errorf("without a body, which cannot be kept from being repeated: ok %v, %+v, %d taken in; want not sent", ok, r, took.Load())
	}
}
