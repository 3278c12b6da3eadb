package sharing

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// GlassView is a dossier that is opened, or shall be, without consent.
type GlassView struct {
	ID       string            `json:"id" required:"true"`
	Owner    string            `json:"owner" required:"true"`
	Names    map[string]string `json:"names" required:"true" description:"The owner's, by language."`
	State    string            `json:"state" required:"true" enum:"asked,open,refused"`
	Reason   string            `json:"reason" required:"true"`
	Sections []string          `json:"sections" required:"true"`
	AskedBy  string            `json:"asked_by" required:"true"`
	AskedAt  time.Time         `json:"asked_at" required:"true"`
	OpenedBy string            `json:"opened_by,omitempty"`
	Until    *time.Time        `json:"until,omitempty" description:"Nobody reads on it from then on."`
	Mine     bool              `json:"mine,omitempty" description:"The caller asked for it, and alone reads on it."`
	Approval string            `json:"approval,omitempty" description:"Where a second person opens it: POST /v1/approvals/{id}. It is said to who has asked, when it asks."`
}

func (g Glass) view(names map[string]string) GlassView {
	return GlassView{ID: g.ID, Owner: g.Owner, Names: names, State: g.State, Reason: g.Reason, Sections: g.Sections, AskedBy: g.AskedBy, AskedAt: g.AskedAt.UTC(), OpenedBy: g.OpenedBy, Until: rest.UTC(g.Until)}
}

// GlassesInput asks for broken glasses.
type GlassesInput struct {
	State string `query:"state" enum:"asked,open,refused"`
	rest.Paging
}

// Glasses lists what the market's people opened, or want to open, without consent;
// each of them sees all.
func (s *Service) Glasses(ctx context.Context, in GlassesInput) (p rest.Page[GlassView], err error) {
	below, err := in.After(id.Glass)
	if err != nil {
		return p, err
	}
	all, err := glasses(ctx, s.db.Asking(), in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	owners := make([]string, len(all))
	for i, g := range all {
		owners[i] = g.Owner
	}
	who, err := s.Members.Sellers(ctx, s.db, owners)
	me := auth.From(ctx).Person()
	return rest.View(all, in.Limit, func(g Glass) GlassView {
		v := g.view(who[g.Owner].Names)
		v.Mine = g.AskedBy == me
		return v
	}, func(v GlassView) any { return v.ID }), err
}

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
	v = g.view(o.Names)
	v.Approval = asked.ID
	return v, err
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
