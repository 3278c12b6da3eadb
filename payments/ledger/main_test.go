package ledger_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain has rapid try less often than it would by itself, as most of what it
// tries here is a database of its own; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
