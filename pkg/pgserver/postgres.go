package pgserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser = "tiwiza"
	port      = "5432" // only a part of the socket's name: no port is opened
)

// An answer is what knocking at a socket told.
type answer int

const (
	silent answer = iota // nobody there, or not the server of this cluster
	busy                 // a server that is starting, recovering or stopping
	ready
)

// knock asks whoever listens in the socket's directory which cluster it serves.
func knock(ctx context.Context, socket, dir string) answer {
	if socket == "" {
		return silent // postmaster.pid is not yet whole
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := pgconn.Connect(ctx, socketURL(socket, "postgres"))
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pe.Code == pgerrcode.CannotConnectNow {
			return busy
		}
		if pe.Code == pgerrcode.TooManyConnections {
			return ready
		}
	}
	if err != nil {
		return silent
	}
	defer c.Close(ctx)
	res, err := c.Exec(ctx, "show data_directory").ReadAll()
	if err != nil || len(res) != 1 || len(res[0].Rows) != 1 || !same(string(res[0].Rows[0][0]), dir) {
		return silent
	}
	return ready
}

func same(a, b string) bool {
	x, err1 := os.Stat(filepath.Clean(a))
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
