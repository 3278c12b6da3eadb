package limits

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// kindRules are approvals of other rules.
const kindRules = "limits.rules"

// A Book is all rules that are in force.
type Book struct {
	Version int64  `json:"version" required:"true"`
	Rules   []Rule `json:"rules" required:"true"`
}

// Show shows the rules in force, to the operator.
func (s *Service) Show(ctx context.Context, _ rest.None) (Book, error) { return loadBook(ctx, s.db) }

// PutInput are the rules that are wanted, all of them.
type PutInput struct {
	Version int64  `json:"version" required:"true" description:"Of the rules that these shall replace."`
	Rules   []Rule `json:"rules" required:"true" minItems:"1" maxItems:"200"`
	Why     string `json:"why" required:"true" minLength:"1" maxLength:"500" description:"For the person who decides."`
}

// PutView says which approval the rules wait for.
type PutView struct {
	Approval string          `json:"approval" required:"true"`
	State    approvals.State `json:"state" required:"true" enum:"open,approved,refused,void"`
	Version  int64           `json:"version" required:"true" description:"Of the rules still in force."`
}

// Put asks for other rules; a second person puts them in force. Asking for
// others voids what was asked for before.
func (s *Service) Put(ctx context.Context, in PutInput) (v PutView, err error) {
	if err := checkRules(in.Rules); err != nil {
		return v, err
	}
	slices.SortFunc(in.Rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(in.Rules)
	if err != nil {
		return v, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", in.Version, text))
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		b, err := lockBook(ctx, tx)
		if err != nil {
			return err
		}
		if b != in.Version {
			return ErrVersion
		}
		insertProposal(tx, sum[:], in.Version, text)
		r, err := s.approvals.Ask(ctx, tx, approvals.Ask{Kind: kindRules, Subject: "limits", Hash: sum[:], Why: in.Why, Evidence: string(text)})
		if err != nil {
			return err
		}
		audit.Record(tx, "limits.put", r.ID, authz.Policy(ctx), map[string]any{"version": in.Version, "rules": len(in.Rules)})
		v = PutView{r.ID, r.State, b}
		return nil
	})
	return v, err
}

// checkRules says which rules cannot be.
func checkRules(rules []Rule) error {
	err, seen := ErrRules, map[string]bool{}
	for i, r := range rules {
		if field, wrong := r.check(); wrong != "" {
			err = err.At(fmt.Sprintf("/rules/%d/%s", i, field), wrong)
		}
		if seen[r.ID] {
			err = err.At(fmt.Sprintf("/rules/%d/id", i), "Another rule has this name.")
		}
		seen[r.ID] = true
	}
	if len(err.Details) > 0 {
		return err
	}
	return nil
}

// decided puts approved rules in force, if those that they replace still are.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	p, err := loadProposal(ctx, tx, r.Hash)
	if errors.Is(err, ErrNotFound) {
		return approvals.ErrChanged
	}
	if err != nil {
		return err
	}
	now, err := lockBook(ctx, tx)
	if err != nil {
		return err
	}
	if now != p.Version {
		return approvals.ErrChanged
	}
	replaceRules(tx, p.Rules, r.AskedBy)
	audit.Record(tx, "limits.put", r.ID, authz.Policy(ctx), map[string]any{"version": now + 1, "asked_by": r.AskedBy})
	return nil
}
