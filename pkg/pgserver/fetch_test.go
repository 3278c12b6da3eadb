package pgserver_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/pgserver"
)

// It sets an environment variable, so it is not parallel.
func TestDownloadedServerServes(t *testing.T) {
	if os.Getenv("TIWIZA_TEST_DOWNLOAD") != "1" {
		t.Skip("downloads PostgreSQL: set TIWIZA_TEST_DOWNLOAD=1 to run it")
	}
	dir, cache := folder(t), folder(t)
	t.Cleanup(http.DefaultClient.CloseIdleConnections) // the library's
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache) // where the cache is decided by it
	began := time.Now()
	s := start(t, pgserver.Options{Dir: dir, Fetch: true, Log: logTo(t.Output())})
	t.Logf("download, cluster and start took %s", time.Since(began).Round(time.Millisecond))
	if !strings.HasPrefix(s.BinDir(), cache) {
		t.Errorf("the programs are in %s, want them in %s", s.BinDir(), cache)
	}
	tell(t, s, "create extension pg_trgm")
	if got, want := ask(t, s, "select lower('ÉCHANTILLON')"), "échantillon"; got != want {
		t.Errorf("lower = %s, want %s", got, want)
	}
	stop(t, s)
	if left, _ := filepath.Glob(filepath.Join(cache, "*", "fetching-*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	began = time.Now()
	start(t, pgserver.Options{Dir: dir, Log: logTo(t.Output())}) // the cluster's own version again, whatever is installed
	t.Logf("the second start took %s", time.Since(began).Round(time.Millisecond))
}
