package sim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"tiwiza/cmd/hubsim/internal/acquirer"
	"tiwiza/cmd/hubsim/internal/crm"
	"tiwiza/cmd/hubsim/internal/door"
	"tiwiza/cmd/hubsim/internal/insurer"
	"tiwiza/cmd/hubsim/internal/messages"
	"tiwiza/cmd/hubsim/internal/wallet"
)

// secrets are made at the first start and kept, so that a hub may keep them too.
type secrets struct {
	Acquirer  acquirer.Secrets `json:"acquirer"`
	Acquirer2 acquirer.Secrets `json:"acquirer2"`
	Wallet    wallet.Secrets   `json:"wallet"`
	Messages  messages.Secrets `json:"messages"`
	CRM       crm.Secrets      `json:"crm"`
	Insurer   insurer.Secrets  `json:"insurer"`
	Host      seed             `json:"bank_host"`
	Wrong     seed             `json:"bank_wrong_host"`
	Client    seed             `json:"bank_client"`
}

type seed []byte

func (k seed) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k) }

func random(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic("sim: " + err.Error())
	}
	return b
}

func newSecrets() secrets {
	return secrets{
		Acquirer: newAcquirer("600009999"), Acquirer2: newAcquirer("600008888"),
		Wallet: newWallet(), Messages: newMessages(), CRM: newCRM(), Insurer: newInsurer(),
		Host: random(ed25519.SeedSize), Wrong: random(ed25519.SeedSize), Client: random(ed25519.SeedSize),
	}
}

func newAcquirer(shop string) acquirer.Secrets {
	return acquirer.Secrets{
		ClientID: shop, StoreKey: "SK" + hex.EncodeToString(random(16)), APIUser: "exemple_api",
		APIPassword: hex.EncodeToString(random(12)), PageKey: hex.EncodeToString(random(32)),
	}
}

func newWallet() wallet.Secrets {
	key := func() string { return hex.EncodeToString(random(16)) }
	return wallet.Secrets{
		Merchant: "600009999", ClientID: "exemple_hub", APIKey: key(), TokenID: "exemple_hub", TokenSecret: key(), TokenKey: key(), CallbackKey: key(),
	}
}

func newMessages() messages.Secrets {
	key := func() string { return hex.EncodeToString(random(16)) }
	return messages.Secrets{APIKey: key(), ReportKey: key(), BoxKey: key()}
}

func newCRM() crm.Secrets { return crm.Secrets{Token: "pat-" + hex.EncodeToString(random(16))} }

func newInsurer() insurer.Secrets {
	return insurer.Secrets{APIKey: "ins-" + hex.EncodeToString(random(16)), Seed: random(ed25519.SeedSize)}
}

// keepSecrets reads the secrets of a folder, or makes and writes them.
func keepSecrets(dir string) (secrets, error) {
	path := filepath.Join(dir, "secrets.json")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s := newSecrets()
		return s, keep(path, s)
	}
	if err != nil {
		return secrets{}, err
	}
	var s secrets
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	before := s
	if s.Wallet == (wallet.Secrets{}) { // the folder is older than the wallets
		s.Wallet = newWallet()
	}
	if s.Acquirer2 == (acquirer.Secrets{}) {
		s.Acquirer2 = newAcquirer("600008888")
	}
	if s.Messages == (messages.Secrets{}) {
		s.Messages = newMessages()
	}
	if s.CRM == (crm.Secrets{}) {
		s.CRM = newCRM()
	}
	if len(s.Insurer.Seed) == 0 {
		s.Insurer = newInsurer()
	}
	if s.Acquirer2 != before.Acquirer2 || s.Wallet != before.Wallet || s.Messages != before.Messages || s.CRM != before.CRM || s.Insurer.APIKey != before.Insurer.APIKey {
		return s, keep(path, s)
	}
	return s, nil
}

// keep writes a value so that it is there whole, or not at all.
func keep(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// clientPEM is the hub's private key in OpenSSH's form.
func (s secrets) clientPEM() (string, error) {
	block, err := ssh.MarshalPrivateKey(s.Client.key(), "hubsim demonstration")
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(block)), nil
}

func public(k ed25519.PrivateKey) (ssh.PublicKey, error) { return ssh.NewPublicKey(k.Public()) }

// derived is a token that follows from the kept secrets.
func (s secrets) derived(of string) string {
	sum := sha256.Sum256(append([]byte(of+"|"), s.Wrong...))
	return hex.EncodeToString(sum[:16])
}

// door are what a connector's door is opened with.
func (s secrets) door(of string) door.Secrets {
	sum := sha256.Sum256(append([]byte("door|"+of+"|"), s.Wrong...))
	return door.Secrets{Token: s.derived("door " + of), Key: ed25519.NewKeyFromSeed(sum[:])}
}

// events is the key that the connector's events are signed with.
func (s secrets) events() ed25519.PrivateKey {
	sum := sha256.Sum256(append([]byte("events|"), s.Wrong...))
	return ed25519.NewKeyFromSeed(sum[:])
}
