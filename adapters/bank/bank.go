// Package bank sends transfers to a bank as files, and reads what the bank
// says happened. Only a statement proves that money moved.
package bank

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Errors of batches and of files.
var (
	ErrInvalid    = fault.New(fault.Invalid, "bank.invalid", "The transfers cannot be sent to the bank.")
	ErrUnreadable = fault.New(fault.Invalid, "bank.file_unreadable", "The bank's file cannot be read.")
	ErrUnbalanced = fault.New(fault.Invalid, "bank.statement_unbalanced", "The statement's entries do not lead from its opening to its closing balance.")
	ErrRIB        = fault.New(fault.Invalid, "bank.rib", "A RIB is 24 digits with a key that fits.")
)

// Account is an account at a Moroccan bank.
type Account struct{ RIB, Name, BIC string }

// Transfer is an order to pay someone. Ref is ours, never used before, at
// most 35 signs; every answer of the bank names it.
type Transfer struct {
	Ref    string
	Amount money.Money
	To     Account
	Info   string // for the receiver's statement
}

// Batch is one file's worth of transfers from one account. ID is never used
// before and at most 35 signs.
type Batch struct {
	ID        string
	Created   time.Time
	Execute   time.Time // the day the bank shall act
	From      Account
	Transfers []Transfer
}

// File is a batch as the bank takes it. Only the same bytes are ever sent
// again, under the same name.
type File struct {
	Name   string
	Bytes  []byte
	SHA256 string // hex
}

// Received is a file that the bank put out.
type Received struct {
	Dir    string // the folder it stands in
	Name   string
	Bytes  []byte
	SHA256 string // hex
}

// A Standing is how far the bank says a transfer has come.
type Standing string

// The standings. Only a statement proves that money moved: Settled is a word,
// not a proof.
const (
	Taken    Standing = "received"
	Pending  Standing = "pending"
	Accepted Standing = "accepted"
	Partial  Standing = "partial" // of a group: see its items
	Settled  Standing = "settled"
	Rejected Standing = "rejected"
	// Again: refused because the bank has it already. It says nothing against
	// the first one, which may have been paid.
	Again Standing = "again"
)

// Report is a bank's answer to a batch.
type Report struct {
	ID         string // the bank's own name of the report
	OriginalID string // our batch
	Group      Standing
	Reason     string
	Text       string
	// Final: a refusal of the whole is final whatever its reason, because the bank
	// speaks of the order itself, not of a second copy of it.
	Final bool
	Items []Item
}

// Item is the bank's word on one transfer.
type Item struct {
	Ref          string
	Standing     Standing
	Reason, Text string
	Final        bool // a refusal is final whatever its reason
}

// Of is the bank's word on a transfer of the batch: its own item, else the
// group's. Partial without an item of its own says nothing, so Pending.
func (r Report) Of(ref string) Item {
	for _, i := range r.Items {
		if i.Ref == ref {
			return i
		}
	}
	if r.Group == Partial || r.Group == "" {
		return Item{Ref: ref, Standing: Pending}
	}
	return Item{Ref: ref, Standing: r.Group, Reason: r.Reason, Text: r.Text, Final: r.Final}
}

// Message is what a bank's file holds: a report, or statements.
type Message struct {
	ID         string
	Report     *Report
	Statements []Statement
}

// Driver speaks one bank's file protocol. It does no retrying, logging or
// metering: Bank does. Render and Read are pure.
type Driver interface {
	// Render makes the file of a batch that Bank found valid; the same batch
	// always makes the same bytes.
	Render(Batch) (File, error)
	// Publish puts a file before the bank: Accepted once the whole file stands
	// under its final name. Publishing it again is harmless.
	Publish(ctx context.Context, f File) outbound.Result
	// Find asks whether the bank has a file: Accepted, NotFound or Unknown.
	Find(ctx context.Context, f File) outbound.Result
	// Waiting fetches what the bank put out, whole files only, oldest first.
	Waiting(ctx context.Context) ([]Received, error)
	// Archive sets a processed file aside; doing it again is harmless.
	Archive(ctx context.Context, r Received) error
	// Read understands a file: ErrUnreadable.
	Read(r Received) (Message, error)
}

// A Reader understands one format of statements. It is pure.
type Reader interface {
	// Reads says whether a file looks like the format, by its first bytes.
	Reads(r Received) bool
	// Read understands such a file: ErrUnreadable, with the place.
	Read(r Received) (Message, error)
}
