package recon

import (
	"cmp"
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

// A stood is a line of another statement of the same account.
type stood struct {
	ID, Name                     string // Name: its statement's
	Amount                       int64
	Currency, Ref, BankRef, Info string
	BookedOn                     time.Time
	Again                        bool // it only repeats another itself
}

// cutAfter is how many signs of a reference some formats keep: in an MT940 the
// bank's and the payer's have 16 each.
const cutAfter = 16

// cut says whether one reference is another as such a format has it.
func cut(short, long string) bool {
	return short != long && utf8.RuneCountInString(short) == cutAfter && beginning(long, cutAfter) == short
}

// alike says whether two references may be one: the same, or one of them cut.
func alike(a, b string) bool { return a == b || cut(a, b) || cut(b, a) }

// repeats tells which lines of a statement stand in others already. Lines with
// the bank's own reference are known by it; of those without, a statement surely
// tells new ones that joins the others without a hole, under a number of its own,
// where all of the days around do. Else it may tell again what others told: each line there stands for one
// here, of the same day and amount, and of the same text where the balances do
// join.
type repeats struct {
	joins, numbered bool
	lines           []stood
	used            map[string]bool // lines that stand for one already
}

// of is the name of a statement that has the line, "" when it is surely new. A
// line stands for one only.
func (r *repeats) of(l Line, ref, info string) string {
	return r.take(r.lines, func(o stood) bool { return !r.used[o.ID] && r.same(o, l, ref, info) })
}

// take is the name of the first line's statement that fits, which from then on
// is used.
func (r *repeats) take(lines []stood, fits func(stood) bool) string {
	i := slices.IndexFunc(lines, fits)
	if i < 0 {
		return ""
	}
	r.used[lines[i].ID] = true
	return lines[i].Name
}

// same says whether a line of which only one, or none, has the bank's reference
// may be another.
func (r *repeats) same(o stood, l Line, ref, info string) bool {
	if o.Amount != l.Amount || o.Currency != l.Currency || !o.BookedOn.Equal(l.BookedOn) || o.BankRef != "" && l.BankRef != "" {
		return false
	}
	return !r.joins || !r.numbered && o.Ref == ref && o.Info == info
}

// byRef is the name of a statement that has the line by the bank's own reference.
// A whole one names a movement. One that a format has cut may be that of several:
// each line there stands for one here.
func (r *repeats) byRef(lines []stood, l Line, ref string) string {
	for _, is := range []func(o stood) bool{
		func(o stood) bool { return o.BankRef == l.BankRef && !r.used[o.ID] },
		func(o stood) bool { return o.BankRef == l.BankRef },
		func(o stood) bool { return alike(o.BankRef, l.BankRef) && !r.used[o.ID] && !o.Again },
	} {
		if name := r.take(lines, func(o stood) bool { return is(o) && o.mayBe(ref) }); name != "" {
			return name
		}
	}
	return ""
}

// mayBe says whether the payer's reference is no reason against it: not every
// format gives it, and some cut it.
func (o stood) mayBe(ref string) bool { return o.Ref == "" || ref == "" || alike(o.Ref, ref) }

// repeats looks up what other statements told of the days of this one.
func (s *Service) repeats(ctx context.Context, tx *pg.Tx, of string, st bank.Statement) (*repeats, error) {
	r := &repeats{joins: true, numbered: st.Sequence > 0, used: map[string]bool{}}
	if st.Kind == bank.Notification || len(st.Entries) == 0 {
		return r, nil
	}
	was, err := beside(ctx, tx, of, st, before)
	if err != nil {
		return nil, err
	}
	next, err := beside(ctx, tx, of, st, after)
	if err != nil {
		return nil, err
	}
	is := asNeighbour(st)
	r.joins = (was == nil || joins(*was, is)) && (next == nil || joins(is, *next))
	others, err := around(ctx, tx, of, st)
	if err != nil {
		return nil, err
	}
	r.joins = r.joins && chained(append(others, dated{is, st.Day(), st.Created}))
	r.numbered = r.numbered && !slices.ContainsFunc(others, func(o dated) bool { return o.Sequence == 0 })
	if r.joins && r.numbered {
		return r, nil
	}
	day := func(a, b bank.Entry) int { return a.BookedOn.Compare(b.BookedOn) }
	r.lines, err = linesOf(ctx, tx, of, st, slices.MinFunc(st.Entries, day).BookedOn, slices.MaxFunc(st.Entries, day).BookedOn)
	return r, err
}

// A dated statement has its place among the others.
type dated struct {
	neighbour
	Day, CreatedAt time.Time
}

// chained says whether statements follow one another, each upon the last: then
// none tells what another told.
func chained(all []dated) bool {
	slices.SortStableFunc(all, func(a, b dated) int {
		return cmp.Or(a.Day.Compare(b.Day), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Page, b.Page))
	})
	for i := range len(all) - 1 {
		if !joins(all[i].neighbour, all[i+1].neighbour) {
			return false
		}
	}
	return true
}

func asNeighbour(st bank.Statement) neighbour {
	n := neighbour{StatementID: st.ID, Sequence: st.Sequence, Page: max(st.Page, 1), Year: st.Day().Year(), Currency: st.Currency}
	if st.HasBalances {
		o, c := st.Opening.Centimes(), st.Closing.Centimes()
		n.Opening, n.Closing = &o, &c
	}
	return n
}

// joins says whether one statement follows another: its balance, and its number
// or page.
func joins(was, is neighbour) bool {
	if gap(was, is) != "" {
		return false
	}
	if was.Year != is.Year || was.Sequence == 0 || is.Sequence == 0 {
		return true
	}
	return is.Sequence > was.Sequence || is.Sequence == was.Sequence && is.Page == was.Page+1
}

// again is the name of another statement that has the very same movement; "" when
// none has.
func (s *Service) again(ctx context.Context, tx *pg.Tx, of string, st bank.Statement, r *repeats, e bank.Entry, l Line) (string, error) {
	ref := details(e)[0].Ref
	lines, err := shown(ctx, tx, of, st.Account, l)
	if err != nil {
		return "", err
	}
	return cmp.Or(r.byRef(lines, l, ref), r.of(l, ref, beginning(l.Info, 1000))), nil
}

// beginning is as much of a text as a line's row keeps.
func beginning(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
