package charges

import (
	"context"
	"errors"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A Way is a wallet that came while the hub runs, as it stands now.
type Way struct {
	Wallet *wallet.Wallet
	Barred string // why nothing may leave for it now, or ""; it may still be asked
	First  bool   // buyers are sent there before any other
}

// Plugged are the ways that were ever live, by their names; one that cannot be opened
// is barred. An error says that they are not known now.
type Plugged func(ctx context.Context, db pg.DB) ([]Way, error)

// Plug gives charges the wallets that come while the hub runs. It is
// called at start.
func (s *Service) Plug(p Plugged) *Service {
	s.plugged = p
	return s
}

// ways are the plugged ones. db is a transaction when the caller has one.
func (s *Service) ways(ctx context.Context, db pg.DB) ([]Way, error) {
	if s.plugged == nil {
		return nil, nil
	}
	return s.plugged(ctx, db)
}

// wallet is one by its name: errNoWallet. Barred says why nothing may leave for it
// now, or "".
func (s *Service) wallet(ctx context.Context, db pg.DB, name string) (w *wallet.Wallet, barred string, err error) {
	for _, w := range s.wallets {
		if w.ID() == name {
			return w, "", nil
		}
	}
	found, err := s.ways(ctx, db)
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
	if _, err := s.acquirer(name); err == nil {
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

// askable are the wallets whose owners may be asked, in order of preference: the
// plugged one that was made the first, those that are built in, other plugged ones.
// That the plugged ones are not known keeps nobody from paying by another.
func (s *Service) askable(ctx context.Context, db pg.DB) ([]*wallet.Wallet, error) {
	found, err := s.ways(ctx, db)
	var first, last []*wallet.Wallet
	for _, w := range found {
		switch {
		case w.Barred != "":
		case w.First:
			first = append(first, w.Wallet)
		default:
			last = append(last, w.Wallet)
		}
	}
	all := append(append(first, s.wallets...), last...)
	if len(all) > 0 {
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
