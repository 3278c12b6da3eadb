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

// Plugged are the ways that were ever live, by their names; one that cannot be opened
// is barred. An error says that they are not known now.
type Plugged func(ctx context.Context, db pg.DB) ([]Way, error)

// Plug gives charges the acquirers and wallets that come while the hub runs. It is
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

// acquirer is one by its name: ErrPartner. Barred says why nothing may leave for it
// now, or "".
func (s *Service) acquirer(ctx context.Context, db pg.DB, name string) (a *card.Acquirer, barred string, err error) {
	for _, a := range s.acquirers {
		if a.ID() == name {
			return a, "", nil
		}
	}
	found, err := s.ways(ctx, db)
	for _, w := range found {
		if w.Acquirer != nil && w.Acquirer.ID() == name {
			return w.Acquirer, w.Barred, nil
		}
	}
	if err != nil {
		return nil, "", err
	}
	return nil, "", ErrPartner
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
		if w.Wallet != nil && w.Wallet.ID() == name {
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
	for _, a := range s.acquirers {
		if a.ID() == name {
			return false, nil
		}
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
	found, err := s.ways(ctx, db)
	var first, last []*card.Acquirer
	for _, w := range found {
		switch {
		case w.Acquirer == nil || w.Barred != "":
		case w.First:
			first = append(first, w.Acquirer)
		default:
			last = append(last, w.Acquirer)
		}
	}
	return append(append(first, s.acquirers...), last...), able(err, len(first)+len(s.acquirers)+len(last))
}

// askable are the wallets whose owners may be asked, in the same order.
func (s *Service) askable(ctx context.Context, db pg.DB) ([]*wallet.Wallet, error) {
	found, err := s.ways(ctx, db)
	var first, last []*wallet.Wallet
	for _, w := range found {
		switch {
		case w.Wallet == nil || w.Barred != "":
		case w.First:
			first = append(first, w.Wallet)
		default:
			last = append(last, w.Wallet)
		}
	}
	return append(append(first, s.wallets...), last...), able(err, len(first)+len(s.wallets)+len(last))
}

// able is no error where there is a way all the same: a partner that cannot be
// opened keeps nobody from paying by another.
func able(err error, ways int) error {
	if ways > 0 {
		return nil
	}
	return err
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
