package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A cable stands between a hub and its database. It can be cut at the worst
// moment: the database has committed, and its word of it is lost.
type cable struct {
	t       testing.TB
	network string
	address string

	mu   sync.Mutex
	keys map[string]int // of the requests whose commit shall not be heard of, with how often each is named before it
}

// splice listens for a hub and gives the address to give it.
func splice(t testing.TB, database string) (c *cable, url string) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{t: t, keys: map[string]int{}}
	c.network, c.address = pgconn.NetworkAddress(config.Host, config.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			hub, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(hub)
		}
	}()
	return c, through(config, l.Addr().String())
}

func through(config *pgx.ConnConfig, address string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: address, Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// cut has the word of the commit lost that keeps the answer under a key. A unit
// of work names it twice: when its answer is looked for, and when it is kept; the
// lane once.
func (c *cable) cut(key string, named int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[key] = named
}

// waits says whether the commit under a key is still to come.
func (c *cable) waits(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[key] > 0
}

func (c *cable) carry(hub net.Conn) {
	defer hub.Close()
	server, err := net.Dial(c.network, c.address)
	if err != nil {
		return
	}
	defer server.Close()
	s := &strand{seen: map[string]int{}}
	go func() {
		defer server.Close()
		c.ask(server, hub, s)
	}()
	c.answer(hub, server, s)
}

// A strand is one connection through a cable: how often the transaction under
// way has named each key, and the key whose commit shall not be heard of.
type strand struct {
	seen  map[string]int
	doubt atomic.Pointer[string]
}

// ask carries what the hub says.
func (c *cable) ask(server, hub net.Conn, s *strand) {
	chunk, tail := make([]byte, 64<<10), []byte(nil)
	for {
		n, err := hub.Read(chunk)
		if n > 0 {
			text := append(tail, chunk[:n]...)
			c.mu.Lock()
			for k, named := range c.keys {
				s.seen[k] += bytes.Count(text, []byte(k))
				if s.seen[k] >= named {
					s.doubt.Store(&k)
				}
			}
			c.mu.Unlock()
			tail = bytes.Clone(text[max(0, len(text)-len(once())+1):]) // shorter than a key
			if _, err := server.Write(chunk[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// answer carries what the database says, until the word that a commit in doubt
// was done: then the hub hears nothing any more. What was rolled back was no
// commit; the hub may run it again.
func (c *cable) answer(hub, server net.Conn, s *strand) {
	var kept []byte
	undone := false
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		kept = append(append(kept, head...), body...)
		ready := head[0] == 'Z'
		undone = undone || head[0] == 'E'
		k := s.doubt.Load()
		if k != nil && !ready {
			continue
		}
		if ready && body[0] == 'I' { // in no transaction any more
			c.mu.Lock()
			if k != nil && !undone {
				delete(c.keys, *k)
				c.mu.Unlock()
				return
			}
			clear(s.seen)
			s.doubt.Store(nil)
			c.mu.Unlock()
			undone = false
		}
		if _, err := hub.Write(kept); err != nil {
			return
		}
		kept = kept[:0]
	}
}
