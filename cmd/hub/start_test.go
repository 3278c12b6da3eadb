package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank/mt940"
	"tiwiza/pkg/outbound/netfault"
)

// TestHubNeedsNothing starts a hub without a database. It keeps a server of its
// own, through a kill as well, and takes it along when it leaves.
func TestHubNeedsNothing(t *testing.T) {
	t.Parallel()
	r := &rig{}
	r.open(t)
	done := make(chan error, 1)
	p := r.plays(io.Discard)
	go func() { _, err := p.play(t.Context(), nil); done <- err }()
	r.until(t, "the demonstration to begin", func() bool {
		var list struct{ Data []any }
		r.ask(t, req{key: r.keys.Buyer.APIKey, method: "GET", path: "/v1/orders"}).into(t, &list)
		return len(list.Data) > 0
	})
	r.kill()
	r.run(t)
	if err := <-done; err != nil {
		t.Errorf("the demonstration ends with %v", err)
	}
	r.verify(t)
	server := r.postmaster(t)
	r.stop(t)
	for left := time.Now(); alive(server); time.Sleep(20 * time.Millisecond) {
		if time.Since(left) > 20*time.Second {
			log, err := os.ReadFile(filepath.Join(r.dir, "hub.log"))
			t.Fatalf("the database server (process %d) outlives its hub (%v)\n%s", server, err, log[max(0, len(log)-2000):])
		}
	}
	if out, code := r.command(t, "verify"); code != 0 {
		t.Errorf("hub verify on the data that was left exits %d\n%s", code, violated(out))
	}
}

// cluster is the folder of the hub's own database. As root the hub keeps it
// where the server's user may go, and notes the place.
func (r *rig) cluster(t *testing.T) string {
	t.Helper()
	at := r.dir
	if b, err := os.ReadFile(filepath.Join(r.dir, "postgres.location")); err == nil {
		at = strings.TrimSpace(string(b))
		t.Cleanup(func() {
			if err := os.RemoveAll(at); err != nil {
				t.Error(err)
			}
		})
	}
	return filepath.Join(at, "postgres")
}

// postmaster is the process of the hub's own database server.
func (r *rig) postmaster(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.cluster(t), "postmaster.pid"))
	if err != nil {
		t.Fatalf("the hub's own database server is not running: %v", err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || !alive(pid) {
		t.Fatalf("the hub's own database server %q does not run", first)
	}
	return pid
}

// TestProductionRefusesUnsafeSettings serves in production with settings that
// would be unsafe, and with safe ones.
// TestSilentConnectionsDoNotHoldUpADrain opens connections without a word, as
// browsers do ahead of their needs: the hub still drains, in time and without
// an error.
func TestSilentConnectionsDoNotHoldUpADrain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 3 {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	r.ask(t, req{key: r.keys.Buyer.APIKey, method: "GET", path: "/v1/orders"}).into(t, &struct{}{})
	r.stop(t) // fails the test if the hub ends late or with an error
}

// TestAHubThatCannotServeTouchesNothing starts a second hub at an address that is
// taken, after the first has come back from a kill: the stand-in partners stay.
func TestAHubThatCannotServeTouchesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.kill()
	r.run(t) // the partners outlived the one that started them
	second := launch(t, filepath.Join(t.TempDir(), "second.log"), r.env, "run")
	<-second.gone
	if second.err == nil || !strings.Contains(second.tail(), "address already in use") {
		t.Errorf("the second hub ended with %v\n%s", second.err, second.tail())
	}
	// Nor does one that serves at another address take them along.
	elsewhere := launch(t, filepath.Join(t.TempDir(), "third.log"), append(r.env, "HUB_ADDR="+netfault.FreeAddr(t)), "run")
	time.Sleep(2 * time.Second)
	if !elsewhere.end(os.Interrupt, 15*time.Second) {
		t.Errorf("the third hub does not end\n%s", elsewhere.tail())
	}
	if pid := r.simPid(); !alive(pid) {
		t.Errorf("the stand-in partners (process %d) left with another hub", pid)
	}
	r.stop(t)
}

