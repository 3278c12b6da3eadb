package recon

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// kindHanded is what a second person decides: that a statement which one of us
// hands in is the bank's.
const kindHanded = "recon.statement"

// hand keeps a statement that one of the operator's people hands in, until a
// second one agrees: a file is money. One that could never be taken in is
// refused at once, and one that was taken in answers what it did.
func (s *Service) hand(ctx context.Context, tx *pg.Tx, h House, f bank.Received) (v UploadView, err error) {
	if err := oneAtATime(ctx, tx, h.Bank.ID()); err != nil {
		return v, err
	}
	before, err := fileBySum(ctx, tx, h.Bank.ID(), f.SHA256)
	if err == nil && before.Kind != "unreadable" {
		reads, err := readsOf(ctx, tx, before.ID)
		if err == nil && len(reads) == 0 {
			err = ErrReport
		}
		return summary(reads), err
	}
	if err != nil && !errors.Is(err, errNoFile) {
		return v, err
	}
	m, err := h.Bank.Read(f)
	if err != nil {
		return v, err
	}
	if m.Report != nil {
		return v, ErrReport
	}
	for _, st := range m.Statements {
		if _, _, err := look(ctx, tx, h, st, content(st)); err != nil {
			return v, err
		}
	}
	sum, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return v, err
	}
	insertHanded(tx, id.New(id.File), h.Bank.ID(), f, auth.From(ctx).Person())
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindHanded, Subject: h.Bank.ID() + " " + f.SHA256, Hash: sum, Why: "Statement " + f.Name + " of " + h.Bank.ID() + ", handed in by hand.",
	})
	if err != nil {
		return v, err
	}
	audit.Record(tx, "statements.create", f.SHA256, authz.Policy(ctx), map[string]any{"bank": h.Bank.ID(), "name": f.Name, "bytes": len(f.Bytes)})
	v.Approval = r.ID
	for _, st := range m.Statements {
		v.Entries += len(st.Entries)
	}
	return v, nil
}

// handedDecided takes in what a second person agreed to.
func (s *Service) handedDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	of, _, _ := strings.Cut(r.Subject, " ")
	f, err := loadHanded(ctx, tx, of, hex.EncodeToString(r.Hash))
	if err != nil {
		return err
	}
	for _, h := range s.houses {
		if h.Bank.ID() == of {
			audit.Record(tx, "statements.approve", f.SHA256, "approvals.operator", map[string]string{"bank": of, "asked_by": r.AskedBy})
			_, err := s.take(ctx, tx, h, f)
			return err
		}
	}
	return ErrNoBank
}

// summary adds up what some statements did.
func summary(reads []Read) (v UploadView) {
	for i, r := range reads {
		if i == 0 {
			v.ID = r.ID
		}
		v.Entries, v.Matched, v.Partly, v.Unmatched = v.Entries+r.Entries, v.Matched+r.Matched, v.Partly+r.Partly, v.Unmatched+r.Unmatched
	}
	return v
}
