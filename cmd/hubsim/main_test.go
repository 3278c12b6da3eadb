package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The simulator is worth nothing as a witness if it shares code with the hub.
func TestItSharesNoCodeWithTheHub(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, p := range strings.Fields(string(out)) {
		rest, ours := strings.CutPrefix(p, "tiwiza/")
		if !ours {
			continue
		}
		if own++; !strings.HasPrefix(rest, "cmd/hubsim") && rest != "pkg/money" && rest != "pkg/id" {
			t.Errorf("it imports %s", p)
		}
	}
	if own < 5 {
		t.Errorf("go list names %d packages of ours: %s", own, out)
	}
}
