package bank

import (
	"context"
	"fmt"
	"regexp"

	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Bank is the portable type the hub pays with: it checks what goes out and
// what comes in, and carries each call in the lane of files.
type Bank struct {
	id          string
	d           Driver
	readers     []Reader
	file, query *outbound.Lane
}

// Options tune a bank; the zero value is the defaults.
type Options struct {
	File, Query outbound.Settings
	Metrics     *outbound.Metrics
	// Readers are the formats that the bank's files, or those who hand them in,
	// have besides the driver's own.
	Readers []Reader
}

// probe is a file that was never sent: asking for it moves nothing.
var probe = File{Name: "HUB-PROBE.xml"}

// New makes a bank of a driver; id names it in figures and in the books.
func New(id string, d Driver, o Options) *Bank {
	if o.Metrics == nil {
		o.Metrics = outbound.NewMetrics(nil)
	}
	query := outbound.Defaults(outbound.File) // fetching files takes longer than asking
	query.Rate, query.Burst = 50, 50
	b := &Bank{id: id, d: d, readers: o.Readers, query: outbound.NewLane(id, outbound.Query, o.Query.Or(query), o.Metrics)}
	b.file = outbound.NewLane(id, outbound.File, o.File, o.Metrics).WithProbe(func(ctx context.Context) outbound.Result {
		return d.Find(ctx, probe)
	})
	return b
}

// ID names the bank.
func (b *Bank) ID() string { return b.id }

// Lanes are the states of the bank's lanes.
func (b *Bank) Lanes() []outbound.LaneState {
	return []outbound.LaneState{b.file.State(), b.query.State()}
}

var refShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)

// Render makes the file of a batch; nothing is sent. What the bank could not
// take is ErrInvalid, with each wrong place.
func (b *Bank) Render(batch Batch) (File, error) {
	if err := check(batch); err != nil {
		return File{}, err
	}
	return b.d.Render(batch)
}

func check(b Batch) error {
	bad := ErrInvalid
	wrong := func(at, why string) { bad = bad.At(at, why) }
	if !refShape.MatchString(b.ID) {
		wrong("/id", "Use 1 to 35 letters, digits, - and _, beginning with a letter or a digit.")
	}
	if b.Created.IsZero() || b.Execute.IsZero() {
		wrong("/execute", "Give the moment of the batch and the day to act.")
	}
	account(b.From, "/from", wrong)
	if len(b.Transfers) == 0 || len(b.Transfers) > 10_000 {
		wrong("/transfers", "Give 1 to 10,000 transfers.")
	}
	seen := map[string]bool{}
	for i, t := range b.Transfers {
		at := fmt.Sprintf("/transfers/%d", i)
		if !refShape.MatchString(t.Ref) {
			wrong(at+"/ref", "Use 1 to 35 letters, digits, - and _, beginning with a letter or a digit.")
		}
		if seen[t.Ref] {
			wrong(at+"/ref", "Use each reference once.")
		}
		seen[t.Ref] = true
		if t.Amount.Currency() != money.MAD || t.Amount.Sign() <= 0 {
			wrong(at+"/amount", "Pay more than nothing, in MAD.")
		}
		account(t.To, at+"/to", wrong)
		if len(t.Info) > 1000 {
			wrong(at+"/info", "Write at most 1,000 bytes; the bank carries 140 signs.")
		}
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

var bicShape = regexp.MustCompile(`^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$`)

func account(a Account, at string, wrong func(at, why string)) {
	if CheckRIB(a.RIB) != nil {
		wrong(at+"/rib", "Give a RIB of 24 digits whose key fits.")
	}
	if latin.Keep(a.Name, "", 70) == "" || len(a.Name) > 400 {
		wrong(at+"/name", "Give a name that can be written in Latin letters.")
	}
	if a.BIC != "" && !bicShape.MatchString(a.BIC) {
		wrong(at+"/bic", "A BIC has 8 or 11 signs.")
	}
}

// Publish puts a file before the bank. Accepted says that the bank has it,
// not that it paid.
func (b *Bank) Publish(ctx context.Context, f File) outbound.Result {
	return b.file.Do(ctx, "bank.publish", func(ctx context.Context) outbound.Result { return b.d.Publish(ctx, f) })
}

// Find asks whether the bank has a file.
func (b *Bank) Find(ctx context.Context, f File) outbound.Result {
	return b.query.Do(ctx, "bank.find", func(ctx context.Context) outbound.Result { return b.d.Find(ctx, f) })
}

// Waiting fetches what the bank put out.
func (b *Bank) Waiting(ctx context.Context) ([]Received, error) {
	var files []Received
	err := b.ask(ctx, "bank.waiting", func(ctx context.Context) (err error) {
		files, err = b.d.Waiting(ctx)
		return err
	})
	return files, err
}

// Archive sets a processed file aside.
func (b *Bank) Archive(ctx context.Context, r Received) error {
	return b.ask(ctx, "bank.archive", func(ctx context.Context) error { return b.d.Archive(ctx, r) })
}

// Read understands a file: ErrUnreadable. A statement that does not balance
// comes with ErrUnbalanced, for a person to look at.
func (b *Bank) Read(r Received) (Message, error) {
	read := b.d.Read
	for _, f := range b.readers {
		if f.Reads(r) {
			read = f.Read
			break
		}
	}
	m, err := read(r)
	for i := 0; err == nil && i < len(m.Statements); i++ {
		err = m.Statements[i].Check()
	}
	return m, err
}

// ask carries a call that moves nothing and answers with an error.
func (b *Bank) ask(ctx context.Context, op string, call func(context.Context) error) error {
	r := b.query.Do(ctx, op, func(ctx context.Context) outbound.Result {
		if err := call(ctx); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.ReasonOf(err), Err: err}
		}
		return outbound.Result{Outcome: outbound.Succeeded}
	})
	switch {
	case r.Outcome == outbound.Succeeded:
		return nil
	case r.Err != nil:
		return fmt.Errorf("%s at %s: %w", op, b.id, r.Err)
	}
	return fmt.Errorf("%s at %s: %s", op, b.id, r.Text)
}
