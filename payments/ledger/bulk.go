package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// A posting is a transfer on its way into the books together with others.
type posting struct {
	t        Transfer
	hash     []byte
	actor    string
	item     *Item // what the lane brings along, or nil
	accounts []known

	twin    *posting // an earlier one of the batch with the same key, which has the guard
	known   bool     // the key stood for this very transfer before
	claimed bool     // its guard was taken
	err     error    // why it is not posted
	final   bool     // err was found under lock, in an attempt that was undone
}

// prepare checks a transfer and hashes it.
func prepare(t Transfer, actor string) *posting {
	p := &posting{actor: actor}
	if p.t, p.err = t.Check(); p.err != nil {
		p.final = true
		return p
	}
	p.hash = p.t.Hash()
	return p
}

// again forgets what an attempt found that was undone.
func (p *posting) again() {
	p.twin, p.known, p.claimed = nil, false, false
	p.accounts = nil // those it opened are gone
	if !p.final {
		p.err = nil
	}
}

// PostAll writes transfers as part of tx, each of which may be refused without
// harm to the others: the error beside it says why. They are decided in their
// order, so that what one brings another may spend. It takes two round trips
// for any number of transfers; the second is queued.
func (b *Books) PostAll(ctx context.Context, tx *pg.Tx, all []Transfer) ([]error, error) {
	actor := tx.Actor()
	postings := make([]*posting, len(all))
	for i, t := range all {
		postings[i] = prepare(t, actor)
	}
	if err := b.postAll(ctx, tx, postings); err != nil {
		return nil, err
	}
	errs := make([]error, len(all))
	for i, p := range postings {
		errs[i] = p.err
	}
	return errs, nil
}

// postAll locks, decides and writes.
func (b *Books) postAll(ctx context.Context, tx *pg.Tx, all []*posting) error {
	if err := b.openAll(ctx, tx, all); err != nil {
		return err
	}
	seen, err := b.look(ctx, tx, all, nil)
	if err != nil {
		return err
	}
	decide(all, seen, tx.Now())
	b.write(tx, all, seen)
	return nil
}

// openAll finds the accounts of each posting, and opens those used for the first
// time.
func (b *Books) openAll(ctx context.Context, tx *pg.Tx, all []*posting) error {
	missing := map[string]map[string]Account{} // by currency and code
	for _, p := range all {
		if p.err != nil || b.find(p) {
			continue
		}
		for _, l := range p.t.Legs {
			if _, ok := b.accounts.find(l.Account, p.t.Currency); ok {
				continue
			}
			a, err := Find(l.Account)
			if err != nil {
				p.err = err
				break
			}
			if missing[p.t.Currency] == nil {
				missing[p.t.Currency] = map[string]Account{}
			}
			missing[p.t.Currency][l.Account] = a
		}
	}
	if len(missing) == 0 {
		return nil
	}
	opened := map[name]known{}
	for currency, accounts := range missing {
		some := make([]Account, 0, len(accounts))
		for _, a := range accounts {
			some = append(some, a)
		}
		found, err := openAccounts(ctx, tx, some, currency)
		if err != nil {
			return err
		}
		for code, k := range found {
			opened[name{code, currency}] = k
		}
	}
	tx.After(func() {
		for n, k := range opened {
			b.accounts.enter(n.account, n.currency, k)
		}
	})
	for _, p := range all {
		if p.err == nil && len(p.accounts) == 0 {
			for _, l := range p.t.Legs {
				k, ok := opened[name{l.Account, p.t.Currency}]
				if !ok {
					k, _ = b.accounts.find(l.Account, p.t.Currency)
				}
				p.accounts = append(p.accounts, k)
			}
		}
	}
	return nil
}

// find fills in a posting's accounts if all of them are known.
func (b *Books) find(p *posting) bool {
	if len(p.accounts) > 0 {
		return true
	}
	accounts := make([]known, len(p.t.Legs))
	for i, l := range p.t.Legs {
		k, ok := b.accounts.find(l.Account, p.t.Currency)
		if !ok {
			return false
		}
		accounts[i] = k
	}
	p.accounts = accounts
	return true
}

// A sight is what the books say to a batch, under lock.
type sight struct {
	free   map[int64]int64   // by account with a floor: what could be taken out of it
	keys   map[string][]byte // the hashes of the keys that stand for a transfer
	closed *time.Time        // nothing may count from before it
	ids    []int64           // for new transfers
}

