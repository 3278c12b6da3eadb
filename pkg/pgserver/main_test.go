package pgserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"tiwiza/pkg/pgserver"
)

const (
	childMode = "PGSERVER_TEST_CHILD" // start or temp: what the test binary does instead of testing
	childDir  = "PGSERVER_TEST_DIR"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := runChild(mode); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// runChild uses a server until its standard input ends.
func runChild(mode string) error {
	ctx := context.Background()
	var s *pgserver.Server
	var err error
	if mode == "temp" {
		s, err = pgserver.Temp(ctx, nil)
	} else {
		s, err = pgserver.Start(ctx, pgserver.Options{Dir: os.Getenv(childDir), Fast: true})
	}
	if err != nil {
		return err
	}
	fmt.Println("ready", s.Dir())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Stop(ctx)
}

// A child is another process that uses a server.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	dir string // of the cluster, once ready
}

func spawn(t *testing.T, mode, dir string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childMode+"="+mode, childDir+"="+dir)
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err1 := c.cmd.StdoutPipe()
	in, err2 := c.cmd.StdinPipe()
	c.in, c.out = in, bufio.NewReader(out)
	must(t, err1, err2, c.cmd.Start())
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	return c
}

// ready waits until the child has its server.
func (c *child) ready() *child {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	dir, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		c.t.Fatalf("child said %q, %v; want ready", line, err)
	}
	c.dir = dir
	return c
}

// stop has the child give its server up and end.
func (c *child) stop() {
	c.t.Helper()
	must(c.t, c.in.Close(), c.cmd.Wait())
}

// kill ends the child without a chance to say goodbye.
func (c *child) kill() {
	c.t.Helper()
	must(c.t, c.cmd.Process.Kill())
	_ = c.cmd.Wait()
}

// folder is a data directory that the server's account can enter, unlike the
// one of t.TempDir. Whatever server a failed test left there is ended.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgserver-test-")
	must(t, err)
	dir, err = filepath.EvalSymlinks(dir)
	must(t, err, os.Chmod(dir, 0o755))
	t.Cleanup(func() {
		if pid := pidOf(dir + "/postgres"); pid > 1 && isPostgres(pid) {
			t.Errorf("a server, process %d, was left running", pid)
			_ = syscall.Kill(pid, syscall.SIGQUIT)
		}
		must(t, os.RemoveAll(dir))
	})
	return dir
}

func start(t *testing.T, o pgserver.Options) *pgserver.Server {
	t.Helper()
	s, err := pgserver.Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *pgserver.Server) {
	t.Helper()
	must(t, s.Stop(context.Background()))
}

// pidOf reads the process id of the server of a cluster; 0 without one.
func pidOf(cluster string) int {
	b, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// isPostgres tells whether a process lives and is a server. One that is about
// to end has no arguments any more.
func isPostgres(pid int) bool {
	out, err := exec.Command("ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D")
}

func connect(t *testing.T, s *pgserver.Server) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL("postgres"))
	must(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// ask gives the one text a query answers.
func ask(t *testing.T, s *pgserver.Server, query string, args ...any) string {
	t.Helper()
	c := connect(t, s)
	defer c.Close(context.Background())
	var out string
	must(t, c.QueryRow(t.Context(), query, args...).Scan(&out))
	return out
}

func tell(t *testing.T, s *pgserver.Server, statement string) {
	t.Helper()
	c := connect(t, s)
	defer c.Close(context.Background())
	_, err := c.Exec(t.Context(), statement)
	must(t, err)
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("not so after 15 s: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// logTo keeps what the package logs.
func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root gives its rights up to run a server: run the tests as root to see this one")
	}
}
