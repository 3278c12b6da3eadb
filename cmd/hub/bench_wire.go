package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A wire is one kept connection to the hub. It costs the processors as little
// as pgbench's do, for both share them with the server.
type wire struct {
	conn net.Conn
	r    *bufio.Reader
}

// dial connects from the n-th loopback address: the hub limits what one
// visitor's address may ask, and buyers are many.
func dial(ctx context.Context, addr string, n int) (*wire, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n))}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

// send sends a request and reads the whole answer.
func (w *wire) send(req []byte, want int) ([]byte, error) {
	_ = w.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := w.conn.Write(req); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		line, _, _ := bytes.Cut(req, []byte("\r\n"))
		err = fmt.Errorf("%s: %s: %s", line, res.Status, body)
	}
	return body, err
}

// request writes a request out once, to be sent as it is.
func request(method, path, key, idempotency string, body []byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path)
	if key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", key)
	}
	if idempotency != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", idempotency)
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return []byte(b.String())
}

// rush sends each client's requests over a connection of its own for as long as
// d, and returns how many were answered and how long that took. When a client
// has none left, all stop.
func rush(ctx context.Context, addr string, requests [][][]byte, want int, d time.Duration) (int, time.Duration, error) {
	wires := make([]*wire, len(requests))
	for i := range wires {
		w, err := dial(ctx, addr, i)
		if err != nil {
			return 0, 0, err
		}
		defer w.conn.Close()
		wires[i] = w
	}
	var done atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	errs := make([]error, len(wires))
	began := time.Now()
	for i, w := range wires {
		all.Go(func() {
			defer over.Store(true)
			for _, r := range requests[i] {
				if over.Load() || time.Since(began) > d || ctx.Err() != nil {
					return
				}
				if _, errs[i] = w.send(r, want); errs[i] != nil {
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return int(done.Load()), time.Since(began), errors.Join(append(errs, ctx.Err())...)
}

// stream has each client send requests over a connection of its own for as long
// as d, each as soon as the last was answered, and returns how long each took.
func stream(ctx context.Context, addr string, clients int, next func() []byte, want int, d time.Duration) ([]time.Duration, time.Duration, error) {
	wires := make([]*wire, clients)
	for i := range wires {
		w, err := dial(ctx, addr, i)
		if err != nil {
			return nil, 0, err
		}
		defer w.conn.Close()
		wires[i] = w
	}
	var all sync.WaitGroup
	errs, took := make([]error, clients), make([][]time.Duration, clients)
	began := time.Now()
	for i, w := range wires {
		all.Go(func() {
			for last := began; last.Sub(began) < d && errs[i] == nil && ctx.Err() == nil; {
				_, errs[i] = w.send(next(), want)
				now := time.Now()
				took[i] = append(took[i], now.Sub(last))
				last = now
			}
		})
	}
	all.Wait()
	return slices.Concat(took...), time.Since(began), errors.Join(append(errs, ctx.Err())...)
}
