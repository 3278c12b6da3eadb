package members

import (
	"context"
	"errors"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// PayoutAccounts are where organisations are paid: the current account of each,
// else the one that waits to be verified. Who pays must look at Verified and
// OpenFrom. One without either is left out.
func (s *Service) PayoutAccounts(ctx context.Context, db pg.DB, orgs ...string) (map[string]Account, error) {
	all, err := standing(ctx, db, orgs...)
	out := make(map[string]Account, len(orgs))
	for _, a := range all {
		if _, ok := out[a.Organisation]; !ok { // the current one comes first
			out[a.Organisation] = a
		}
	}
	return out, err
}

// AddAccount writes down a bank account of an organisation. What the operator
// adds is verified at once and takes the place of the current account; what
// the member adds waits, in place of what waited before, until the operator
// adds the same or approves the organisation. Adding what stands already
// changes nothing.
func (s *Service) AddAccount(ctx context.Context, tx *pg.Tx, org, rib, holder string) (Account, error) {
	rib = strings.Join(strings.Fields(rib), "")
	if err := bank.CheckRIB(rib); err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			err = f.At("/rib", f.Text)
		}
		return Account{}, err
	}
	if _, err := lock(ctx, tx, org); err != nil { // one change at a time
		return Account{}, err
	}
	all, err := standing(ctx, tx, org)
	if err != nil {
		return Account{}, err
	}
	operator := auth.From(ctx).Role == auth.Operator
	first := true
	for _, a := range all {
		same := a.RIB == rib && a.Holder == holder
		if same && (a.Verified() || !operator) {
			return a, nil
		}
		first = first && !a.Verified()
	}
	dropPending(tx, org)
	a := Account{ID: id.New(id.Account), Organisation: org, RIB: rib, Holder: holder, State: Pending, CreatedAt: tx.Now()}
	if operator {
		a = a.Verify(first, tx.Now())
		retireCurrent(tx, org)
	}
	insertAccount(tx, a)
	return a, nil
}

// verifyPending makes the account that waits the current one, when there is no
// other: a change of account is never a side effect.
func (s *Service) verifyPending(ctx context.Context, tx *pg.Tx, org string) error {
	all, err := standing(ctx, tx, org)
	if err != nil || len(all) != 1 || all[0].Verified() {
		return err
	}
	dropPending(tx, org)
	insertAccount(tx, all[0].Verify(true, tx.Now()))
	return nil
}

// mask hides all but the last four digits of a RIB.
func mask(rib string) string { return strings.Repeat("•", len(rib)-4) + rib[len(rib)-4:] }
