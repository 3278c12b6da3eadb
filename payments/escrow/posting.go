package escrow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// A Posting is a transfer that a move books, or a part of one: its kind, and the
// accounts that may be on either side, without the names of whose they are.
type Posting struct {
	Kind          string
	Debit, Credit string
	About         string // when, or what for
}

// kindRegained is what a lost chargeback had cost us, out of an order that has
// money again.
const kindRegained = "chargeback.regained"

// class is an account without the name of whose it is, as postings have it.
func class(account string) string {
	part := strings.Split(account, ":")
	switch {
	case len(part) == 3 && part[0] == "payable":
		return part[0] + ":" + part[1]
	case len(part) == 3:
		return part[0] + ":" + part[2]
	case part[0] == "payable":
		return account
	}
	return part[0]
}

// Sides are the accounts that a move may book with a kind of transfer, of all its
// postings together.
func (r Rule) Sides(kind string) (debits, credits []string) {
	for _, p := range r.Post {
		if p.Kind == kind {
			debits = append(debits, strings.Split(p.Debit, ", ")...)
			credits = append(credits, strings.Split(p.Credit, ", ")...)
		}
	}
	return debits, credits
}

// books is a transfer as the move books it: of the first kind of its row, unless
// it says which. One that the row does not allow is an error of ours.
func (m Move) books(t ledger.Transfer) (ledger.Transfer, error) {
	r := row(m)
	if t.Kind == "" && len(r.Post) > 0 {
		t.Kind = r.Post[0].Kind
	}
	debits, credits := r.Sides(t.Kind)
	for _, l := range t.Legs {
		side := debits
		if l.Amount < 0 {
			side = credits
		}
		if l.Amount != 0 && !slices.Contains(side, class(l.Account)) {
			return t, fmt.Errorf("the machine does not have %s book %d to %s by %q", m, l.Amount, l.Account, t.Kind)
		}
	}
	return t, nil
}

// post books what a move is, and nothing that its row does not have.
func (s *Service) post(ctx context.Context, tx *pg.Tx, m Move, t ledger.Transfer) error {
	t, err := m.books(t)
	if err != nil {
		return err
	}
	return s.books.Post(ctx, tx, t)
}

// postEach is post of many: it tells those that are in the books from those that
// were refused.
func postEach[T any](ctx context.Context, tx *pg.Tx, s *Service, m Move, items []T, transfer func(T) ledger.Transfer) (done, refused []T, err error) {
	type booked struct {
		item T
		t    ledger.Transfer
	}
	all := make([]booked, len(items))
	for i, item := range items {
		t, err := m.books(transfer(item))
		if err != nil {
			return nil, nil, err
		}
		all[i] = booked{item, t}
	}
	in, out, err := ledger.PostEach(ctx, tx, s.books, all, func(b booked) ledger.Transfer { return b.t })
	for _, b := range in {
		done = append(done, b.item)
	}
	for _, b := range out {
		refused = append(refused, b.item)
	}
	return done, refused, err
}
