package members

import (
	"context"
	"errors"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
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

// AddAccount writes down a bank account of an organisation. What anybody adds
// waits, in place of what waited before, until one of the operator's people adds
// the same, or names it in the organisation's approval, who neither gave it nor
// made the key with which it was given; then it takes the place of the current account.
// Adding what stands already changes nothing.
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
	who := auth.From(ctx)
	next := Account{
		ID: id.New(id.Account), Organisation: org, RIB: rib, Holder: holder, State: Pending, CreatedAt: tx.Now(), GivenBy: who.Person(), Behind: who.Behind,
	}
	first := true
	for _, a := range all {
		first = first && !a.Verified()
		if a.RIB != rib || a.Holder != holder {
			continue
		}
		if a.Verified() || who.Role != auth.Operator || a.Given(who.Person()) {
			return a, nil
		}
		next = a.Verify(who.Person(), first, tx.Now()) // the current one comes first
	}
	dropPending(tx, org)
	if next.Verified() {
		retireCurrent(tx, org)
	}
	insertAccount(tx, next)
	return next, tx.Publish(ctx, given(next))
}

// vouch makes the account that waits the current one, of an organisation that
// has none, on the word of whoever asks, who neither gave it nor made the key with
// which it was given. It is named: what took its place since that person looked
// is not verified unseen.
func (s *Service) vouch(ctx context.Context, tx *pg.Tx, org, account string) error {
	all, err := standing(ctx, tx, org)
	by := auth.From(ctx).Person()
	switch {
	case err != nil:
		return err
	case len(all) != 1 || all[0].Verified() || all[0].ID != account:
		return ErrAccount
	case all[0].Given(by):
		return ErrOwnAccount
	}
	dropPending(tx, org)
	insertAccount(tx, all[0].Verify(by, true, tx.Now()))
	audit.Record(tx, "bank_accounts.verify", org, authz.Policy(ctx), map[string]any{"account": account, "rib": mask(all[0].RIB)})
	return nil
}

// mask hides all but the last four digits of a RIB.
func mask(rib string) string { return strings.Repeat("•", len(rib)-4) + rib[len(rib)-4:] }
