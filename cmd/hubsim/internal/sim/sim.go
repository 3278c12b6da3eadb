// Package sim puts the stand-in partners together: one journal, one clock, an
// acquirer and a provider of wallets over HTTP, and a bank over SFTP.
package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"tiwiza/cmd/hubsim/internal/acquirer"
	"tiwiza/cmd/hubsim/internal/bank"
	"tiwiza/cmd/hubsim/internal/crm"
	"tiwiza/cmd/hubsim/internal/insurer"
	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/messages"
	"tiwiza/cmd/hubsim/internal/wallet"
	"tiwiza/cmd/hubsim/internal/world"
)

// Config is what a simulator needs to know.
type Config struct {
	Addr           string        `help:"Where the HTTP side listens." default:"127.0.0.1:8090" env:"HUBSIM_ADDR"`
	DataDir        string        `help:"Folder of the journal, the keys and the bank's files." default:"./var/sim" env:"HUBSIM_DATA_DIR"`
	SFTPAddr       string        `name:"sftp-addr" help:"Where the bank's SFTP listens; port 0 is any free one, the same after a restart." default:"127.0.0.1:0" env:"HUBSIM_SFTP_ADDR"`
	MailAddr       string        `help:"Where the mail server listens; port 0 is any free one." default:"127.0.0.1:0" env:"HUBSIM_MAIL_ADDR"`
	Bank           string        `help:"How the shop's bank is reached: over SFTP with files, or over NextGenPSD2 (berlin)." enum:"files,berlin" default:"files" env:"HUBSIM_BANK"`
	EventsTo       string        `help:"Where the bank's connector sends its events." env:"HUBSIM_EVENTS_TO"`
	WalletEventsTo string        `help:"Where the wallets' connector sends its events." env:"HUBSIM_WALLET_EVENTS_TO"`
	CardEventsTo   string        `help:"Where the acquirer's connector sends its events, until it is told otherwise." env:"HUBSIM_CARD_EVENTS_TO"`
	SettleEvery    time.Duration `help:"How often the acquirer and the wallets' provider settle." default:"2s" env:"HUBSIM_SETTLE_EVERY"`
	StatementEvery time.Duration `help:"How often the bank makes statements." default:"2s" env:"HUBSIM_STATEMENT_EVERY"`
}

// Sim is one simulator, listening.
type Sim struct {
	world    *world.World
	acquirer *acquirer.Acquirer
	second   *acquirer.Acquirer
	bank     *bank.Bank
	wallet   *wallet.Wallet
	messages *messages.Messages
	crm      *crm.CRM
	insurer  *insurer.Insurer
	secrets  secrets
	http     net.Listener
}

// Open takes a folder up where its journal left it and listens on both ports.
// Run serves them and closes what Open opened.
func Open(c Config) (*Sim, error) {
	if c.SettleEvery <= 0 || c.StatementEvery <= 0 {
		return nil, errors.New("settle-every and statement-every are longer than nothing")
	}
	j, err := journal.Open(c.DataDir)
	if err != nil {
		return nil, err
	}
	s, err := open(c, j)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return s, nil
}

func open(c Config, j *journal.Journal) (*Sim, error) {
	s := &Sim{world: world.New(j)}
	var err error
	if s.secrets, err = keepSecrets(c.DataDir); err != nil {
		return nil, err
	}
	if s.bank, err = bank.New(s.world, filepath.Join(c.DataDir, "bank")); err != nil {
		return nil, err
	}
	s.acquirer = acquirer.New(s.world, world.Acquirer, s.bank)
	s.acquirer.Secrets, s.acquirer.SettleEvery = s.secrets.Acquirer, c.SettleEvery
	s.acquirer.Connector.Token, s.acquirer.Connector.Key, s.acquirer.Connector.EventsTo = s.secrets.derived("card connector"), s.secrets.events(), c.CardEventsTo
	s.second = acquirer.New(s.world, world.Acquirer2, s.bank)
	s.second.Secrets, s.second.SettleEvery = s.secrets.Acquirer2, c.SettleEvery
	s.second.Connector.Token, s.second.Connector.Key = s.secrets.derived("second card connector"), s.secrets.events()
	s.bank.StatementEvery, s.bank.Asked, s.bank.EventsTo = c.StatementEvery, c.Bank == "berlin", c.EventsTo
	s.wallet = wallet.New(s.world, s.bank)
	s.wallet.Secrets, s.wallet.SettleEvery = s.secrets.Wallet, c.SettleEvery
	s.wallet.Connector.Token, s.wallet.Connector.Key, s.wallet.Connector.EventsTo = s.secrets.derived("wallet connector"), s.secrets.events(), c.WalletEventsTo
	s.messages = messages.New(s.world)
	s.messages.Secrets, s.messages.SettleEvery, s.messages.MailAddr = s.secrets.Messages, time.Hour, c.MailAddr
	s.messages.Connector.Secrets, s.messages.Connector.EventsTo = s.secrets.door("notify"), c.EventsTo
	s.crm = crm.New(s.world)
	s.crm.Secrets = s.secrets.CRM
	s.crm.Connector.Secrets, s.crm.Connector.EventsTo = s.secrets.door("crm"), c.EventsTo
	s.insurer = insurer.New(s.world, s.bank)
	s.insurer.Secrets = s.secrets.Insurer
	client, err := public(s.secrets.Client.key())
	if err != nil {
		return nil, err
	}
	s.bank.Secrets = bank.Secrets{
		Host: s.secrets.Host.key(), Wrong: s.secrets.Wrong.key(), Client: client, User: "hub",
		BerlinToken: s.secrets.derived("berlin"), ConnectorToken: s.secrets.derived("connector"), Events: s.secrets.events(),
	}
	if err := j.Load(); err != nil {
		return nil, err
	}
	s.world.Start()
	if s.http, err = net.Listen("tcp", c.Addr); err != nil {
		return nil, err
	}
	if err := s.messages.Listen(); err != nil {
		return nil, errors.Join(err, s.http.Close())
	}
	if err := s.listenSFTP(c); err != nil {
		return nil, errors.Join(err, s.http.Close(), s.messages.Close())
	}
	return s, nil
}

