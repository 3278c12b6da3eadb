package connectors

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// ResumeInput asks for real money to move through a partner.
type ResumeInput struct {
	Partner string `path:"partner"`
	Pays    bool   `json:"pays,omitempty" description:"From then on payouts leave from this bank, instead of the one before; buyers are sent to this acquirer or wallet first."`
	Why     string `json:"why" required:"true" minLength:"1" maxLength:"500" description:"For the person who decides."`
}

// ResumeView says which approval a partner waits for.
type ResumeView struct {
	Approval string          `json:"approval" required:"true"`
	State    approvals.State `json:"state" required:"true" enum:"open,approved,refused,void"`
	Partner  View            `json:"partner" required:"true"`
}

// Resume asks a second person to let real money move through a partner, for the
// first time or after a pause. One without a certificate of the level that the
// policy asks is refused here, again when it is approved, and again whenever
// something leaves. The operator's people call it.
func (s *Service) Resume(ctx context.Context, tx *pg.Tx, in ResumeInput) (ResumeView, error) {
	c, err := lock(ctx, tx, in.Partner)
	if err != nil {
		return ResumeView{}, err
	}
	if c.State == Live && c.Pays == in.Pays {
		return ResumeView{}, ErrState.Say("This partner is live already.")
	}
	if in.Pays && c.Port != PortBank && !c.settles() {
		return ResumeView{}, ErrState.At("/pays", "payouts leave from banks; buyers pay by cards and wallets")
	}
	if err := s.cfg.Policy.May(c, tx.Now()); err != nil {
		return ResumeView{}, err
	}
	c.WantsPays = in.Pays
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindLive, Subject: c.ID, Hash: c.Sum(), Why: in.Why,
		Evidence: c.evidence(in.Pays),
	})
	if err != nil {
		return ResumeView{}, err
	}
	have, err := credentials(ctx, tx, c.ID)
	if err != nil {
		return ResumeView{}, err
	}
	c.ChangedAt = tx.Now()
	save(tx, c)
	c.Version++
	audit.Record(tx, "partners.resume", c.ID, authz.Policy(ctx), map[string]any{"approval": r.ID, "pays": in.Pays})
	return ResumeView{r.ID, r.State, c.view(have)}, nil
}

// evidence is what the second person reads of a partner that is to be live.
func (c Connector) evidence(pays bool) string {
	switch {
	case c.settles():
		return fmt.Sprintf("%s of %s, at %s: %s; it pays us from …%s and keeps %s %%; buyers are sent there first: %t", c.ID, c.Owner, c.URL, c.Protocol(), c.SettlesFrom[20:], cmp.Or(c.percent(), "?"), pays)
	case c.Port == PortCRM:
		return fmt.Sprintf("%s of %s, at %s: %s; what it is told of people is kept there, %s", c.ID, c.Owner, c.URL, c.Protocol(), map[string]string{InMorocco: "in Morocco", Abroad: "abroad"}[c.Hosted])
	case c.Port != PortBank:
		return fmt.Sprintf("%s of %s, at %s: %s", c.ID, c.Owner, c.URL, c.Protocol())
	}
	return fmt.Sprintf("%s of %s, at %s; clients' account …%s, own account …%s; payouts leave there: %t", c.ID, c.Owner, c.URL, c.SafeguardRIB[20:], c.OperatingRIB[20:], pays)
}

// decided has real money move through a partner that two people agreed on, if it
// is still what they saw.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	c, err := lock(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if !bytes.Equal(c.Sum(), r.Hash) {
		return approvals.ErrChanged
	}
	if err := s.cfg.Policy.May(c, tx.Now()); err != nil {
		return err
	}
	got, err := s.cfg.Policy.proves(c, c.Certificate, tx.Now())
	if err != nil {
		return err
	}
	if err := s.prove(tx, c, got.Remembers); err != nil {
		return err
	}
	if c.WantsPays {
		onlyPayer(tx, c.Port, c.ID, tx.Now())
	}
	c.State, c.Pays, c.ChangedAt = Live, c.WantsPays, tx.Now()
	tx.After(func() {
		s.lives.Add(1)
		s.known.Store(nil)
	})
	save(tx, c)
	for _, f := range s.live[c.Port] {
		if err := f(ctx, tx, s.plug(c, tx.Now())); err != nil {
			return err
		}
	}
	audit.Record(tx, "partners.live", c.ID, "approvals.operator", map[string]any{"approval": r.ID, "pays": c.Pays, "asked_by": r.AskedBy})
	return tx.Publish(ctx, Changed{c.ID, "live", c.State, c.Pays})
}

// Pause lets nothing leave through a partner any more; what it says is still
// read. One person may, at once.
func (s *Service) Pause(ctx context.Context, tx *pg.Tx, in One) (View, error) {
	c, err := lock(ctx, tx, in.Partner)
	if err != nil {
		return View{}, err
	}
	if c.State != Live {
		return View{}, ErrState.Say("This partner is %s; only a live one is paused.", c.State)
	}
	if err := s.approvals.Void(ctx, tx, kindLive, c.ID); err != nil {
		return View{}, err
	}
	have, err := credentials(ctx, tx, c.ID)
	if err != nil {
		return View{}, err
	}
	c.State = Paused
	return s.changed(ctx, tx, c, have, "paused", "partners.pause", map[string]string{})
}
