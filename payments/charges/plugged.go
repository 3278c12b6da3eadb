package charges

import (
	"context"
	"errors"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A Way is an acquirer or a wallet that came while the hub runs, as it stands now.
type Way struct {
	Acquirer *card.Acquirer // nil for a wallet
	Wallet   *wallet.Wallet // nil for an acquirer
	Barred   string         // why nothing may leave for it now, or ""; it may still be asked
	First    bool           // buyers are sent there before any other
}

// Plugged knows the acquirers and wallets that come while the hub runs.
type Plugged interface {
	// Acquirers and Wallets are those that were ever live, by their names; one that
	// cannot be opened is barred. An error says that they are not known now.
	Acquirers(ctx context.Context, db pg.DB) ([]Way, error)
	Wallets(ctx context.Context, db pg.DB) ([]Way, error)
	// AnyAcquirer and AnyWallet say whether there may be one. They ask nobody: where
	// there is none, a checkout does not look for one.
	AnyAcquirer() bool
	AnyWallet() bool
}

// nobody is plugged in.
type nobody struct{}

func (nobody) Acquirers(context.Context, pg.DB) ([]Way, error) { return nil, nil }
func (nobody) Wallets(context.Context, pg.DB) ([]Way, error)   { return nil, nil }
func (nobody) AnyAcquirer() bool                               { return false }
func (nobody) AnyWallet() bool                                 { return false }

// Plug gives charges the acquirers and wallets that come while the hub runs. It is
// called at start.
func (s *Service) Plug(p Plugged) *Service {
	s.plugged = p
	return s
}

// builtIn is an acquirer that the hub was started with: ErrPartner.
func (s *Service) builtIn(name string) (*card.Acquirer, error) {
	for _, a := range s.acquirers {
		if a.ID() == name {
			return a, nil
		}
	}
	return nil, ErrPartner
}

// acquirer is one by its name: ErrPartner. Barred says why nothing may leave for it
// now, or "". db is a transaction when the caller has one.
func (s *Service) acquirer(ctx context.Context, db pg.DB, name string) (a *card.Acquirer, barred string, err error) {
	if a, err := s.builtIn(name); err == nil {
		return a, "", nil
	}
	found, err := s.plugged.Acquirers(ctx, db)
	for _, w := range found {
		if w.Acquirer.ID() == name {
			return w.Acquirer, w.Barred, nil
		}
	}
	if err != nil {
		return nil, "", err
	}
	return nil, "", ErrPartner
}

// isAcquirer says whether a partner is an acquirer.
func (s *Service) isAcquirer(ctx context.Context, db pg.DB, name string) (bool, error) {
	_, _, err := s.acquirer(ctx, db, name)
	if errors.Is(err, ErrPartner) {
		return false, nil
	}
	return err == nil, err
}

// wallet is one by its name: errNoWallet. Barred says why nothing may leave for it
// now, or "".
func (s *Service) wallet(ctx context.Context, db pg.DB, name string) (w *wallet.Wallet, barred string, err error) {
	for _, w := range s.wallets {
		if w.ID() == name {
			return w, "", nil
		}
	}
	found, err := s.plugged.Wallets(ctx, db)
	for _, w := range found {
		if w.Wallet.ID() == name {
			return w.Wallet, w.Barred, nil
		}
	}
	if err != nil {
		return nil, "", err
	}
	return nil, "", errNoWallet
}

// isWallet says whether a partner is a wallet.
func (s *Service) isWallet(ctx context.Context, db pg.DB, name string) (bool, error) {
	if _, err := s.builtIn(name); err == nil {
		return false, nil
	}
	_, _, err := s.wallet(ctx, db, name)
	if errors.Is(err, errNoWallet) {
		return false, nil
	}
	return err == nil, err
}

// errBarred says that nothing may leave for a partner now, and why.
type errBarred struct{ why string }

func (e errBarred) Error() string { return e.why }

// leaving is err, or why nothing may leave.
func leaving(barred string, err error) error {
	if err == nil && barred != "" {
		return errBarred{barred}
	}
	return err
}

// notSent is what became of a call that could not be made.
func notSent(err error) outbound.Result {
	r := outbound.Result{Outcome: outbound.NotSent, Text: err.Error()}
	if _, barred := errors.AsType[errBarred](err); barred {
		r.Reason = outbound.Paused
	}
	return r
}

// cards are the acquirers that buyers may be sent to, in order of preference: the
// plugged one that was made the first, those that are built in, other plugged ones.
func (s *Service) cards(ctx context.Context, db pg.DB) ([]*card.Acquirer, error) {
	if !s.plugged.AnyAcquirer() {
		return s.acquirers, nil
	}
	found, err := s.plugged.Acquirers(ctx, db)
	return inOrder(s.acquirers, found, err, func(w Way) *card.Acquirer { return w.Acquirer })
}

// askable are the wallets whose owners may be asked, in the same order.
func (s *Service) askable(ctx context.Context, db pg.DB) ([]*wallet.Wallet, error) {
	if !s.plugged.AnyWallet() {
		return s.wallets, nil
	}
	found, err := s.plugged.Wallets(ctx, db)
	return inOrder(s.wallets, found, err, func(w Way) *wallet.Wallet { return w.Wallet })
}

// inOrder puts the plugged ones that nothing stands against before and behind those
// that are built in. That the plugged ones are not known keeps nobody from paying by
// another.
func inOrder[T any](built []T, found []Way, err error, of func(Way) T) ([]T, error) {
	var first, last []T
	for _, w := range found {
		switch {
		case w.Barred != "":
		case w.First:
			first = append(first, of(w))
		default:
			last = append(last, of(w))
		}
	}
	if all := append(append(first, built...), last...); len(all) > 0 {
		return all, nil
	}
	return nil, err
}

// chosenWallet is the wallet that an owner is asked at: the first that answers, else
// the first that people have not stopped, else the first.
func (s *Service) chosenWallet(ctx context.Context, db pg.DB) (*wallet.Wallet, error) {
	all, err := s.askable(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, fits := range []func(w *wallet.Wallet) bool{(*wallet.Wallet).Ready, func(w *wallet.Wallet) bool { return !w.Held() }} {
		for _, w := range all {
			if fits(w) {
				return w, nil
			}
		}
	}
	if len(all) == 0 {
		return nil, errNoWallet
	}
	return all[0], nil
}