// listenSFTP listens where it did before when any port would do, so that a
// client finds the bank again after a restart.
func (s *Sim) listenSFTP(c Config) error {
	path := filepath.Join(c.DataDir, "sftp-addr.json")
	var before string
	if b, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(b, &before) // an unreadable note is as good as none
	}
	host, anyPort := strings.CutSuffix(c.SFTPAddr, ":0")
	if s.bank.Secrets.Address = c.SFTPAddr; anyPort && strings.HasPrefix(before, host+":") {
		s.bank.Secrets.Address = before
	}
	err := s.bank.Listen()
	if err != nil && s.bank.Secrets.Address != c.SFTPAddr {
		s.bank.Secrets.Address = c.SFTPAddr
		err = s.bank.Listen()
	}
	if err != nil {
		return err
	}
	return keep(path, s.bank.Addr())
}

// URL is where the HTTP side answers.
func (s *Sim) URL() string { return "http://" + s.http.Addr().String() }

// Run serves until the context ends or a partner fails.
func (s *Sim) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	s.world.Routes(mux)
	s.acquirer.Routes(mux)
	s.second.Routes(mux)
	s.bank.Routes(mux)
	s.wallet.Routes(mux)
	s.messages.Routes(mux)
	s.crm.Routes(mux)
	s.insurer.URL = s.URL()
	s.insurer.Routes(mux)
	mux.HandleFunc("GET /config", s.config)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	slog.Info("hubsim listens", "http", s.URL(), "sftp", s.bank.Addr())

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.acquirer.Run(ctx) })
	g.Go(func() error { return s.second.Run(ctx) })
	g.Go(func() error { return s.bank.Run(ctx) })
	g.Go(func() error { return s.wallet.Run(ctx) })
	g.Go(func() error { s.wallet.Connector.Run(ctx); return nil })
	g.Go(func() error { return s.messages.Run(ctx) })
	g.Go(func() error { return s.insurer.Run(ctx) })
	g.Go(func() error { return s.messages.Serve(ctx) })
	g.Go(func() error {
		if err := server.Serve(s.http); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			return server.Close() // somebody is being answered slowly on purpose
		}
		return nil
	})
	return errors.Join(g.Wait(), s.world.Journal.Close())
}

// config answers what a client of the partners must know, secrets included:
// they are a demonstration's.
func (s *Sim) config(rw http.ResponseWriter, r *http.Request) {
	host, err := public(s.secrets.Host.key())
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.keys", err.Error())
		return
	}
	key, err := s.secrets.clientPEM()
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.keys", err.Error())
		return
	}
	w := s.secrets.Wallet
	account := func(rib, name string) map[string]string { return map[string]string{"rib": rib, "name": name} }
	world.Answer(rw, http.StatusOK, map[string]any{
		"acquirer":  s.shop(world.Acquirer, s.acquirer, bank.AcquirerRIB),
		"acquirers": []any{s.shop(world.Acquirer2, s.second, bank.Acquirer2RIB)},
		"wallet": map[string]string{
			"base_url": s.URL() + "/wallet/mm", "merchant": w.Merchant, "client_id": w.ClientID, "api_key": w.APIKey,
			"token_url": s.URL() + "/wallet/token", "token_id": w.TokenID, "token_secret": w.TokenSecret,
			"callback_key": w.CallbackKey, "fee_percent": wallet.FeePercent.String(), "settles_from": bank.WalletRIB,
			"connector_url": s.URL() + wallet.Base, "connector_token": s.wallet.Connector.Token,
		},
		"notify": s.notify(),
		"crm": map[string]any{"hubspot": map[string]string{
			"base_url": s.URL() + "/hubspot", "token": s.secrets.CRM.Token, "subscription": crm.Subscription, "transfer": "demonstration",
		}, "connector": map[string]string{"url": s.URL() + s.crm.Connector.Base(), "token": s.crm.Connector.Token}},
		"insurance": map[string]any{"openinsurance": map[string]any{
			"base_url": s.URL() + insurer.Base + "/insurance/v1", "api_key": s.secrets.Insurer.APIKey, "webhook_keys": []string{s.insurer.PublicKey()}, "observations": true,
			"account": account(bank.InsurerRIB, bank.InsurerName), "connector": s.URL() + insurer.Base,
		}},
		"bank": s.bankConfig(account, host, key),
	})
}

