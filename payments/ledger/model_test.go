package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
)

// An oracle is the books in memory, as simple as they can be said.
type oracle struct {
	posted map[string]posting
	holds  map[string]*held
	closed time.Time
}

type posting struct {
	legs               []ledger.Leg
	at                 time.Time // given, or zero
	effective          time.Time
	reverses, reversed string
}

type held struct {
	account     string
	amount, was int64
	open        bool
}

// accounts of the model; the first four have a floor.
var accounts = []string{"escrow:A", "escrow:B", "seller:s:available", "seller:s:receivable", "psp:p:clearing", "fees", "bank:b:safeguard"}

func (o oracle) balance(account string) (n int64) {
	for _, p := range o.posted {
		for _, l := range p.legs {
			if l.Account == account {
				n += l.Amount
			}
		}
	}
	if a, _ := ledger.Find(account); a.Normal == "C" {
		n = -n
	}
	return n
}

func (o oracle) held(account string) (n int64) {
	for _, h := range o.holds {
		if h.account == account && h.open {
			n += h.amount
		}
	}
	return n
}

// post says what the books must answer, and takes it in if they take it.
func (o oracle) post(key string, p posting) error { return o.into(accounts[:4], key, p) }

// into is post with those of the accounts that have a floor.
func (o oracle) into(floored []string, key string, p posting) error {
	if before, ok := o.posted[key]; ok {
		if fmt.Sprint(before.legs, before.at.UnixMicro(), before.reverses) == fmt.Sprint(p.legs, p.at.UnixMicro(), p.reverses) {
			return nil
		}
		return ledger.ErrReused
	}
	if p.effective.Before(o.closed) {
		return ledger.ErrClosed
	}
	o.posted[key] = p
	for _, a := range floored {
		if o.balance(a)-o.held(a) < 0 {
			delete(o.posted, key)
			return ledger.ErrOverdraft
		}
	}
	return nil
}

func (o oracle) reverse(key, of string) (string, error) {
	p, ok := o.posted[of]
	switch {
	case !ok:
		return "", ledger.ErrTransfer
	case p.reverses != "":
		return "", ledger.ErrReversal
	case p.reversed != "":
		return p.reversed, nil
	}
	m := posting{reverses: of, effective: time.Now().AddDate(10, 0, 0)}
	var clients int64
	for _, l := range p.legs {
		m.legs = append(m.legs, ledger.Leg{Account: l.Account, Amount: -l.Amount})
		if ledger.Client(l.Account) != 0 {
			clients -= l.Amount
		}
	}
	if clients < 0 {
		return "", ledger.ErrShort
	}
	if err := o.post(key, m); err != nil {
		return "", err
	}
	p.reversed = key
	o.posted[of] = p
	return key, nil
}

func (o oracle) hold(h ledger.Hold) error {
	if before, ok := o.holds[h.ID]; ok {
		if before.account == h.Account && before.was == h.Amount {
			return nil
		}
		return ledger.ErrReused
	}
	if a, _ := ledger.Find(h.Account); !a.Floor {
		return ledger.ErrNoFloor
	}
	if o.balance(h.Account)-o.held(h.Account) < h.Amount {
		return ledger.ErrOverdraft
	}
	o.holds[h.ID] = &held{h.Account, h.Amount, h.Amount, true}
	return nil
}

func (o oracle) drop(id string, part int64) error {
	h, ok := o.holds[id]
	switch {
	case !ok, part > 0 && (!h.open || h.amount < part):
		return ledger.ErrNoHold
	case part == 0, part == h.amount:
		h.amount, h.open = 0, false
	default:
		h.amount -= part
	}
	return nil
}

