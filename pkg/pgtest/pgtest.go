// Package pgtest gives each test a migrated database of its own on a real
// PostgreSQL server: a copy of a template, made in about a tenth of a second.
package pgtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/migrations"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgserver"
	"tiwiza/pkg/seal"
)

// ServerVar names the variable with the address of a server where tests may
// make databases (superuser). Without it each test program starts a server.
const ServerVar = "HUB_TEST_DATABASE_URL"

// own is the server of this test program; it lives as long as it is held.
var own *pgserver.Server

var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv(ServerVar); u != "" {
		return u, nil
	}
	var err error
	own, err = pgserver.Temp(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", fmt.Errorf("start a PostgreSQL server for the tests: %w", err)
	}
	return own.URL("postgres"), nil
})

var (
	template = sync.OnceValues(makeTemplate)
	count    atomic.Int64
)

// New returns a store on a new database, migrated and empty, that writes events
// down though nobody listens. Both go away with the test.
func New(t testing.TB) *pg.Store {
	t.Helper()
	s := Open(t, URL(t), pg.Options{MaxConns: 12})
	s.Use(nil, event.NewBus())
	return s
}

// Open opens a store that is closed with the test.
func Open(t testing.TB, url string, o pg.Options) *pg.Store {
	t.Helper()
	s, err := pg.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Seal seals all rows of a chain that are committed. It waits for transactions
// of other tests, which have their numbers from the same server.
func Seal(t testing.TB, db *pg.Store, c seal.Chain) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := c.Drain(context.Background(), db); err != nil {
			t.Fatal(err)
		}
		n, err := c.Waiting(context.Background(), db)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d rows are still not sealed: a transaction on the server is older", n)
		}
	}
}

// URL makes a new migrated database and returns its address as the owner, for
// tests that start hubs of their own. With -short such tests are skipped: what
// is left needs no database and is done in a second.
func URL(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: it needs a database")
	}
	base, err := server()
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template()
	if err != nil {
		t.Fatal(err)
	}
	h := fnv.New32a()
	h.Write([]byte(t.Name()))
	name := fmt.Sprintf("t_%d_%d_%08x", os.Getpid(), count.Add(1), h.Sum32())
	ctx := context.Background()
	if err := admin(ctx, base, `create database `+name+` template `+tmpl); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(ctx, base, `drop database if exists `+name+` with (force)`); err != nil {
			t.Log(err)
		}
	})
	return database(base, name)
}

// makeTemplate migrates a database that the tests' databases are copied from.
// Test programs that start together take turns.
func makeTemplate() (string, error) {
	base, err := server()
	if err != nil {
		return "", err
	}
	name := "template_" + migrations.Fingerprint()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return "", fmt.Errorf("reach the tests' server: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `select pg_advisory_lock(7230912)`); err != nil {
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, name).Scan(&there); err != nil || there {
		return name, err
	}
	fresh := name + "_new"
	if _, err := conn.Exec(ctx, `drop database if exists `+fresh+` with (force)`); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, `create database `+fresh); err != nil {
		return "", err
	}
	if err := migrations.Up(ctx, database(base, fresh)); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, `alter database `+fresh+` rename to `+name)
	return name, err
}

// admin runs one statement on the server, and again while the template is
// being copied by another.
func admin(ctx context.Context, base, sql string) error {
	for try := 0; ; try++ {
		err := func() error {
			conn, err := pgx.Connect(ctx, base)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, sql)
			return err
		}()
		if err == nil || try == 20 || pg.Code(err) != "55006" { // object in use
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// database is the address of another database on the same server.
func database(base, name string) string {
	u, err := url.Parse(base)
	if err != nil || !strings.HasPrefix(base, "postgres") {
		return base + " dbname=" + name
	}
	u.Path = "/" + name
	return u.String()
}
