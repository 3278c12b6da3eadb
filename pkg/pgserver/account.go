package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// An account is the user the server runs as. The zero account is our own.
type account struct {
	other    bool // not our own: we are root and give root up
	uid, gid int
}

// unprivileged picks the account for a new cluster.
func unprivileged() (account, error) {
	if os.Getuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return account{other: true, uid: uid, gid: gid}, nil
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as: " +
		"run as another user, or set HUB_DATABASE_URL")
}

// owner is the account a cluster belongs to, whoever runs the hub this time.
func owner(dir string) (account, error) {
	fi, err := os.Stat(dir)
	if err != nil {
		return account{}, err
	}
	if os.Getuid() != 0 {
		return account{}, nil
	}
	uid, gid := ids(fi)
	if uid == 0 {
		return account{}, fmt.Errorf("%s belongs to root, as whom PostgreSQL refuses to run: chown -R it to the user that made it", dir)
	}
	return account{other: true, uid: uid, gid: gid}, nil
}

func ids(fi os.FileInfo) (uid, gid int) {
	st := fi.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}

// id is the user id of the account.
func (a account) id() int {
	if a.other {
		return a.uid
	}
	return os.Getuid()
}

// give hands a file or directory over to the account.
func (a account) give(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// command is a program of the account, in a session of its own, so that the
// terminal's Ctrl-C does not reach it, and without our PG variables.
func (a account) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			c.Env = append(c.Env, v)
		}
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) } // pg_ctl and initdb tidy up
	c.WaitDelay = politeness
	if a.other {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return c
}

// reach tells whether the account can enter dir, by going there.
func (a account) reach(dir string) error {
	if !a.other {
		return nil
	}
	return a.command(context.Background(), dir, "/bin/sh", "-c", ":").Run()
}
