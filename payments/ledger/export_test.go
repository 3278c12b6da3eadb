package ledger

import (
	"bufio"
	"io"
	"time"
)

// JournalName and JournalText are how an export writes names and texts.
var (
	JournalName = journalName
	JournalText = journalText
)

// Known is an account as postings see it.
type Known = known

// A Batch is some transfers that are decided together.
type Batch struct {
	Chart  map[string]Known
	Free   map[int64]int64
	Keys   map[string][]byte
	Closed *time.Time
	Alone  map[string]int64
	all    []*posting
}

// Add adds a transfer; twin is the place of one with the same key, or below 0.
func (b *Batch) Add(t Transfer, twin int) {
	p := prepare(t, "test")
	for _, l := range p.t.Legs {
		p.accounts = append(p.accounts, b.Chart[l.Account])
	}
	if twin >= 0 {
		p.twin = b.all[twin]
	}
	b.all = append(b.all, p)
}

// Decide says of each transfer why it is not posted, and whether it was before.
func (b *Batch) Decide(now time.Time) (errs []error, before []bool) {
	decide(b.all, sight{free: b.Free, keys: b.Keys, closed: b.Closed, alone: b.Alone}, now)
	for _, p := range b.all {
		errs, before = append(errs, p.err), append(before, p.known)
	}
	return errs, before
}

// Shares are what each person moves alone by what was decided.
func (b *Batch) Shares() map[string]int64 {
	sum := map[string]int64{}
	for _, s := range shares(b.all) {
		sum[s.person] += s.centimes
	}
	return sum
}

// Again undoes an attempt, and says what is kept of each error.
func (b *Batch) Again() (errs []error, clean bool) {
	clean = true
	for _, p := range b.all {
		p.again()
		errs = append(errs, p.err)
		clean = clean && p.twin == nil && !p.known && !p.claimed && len(p.accounts) == 0
	}
	return errs, clean
}

// A Moved is what a batch does to one balance.
type Moved struct {
	Account   int64
	Shard     int16
	Dr, Cr, N int64
}

// An Entry is one row of a batch.
type Entry struct {
	Transfer, Account, Amount int64
	Leg, Shard                int16
}

// Tally adds a decided batch up.
func (b *Batch) Tally(ids []int64, turn int) (transfers []int64, entries []Entry, cold, hot []Moved) {
	rows, c, h := tally(b.all, ids, turn)
	for i := range rows.transfers {
		entries = append(entries, Entry{rows.transfers[i], rows.accounts[i], rows.amounts[i], rows.legs[i], rows.shards[i]})
	}
	moved := func(all []*change) (out []Moved) {
		for _, m := range all {
			out = append(out, Moved{m.account, m.shard, m.dr, m.cr, m.n})
		}
		return out
	}
	return rows.ids, entries, moved(c), moved(h)
}

// Lines are a transfer's legs for people to read.
func Lines(t Transfer) string { return t.lines() }

// Code is a refusal's stable code and its sentence.
func Code(err error) (string, string, bool) { return code(err) }

// JournalTransfer writes one transfer as an export does.
func JournalTransfer(w io.Writer, t Transfer, id int64, key, actor string, recorded time.Time) error {
	row := transferRow{ID: id, Key: key, Kind: t.Kind, OrderID: t.Order, Currency: t.Currency, EffectiveAt: t.Effective, RecordedAt: recorded, Actor: actor, Note: t.Note}
	for _, l := range t.Legs {
		row.Accounts, row.Amounts = append(row.Accounts, l.Account), append(row.Amounts, l.Amount)
	}
	j := journal{bufio.NewWriter(w)}
	j.commodity(t.Currency)
	for _, a := range row.Accounts {
		j.account(a)
	}
	if err := j.transfer(row); err != nil {
		return err
	}
	return j.w.Flush()
}

// Most is what a transfer moves at most, and HandLimit what one person may on a
// day.
const (
	Most      = most
	HandLimit = handLimit
)

// By is a transfer that a person makes alone.
func By(t Transfer, person string) Transfer { return t.by(person) }

// Drains are the accounts that a transfer by hand must not take below zero.
func Drains(t Transfer) map[string]int64 { return t.drains() }

// Due says whether a transfer by hand counts from later on.
func Due(t Transfer, now time.Time) error { return t.due(now) }
