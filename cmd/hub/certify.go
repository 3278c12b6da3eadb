package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/certify"
	protocol "tiwiza/docs/partner"
	"tiwiza/pkg/certificate"
)

type certifyCmd struct {
	URL          string `arg:"" help:"The connector's address."`
	Protocol     string `help:"What it speaks; without it the first protocol of its manifest that is known here." enum:",bank.v1,insurance.v1,wallet.v1,card.v1,crm.v1,notify.v1" default:""`
	Token        string `help:"A bearer token for it." env:"HUB_CONNECTOR_TOKEN"`
	TokenURL     string `help:"Where OAuth 2.0 access tokens are asked for; with the two that follow, instead of a token." env:"HUB_CONNECTOR_TOKEN_URL"`
	ClientID     string `help:"Who asks for them." env:"HUB_CONNECTOR_CLIENT_ID"`
	ClientSecret string `help:"Its secret." env:"HUB_CONNECTOR_CLIENT_SECRET"`
	Certificate  string `help:"A client certificate, in PEM." type:"existingfile"`
	Key          string `help:"Its key, in PEM." type:"existingfile"`
	Roots        string `help:"Certificates that sign the connector's, in PEM; the system's when left out." type:"existingfile"`
	Account      string `help:"The RIB that its sandbox lets us pay from." default:"001810007800020110620318"`
	To           string `help:"A RIB that it lets us pay to." default:"011519000001205000534921"`
	Level        string `help:"Up to where to go." default:"C5" enum:"C1,C2,C3,C4,C5"`
	Events       string `help:"Where to listen for the connector's events, as 127.0.0.1:9000; without it that they are signed is not looked at."`
	Seed         uint64 `help:"What chance is drawn from; a report says its own."`
	JSON         string `help:"Write the report here." name:"json" type:"path"`
	JUnit        string `help:"Write it here for a build server." name:"junit" type:"path"`
	Out          string `help:"Write the certificate here, too." type:"path"`
	SignKey      string `help:"32 bytes in hexadecimal: the Ed25519 key that certificates are signed with. Without it one is made once and kept in the data directory." env:"HUB_CERTIFY_KEY"`
}

// Run needs nothing but the connector: no database, no hub.
func (c certifyCmd) Run(ctx context.Context, s *Settings) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	if c.Protocol == "" {
		c.Protocol = certify.Spoken(ctx, o, slices.Sorted(maps.Keys(protocol.Cases)))
	}
	cases, err := certify.Read(protocol.Cases[c.Protocol])
	if err != nil {
		return err
	}
	fmt.Printf("%s at %s, up to %s, seed %d\n", cases.Protocol, c.URL, c.Level, o.Seed)
	o.Told = func(r certify.Result) { fmt.Println(r.Line()) }
	report, err := certify.Run(ctx, cases, o)
	if err != nil {
		return err
	}
	if err := c.write(report); err != nil {
		return err
	}
	if err := c.sign(report, s.DataDir); err != nil {
		return err
	}
	if failed := report.Failed(); len(failed) > 0 {
		fmt.Printf("%d of %d cases are not passed.\n", len(failed), len(report.Results))
		return exitCode(1)
	}
	return nil
}

func (c certifyCmd) options() (o certify.Options, err error) {
	o = certify.Options{URL: c.URL, Account: c.Account, To: c.To, Level: certificate.Level(c.Level), Seed: c.Seed, Now: time.Now, Listen: c.Events}
	o.Credentials = remote.Credentials{Token: c.Token, TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret}
	for path, into := range map[string]*string{c.Certificate: &o.Credentials.Certificate, c.Key: &o.Credentials.Key, c.Roots: &o.Roots} {
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return o, err
		}
		*into = string(b)
	}
	for o.Seed == 0 {
		o.Seed = rand.Uint64N(1 << 32)
	}
	return o, nil
}

// write leaves the report where it is asked for.
func (c certifyCmd) write(r certify.Report) error {
	write := func(path string, f func(io.Writer) error) error {
		if path == "" {
			return nil
		}
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		return errors.Join(f(file), file.Close())
	}
	return errors.Join(write(c.JUnit, r.JUnit), write(c.JSON, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}))
}

// sign prints the certificate of what was proved.
func (c certifyCmd) sign(r certify.Report, dataDir string) error {
	proved, ok := r.Certificate()
	if !ok {
		fmt.Println("Nothing is proved; there is no certificate.")
		return nil
	}
	if c.SignKey == "" {
		if err := os.MkdirAll(dataDir, 0o700); err != nil {
			return err
		}
	}
	key, err := certifierKey(c.SignKey, dataDir)
	if err != nil {
		return err
	}
	text, err := certificate.Sign(key, proved)
	if err != nil {
		return err
	}
	fmt.Printf("%s (%s) has reached %s, until %s. HUB_CERTIFIERS_KEYS=%x trusts this:\n%s\n",
		proved.Connector, proved.Owner, proved.Level, proved.ExpiresAt.Format(time.DateOnly), key.Public().(ed25519.PublicKey), text)
	if c.Out == "" {
		return nil
	}
	return os.WriteFile(filepath.Clean(c.Out), []byte(text+"\n"), 0o600)
}
