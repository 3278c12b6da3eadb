package escrow

import (
	"context"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

const (
	// kindRelease is what a second person decides: money that an agent lets go.
	kindRelease = "escrow.release"
	// AgentAlone is how much of an escrow, in centimes, one agent lets go without a
	// second person, what was released before included.
	AgentAlone = 5_000_00
)

// A wish is a release that an agent asks for.
type wish struct {
	Escrow   string `json:"escrow"`
	Amount   int64  `json:"centimes"`
	Released int64  `json:"released"` // before
	Reason   string `json:"reason"`
}

// askRelease asks a second person for a release.
func (s *Service) askRelease(ctx context.Context, tx *pg.Tx, h Hold, amount int64, reason string) (approvals.Request, error) {
	if _, _, err := h.Release(amount); err != nil {
		return approvals.Request{}, err
	}
	m := h.money(amount)
	ask, err := approvals.Ask{
		Kind: kindRelease, Subject: h.ID, Amount: &m,
		Why: releaseAsked.Of(m, h.Order, reason),
	}.Of(wish{h.ID, amount, h.Released, reason})
	if err != nil {
		return approvals.Request{}, err
	}
	return s.approvals.Ask(ctx, tx, ask)
}

// releaseDecided lets go what a second person agreed to, unless some was released
// meanwhile.
func (s *Service) releaseDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	var l wish
	if r.Read(&l) != nil || l.Escrow != r.Subject {
		return approvals.ErrChanged
	}
	h, err := lock(ctx, tx, l.Escrow)
	if err != nil {
		return err
	}
	if h.Released != l.Released {
		return approvals.ErrChanged
	}
	recordRelease(tx, h, l.Amount, l.Reason, "approvals.operator", r.AskedBy)
	_, err = s.release(ctx, tx, h, l.Amount)
	return err
}

// recordRelease writes down what an agent lets go, and why.
func recordRelease(tx *pg.Tx, h Hold, amount int64, reason, policy, asked string) {
	audit.Record(tx, "escrows.release", h.ID, policy, map[string]string{"amount": h.money(amount).String(), "reason": reason, "asked_by": asked})
}

// byAgent says what becomes of an agent's wish to let money go: it is written down
// and goes on, or waits for a second person, whose request is answered.
func (s *Service) byAgent(ctx context.Context, tx *pg.Tx, h Hold, amount int64, reason string) (approval string, err error) {
	p := auth.From(ctx)
	if p.Role != auth.Operator {
		return "", nil
	}
	if h.Released+amount <= AgentAlone {
		recordRelease(tx, h, amount, reason, authz.Policy(ctx), p.Person())
		return "", nil
	}
	r, err := s.askRelease(ctx, tx, h, amount, reason)
	return r.ID, err
}
