package ledger

import (
	"context"
	"slices"

	"tiwiza/pkg/pg"
)

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

// look locks the accounts that have a floor, then reads what there is. keeps are
// answered in the same round trip: see found.
func (b *Books) look(ctx context.Context, tx *pg.Tx, all []*posting, keeps *keeping) (sight, error) {
	var cold []int64
	keys := make([]string, 0, len(all))
	var people []string
	for _, p := range all {
		if p.err != nil {
			continue
		}
		keys = append(keys, p.t.Key)
		if one := p.t.alone; one != nil && !slices.Contains(people, one.person) {
			people = append(people, one.person)
		}
		for _, k := range p.accounts {
			if k.Floor {
				cold = append(cold, k.ID)
			}
		}
	}
	slices.Sort(cold)
	cold = slices.Compact(cold)
	ids := b.ids.some(len(keys))
	seen, blocks, err := lookAt(ctx, tx, cold, keys, people, (len(keys)-len(ids)+block-1)/block, keeps)
	if err != nil {
		return seen, err
	}
	seen.ids = append(ids, b.ids.from(blocks, len(keys)-len(ids))...)
	return seen, nil
}

// write queues what was decided.
func (b *Books) write(tx *pg.Tx, all []*posting, seen sight) {
	rows, cold, hot := tally(all, seen.ids, int(b.turn.Add(1)&0xffff))
	if len(rows.ids) > 0 {
		rows.post(tx, cold, hot)
	}
	if one := shares(all); len(one) > 0 {
		addAlone(tx, one)
	}
}
