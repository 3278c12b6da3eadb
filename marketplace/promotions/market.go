package promotions

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// kindMarket is what a second person decides: a promotion that the market pays.
const kindMarket = "promotions.market"

// byOne is what one of the market's people promises alone in thirty days, in
// centimes; above it a second person decides.
const (
	byOne    = 5_000_00
	byOneFor = 30 * 24 * time.Hour
)

// waits says whether a second person has yet to agree.
func (p Promotion) waits() bool { return p.AgreedAt == nil && p.EndedAt == nil }

// sum stands for exactly what a second person approves.
func (p Promotion) sum() []byte {
	limit := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	var most int64
	if p.Most != nil {
		most = *p.Most
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %s %s %d %d %d %q %q %d %d %d %d %d", p.ID, p.Code, p.Names, p.Kind, p.Percent, p.Amount, most, p.Minimum,
		p.Offers, p.Categories, p.Since.Unix(), p.Until.Unix(), limit(p.Total), limit(p.PerBuyer), *p.Budget))
	return sum[:]
}

// makeMarkets adds a promotion that the market pays: at once, or with the word of
// a second person when its maker has promised enough alone.
func (s *Service) makeMarkets(ctx context.Context, tx *pg.Tx, in Input) (v View, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Operator {
		return v, ErrPayer
	}
	if in.Seller != "" {
		return v, ErrInvalid.At("/seller", "What the market pays is for the goods of all sellers; name offers instead.")
	}
	p, err := in.promotion(Market, "", tx.Now())
	if err != nil {
		return v, err
	}
	maker(tx, "")
	before, err := alone(ctx, tx, who.Person(), tx.Now().Add(-byOneFor))
	if err != nil {
		return v, err
	}
	if before+*p.Budget <= byOne {
		p.MadeBy, p.AgreedAt = who.Person(), &p.MadeAt
	}
	insert(tx, p)
	v = p.view()
	if p.waits() {
		budget := money.Dirhams(*p.Budget)
		r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
			Kind: kindMarket, Subject: p.ID, Hash: p.sum(), Amount: &budget, Why: "The market shall pay " + budget.String() + " of what buyers pay less: " + p.Names["fr"],
		})
		if err != nil {
			return v, err
		}
		v.Approval = r.ID
	}
	audit.Record(tx, "promotions.make", p.ID, authz.Policy(ctx), in)
	return v, tx.Publish(ctx, Changed{p.ID, "", false})
}

// Approve has two people decide what the market pays above a sum. It is called at
// start.
func (s *Service) Approve(by Approvals) {
	s.approvals = by
	by.Handle(kindMarket, s.decided)
}

// decided has a promotion begin that a second person approved, or ends it.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	p, err := lock(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if r.State == approvals.Refused {
		if p.EndedAt != nil {
			return nil
		}
		end(tx, p.ID, tx.Now())
		return tx.Publish(ctx, Changed{p.ID, "", true})
	}
	if !p.waits() || !p.Until.After(tx.Now()) {
		return ErrChanged
	}
	if !bytes.Equal(p.sum(), r.Hash) {
		return approvals.ErrChanged
	}
	agree(tx, p.ID, tx.Now())
	audit.Record(tx, "promotions.approve", p.ID, "approvals.operator", map[string]any{"asked_by": r.AskedBy})
	return tx.Publish(ctx, Changed{p.ID, "", false})
}
