package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tiwiza/cmd/hub/demo"
	"tiwiza/migrations"
)

type runCmd struct {
	serving
	Env     string `help:"Always demo here; production is served by hub serve." env:"HUB_ENV" default:"demo" enum:"demo"`
	SimAddr string `help:"Where the stand-in partners answer." env:"HUBSIM_ADDR" default:"127.0.0.1:8090"`
}

// Run starts everything there is for a demonstration.
func (c runCmd) Run(ctx context.Context, s *Settings) error {
	door, err := c.listen() // a hub that cannot serve touches nothing
	if err != nil {
		return err
	}
	defer door.Close()
	if c.PublicURL == "" {
		c.PublicURL = "http://" + byName(door.Addr())
	}
	c.Phone = cmp.Or(c.Phone, phoneHelp)
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	if d.server != nil {
		keep, stop := context.WithCancel(context.WithoutCancel(ctx))
		go d.server.Keep(keep)
		defer stop()
	}
	if err := migrations.Up(ctx, d.URL); err != nil {
		return err
	}
	sim, err := startSim(ctx, c.SimAddr, s.DataDir)
	if err != nil {
		return err
	}
	defer sim.stop()
	sim.config.standIns()
	return c.serve(ctx, door, d, sim.config, true, func(ctx context.Context, h *house, url string) error {
		f, err := h.seed(ctx, filepath.Join(s.DataDir, demoFile), demoAddresses{url, "http://" + c.SimAddr})
		if err != nil {
			return fmt.Errorf("seed the demonstration market: %w", err)
		}
		go announce(ctx, url, "http://"+c.SimAddr, filepath.Join(s.DataDir, demoFile), f)
		return nil
	})
}

// byName is an address of this machine by its name: passkeys stand on names, and a
// browser that is sent back from the bank has its cookies where it was before.
func byName(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsLoopback() {
		return net.JoinHostPort("localhost", strconv.Itoa(t.Port))
	}
	return a.String()
}

// announce tells a newcomer where to go, once the hub answers.
func announce(ctx context.Context, url, sim, path string, f demoKeys) {
	for range 100 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return
		}
		if res, err := (&http.Client{Timeout: time.Second}).Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Printf(`
Tiwiza is open:   %[1]s (in Arabic %[1]s/ar); buying needs no account
Each desk is entered at %[1]s/entrer by an invented telephone number and the code
that arrives at %[2]s/inbox:
  a seller's      %[1]s/v     %[3]s to %[4]s
  the operator's  %[1]s/op    %[5]s and, as the second person, %[6]s
  a bank's        %[1]s/b     %[7]s; an insurer's %[8]s
  an office's     %[1]s/i     %[9]s to %[10]s
  a buyer's page  %[1]s/moi   %[11]s
All but sellers and buyers add a passkey the first time; a browser's own will do.
For programs: %[1]s/openapi.json, the promises at %[1]s/v1/guarantees, and API keys in
%[12]s, the operator's for example:
  curl -H 'Authorization: Bearer %[13]s' %[1]s/v1/partners
Play the main job in another terminal: make demo. Stop with Ctrl-C.

`, url, sim, phoneSeller(0), phoneSeller(len(f.Sellers)-1), phoneOperator, phoneSecond, phoneBank, phoneInsurer,
		phoneOffice(0), phoneOffice(len(offices)-1), phoneBuyer, path, f.Operator.APIKey)
}