func TestProductionRefusesUnsafeSettings(t *testing.T) {
	t.Parallel()
	safe := func() (c partnerConfig) {
		c.Acquirer.ClientID, c.Acquirer.StoreKey = "600000001", "a long store key"
		c.Acquirer.GateURL, c.Acquirer.APIURL = "https://acquirer.invalid/gate", "https://acquirer.invalid/api"
		c.Acquirer.SettlesFrom = "999780000000000000040457"
		c.Bank.HostKey, c.Bank.SFTPAddr = "ssh-ed25519 AAAA", "127.0.0.1:1"
		return c
	}
	url, public := "postgres://nobody@127.0.0.1:1/none?connect_timeout=1", "https://market.invalid"
	for name, c := range map[string]struct {
		change      func(*partnerConfig)
		url, public string
		says        string
	}{
		"the acquirer's page in the clear":  {func(p *partnerConfig) { p.Acquirer.GateURL = "http://acquirer.invalid/gate" }, url, public, "gate_url"},
		"the acquirer's API in the clear":   {func(p *partnerConfig) { p.Acquirer.APIURL = "http://acquirer.invalid/api" }, url, public, "api_url"},
		"an acquirer that anybody may play": {func(p *partnerConfig) { p.Acquirer.SettlesFrom = "" }, url, public, "settles_from"},
		"no hash key":                       {func(p *partnerConfig) { p.Acquirer.StoreKey = "" }, url, public, "store_key"},
		"a bank that anybody may play":      {func(p *partnerConfig) { p.Bank.HostKey = "" }, url, public, "host_key"},
		"payers' words for an account":      {func(p *partnerConfig) { p.Bank.MT940 = mt940.Plus }, url, public, "set settlements"},
		"a database of its own":             {func(*partnerConfig) {}, "", public, "HUB_DATABASE_URL"},
		"pages in the clear":                {func(*partnerConfig) {}, url, "http://market.invalid", "HUB_PUBLIC_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := safe()
			c.change(&p)
			out, code := serveInProduction(t, p, c.url, c.public)
			if code != 1 || !strings.Contains(out, "not safe in production") || !strings.Contains(out, c.says) {
				t.Errorf("with %s hub serve exits %d and says %q; want 1 and %s named", name, code, out, c.says)
			}
		})
	}
	t.Run("files in the clear, and in two places", func(t *testing.T) {
		t.Parallel()
		f := filing{S3URL: "http://files.invalid", S3Bucket: "b", S3Key: "k", S3Secret: "s", FilesDir: t.TempDir()}
		if errs := f.unsafe(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "HUB_S3_URL") {
			t.Errorf("storage in the clear is %v", errs)
		}
		if _, err := f.open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "HUB_FILES_DIR") {
			t.Errorf("two places for files: %v", err)
		}
		f = filing{S3URL: "https://files.invalid"}
		if _, err := f.open(t.TempDir()); err == nil || f.unsafe() != nil {
			t.Errorf("storage without a bucket is opened: %v", err)
		}
	})
	for _, d := range []mt940.Dialect{"", mt940.Text, mt940.Slashes, mt940.Numbered, mt940.Plus} {
		c := safe()
		if c.Bank.MT940 = d; (c.unsafe() == nil) != (d == "" || d == mt940.Text) {
			t.Errorf("mt940 %q without settlements: %v", d, c.unsafe())
		}
		if c.Bank.Settlements = []string{"NTRF"}; c.unsafe() != nil {
			t.Errorf("mt940 %q with settlements: %v", d, c.unsafe())
		}
	}
	if out, _ := serveInProduction(t, safe(), url, public); strings.Contains(out, "not safe") {
		t.Errorf("safe settings are refused: %s", out)
	}
}

// serveInProduction runs hub serve where no database answers.
func serveInProduction(t *testing.T, p partnerConfig, url, public string) (string, int) {
	t.Helper()
	dir := t.TempDir()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "partners.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return command(t, []string{"HUB_DATA_DIR=" + dir, "HUB_DATABASE_URL=" + url, "HUB_PUBLIC_URL=" + public}, "serve", "--env", "production", "--partners", file, "--addr", netfault.FreeAddr(t))
}
