package policies

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// digest stands for all that a product says.
func digest(p insurance.Product) []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic("policies: " + err.Error()) // a product is plain data
	}
	h := sha256.Sum256(b)
	return h[:]
}

// fetch takes in what an insurer offers. A version that was taken in is never
// changed: one that says something else under its number is a break, and what is
// sold stays as it was. What the insurer does not list any more is withdrawn.
func (s *Service) fetch(ctx context.Context, i Insurer, insurer string) error {
	all, r := i.Products(ctx)
	if !done(r) {
		return nil // the timer asks again
	}
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		known, err := productsOf(ctx, tx, insurer)
		if err != nil {
			return err
		}
		var listed []string
		for _, p := range all {
			listed = append(listed, p.ID)
			if err := s.offer(ctx, tx, insurer, tidy(p), known); err != nil {
				return err
			}
		}
		for _, k := range known {
			if k.State == Approved && k.Source == "insurer" && !slices.Contains(listed, k.Code) {
				if err := s.decide(ctx, tx, k, Withdrawn, "the insurer does not list it any more", "hub"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Service) offer(ctx context.Context, tx *pg.Tx, insurer string, p insurance.Product, known []Product) error {
	if wrong := Check(p); len(wrong) > 0 || p.Version < 1 {
		return s.gap(ctx, tx, Gap{
			Insurer: insurer, Kind: "product_invalid", Ref: p.ID, Subject: fmt.Sprintf("%s/%d", p.ID, p.Version),
			Detail: fmt.Sprintf("Product %s cannot be shown: %v", p.ID, wrong), Suggestion: "Ask the insurer to correct it and to raise its version.",
		})
	}
	sum := digest(p)
	for _, k := range known {
		if k.Code != p.ID || k.Number != p.Version {
			continue
		}
		if bytes.Equal(k.Digest, sum) {
			return nil
		}
		return s.gap(ctx, tx, Gap{
			Insurer: insurer, Kind: "product_changed", Ref: p.ID, Subject: k.ID,
			Detail: fmt.Sprintf("Version %d of %s says something else than when it was taken in.", p.Version, p.ID), Suggestion: "Ask the insurer to raise the version: policies keep the one they were made under.",
		})
	}
	n := Product{ID: id.New(id.InsuranceProduct), Insurer: insurer, Code: p.ID, Number: p.Version, Line: p.Line, Doc: p, Digest: sum, Source: "insurer", State: Offered, MadeBy: "insurer " + insurer, MadeAt: tx.Now(), Version: 1}
	insertProduct(tx, n)
	audit.Record(tx, "insurance.offer", n.ID, "", map[string]any{"insurer": insurer, "code": n.Code, "number": n.Number})
	return tx.Publish(ctx, n.moved())
}

// Propose writes down a version of a product, by the insurer's people: the next of
// its code. An operator lets it be shown.
func (s *Service) Propose(ctx context.Context, tx *pg.Tx, in ProposeInput) (v ProductView, err error) {
	mine, err := s.speaksFor(ctx, tx, auth.From(ctx).Subject)
	if err != nil {
		return v, err
	}
	switch {
	case len(mine) == 0:
		return v, ErrNoHub.Say("No insurer of yours is connected with the market yet.")
	case in.Insurer == "" && len(mine) == 1:
		in.Insurer = mine[0]
	case !slices.Contains(mine, in.Insurer):
		return v, ErrNotFound
	}
	d := in.product()
	if err := invalid(Check(d)); err != nil {
		return v, err
	}
	last, err := lastNumber(ctx, tx, in.Insurer, d.ID)
	if err != nil {
		return v, err
	}
	d.Version = last + 1
	p := Product{ID: id.New(id.InsuranceProduct), Insurer: in.Insurer, Code: d.ID, Number: d.Version, Line: d.Line, Doc: d, Digest: digest(d), Source: "desk", State: Offered, MadeBy: auth.From(ctx).Person(), MadeAt: tx.Now(), Version: 1}
	insertProduct(tx, p)
	audit.Record(tx, "insurance.propose", p.ID, authz.Policy(ctx), map[string]any{"insurer": p.Insurer, "code": p.Code, "number": p.Number})
	names, err := s.names(ctx, tx, p.Insurer)
	if err != nil {
		return v, err
	}
	return p.view(names[p.Insurer]), tx.Publish(ctx, p.moved())
}

// Approve lets a version of a product be shown and sold, in the place of the one
// before. An operator calls it, who did not write it down.
func (s *Service) Approve(ctx context.Context, tx *pg.Tx, in DecideInput) (v ProductView, err error) {
	return s.decided(ctx, tx, in, Approved)
}

// Reject says why a version of a product is not shown.
func (s *Service) Reject(ctx context.Context, tx *pg.Tx, in RefuseInput) (v ProductView, err error) {
	return s.decided(ctx, tx, DecideInput(in), Rejected)
}

// Withdraw stops the sale of a product; policies of it go on.
func (s *Service) Withdraw(ctx context.Context, tx *pg.Tx, in RefuseInput) (v ProductView, err error) {
	return s.decided(ctx, tx, DecideInput(in), Withdrawn)
}

func (s *Service) decided(ctx context.Context, tx *pg.Tx, in DecideInput, to ProductState) (v ProductView, err error) {
	p, err := lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	by := auth.From(ctx).Person()
	if by == p.MadeBy {
		return v, ErrOwn
	}
	if to == Approved {
		sold, err := soldOf(ctx, tx, p.Insurer, p.Code)
		if err != nil {
			return v, err
		}
		for _, o := range sold {
			if err := s.decide(ctx, tx, o, Withdrawn, fmt.Sprintf("version %d is sold instead", p.Number), by); err != nil {
				return v, err
			}
		}
		if err := tx.Flush(ctx); err != nil {
			return v, err
		}
	}
	if err := s.decide(ctx, tx, p, to, in.Note, by); err != nil {
		return v, err
	}
	if p, err = lockProduct(ctx, tx, p.ID); err != nil {
		return v, err
	}
	names, err := s.names(ctx, tx, p.Insurer)
	return p.view(names[p.Insurer]), err
}

// decide moves a version on: from offered to approved or rejected, from approved
// to withdrawn.
func (s *Service) decide(ctx context.Context, tx *pg.Tx, p Product, to ProductState, note, by string) error {
	if (to == Withdrawn) != (p.State == Approved) || to != Withdrawn && p.State != Offered {
		return ErrDecided.Say("This version of the product is %s.", p.State)
	}
	at := tx.Now()
	p.State, p.Note, p.DecidedBy, p.DecidedAt = to, note, by, &at
	saveProduct(tx, p)
	audit.Record(tx, "insurance."+string(to), p.ID, authz.Policy(ctx), map[string]any{"insurer": p.Insurer, "code": p.Code, "number": p.Number, "note": note})
	return tx.Publish(ctx, p.moved())
}