// images are the demonstration's drawings.
func images() fs.FS {
	sub, err := fs.Sub(demo.Files, "images")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// A simulator is the stand-in partners' process: started here, or found
// answering already. Hubs of one data directory share it, and the last of them
// to leave stops it.
type simulator struct {
	config partnerConfig
	pid    int // 0: somebody else's
	dir    string
	users  *os.File // locked, together with others, while this hub uses it
}

func startSim(ctx context.Context, addr, dataDir string) (*simulator, error) {
	s := &simulator{dir: dataDir}
	last, err := s.coming()
	if err != nil {
		return nil, err
	}
	defer last.Close()
	pidFile := filepath.Join(dataDir, "hubsim.pid")
	if s.config, err = askPartners(ctx, addr); err == nil {
		slog.InfoContext(ctx, "the stand-in partners answer already", "addr", addr)
		s.pid = left(pidFile)
		return s, nil
	}
	exe, err := simProgram()
	if err != nil {
		return nil, err
	}
	logPath := filepath.Join(dataDir, "hubsim.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the stand-in partners' log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "HUBSIM_ADDR="+addr, "HUBSIM_DATA_DIR="+filepath.Join(dataDir, "sim"))
	cmd.Stdout, cmd.Stderr = log, log
	// The partners outlive a hub that dies, as partners do, and the terminal's
	// Ctrl-C is for the hub, which drains first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the stand-in partners: %w", err)
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return nil, err
	}
	for wait := time.After(15 * time.Second); ; {
		if s.config, err = askPartners(ctx, addr); err == nil {
			s.pid = cmd.Process.Pid
			return s, nil
		}
		select {
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			return nil, ctx.Err()
		case err := <-died:
			return nil, fmt.Errorf("the stand-in partners stopped (%v); see %s", err, logPath)
		case <-wait:
			_ = cmd.Process.Kill()
			return nil, fmt.Errorf("the stand-in partners do not answer at %s: %w; see %s", addr, err, logPath)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// simProgram finds hubsim beside this program, or on the path.
func simProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	beside := filepath.Join(filepath.Dir(self), "hubsim")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	if p, err := exec.LookPath("hubsim"); err == nil {
		return p, nil
	}
	return "", errors.New("hubsim, the stand-in partners' program, is not beside hub: build it with make build")
}

// left is the process of the stand-in partners that a hub of this data directory
// started, or 0.
func left(pidFile string) int {
	b, err := os.ReadFile(pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || strings.TrimSpace(string(name)) != "hubsim" {
		return 0
	}
	return pid
}

// coming counts this hub among the users. Who comes and goes takes turns for as
// long as the file it returns is open.
func (s *simulator) coming() (turn *os.File, err error) {
	if turn, err = locked(filepath.Join(s.dir, "hubsim.turn"), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if s.users, err = locked(filepath.Join(s.dir, "hubsim.users"), syscall.LOCK_SH); err != nil {
		turn.Close()
		return nil, err
	}
	return turn, nil
}

// stop ends the stand-in partners, unless another hub uses them.
func (s *simulator) stop() {
	defer s.users.Close()
	if s.pid == 0 {
		return
	}
	turn, err := locked(filepath.Join(s.dir, "hubsim.turn"), syscall.LOCK_EX)
	if err != nil {
		return
	}
	defer turn.Close()
	if syscall.Flock(int(s.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = syscall.Kill(s.pid, syscall.SIGTERM)
	}
}

// locked opens a file and waits for its lock, which ends with the process.
func locked(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// demoFile is where a demonstration's keys are.
const demoFile = "demo.json"

type demoAddresses struct {
	URL    string `json:"url"`
	SimURL string `json:"sim_url"`
}

// demoKeys is demo.json.
type demoKeys struct {
	demoAddresses
	Operator       demoKey      `json:"operator"`
	SecondOperator demoKey      `json:"second_operator"`
	Sellers        []demoSeller `json:"sellers"`
	Buyer          demoKey      `json:"buyer"`
	Bank           demoKey      `json:"bank"`
	Insurer        demoKey      `json:"insurer"`
	Institutions   []demoOffice `json:"institutions"`
}

// A demoOffice is an institution of the demonstration, with its procedures by code.
type demoOffice struct {
	Organisation string            `json:"organisation"`
	APIKey       string            `json:"api_key"`
	Phone        string            `json:"phone"`
	Procedures   map[string]string `json:"procedures"`
}

type demoKey struct {
	APIKey string `json:"api_key"`
	Phone  string `json:"phone,omitempty"`
}

type demoSeller struct {
	Organisation string `json:"organisation"`
	APIKey       string `json:"api_key"`
	Phone        string `json:"phone,omitempty"`
}

func readDemo(path string) (k demoKeys, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(b, &k)
}

func (k demoKeys) write(path string) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
