package journal

import (
	"bytes"
	"container/list"
	"encoding/json"
)

// A Table holds values by key, in the order their keys first came. A value
// handed out is shared: change a copy and Put it.
type Table[T any] struct {
	name string
	rows map[string]*list.Element
	list *list.List
}

type row[T any] struct {
	key   string
	value T
}

// NewTable makes a table of a journal that is not loaded yet. Its name is
// written into the file and must not change.
func NewTable[T any](j *Journal, name string) *Table[T] {
	t := &Table[T]{name: name, rows: map[string]*list.Element{}, list: list.New()}
	if _, taken := j.tables[name]; taken {
		panic("journal: two tables named " + name)
	}
	j.tables[name] = t
	return t
}

// Get is the value of a key, and whether there is one.
func (t *Table[T]) Get(_ *Tx, key string) (T, bool) {
	e, ok := t.rows[key]
	if !ok {
		var none T
		return none, false
	}
	return e.Value.(row[T]).value, true
}

// Len is how many keys have a value.
func (t *Table[T]) Len(_ *Tx) int { return len(t.rows) }

// All is every value, first come first.
func (t *Table[T]) All(_ *Tx) []T {
	out := make([]T, 0, len(t.rows))
	for e := t.list.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(row[T]).value)
	}
	return out
}

// Keys is every key, first come first.
func (t *Table[T]) Keys(_ *Tx) []string {
	out := make([]string, 0, len(t.rows))
	for e := t.list.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(row[T]).key)
	}
	return out
}

// Put sets the value of a key.
func (t *Table[T]) Put(tx *Tx, key string, v T) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("journal: " + err.Error())
	}
	tx.record(change{t.name, key, b})
	if e, ok := t.rows[key]; ok {
		before := e.Value
		e.Value = row[T]{key, v}
		tx.undo = append(tx.undo, func() { t.rows[key].Value = before })
		return
	}
	t.set(key, v)
	tx.undo = append(tx.undo, func() { t.drop(key) })
}

// Delete forgets a key; one that is not there is left so.
func (t *Table[T]) Delete(tx *Tx, key string) {
	e, ok := t.rows[key]
	if !ok {
		return
	}
	tx.record(change{t.name, key, json.RawMessage("null")})
	before, after := e.Value.(row[T]), ""
	next := e.Next()
	if next != nil {
		after = next.Value.(row[T]).key
	}
	t.drop(key)
	tx.undo = append(tx.undo, func() {
		// Whatever came later is undone by now, so the neighbour stands again.
		if next == nil {
			t.rows[key] = t.list.PushBack(before)
		} else {
			t.rows[key] = t.list.InsertBefore(before, t.rows[after])
		}
	})
}

func (t *Table[T]) set(key string, v T) {
	if e, ok := t.rows[key]; ok {
		e.Value = row[T]{key, v}
		return
	}
	t.rows[key] = t.list.PushBack(row[T]{key, v})
}

func (t *Table[T]) drop(key string) {
	if e, ok := t.rows[key]; ok {
		t.list.Remove(e)
		delete(t.rows, key)
	}
}

func (t *Table[T]) replay(key string, value json.RawMessage) error {
	if bytes.Equal(value, []byte("null")) {
		t.drop(key)
		return nil
	}
	var v T
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	t.set(key, v)
	return nil
}

func (tx *Tx) record(c change) {
	if tx.frozen {
		panic("journal: a write in a View")
	}
	tx.changes = append(tx.changes, c)
}
