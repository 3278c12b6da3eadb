// Package bank plays the shop's bank: two accounts, credit transfers that come
// in as pain.001 files over SFTP, pain.002 answers, and camt.053 statements
// that add up. It shares no code with the hub that it tests.
package bank

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The bank and the accounts of the demonstration. Bank code 999 belongs to no bank.
const (
	BIC           = "EXMPMAMC"
	SafeguardRIB  = "999780000000000000010193"
	SafeguardName = "EXEMPLE HUB COMPTE DE CANTONNEMENT"
	OperatingRIB  = "999780000000000000020281"
	OperatingName = "EXEMPLE HUB COMPTE D'EXPLOITATION"
	AcquirerRIB   = "999780000000000000040457" // settlements of cards come from it
	AcquirerName  = "EXEMPLE MONETIQUE"
	Acquirer2RIB  = "999780000000000000060633" // the second acquirer's
	Acquirer2Name = "EXEMPLE PAIEMENT"
	WalletRIB     = "999780000000000000050545" // and those of wallets from this one
	WalletName    = "EXEMPLE PORTEFEUILLES"
	InsurerRIB    = "999780000000000000070721" // what the insurer pays comes from it
	InsurerName   = "EXEMPLE ASSURANCE"
	ConnectorRIB  = "999780000000000000090994" // a second client's, who comes by the connector
	Connector2RIB = "999780000000000000080809"
)

// The folders that the bank shows to its client.
var folders = []string{"in", "out", "ack", "archive"}

// opening is what an account holds at the very start, in centimes.
var opening = map[string]int64{SafeguardRIB: 0, OperatingRIB: 100_000_00, ConnectorRIB: 1_000_000_00, Connector2RIB: 100_000_00}

// Secrets are the keys of the SFTP server and of its one client.
type Secrets struct {
	Host    ed25519.PrivateKey // what the server proves itself with
	Wrong   ed25519.PrivateKey // what it shows by the fault bad_signature
	Client  ssh.PublicKey      // who may come in
	User    string
	Address string // where to listen

	BerlinToken    string             // what a client signs in to the API with
	ConnectorToken string             // and to the connector
	Events         ed25519.PrivateKey // what the connector signs its events with
}

// An account is what the bank keeps of one: booked is all that happened,
// stated is what statements have told.
type account struct {
	Booked int64 `json:"booked"`
	Stated int64 `json:"stated"`
	Seq    int64 `json:"seq"`
}

// Bank is the stand-in. Make it with New before the journal is loaded, Listen,
// then Run.
type Bank struct {
	Secrets        Secrets
	StatementEvery time.Duration
	Asked          bool   // its client asks over NextGenPSD2; no statements are put out
	EventsTo       string // where the connector's events go, if anywhere

	world    *world.World
	dir      string
	root     *os.Root
	accounts *journal.Table[account]
	messages *journal.Table[received]
	refs     *journal.Table[time.Time]
	unstated *journal.Table[entry]
	outbox   *journal.Table[outgoing]
	returns  *journal.Table[entry]
	late     *journal.Table[received]
	orders   *journal.Table[bulkOrder]
	batches  *journal.Table[batch]
	mail     *journal.Table[message1]
	files    *journal.Table[file]

	work     sync.Mutex // one file comes in at a time
	putting  sync.Mutex // one goes out at a time
	kick     chan struct{}
	news     chan string // a message of the connector that waits
	listener net.Listener
}

// New makes a bank that keeps its folders under a directory.
func New(w *world.World, dir string) (*Bank, error) {
	b := &Bank{
		StatementEvery: 2 * time.Second,
		world:          w,
		dir:            dir,
		accounts:       journal.NewTable[account](w.Journal, "bank_accounts"),
		messages:       journal.NewTable[received](w.Journal, "bank_messages"),
		refs:           journal.NewTable[time.Time](w.Journal, "bank_refs"),
		unstated:       journal.NewTable[entry](w.Journal, "bank_unstated"),
		outbox:         journal.NewTable[outgoing](w.Journal, "bank_outbox"),
		returns:        journal.NewTable[entry](w.Journal, "bank_returns"),
		late:           journal.NewTable[received](w.Journal, "bank_late"),
		orders:         journal.NewTable[bulkOrder](w.Journal, "bank_orders"),
		batches:        journal.NewTable[batch](w.Journal, "bank_v1_batches"),
		mail:           journal.NewTable[message1](w.Journal, "bank_v1_messages"),
		files:          journal.NewTable[file](w.Journal, "bank_v1_applications"),
		kick:           make(chan struct{}, 1),
		news:           make(chan string, 1),
	}
	for _, f := range folders {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	b.root, err = os.OpenRoot(dir)
	return b, err
}

// Run serves SFTP and does the bank's work until the context ends; it returns
// when nothing of its own is running any more.
func (b *Bank) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var served sync.WaitGroup
	served.Go(func() { b.serve(ctx) })
	served.Go(func() { b.tell(ctx) })
	err := b.loop(ctx)
	cancel()
	served.Wait()
	if err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	return b.root.Close()
}

func (b *Bank) loop(ctx context.Context) error {
	tick, sweep, state := time.NewTicker(100*time.Millisecond), time.NewTicker(time.Second), time.NewTicker(b.StatementEvery)
	defer tick.Stop()
	defer sweep.Stop()
	defer state.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-b.kick:
			err = b.takeAll(0)
		case <-sweep.C:
			err = b.takeAll(time.Second)
		case <-state.C:
			err = b.State()
		case <-tick.C:
			err = b.due()
		}
		if err != nil {
			return err
		}
	}
}

// due does what was put off and is due now, and puts files out.
func (b *Bank) due() error {
	if err := b.processLate(); err != nil {
		return err
	}
	if err := b.returnDue(); err != nil {
		return err
	}
	return b.publish()
}

func (b *Bank) wake() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// account is an account as it stands; one never used holds its opening sum.
func (b *Bank) account(tx *journal.Tx, rib string) account {
	a, ok := b.accounts.Get(tx, rib)
	if !ok {
		a = account{Booked: opening[rib], Stated: opening[rib]}
	}
	return a
}

// Covers says whether the safeguard account can bear a net amount.
func (b *Bank) Covers(tx *journal.Tx, centimes int64) bool {
	return b.account(tx, SafeguardRIB).Booked+centimes >= 0
}

// Settle books a settlement of the acquirer on the safeguard account, as one
// sum. By the fault statement_net_of_fee its statement will hide the fees.
func (b *Bank) Settle(tx *journal.Tx, n world.Net) {
	e := entry{
		Account: SafeguardRIB, Amount: n.Amount(), Kind: world.Settlement, EndToEnd: n.ID, Lines: n.Lines,
		NetOnly: b.world.Take(tx, world.Bank, "statement_net_of_fee") != "",
	}
	b.book(tx, e)
	b.did(tx, n.ID, world.Credit, n.Amount())
}

func (b *Bank) did(tx *journal.Tx, ref, kind string, centimes int64) {
	b.world.Did(tx, world.Executed{
		Partner: world.Bank, Ref: ref, Kind: kind, Amount: money.Dirhams(centimes), At: b.world.Now(),
	})
	slog.Info("bank executed", "kind", kind, "ref", ref, "amount", money.Dirhams(centimes).String())
}
