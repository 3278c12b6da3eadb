// Package paperbank is a bank on paper, for tests of the payments packages: files
// go into its tray, and it says what the test puts in its mouth.
package paperbank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
)

// Bank is a bank.Driver.
type Bank struct {
	mu sync.Mutex
	// Answer is what the next publishing is answered; Accepted when empty. A file
	// answered Unknown is taken in all the same if Takes.
	Answer outbound.Outcome
	Takes  bool
	files  []bank.File
	out    []bank.Received
}

// RIB is the number of an account, whose key fits.
func RIB(n int) string {
	body := fmt.Sprintf("0117800000%012d", n)
	rest := 0
	for _, c := range body + "00" {
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("%s%02d", body, 97-rest)
}

// Files are the files the bank has taken in.
func (b *Bank) Files() []bank.File {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]bank.File(nil), b.files...)
}

// Say sets how the next files are answered.
func (b *Bank) Say(o outbound.Outcome, takes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Answer, b.Takes = o, takes
}

// Put has the bank put a message out.
func (b *Bank) Put(name string, m bank.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out = append(b.out, Received(name, m))
}

// written holds what each file says, by its bytes' hash.
var written sync.Map

// Received is a message as a file of the bank: the same message makes the same
// bytes.
func Received(name string, m bank.Message) bank.Received {
	body := fmt.Appendf(nil, "%+v", m)
	if m.Report != nil {
		body = fmt.Appendf(body, "%+v", *m.Report)
	}
	written.Store(sum(body), m)
	return bank.Received{Name: name, Bytes: body, SHA256: sum(body)}
}

// Batch reads a file that Render made.
func Batch(f bank.File) (b bank.Batch) {
	if err := json.Unmarshal(f.Bytes, &b); err != nil {
		panic(err) // Render made it
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Render makes a file.
func (b *Bank) Render(batch bank.Batch) (bank.File, error) {
	body, err := json.Marshal(batch)
	return bank.File{Name: "PAIN001_" + batch.ID + ".xml", Bytes: body, SHA256: sum(body)}, err
}

// Publish takes a file in, or not, as Say said.
func (b *Bank) Publish(_ context.Context, f bank.File) outbound.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.Answer
	if o == "" {
		o = outbound.Accepted
	}
	if o == outbound.Accepted || b.Takes {
		b.files = append(b.files, f)
	}
	return outbound.Result{Outcome: o}
}

// Find looks for a file.
func (b *Bank) Find(_ context.Context, f bank.File) outbound.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, have := range b.files {
		if have.SHA256 == f.SHA256 {
			return outbound.Result{Outcome: outbound.Accepted}
		}
	}
	return outbound.Result{Outcome: outbound.NotFound}
}

// Waiting is what the bank put out.
func (b *Bank) Waiting(context.Context) ([]bank.Received, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]bank.Received(nil), b.out...), nil
}

// Archive sets a file aside.
func (b *Bank) Archive(_ context.Context, r bank.Received) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.out {
		if o.Name == r.Name {
			b.out = append(b.out[:i], b.out[i+1:]...)
			break
		}
	}
	return nil
}

// Read understands what Put put out.
func (b *Bank) Read(r bank.Received) (bank.Message, error) {
	m, ok := written.Load(r.SHA256)
	if !ok {
		return bank.Message{}, bank.ErrUnreadable
	}
	return m.(bank.Message), nil
}
