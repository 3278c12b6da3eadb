package rest

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// stall is how long a caller may take to read a piece of a stream.
const stall = 30 * time.Second

// stream sends an answer while it is written. When that fails the connection is
// broken off, as there is no other way left to say so.
func (s *server) stream(ctx context.Context, c *call, a answer) {
	h := c.w.Header()
	h.Set("Content-Type", a.contentType)
	if a.disposition != "" {
		h.Set("Content-Disposition", a.disposition)
	}
	c.w.WriteHeader(a.status)
	out := bufio.NewWriterSize(&patient{c.w, http.NewResponseController(c.w)}, 64<<10)
	err := a.stream(ctx, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "stream broken off", slog.String("route", c.route.Name), slog.Any("cause", err))
		panic(http.ErrAbortHandler)
	}
}

// patient gives the caller a time for each piece, rather than one for the whole
// answer.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write sends a piece.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(stall)) // a recorder in a test has none
	return p.ResponseWriter.Write(b)
}
