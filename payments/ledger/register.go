package ledger

import "sync"

// A register remembers accounts that are open: they never change again. It is
// safe for use by many goroutines.
type register struct {
	mu    sync.RWMutex
	named map[name]known
}

type name struct{ account, currency string }

type known struct {
	ID     int64
	Shards int
	Floor  bool
	Credit bool // its normal side
}

func (r *register) find(account, currency string) (known, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.named[name{account, currency}]
	return k, ok
}

func (r *register) enter(account, currency string, k known) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named == nil {
		r.named = map[name]known{}
	}
	r.named[name{account, currency}] = k
}
