// Package files sends what leaves the bank: payouts, refunds, top-ups and
// sweeps share one file a run and account. A domain registers how the
// instruction of each of its kinds is made; which file carries it, when it
// leaves, and that it is never in two files, is decided here.
package files

import (
	"context"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrNotFound says that a file is not there.
var ErrNotFound = fault.New(fault.NotFound, "files.not_found", "There is no such file.")

// RefOf is what a bank knows one of our ids by (EndToEndId, MsgId): the id in
// capitals, 29 signs.
func RefOf(id string) string { return strings.ToUpper(strings.Replace(id, "_", "", 1)) }

// FileOf is the file that a bank knows by a MsgId of ours: RefOf backwards.
func FileOf(msgID string) string {
	kind, rest := strings.ToLower(msgID), ""
	if len(kind) > 3 {
		kind, rest = kind[:3], kind[3:]
	}
	return kind + "_" + rest
}

// A House is a bank with the accounts that files are paid from.
type House struct {
	Bank      *bank.Bank
	Safeguard bank.Account // our clients' money
	Operating bank.Account // our own
	Times     Timetable
	// Barred is why nothing may leave for it now; "" when it may.
	Barred string
}

// Plugged are banks that come and go while the hub runs.
type Plugged interface {
	// House is the named bank as it stands now; "" is the one that payouts leave
	// from, when that is one of these.
	House(ctx context.Context, db pg.DB, name string) (House, bool, error)
}

// Side is the account of a house that a kind is paid from.
type Side string

// The sides.
const (
	Safeguard Side = "safeguard"
	Operating Side = "operating"
)

// account is the account of a side.
func (h House) account(s Side) bank.Account {
	if s == Operating {
		return h.Operating
	}
	return h.Safeguard
}

// gather is how long the first instruction waits for others to share its file.
const gather = 2 * time.Second

// perFile bounds a file.
const perFile = 500
