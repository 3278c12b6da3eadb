// Package journal is the simulator's memory: tables of JSON values whose every
// change is one line of an append-only file, synced to the disk before the
// change counts. What a partner said it did survives kill -9.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// A change sets one row of one table, or deletes it when the value is null.
type change struct {
	Table string          `json:"t"`
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v"`
}

// A Journal owns a file and the tables read from it. Make the tables first,
// then Load, then Update and View.
type Journal struct {
	mu     sync.Mutex
	file   *os.File
	size   int64
	tables map[string]replayer
}

type replayer interface {
	replay(key string, value json.RawMessage) error
}

// ErrBusy says that another process keeps its journal in the same folder.
var ErrBusy = errors.New("another simulator runs on this folder")

// Open opens or makes the journal of a folder and locks it for this process.
func Open(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrBusy, dir), f.Close())
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Journal{file: f, tables: map[string]replayer{}}, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Load replays the file into the tables. A last line without its newline was
// being written when the process died, so nobody was told about it: it is cut off.
func (j *Journal) Load() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := bufio.NewReaderSize(j.file, 1<<20)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return j.cut()
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		if err := j.apply(line); err != nil {
			return fmt.Errorf("journal line %d: %w", n, err)
		}
		j.size += int64(len(line))
	}
}

func (j *Journal) cut() error {
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err := j.file.Seek(j.size, io.SeekStart)
	return err
}

func (j *Journal) apply(line []byte) error {
	var batch []change
	if err := json.Unmarshal(line, &batch); err != nil {
		return err
	}
	for _, c := range batch {
		t, ok := j.tables[c.Table]
		if !ok {
			return fmt.Errorf("unknown table %q", c.Table)
		}
		if err := t.replay(c.Key, c.Value); err != nil {
			return fmt.Errorf("table %s, key %s: %w", c.Table, c.Key, err)
		}
	}
	return nil
}

// Close gives the file up.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// A Tx is one look at the tables, and in Update one change of them.
type Tx struct {
	changes []change
	undo    []func()
	frozen  bool
}

// View lets fn read; a write in it panics.
func (j *Journal) View(fn func(tx *Tx)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fn(&Tx{frozen: true})
}

// Update lets fn read and write. All its writes reach the disk together, or
// none counts: when fn fails or panics, or the disk refuses, the tables are
// as before.
func (j *Journal) Update(fn func(tx *Tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	tx, done := &Tx{}, false
	defer func() {
		if !done {
			tx.rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := j.write(tx.changes); err != nil {
		return err
	}
	done = true
	return nil
}

func (tx *Tx) rollback() {
	for i := len(tx.undo) - 1; i >= 0; i-- {
		tx.undo[i]()
	}
}

func (j *Journal) write(changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(changes); err != nil {
		return err
	}
	_, err := j.file.Write(b.Bytes())
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write journal: %w", err), j.cut())
	}
	j.size += int64(b.Len())
	return nil
}
