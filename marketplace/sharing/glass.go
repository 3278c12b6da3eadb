package sharing

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Break asks a second of the market's people to open a dossier without its owner's
// consent, for a reason that the owner is told: a court's order, or a member who
// cannot help itself.
func (s *Service) Break(ctx context.Context, tx *pg.Tx, in BreakInput) (v GlassView, err error) {
	o, err := s.Members.Of(ctx, tx, in.Org)
	if err != nil {
		return v, ErrNotFound.With(err)
	}
	reason := strings.TrimSpace(in.Reason)
	if len([]rune(reason)) < 20 {
		return v, ErrInvalid.At("/reason", "Say why in a sentence of 20 signs or more; the owner reads it.")
	}
	g := Glass{ID: id.New(id.Glass), Owner: o.ID, Reason: reason, Sections: ordered(in.Sections), State: "asked", AskedBy: auth.From(ctx).Person(), AskedAt: tx.Now()}
	insertGlass(tx, g)
	asked, err := s.Approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindGlass, Subject: g.ID, Hash: g.sum(), Why: fmt.Sprintf("The dossier of %s is opened without consent (%s): %s", o.Names["fr"], strings.Join(g.Sections, ", "), reason),
	})
	audit.Record(tx, "dossiers.break_glass", g.ID, authz.Policy(ctx), in)
	return GlassView{g.ID, g.Owner, g.State, asked.ID}, err
}

// broken opens a dossier on a second person's word, for a day, and tells its owner.
func (s *Service) broken(ctx context.Context, tx *pg.Tx, q approvals.Request) error {
	g, err := lockGlass(ctx, tx, q.Subject)
	if err != nil {
		return err
	}
	if g.State != "asked" || !bytes.Equal(g.sum(), q.Hash) {
		return approvals.ErrChanged
	}
	if q.State == approvals.Refused {
		g.State = "refused"
		saveGlass(tx, g)
		return nil
	}
	since, until := tx.Now(), tx.Now().Add(glassLife)
	g.State, g.OpenedBy, g.Since, g.Until = "open", auth.From(ctx).Person(), &since, &until
	saveGlass(tx, g)
	return tx.Publish(ctx, GlassBroken{g.ID, g.Owner, g.Reason, g.Sections, until})
}
