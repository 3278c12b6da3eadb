package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// received is a file that the bank took from /in.
type received struct {
	Name     string    `json:"name"`
	SHA256   string    `json:"sha256"`
	At       time.Time `json:"at"`
	Fault    string    `json:"fault,omitempty"`
	Archived bool      `json:"archived,omitempty"`
	Body     string    `json:"body,omitempty"` // kept only while it waits to be executed late
	Due      time.Time `json:"due,omitzero"`
}

// Faults that a rename into /in plays on the connection, and those that the
// answer to a file plays; first come first, one a file.
var (
	renameFaults = []string{"drop_request", "execute_then_drop", "execute_then_500", "callback_before_answer"}
	fileFaults   = []string{
		"execute_then_garbage", "execute_late", "callback_missing", "callbacks_shuffled", "answer_twice", "replayed_callback",
		"not_found_then_visible", "same_ref_other_amount", "paid_then_returned", "contradicts_itself",
	}
)

const (
	lateness   = time.Minute        // execute_late
	hideFor    = 10 * time.Minute   // not_found_then_visible
	returnTerm = 3 * 24 * time.Hour // paid_then_returned
	keyLife    = 24 * time.Hour     // key_expires
)

// wanted says whether the bank takes a file of this name.
func wanted(name string) bool {
	return strings.HasSuffix(name, ".xml") && !strings.HasPrefix(name, ".")
}

// takeAll takes what stands in /in and was not changed for a while.
func (b *Bank) takeAll(rest time.Duration) error {
	b.work.Lock()
	defer b.work.Unlock()
	files, err := fs.ReadDir(b.root.FS(), "in")
	if err != nil {
		return err
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || !wanted(f.Name()) || time.Since(info.ModTime()) < rest {
			continue // it went away, is none of ours, or is still being written
		}
		if err := b.take(f.Name(), ""); err != nil {
			return err
		}
	}
	return nil
}

// take executes one file of /in and moves it to /archive. The caller holds
// b.work. A fault given is one that the connection has begun to play.
func (b *Bank) take(name, fault string) error {
	body, err := b.readIn(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(body))
	r := received{Name: name, SHA256: hex.EncodeToString(sum[:]), At: b.world.Now(), Fault: fault}
	vanish := false
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		if was, ok := b.messages.Get(tx, name); ok && was.SHA256 == r.SHA256 && !was.Archived {
			return nil // executed before the process died; only the move is left
		}
		if r.Fault == "" {
			r.Fault = b.world.Take(tx, world.Bank, append(renameFaults[:3:3], fileFaults...)...)
		}
		if vanish = r.Fault == "drop_request"; vanish {
			return nil
		}
		b.messages.Put(tx, name, r)
		if r.Fault == "execute_late" {
			r.Body, r.Due = body, r.At.Add(lateness)
			b.late.Put(tx, name+" "+r.SHA256, r)
			return nil
		}
		b.process(tx, r, body)
		return nil
	})
	if err != nil {
		return err
	}
	if vanish {
		return b.root.Remove("in/" + name)
	}
	return b.archive(name)
}

