package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// A lobby has the connections on which nothing has been asked yet. Browsers and
// HTTP clients open such ones ahead of their needs, and http.Server.Shutdown
// waits five seconds for each, longer than a drain may take.
type lobby struct {
	mu     sync.Mutex
	silent map[net.Conn]struct{}
	closed bool
}

// silent has a server's drain hang up on who has asked nothing by a quarter of
// a second after it began.
func silent(srv *http.Server) {
	l := &lobby{silent: map[net.Conn]struct{}{}}
	srv.ConnState = l.note
	srv.RegisterOnShutdown(func() { time.AfterFunc(250*time.Millisecond, l.close) })
}

// note keeps the book of who is silent; who comes in after the close is sent
// away.
func (l *lobby) note(c net.Conn, s http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case s != http.StateNew:
		delete(l.silent, c)
	case l.closed:
		_ = c.Close()
	default:
		l.silent[c] = struct{}{}
	}
}

func (l *lobby) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.silent {
		_ = c.Close()
	}
}
