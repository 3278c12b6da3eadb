// Package personal is how rooms hand out, and forget, what they keep of people.
// Each room with personal data is a Holder; marketplace/privacy asks them all, and
// knows none of their tables.
package personal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/pg"
)

// A Subject is somebody whose data is asked for.
type Subject struct {
	Person    string   `json:"person"`    // per_…
	Guests    []string `json:"guests"`    // the buyers without an account that it was, and has shown to have been
	Addresses []string `json:"addresses"` // phone numbers and e-mail addresses, of all of them
}

// Keys are all by which rooms know the subject: its ids, then its addresses. No id
// looks like an address.
func (s Subject) Keys() []string {
	return append(append([]string{s.Person}, s.Guests...), s.Addresses...)
}

// A Holder is a room with personal data.
type Holder interface {
	// Name is the room's.
	Name() string
	// Holds are the tables that it answers for: "orders.message".
	Holds() []string
	// Bars are what stands in the way of forgetting the subject: a duty of its own, or
	// one to it.
	Bars(ctx context.Context, db pg.DB, s Subject) ([]Bar, error)
	// Collect is all that the room holds of the subject, and nothing of others.
	Collect(ctx context.Context, db pg.DB, s Subject) (Part, error)
	// Erase forgets the subject, as a step of the caller's unit of work, but for what
	// the register says is kept. It may be called again, and finds nothing then.
	Erase(ctx context.Context, tx *pg.Tx, s Subject) (Part, error)
	// Periods are the codes of what the room lets go by itself when its time is over.
	Periods() []string
	// Pass lets go of what is older than a moment, at most so many rows, and says how
	// many it did: fewer than that, and nothing is left.
	Pass(ctx context.Context, tx *pg.Tx, code string, before time.Time, most int) (int64, error)
}

// A Part is what one room holds of somebody, or has forgotten.
type Part struct {
	Room     string    `json:"room" required:"true"`
	Sections []Section `json:"sections" required:"true"`
}

// A Section is one table of a part.
type Section struct {
	Table  string            `json:"table" required:"true"`
	Rows   []json.RawMessage `json:"rows,omitempty" description:"What is held, an object for each row."`    // Collect's
	Erased int64             `json:"erased,omitempty" description:"How many rows were changed or deleted."` // Erase's
	Kept   bool              `json:"kept,omitempty" description:"Nothing of it is erased."`
}

// A Bar is why somebody cannot be forgotten now.
type Bar struct {
	Code  string   `json:"code"`  // "orders.open"
	About []string `json:"about"` // ids of what is open, some of them
}

// most is how many of the open things a bar names.
const most = 20

// A Table is what a room does with one of its tables. $1 of each statement are the
// subject's keys.
type Table struct {
	Name  string
	Show  string   // rows as one column of JSON; "": nothing of it is shown
	Erase []string // in this order; none: it is kept, and the register says why
}

// A Duty is a bar that a room looks for: a query of ids.
type Duty struct {
	Code string
	Open string
}

// An Age is what a room lets go of when its time is over. $1 is the moment before which
// it was last needed, $2 how many rows at most.
type Age struct {
	Code string
	Past string
	// Do lets go instead of Past, where that is more than one statement, and says of
	// how many rows it decided.
	Do func(ctx context.Context, tx *pg.Tx, before time.Time, most int) (int64, error)
	// First is done before, with the same two; nil: nothing.
	First func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error
}

// A Room is a Holder that is told by its tables.
type Room struct {
	Called string
	Tables []Table
	Duties []Duty
	Ages   []Age
	// Also is what else is to be done to forget somebody; nil: nothing. It comes
	// before the tables.
	Also func(ctx context.Context, tx *pg.Tx, s Subject) error
}

// Name is the room's.
func (r Room) Name() string { return r.Called }

// Holds are the room's tables.
func (r Room) Holds() []string {
	all := make([]string, len(r.Tables))
	for i, t := range r.Tables {
		all[i] = t.Name
	}
	return all
}

// Erases says of each of the room's tables whether something of it is erased.
func (r Room) Erases() map[string]bool {
	all := make(map[string]bool, len(r.Tables))
	for _, t := range r.Tables {
		all[t.Name] = len(t.Erase) > 0
	}
	return all
}

// Bars looks for what is open.
func (r Room) Bars(ctx context.Context, db pg.DB, s Subject) (bars []Bar, err error) {
	for _, d := range r.Duties {
		ids, err := open(ctx, db, d.Open, s.Keys())
		if err != nil {
			return nil, err
		}
		if len(ids) > 0 {
			bars = append(bars, Bar{d.Code, ids[:min(len(ids), most)]})
		}
	}
	return bars, nil
}

// Collect reads each table that is shown.
func (r Room) Collect(ctx context.Context, db pg.DB, s Subject) (Part, error) {
	p := Part{Room: r.Called, Sections: []Section{}}
	for _, t := range r.Tables {
		if t.Show == "" {
			continue
		}
		rows, err := shown(ctx, db, t.Show, s.Keys())
		if err != nil {
			return p, err
		}
		if len(rows) > 0 {
			p.Sections = append(p.Sections, Section{Table: t.Name, Rows: rows})
		}
	}
	return p, nil
}

// Erase forgets in each table that is not kept.
func (r Room) Erase(ctx context.Context, tx *pg.Tx, s Subject) (Part, error) {
	p := Part{Room: r.Called, Sections: []Section{}}
	if r.Also != nil {
		if err := r.Also(ctx, tx, s); err != nil {
			return p, err
		}
	}
	for _, t := range r.Tables {
		x := Section{Table: t.Name, Kept: len(t.Erase) == 0}
		for _, sql := range t.Erase {
			n, err := change(ctx, tx, sql, s.Keys())
			if err != nil {
				return p, err
			}
			x.Erased += n
		}
		p.Sections = append(p.Sections, x)
	}
	return p, nil
}

// Periods are the codes of the room's ages.
func (r Room) Periods() []string {
	all := make([]string, len(r.Ages))
	for i, a := range r.Ages {
		all[i] = a.Code
	}
	return all
}

// Pass lets go of some of what is past its time.
func (r Room) Pass(ctx context.Context, tx *pg.Tx, code string, before time.Time, most int) (int64, error) {
	i := slices.IndexFunc(r.Ages, func(a Age) bool { return a.Code == code })
	if i < 0 {
		return 0, fmt.Errorf("%s has no period %q", r.Called, code)
	}
	if f := r.Ages[i].Do; f != nil {
		return f(ctx, tx, before, most)
	}
	if f := r.Ages[i].First; f != nil {
		if err := f(ctx, tx, before, most); err != nil {
			return 0, err
		}
	}
	return pass(ctx, tx, r.Ages[i].Past, before, most)
}
