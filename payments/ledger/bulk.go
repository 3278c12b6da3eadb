package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

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

// A sight is what the books say to a batch, under lock.
type sight struct {
	free   map[int64]int64   // by account with a floor: what could be taken out of it
	keys   map[string][]byte // the hashes of the keys that stand for a transfer
	closed *time.Time        // nothing may count from before it
	alone  map[string]int64  // by person: what each has moved alone today
	ids    []int64           // for new transfers
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
		if p.err = seen.allows(p.t, now); p.err != nil {
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
			if one := p.t.alone; one != nil {
				seen.alone[one.person] += one.centimes
			}
			continue
		}
		for i, k := range p.accounts {
			if k.Floor {
				seen.free[k.ID] -= k.gain(p.t.Legs[i].Amount)
			}
		}
	}
}

// allows says why a person may not make a transfer alone today; others it is
// not about.
func (s sight) allows(t Transfer, now time.Time) error {
	switch {
	case t.alone == nil:
		return nil
	case t.alone.centimes > handLimit-s.alone[t.alone.person]:
		return ErrDay
	}
	return t.due(now)
}

// shares are what each person moves alone by what was decided.
func shares(all []*posting) []share {
	var sum map[string]int64
	for _, p := range all {
		if one := p.t.alone; one != nil && p.fresh() {
			if sum == nil {
				sum = map[string]int64{}
			}
			sum[one.person] += one.centimes
		}
	}
	var out []share
	for _, person := range slices.Sorted(maps.Keys(sum)) {
		out = append(out, share{person, sum[person]})
	}
	return out
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

// tally adds up what was decided: the rows of transfers and entries, and each
// balance once, in the order in which they are locked. Accounts that are split
// into shards are moved in one of them, by whose turn it is.
func tally(all []*posting, ids []int64, turn int) (rows bulkRows, cold, hot []*change) {
	floor, none := map[int64]*change{}, map[int64]*change{}
	for _, p := range all {
		if !p.fresh() {
			continue
		}
		n := ids[0]
		ids = ids[1:]
		rows.transfer(n, p)
		for i, l := range p.t.Legs {
			k := p.accounts[i]
			at, of := int16(0), floor
			if !k.Floor {
				at, of = int16(turn%k.Shards), none
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
	return rows, inOrder(floor), inOrder(none)
}

func inOrder(of map[int64]*change) []*change {
	all := make([]*change, 0, len(of))
	for _, c := range of {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *change) int { return cmp.Compare(a.account, b.account) })
	return all
}
