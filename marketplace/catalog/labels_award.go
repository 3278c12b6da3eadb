package catalog

import (
	"context"
	"errors"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// An Award is a label that an institution gave a seller for all that it offers.
// Days are written as 2026-01-31; without a last day it stays.
type Award struct {
	Seller, Code, Issuer, Number string
	From, To                     string
	By                           string // the institution
	Evidence                     string // what it was given on
}

// Award makes a label of an institution's decision, verified by it, a step of
// whoever decides. It is a badge from its first day to its last.
func (s *Service) Award(ctx context.Context, tx *pg.Tx, a Award) (label string, err error) {
	l := Label{ID: id.New(id.Label), Seller: a.Seller, Code: tidy(a.Code), Issuer: tidy(a.Issuer), Number: tidy(a.Number), Scope: OfOrganisation, From: a.From, To: a.To, State: Claimed, ClaimedAt: tx.Now()}
	if err := l.checkClaim(nil); err != nil {
		return "", err
	}
	insertLabels(tx, []Label{l}, nil)
	audit.Record(tx, "labels.award", l.ID, authz.Policy(ctx), map[string]string{"seller": a.Seller, "by": a.By})
	hub := auth.Hub
	hub.Subject = a.By
	_, _, err = s.moveLabel(auth.With(ctx, hub), tx, l.ID, Verified, tidy(a.Evidence))
	return l.ID, err
}

// TakeAway takes an awarded label back before its time, a step of whoever decides.
// One that has ended already stays as it is.
func (s *Service) TakeAway(ctx context.Context, tx *pg.Tx, label, why string) error {
	_, _, err := s.moveLabel(auth.With(ctx, auth.Hub), tx, label, Revoked, tidy(why))
	if errors.Is(err, ErrLabelState) {
		return nil
	}
	return err
}
