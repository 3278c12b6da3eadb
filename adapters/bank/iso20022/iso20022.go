// Package iso20022 drives banks that take pain.001 files over SFTP and answer
// with pain.002 reports and camt statements.
package iso20022

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"time"

	"golang.org/x/crypto/ssh"

	"tiwiza/adapters/bank"
)

// Dirs are the bank's folders.
type Dirs struct{ In, Out, Ack, Archive string }

// Profile is what one bank wants in its files.
type Profile struct {
	Initiator string // our name in the header
	ICE       string // our number in the header; empty leaves it out
	IBAN      bool   // write accounts as IBAN; else as a bare RIB
}

// Config is what a bank gives a client. HostKey is the server's key in the
// form of an authorized_keys line; no other key is ever trusted.
type Config struct {
	Addr       string // host:port
	User       string
	PrivateKey []byte // PEM, ours
	HostKey    string
	Dirs       Dirs
	Profile    Profile
	Settle     time.Duration // a file whose size stands still this long is whole; 200 ms by default
}

// Driver is a bank.Driver. Each call has a connection of its own.
type Driver struct {
	cfg  Config
	ssh  *ssh.ClientConfig
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

var _ bank.Driver = (*Driver)(nil)

// New makes a driver; a configuration that lacks something is an error.
func New(cfg Config) (*Driver, error) {
	if _, _, err := net.SplitHostPort(cfg.Addr); err != nil {
		return nil, fmt.Errorf("iso20022: the bank's address: %w", err)
	}
	if cfg.User == "" || cfg.Profile.Initiator == "" {
		return nil, errors.New("iso20022: the user or the initiator's name is missing")
	}
	key, err := ssh.ParsePrivateKey(cfg.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("iso20022: our private key: %w", err)
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(cfg.HostKey))
	if err != nil {
		return nil, fmt.Errorf("iso20022: the bank's host key: %w", err)
	}
	for _, d := range []*string{&cfg.Dirs.In, &cfg.Dirs.Out, &cfg.Dirs.Ack, &cfg.Dirs.Archive} {
		if *d == "" {
			return nil, errors.New("iso20022: a folder of the bank is missing")
		}
		*d = path.Clean(*d)
	}
	if cfg.Settle == 0 {
		cfg.Settle = 200 * time.Millisecond
	}
	return &Driver{
		cfg: cfg,
		ssh: &ssh.ClientConfig{
			User: cfg.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(host),
			HostKeyAlgorithms: algorithms(host),
		},
		dial: (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
	}, nil
}

// algorithms are the ways a server can prove a key of this type.
func algorithms(k ssh.PublicKey) []string {
	if k.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{k.Type()}
}