// bankConfig is what the bank gives its client: how to reach it over SFTP, and
// over NextGenPSD2 when that door stands open; and what a second client needs who
// comes by the connector.
func (s *Sim) bankConfig(account func(rib, name string) map[string]string, host ssh.PublicKey, key string) map[string]any {
	c := map[string]any{
		"sftp_addr": s.bank.Addr(), "host_key": strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))),
		"user": "hub", "private_key": key, "bic": bank.BIC,
		"safeguard":   account(bank.SafeguardRIB, bank.SafeguardName),
		"operating":   account(bank.OperatingRIB, bank.OperatingName),
		"settlements": []string{"PMNT/MCRD/POSP"}, "mt940": "slashes",
		"dirs":      map[string]string{"in": "/in", "out": "/out", "ack": "/ack", "archive": "/archive"},
		"connector": map[string]string{"url": s.URL(), "token": s.bank.Secrets.ConnectorToken, "account": bank.ConnectorRIB, "operating": bank.Connector2RIB},
	}
	if s.bank.Asked {
		var accounts []map[string]string
		for resource, rib := range bank.Resources {
			accounts = append(accounts, map[string]string{"rib": rib, "resource": resource})
		}
		c["berlin"] = map[string]any{
			"base_url": s.URL() + "/berlin", "token": s.bank.Secrets.BerlinToken, "address": "127.0.0.1", "consent": bank.Consent,
			"accounts": accounts, "since": "2020-01-01", "repeats": "24h", "lists": true,
		}
	}
	return c
}

// shop is what an acquirer gives a shop.
func (s *Sim) shop(name string, of *acquirer.Acquirer, rib string) map[string]string {
	a := of.Secrets
	return map[string]string{
		"name": name, "client_id": a.ClientID, "store_key": a.StoreKey, "api_user": a.APIUser, "api_password": a.APIPassword,
		"gate_url": s.URL() + "/" + name + "/fim/est3Dgate", "api_url": s.URL() + "/" + name + "/fim/api",
		"fee_percent": acquirer.FeePercent.String(), "settles_from": rib,
		"connector_url": s.URL() + of.Base(), "connector_token": of.Connector.Token,
	}
}

// notify is how messages are handed in.
func (s *Sim) notify() map[string]any {
	k := s.secrets.Messages
	return map[string]any{
		"box_key": k.BoxKey, "ways": []string{"sms", "whatsapp", "email"}, // a template's name says little on the page
		"connector": map[string]string{"url": s.URL() + s.messages.Connector.Base(), "token": s.messages.Connector.Token},
		"whatsapp": map[string]any{
			"base_url": s.URL() + "/whatsapp/v1", "phone_id": "100000000000001", "token": k.APIKey, "app_secret": k.ReportKey, "verify_token": k.BoxKey,
		},
		"sms": map[string]any{
			"url": s.URL() + "/sms/messages", "from": "TIWIZA", "headers": map[string]string{"Authorization": "Bearer " + k.APIKey},
			"body":    map[string]string{"to": "{to}", "from": "{from}", "text": "{text}", "ref": "{ref}", "validity": "{seconds}", "report": "{report}"},
			"taken":   map[string]any{"at": "/status", "values": []string{"accepted"}},
			"refused": map[string]any{"status": []int{422}, "at": "/error/code", "values": []string{"invalid_number"}},
			"id":      "/id",
			"reports": map[string]any{
				"key": k.ReportKey, "ref": "/ref", "id": "/id", "state": "/status", "delivered": []string{"delivered"}, "failed": []string{"undeliverable"},
			},
		},
		"email": map[string]any{"addr": s.messages.Mail(), "from": "Tiwiza <bonjour@tiwiza.example>", "plain": true},
	}
}
