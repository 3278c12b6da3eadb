package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inHledger has Debian's hledger read the books that the demonstrations left, in
// which the market gave bonuses.
func inHledger(t *testing.T, r *rig) {
	t.Helper()
	bin, err := exec.LookPath("hledger")
	if err != nil {
		t.Log("hledger is not installed (apt-get install hledger), so nobody else reads the export")
		return
	}
	books := r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/export.journal"})
	path := filepath.Join(t.TempDir(), "books.journal")
	if err := os.WriteFile(path, books.body, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "--strict"}, {"balance", "promotions", "--flat", "--no-total"}} {
		out, err := exec.Command(bin, append([]string{"-f", path}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("hledger %v: %v\n%s", args, err, out)
		}
		if args[0] == "balance" && (!strings.Contains(string(out), "promotions") || !strings.Contains(string(out), "60.00")) {
			t.Errorf("three bonuses of 20.00, and hledger has %s", out)
		}
	}
}