func (b *Bank) readIn(name string) (string, error) {
	f, err := b.root.Open("in/" + name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return string(body), err
}

// archive moves a file that was executed out of /in, under its own name unless
// that is taken.
func (b *Bank) archive(name string) error {
	to := "archive/" + name
	for n := 2; ; n++ {
		err := b.root.Link("in/"+name, to)
		if err == nil || errors.Is(err, fs.ErrNotExist) { // gone: the client took it away
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("archive %s: %w", name, err)
		}
		to = fmt.Sprintf("archive/%s.%d", name, n)
	}
	if err := b.root.Remove("in/" + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	return b.world.Journal.Update(func(tx *journal.Tx) error {
		r, _ := b.messages.Get(tx, name)
		r.Archived = true
		b.messages.Put(tx, name, r)
		return nil
	})
}

// processLate executes the files whose time has come by the fault execute_late.
func (b *Bank) processLate() error {
	now := b.world.Now()
	return b.world.Journal.Update(func(tx *journal.Tx) error {
		for _, key := range b.late.Keys(tx) {
			r, _ := b.late.Get(tx, key)
			if r.Due.After(now) {
				continue
			}
			b.late.Delete(tx, key)
			b.process(tx, r, r.Body)
		}
		return nil
	})
}

// process reads a file, executes its good transfers and answers it.
func (b *Bank) process(tx *journal.Tx, r received, body string) {
	a := report{At: b.world.Now(), AllWrong: r.Fault == "contradicts_itself"}
	var err error
	if len(body) > maxFile {
		err = fmt.Errorf("the file is larger than %d MB", maxFile>>20)
	} else {
		a.In, err = readInstruction([]byte(body))
	}
	switch {
	case err != nil:
		a.Reason, a.Why = "FF01", err.Error()
	case b.used(tx, "msg "+a.In.MsgID):
		a.Reason, a.Why = "AM05", "MsgId deja recu"
	default:
		b.refs.Put(tx, "msg "+a.In.MsgID, a.At)
		for i := range a.In.Payments {
			b.pay(tx, r, a.In.MsgID, &a.In.Payments[i])
		}
	}
	slog.Info("bank took a file", "name", r.Name, "msg_id", a.In.MsgID, "reason", a.Reason, "fault", r.Fault)
	b.answer(tx, r, a)
}

// used says whether a MsgId or EndToEndId was taken before. By the fault
// key_expires the bank forgets what is older than a day.
func (b *Bank) used(tx *journal.Tx, key string) bool {
	at, ok := b.refs.Get(tx, key)
	if ok && b.world.Now().Sub(at) > keyLife && b.world.Take(tx, world.Bank, "key_expires") != "" {
		return false
	}
	return ok
}

// pay checks and executes the transfers of one debtor account.
func (b *Bank) pay(tx *journal.Tx, r received, msgID string, p *payment) {
	debtor, ok := RIBOf(p.Debtor)
	_, ours := opening[debtor]
	for i := range p.Transfers {
		t := &p.Transfers[i]
		amount := t.Amount
		if r.Fault == "same_ref_other_amount" {
			amount = other(amount)
		}
		switch {
		case !ok || !ours:
			t.reject("AC01", "Compte debiteur inconnu")
		case t.RIB == debtor:
			t.reject("AC01", "Debiteur et beneficiaire sont le meme compte")
		}
		if t.Reason == "" && b.used(tx, "e2e "+t.EndToEnd) {
			t.reject("AM05", "EndToEndId deja utilise")
		}
		if t.Reason == "" && b.account(tx, debtor).Booked < amount {
			t.reject("AM04", "Provision insuffisante")
		}
		if t.Reason == "" {
			b.refs.Put(tx, "e2e "+t.EndToEnd, b.world.Now())
			b.execute(tx, r, debtor, amount, entry{EndToEnd: t.EndToEnd, InstrID: t.InstrID, MsgID: msgID, PmtInfID: p.ID, Name: t.Name, RIB: t.RIB, Text: t.Text})
		}
	}
}

// other is the amount executed by the fault same_ref_other_amount: a dirham
// less, or a centime less of a small sum.
func other(centimes int64) int64 {
	switch {
	case centimes > 100:
		return centimes - 100
	case centimes > 1:
		return centimes - 1
	}
	return centimes
}

// execute moves the money of one transfer; e says what the statement will show.
func (b *Bank) execute(tx *journal.Tx, r received, debtor string, amount int64, e entry) {
	e.Account, e.Amount, e.Kind = debtor, -amount, world.Payout
	if r.Fault == "not_found_then_visible" {
		e.VisibleAt = b.world.Now().Add(hideFor)
	}
	switch {
	case e.RIB == OperatingRIB:
		e.Kind = world.Sweep
	case e.RIB == SafeguardRIB:
		e.Kind = world.TopUp
	case strings.HasPrefix(strings.ToUpper(e.EndToEnd), "RFD"):
		e.Kind = world.Refund
	}
	b.book(tx, e)
	b.did(tx, e.EndToEnd, e.Kind, amount)
	if e.Kind == world.Sweep || e.Kind == world.TopUp {
		in := e
		in.Account, in.Amount, in.RIB = e.RIB, amount, debtor
		b.book(tx, in)
		return
	}
	if r.Fault == "paid_then_returned" || closing(e.RIB) {
		back := e
		back.Amount, back.Returned, back.VisibleAt = amount, true, b.world.Now().Add(returnTerm)
		b.returns.Put(tx, e.EndToEnd, back)
	}
}

// returnDue brings back the payments that the fault paid_then_returned, or an
// account that is being closed, sent into the void three days ago.
func (b *Bank) returnDue() error {
	now := b.world.Now()
	return b.world.Journal.Update(func(tx *journal.Tx) error {
		for _, e := range b.returns.All(tx) {
			if e.VisibleAt.After(now) {
				continue
			}
			b.returns.Delete(tx, e.EndToEnd)
			b.book(tx, e)
			b.did(tx, e.EndToEnd, world.Credit, e.Amount)
		}
		return nil
	})
}