// look locks the accounts that have a floor, then reads what there is. keeps are
// answered in the same round trip: see found.
func (b *Books) look(ctx context.Context, tx *pg.Tx, all []*posting, keeps *keeping) (sight, error) {
	var cold []int64
	keys := make([]string, 0, len(all))
	for _, p := range all {
		if p.err != nil {
			continue
		}
		keys = append(keys, p.t.Key)
		for _, k := range p.accounts {
			if k.Floor {
				cold = append(cold, k.ID)
			}
		}
	}
	slices.Sort(cold)
	cold = slices.Compact(cold)
	ids := b.ids.some(len(keys))
	seen, blocks, err := lookAt(ctx, tx, cold, keys, (len(keys)-len(ids)+block-1)/block, keeps)
	if err != nil {
		return seen, err
	}
	seen.ids = append(ids, b.ids.from(blocks, len(keys)-len(ids))...)
	return seen, nil
}

// keeping are the answers that a batch brings along, and what is known of each.
type keeping struct {
	keeps []*rest.Keep
	found []bool
	wrong []error
}

var errUnclaim = errors.New("a guard was taken for what is not posted")

// decide says of each posting, in order, whether it goes into the books. It
// changes seen as they would be changed.
func decide(all []*posting, seen sight, now time.Time) {
	for _, p := range all {
		if p.err != nil {
			continue
		}
		if hash, ok := seen.keys[p.t.Key]; ok {
			if p.known = bytes.Equal(hash, p.hash); !p.known {
				p.err = ErrReused
			}
			continue
		}
		if p.twin != nil { // what is in its way is in this one's too
			p.err = p.twin.err
			continue
		}
		counts := p.t.Effective
		if counts.IsZero() {
			counts = now
		}
		if seen.closed != nil && counts.Before(*seen.closed) {
			p.err = ErrClosed
			continue
		}
		for i, k := range p.accounts {
			if k.Floor {
				seen.free[k.ID] += k.gain(p.t.Legs[i].Amount)
			}
		}
		for _, k := range p.accounts {
			if k.Floor && seen.free[k.ID] < 0 {
				p.err = ErrOverdraft
			}
		}
		if p.err == nil {
			seen.keys[p.t.Key] = p.hash
			continue
		}
		for i, k := range p.accounts {
			if k.Floor {
				seen.free[k.ID] -= k.gain(p.t.Legs[i].Amount)
			}
		}
	}
}

// gain is what a leg does to the balance on the account's normal side.
func (k known) gain(amount int64) int64 {
	if k.Credit {
		return -amount
	}
	return amount
}

// fresh says whether the posting was decided to go into the books now.
func (p *posting) fresh() bool { return p.err == nil && !p.known }

// A change is what a batch does to one balance.
type change struct {
	account int64
	shard   int16
	dr, cr  int64
	n       int64
}

// write queues what was decided: transfers, entries, and each balance once.
// Accounts that are split into shards are moved in one of them, each batch's in
// the next.
func (b *Books) write(tx *pg.Tx, all []*posting, seen sight) {
	var rows bulkRows
	shard := int(b.turn.Add(1) & 0xffff)
	cold, hot := map[int64]*change{}, map[int64]*change{}
	for _, p := range all {
		if !p.fresh() {
			continue
		}
		n := seen.ids[0]
		seen.ids = seen.ids[1:]
		rows.transfer(n, p)
		for i, l := range p.t.Legs {
			k := p.accounts[i]
			at, of := int16(0), cold
			if !k.Floor {
				at, of = int16(shard%k.Shards), hot
			}
			rows.entry(n, i, p.t, k.ID, at, l.Amount)
			c := of[k.ID]
			if c == nil {
				c = &change{account: k.ID, shard: at}
				of[k.ID] = c
			}
			if c.n++; l.Amount > 0 {
				c.dr += l.Amount
			} else {
				c.cr -= l.Amount
			}
		}
	}
	if len(rows.ids) > 0 {
		rows.post(tx, inOrder(cold), inOrder(hot))
	}
}

func inOrder(of map[int64]*change) []*change {
	all := make([]*change, 0, len(of))
	for _, c := range of {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *change) int { return cmp.Compare(a.account, b.account) })
	return all
}
