package recon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Collect takes in what a bank has put out, and sets it aside. A file that
// cannot be read is kept, listed as a break, and set aside too.
func (s *Service) Collect(ctx context.Context, h House) (int, error) {
	files, err := h.Bank.Waiting(ctx)
	if err != nil {
		return 0, err
	}
	var failed error
	done := 0
	for _, f := range files {
		_, err := s.Take(ctx, h, f)
		if err != nil && itsOwnFault(err) {
			slog.ErrorContext(ctx, "a file of the bank cannot be taken in", "partner", h.Bank.ID(), "file", f.Name, "error", err)
			err = s.setAside(ctx, h, f, err)
		}
		if err == nil {
			err = h.Bank.Archive(ctx, f)
		}
		if err != nil { // ours to mend: the file waits, and keeps no other waiting
			failed = errors.Join(failed, fmt.Errorf("take in %s: %w", f.Name, err))
			continue
		}
		done++
	}
	return done, failed
}

// itsOwnFault says that a file is refused for what it says. Everything else may
// pass: a file is never set aside because of us.
func itsOwnFault(err error) bool {
	for _, its := range []error{bank.ErrUnreadable, bank.ErrUnbalanced, ErrForeign, ErrDiffers, ErrMixed} {
		if errors.Is(err, its) {
			return true
		}
	}
	return false
}

func (s *Service) setAside(ctx context.Context, h House, f bank.Received, why error) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		if _, err := fileBySum(ctx, tx, h.Bank.ID(), f.SHA256); !errors.Is(err, errNoFile) {
			return err
		}
		fid := id.New(id.File)
		insertFile(tx, fid, h.Bank.ID(), f, "unreadable", why.Error())
		insertBreak(tx, Break{ID: id.New(breakID), Kind: KindUnreadable, Bank: h.Bank.ID(), About: f.Name, File: &fid, Why: why.Error()})
		return nil
	})
}
