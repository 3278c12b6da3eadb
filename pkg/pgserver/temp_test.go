package pgserver_test

import (
	"os"
	"path/filepath"
	"testing"

	"tiwiza/pkg/pgserver"
)

func TestTempLeavesNothing(t *testing.T) {
	t.Parallel()
	s, err := pgserver.Temp(t.Context(), nil)
	must(t, err)
	if got, want := ask(t, s, "show fsync"), "off"; got != want {
		t.Errorf("fsync = %s, want %s", got, want)
	}
	pid := pidOf(s.Dir())
	stop(t, s)
	if _, err := os.Stat(filepath.Dir(s.Dir())); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", filepath.Dir(s.Dir()), err)
	}
	if isPostgres(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestTempDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	c := spawn(t, "temp", "").ready()
	pid := pidOf(c.dir)
	if !isPostgres(pid) {
		t.Fatalf("process %d is no server", pid)
	}
	c.kill()
	eventually(t, "the server and its directory are gone", func() bool {
		_, err := os.Stat(filepath.Dir(c.dir))
		return os.IsNotExist(err) && !isPostgres(pid)
	})
}