// The books and the oracle agree on each answer and each balance, whatever is
// done in whatever order, by books that remember their accounts or not.
func TestTheBooksAreTheOracles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := open(t)
		o := &oracle{posted: map[string]posting{}, holds: map[string]*held{}}
		same := func(what string, got, want error) {
			r.Helper()
			if want == nil && got != nil || want != nil && !errors.Is(got, want) {
				r.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
		key := rapid.Custom(func(r *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 25).Draw(r, "key")) })
		holdID := rapid.Custom(func(r *rapid.T) string { return fmt.Sprint("h", rapid.IntRange(0, 5).Draw(r, "hold")) })
		amount := rapid.Int64Range(1, 60)
		account := rapid.SampledFrom(accounts)
		r.Repeat(map[string]func(*rapid.T){
			"post": func(r *rapid.T) {
				from, to, n := account.Draw(r, "from"), account.Draw(r, "to"), amount.Draw(r, "amount")
				p := posting{legs: []ledger.Leg{ledger.Debit(from, n), ledger.Credit(to, n)}}
				if rapid.IntRange(0, 3).Draw(r, "legs") == 0 {
					p.legs = append(p.legs, ledger.Debit(account.Draw(r, "also from"), 5), ledger.Credit(account.Draw(r, "also to"), 5))
				}
				p.effective = b.now()
				if rapid.IntRange(0, 3).Draw(r, "dated") == 0 {
					p.at = p.effective.Add(-time.Duration(rapid.IntRange(0, 100).Draw(r, "hours")) * time.Hour).Truncate(time.Hour)
					p.effective = p.at
				}
				k := key.Draw(r, "key")
				want := o.post(k, p)
				got := b.do(func(ctx context.Context, tx *pg.Tx) error {
					return b.Post(ctx, tx, ledger.Transfer{Key: k, Kind: "test", Currency: "MAD", Effective: p.at, Legs: p.legs})
				})
				same(fmt.Sprintf("post %s %v", k, p), got, want)
			},
			"reverse": func(r *rapid.T) {
				of := key.Draw(r, "of")
				k := "back " + of + rapid.SampledFrom([]string{"", "!"}).Draw(r, "again")
				if rapid.IntRange(0, 5).Draw(r, "a reversal") == 0 {
					of = "back " + of
				}
				want, wantErr := o.reverse(k, of)
				got, err := b.reverse(k, of)
				same("reverse "+of, err, wantErr)
				if got != want && wantErr == nil {
					r.Fatalf("%s was taken back by %s, want %s", of, got, want)
				}
			},
			"hold": func(r *rapid.T) {
				h := ledger.Hold{ID: holdID.Draw(r, "id"), Account: account.Draw(r, "account"), Amount: amount.Draw(r, "amount")}
				same(fmt.Sprintf("hold %+v", h), b.hold(h), func() error {
					if a, _ := ledger.Find(h.Account); !a.Floor {
						return ledger.ErrNoFloor
					}
					return o.hold(h)
				}())
			},
			"drop": func(r *rapid.T) {
				id, part := holdID.Draw(r, "id"), rapid.SampledFrom([]int64{0, 0, 7, 20}).Draw(r, "part")
				got := b.do(func(ctx context.Context, tx *pg.Tx) error {
					if part > 0 {
						return b.DropPart(ctx, tx, id, part)
					}
					return b.Drop(ctx, tx, id)
				})
				same("drop "+id, got, o.drop(id, part))
			},
			"wait and keep": func(r *rapid.T) {
				b.advance(time.Duration(rapid.IntRange(1, 30).Draw(r, "hours")) * time.Hour)
				b.keepDay()
			},
			"close": func(r *rapid.T) {
				day := b.now().In(clock.Morocco).AddDate(0, 0, -rapid.IntRange(0, 4).Draw(r, "days"))
				upto, end := day.Format(time.DateOnly), time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, clock.Morocco)
				var want error
				switch {
				case end.After(b.now()):
					want = ledger.ErrNotOver
				case !end.After(o.closed):
					want = ledger.ErrShut
				default:
					o.closed = end
				}
				same("close "+upto, b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Close(ctx, tx, upto) }), want)
			},
			"restart": func(*rapid.T) { b.Books = ledger.New(b.db) },
			"": func(r *rapid.T) {
				for _, a := range accounts {
					got, err := b.Balance(t.Context(), b.db, a, "MAD")
					if want := o.balance(a); err != nil || got != want {
						r.Fatalf("%s has %d (%v), want %d", a, got, err, want)
					}
					got, err = b.BalanceAt(t.Context(), b.db, a, "MAD", time.Time{}, time.Time{})
					if want := o.balance(a); err != nil || got != want {
						r.Fatalf("%s replays to %d (%v), want %d", a, got, err, want)
					}
					got, err = b.Held(t.Context(), b.db, a, "MAD")
					if want := o.held(a); err != nil || got != want {
						r.Fatalf("%s keeps back %d (%v), want %d", a, got, err, want)
					}
				}
			},
		})
		if n := len(slices.Collect(maps.Keys(o.posted))); n > 0 {
			rows, err := pg.Value[int](t.Context(), b.db, nil, `select count(*) from ledger.transfer`)
			if err != nil || rows != n {
				r.Fatalf("%d transfers (%v), want %d", rows, err, n)
			}
		}
	})
}
