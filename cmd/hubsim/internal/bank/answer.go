package bank

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
)

// outgoing is a file that the bank will put out.
type outgoing struct {
	Key  string    `json:"key"`
	Path string    `json:"path"`
	Body string    `json:"body"`
	Due  time.Time `json:"due"`
}

func (b *Bank) put(tx *journal.Tx, path, body string, due time.Time) {
	o := outgoing{Key: fmt.Sprint(b.world.Next(tx, "outbox")), Path: path, Body: body, Due: due}
	b.outbox.Put(tx, o.Key, o)
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// answer puts the report about a file down to be published, as the fault that
// the file met wants it.
func (b *Bank) answer(tx *journal.Tx, r received, a report) {
	if r.Fault == "execute_then_drop" || r.Fault == "callback_missing" {
		return
	}
	a.ID = fmt.Sprintf("P002-%010d", b.world.Next(tx, "reports"))
	body, due := a.render(), a.At
	switch r.Fault {
	case "execute_then_garbage":
		body = body[:len(body)/2] + "\x00<!-- ??"
	case "not_found_then_visible":
		due = due.Add(hideFor)
	case "callbacks_shuffled": // the answers to later files come first
		due = due.Add(10 * time.Second)
	}
	b.putReport(tx, a, body, due)
	switch r.Fault {
	case "answer_twice":
		b.putReport(tx, a, body, due)
	case "replayed_callback":
		b.putReport(tx, a, body, due.Add(5*time.Second))
	}
}

func (b *Bank) putReport(tx *journal.Tx, a report, body string, due time.Time) {
	id := unsafeName.ReplaceAllString(or(a.In.MsgID, "NOTPROVIDED"), "-")
	n := b.world.Next(tx, "reports of "+id)
	b.put(tx, fmt.Sprintf("ack/PAIN002_%s_%d.xml", id, n), body, due)
}

// publish writes every file that is due: under a dot name first, synced, then
// renamed, so that a client never sees half of one.
func (b *Bank) publish() error {
	b.putting.Lock()
	defer b.putting.Unlock()
	var due []outgoing
	now := b.world.Now()
	b.world.Journal.View(func(tx *journal.Tx) {
		for _, o := range b.outbox.All(tx) {
			if !o.Due.After(now) {
				due = append(due, o)
			}
		}
	})
	for _, o := range due {
		if err := b.write(o); err != nil {
			return fmt.Errorf("publish %s: %w", o.Path, err)
		}
	}
	if len(due) == 0 {
		return nil
	}
	return b.world.Journal.Update(func(tx *journal.Tx) error {
		for _, o := range due {
			b.outbox.Delete(tx, o.Key)
		}
		return nil
	})
}

// write leaves a file alone that was written before the process died, even if
// the client has archived it since.
func (b *Bank) write(o outgoing) error {
	for _, path := range []string{o.Path, "archive/" + filepath.Base(o.Path)} {
		if _, err := b.root.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	temp := "." + o.Key + ".tmp"
	f, err := b.root.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.WriteString(o.Body)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return b.root.Rename(temp, o.Path)
}
