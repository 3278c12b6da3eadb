// Package bankconform says what every driver of a bank's files must do, over
// a network that fails in every way a network can.
package bankconform

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Fixture is what a driver's test gives the suite: a bank whose folders stand
// on this machine, so that the suite can play the bank's part in them.
type Fixture struct {
	Addr                  string                        // the bank's host and port
	Dial                  func(addr string) bank.Driver // a driver that reaches the bank through addr
	Intruder              func(addr string) bank.Driver // one whose key the bank does not know
	Stranger              func(addr string) bank.Driver // one that expects another bank's key
	In, Out, Ack, Archive string                        // the bank's folders, on this machine
	Report                func(batch string) []byte     // a report that accepts a batch

	// A bank that puts no files out, and is asked instead, has these; Out, Ack and
	// Report are then empty.
	Say  func(batch string, s bank.Standing) // what it says of a batch from now on
	Book func(batch string)                  // it books each transfer of the batch by itself
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	facts := maps.Clone(sends)
	if open(t).Say != nil {
		maps.Copy(facts, asked)
	} else {
		maps.Copy(facts, puts)
	}
	for name, fact := range facts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

type facts = map[string]func(*testing.T, Fixture)

var (
	// sends is how any bank is given batches.
	sends = facts{
		"a batch always makes the same file":             render,
		"a published file stands whole, once":            publish,
		"another content never takes a name that stands": taken,
		"the rest of a failed try is in nobody's way":    remains,
		"a file is found wherever the bank keeps it":     find,
		"a cut connection never leaves half a file":      cut,
		"a call without an answer ends in time":          lost,
		"a lost answer is unknown, and found":            unanswered,
		"without a connection nothing is sent":           offline,
		"keys that do not fit are a person's work":       keys,
	}
	// puts is how a bank that puts files out is heard.
	puts = facts{
		"only whole files are fetched":                    waiting,
		"a file that still grows is left alone":           growing,
		"a processed file goes to the archive, once":      archive,
		"the archive keeps two contents of one name":      collision,
		"a name that leaves its folder is never followed": escape,
	}
	// asked is how one that is asked is heard.
	asked = facts{
		"each new word on a batch is told until it is archived":     words,
		"what was booked is told once, in the same bytes till then": booked,
		"what was never told is not archived":                       untold,
		"a name that is no batch's is not sent":                     names,
	}
)

func batch(id string) bank.Batch {
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	b := bank.Batch{
		ID: id, Created: day, Execute: day.AddDate(0, 0, 2),
		From: bank.Account{RIB: "001810007800020110620318", Name: "Compte de cantonnement", BIC: "BKAMMAMR"},
	}
	for i := range 40 {
		b.Transfers = append(b.Transfers, bank.Transfer{
			Ref: id + "-" + string(rune('A'+i%26)) + string(rune('a'+i/26)), Amount: money.Dirhams(int64(100 + i)),
			To: bank.Account{RIB: "011519000001205000534921", Name: "Coopérative d’essai"}, Info: "ord_1",
		})
	}
	return b
}

func file(t *testing.T, f Fixture, id string) bank.File {
	t.Helper()
	out, err := bank.New("bank", f.Dial(f.Addr), bank.Options{}).Render(batch(id))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func render(t *testing.T, f Fixture) {
	a, b, c := file(t, f, "B1"), file(t, f, "B1"), file(t, f, "B2")
	if !bytes.Equal(a.Bytes, b.Bytes) || a.Name != b.Name || a.SHA256 != b.SHA256 || a.SHA256 != digest(a.Bytes) {
		t.Error("one batch made two files")
	}
	if a.Name == c.Name || !strings.Contains(a.Name, "B1") {
		t.Errorf("files are named %s and %s", a.Name, c.Name)
	}
	for _, tr := range batch("B1").Transfers {
		if !bytes.Contains(a.Bytes, []byte(tr.Ref)) || !bytes.Contains(a.Bytes, []byte(tr.Amount.Amount())) {
			t.Errorf("the file lacks %s of %s", tr.Ref, tr.Amount)
		}
	}
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// visible are the names in a folder that a bank would read.
func visible(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// is checks a result's outcome and reason.
func is(t *testing.T, what string, r outbound.Result, o outbound.Outcome, why outbound.Reason) {
	t.Helper()
	if r.Outcome != o || r.Reason != why {
		t.Errorf("%s = %s %q (%s, %v), want %s %q", what, r.Outcome, r.Reason, r.Text, r.Err, o, why)
	}
}

func publish(t *testing.T, f Fixture) {
	d, out := f.Dial(f.Addr), file(t, f, "B1")
	for range 3 {
		is(t, "Publish", d.Publish(t.Context(), out), outbound.Accepted, "")
	}
	if names := visible(t, f.In); len(names) != 1 || names[0] != out.Name || content(t, f.In, out.Name) != string(out.Bytes) {
		t.Errorf("the bank sees %v, want %s whole", names, out.Name)
	}
	if all, _ := os.ReadDir(f.In); len(all) != 1 {
		t.Errorf("%d files were left behind", len(all)-1)
	}
	move(t, filepath.Join(f.In, out.Name), filepath.Join(f.Archive, out.Name)) // the bank takes it
	is(t, "Publish of what the bank took", d.Publish(t.Context(), out), outbound.Accepted, "")
	if names := visible(t, f.In); len(names) != 0 {
		t.Errorf("a file that the bank took was published again: %v", names)
	}
}

func taken(t *testing.T, f Fixture) {
	d, out := f.Dial(f.Addr), file(t, f, "B1")
	for _, dir := range []string{f.In, f.Archive} {
		put(t, dir, out.Name, "another")
		is(t, "Publish", d.Publish(t.Context(), out), outbound.Unknown, "")
		is(t, "Find", d.Find(t.Context(), out), outbound.Unknown, "")
		if got := content(t, dir, out.Name); got != "another" {
			t.Errorf("%s was overwritten", dir)
		}
		if err := os.Remove(filepath.Join(dir, out.Name)); err != nil {
			t.Fatal(err)
		}
	}
	out.SHA256 = digest(nil)
	is(t, "Publish of bytes that do not fit their hash", d.Publish(t.Context(), out), outbound.NotSent, outbound.Unfit)
}

func remains(t *testing.T, f Fixture) {
	out := file(t, f, "B1")
	put(t, f.In, "."+out.Name+".tmp", "half a fi")
	is(t, "Publish", f.Dial(f.Addr).Publish(t.Context(), out), outbound.Accepted, "")
	if content(t, f.In, out.Name) != string(out.Bytes) {
		t.Error("the file is not whole")
	}
}

func find(t *testing.T, f Fixture) {
	d, out := f.Dial(f.Addr), file(t, f, "B1")
	is(t, "Find before", d.Find(t.Context(), out), outbound.NotFound, "")
	put(t, f.In, "."+out.Name+".tmp", string(out.Bytes))
	is(t, "Find of a draft", d.Find(t.Context(), out), outbound.NotFound, "")
	put(t, f.In, out.Name, string(out.Bytes))
	is(t, "Find in the way in", d.Find(t.Context(), out), outbound.Accepted, "")
	move(t, filepath.Join(f.In, out.Name), filepath.Join(f.Archive, out.Name))
	is(t, "Find in the archive", d.Find(t.Context(), out), outbound.Accepted, "")
	move(t, filepath.Join(f.Archive, out.Name), filepath.Join(f.Archive, "moved away"))
	if f.Say != nil {
		is(t, "Find of one that is gone", d.Find(t.Context(), out), outbound.NotFound, "")
		return
	}
	put(t, f.Ack, "noise.xml", "<x/>")
	put(t, f.Ack, "other.xml", string(f.Report("B2")))
	is(t, "Find with a report on another batch", d.Find(t.Context(), out), outbound.NotFound, "")
	put(t, f.Ack, "ours.xml", string(f.Report("B1")))
	is(t, "Find with a report", d.Find(t.Context(), out), outbound.Accepted, "")
}
