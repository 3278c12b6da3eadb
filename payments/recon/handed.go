package recon

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
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
	if h, err = s.knowing(ctx, tx, h); err != nil {
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
	evidence, err := s.foretold(ctx, tx, h, m.Statements)
	if err != nil {
		return v, err
	}
	sum, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return v, err
	}
	insertHanded(tx, id.New(id.File), h.Bank.ID(), f, auth.From(ctx).Person())
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindHanded, Subject: h.Bank.ID() + " " + f.SHA256, Hash: sum, Why: handedIn.Of(f.Name, h.Bank.ID()),
		Evidence: evidence,
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

// foretold says what the second person agrees to: which account, from what
// balance to what, how much comes and goes, and what it would be matched with.
func (s *Service) foretold(ctx context.Context, tx *pg.Tx, h House, all []bank.Statement) (string, error) {
	var out []string
	for _, st := range all {
		_, isKnown, err := look(ctx, tx, h, st, content(st))
		if err != nil {
			return "", err
		}
		if isKnown {
			out = append(out, st.ID+": it was taken in before, and changes nothing.")
			continue
		}
		text, err := s.foretell(ctx, tx, h, st)
		if err != nil {
			return "", err
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n"), nil
}

func (s *Service) foretell(ctx context.Context, tx *pg.Tx, h House, st bank.Statement) (string, error) {
	told, err := s.repeats(ctx, tx, h.Bank.ID(), st)
	if err != nil {
		return "", err
	}
	var in, out, ours, settled int64
	named, sales, repeated := 0, 0, 0
	for _, e := range st.Entries {
		amount := e.Amount.Centimes()
		in, out = in+max(amount, 0), out+max(-amount, 0)
		l := Line{Amount: amount, Currency: e.Amount.Currency(), BankRef: e.BankRef, BookedOn: e.BookedOn, Info: e.Info}
		again, err := s.again(ctx, tx, h.Bank.ID(), st, told, e, l)
		if err != nil {
			return "", err
		}
		if again != "" {
			repeated++
			continue
		}
		sale, err := s.settlement(ctx, tx, h, e)
		if err != nil {
			return "", err
		}
		op, err := s.named(ctx, tx, h, e)
		switch {
		case err != nil:
			return "", err
		case sale:
			sales, settled = sales+1, settled+amount
		case op:
			named, ours = named+1, ours+amount
		}
	}
	sum := func(c int64) money.Money { return money.FromCentimes(c, st.Currency) }
	balances := "without balances"
	if st.HasBalances {
		balances = fmt.Sprintf("from %s to %s", st.Opening, st.Closing)
	}
	text := fmt.Sprintf("%s, account %s, %s: %d lines, %s comes and %s goes. %d lines of %s are acquirers' settlements, %d of %s name something else of ours, %d stand in other statements.",
		st.ID, st.Account, balances, len(st.Entries), sum(in), sum(out), sales, sum(settled), named, sum(ours), repeated)
	if !told.joins {
		text += " It does not join the statements beside it."
	}
	return text, nil
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
	houses, err := s.everywhere(ctx, tx)
	if err != nil {
		return err
	}
	for _, h := range houses {
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
