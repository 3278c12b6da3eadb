package catalog

import (
	"context"
	"slices"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ClaimLabel has a seller claim a label for some of its offers, or for all it
// offers now and later. Nobody sees a badge before the operator has verified it.
func (s *Service) ClaimLabel(ctx context.Context, in ClaimInput) (LabelDeskView, error) {
	seller, err := owner(ctx, in.Seller, "/seller")
	if err != nil {
		return LabelDeskView{}, err
	}
	l := Label{
		ID: id.New(id.Label), Seller: seller, Code: tidy(in.Code), Issuer: tidy(in.Issuer), Number: tidy(in.Number), Scope: in.Scope,
		Proof: in.Proof, From: in.ValidFrom, To: in.ValidTo, State: Claimed,
	}
	if err := l.checkClaim(in.Offers); err != nil {
		return LabelDeskView{}, err
	}
	slices.Sort(in.Offers)
	covers := slices.Compact(in.Offers)
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		l.ClaimedAt = tx.Now()
		if err := s.known(ctx, tx, seller); err != nil {
			return err
		}
		mine, err := ownOf(ctx, tx, seller, covers)
		if err != nil {
			return err
		}
		if err := theirs(covers, mine); err != nil {
			return err
		}
		if l.Proof != "" {
			if _, err := s.files.Use(ctx, tx, l.Proof, seller, media.Proof, l.ID); err != nil {
				return unsent(err, ErrLabel, "/proof")
			}
		}
		insertLabels(tx, []Label{l}, cover(l.ID, covers))
		return nil
	})
	return deskView(l, covers), err
}

func (l Label) checkClaim(offers []string) error {
	var f findings
	f.label("", l)
	if l.Issuer == "" {
		f.add("/issuer", "Say who issued it.")
	}
	if l.Number == "" {
		f.add("/number", "Give the number of the certificate.")
	}
	if l.Proof != "" && !voiceForm.MatchString(l.Proof) {
		f.add("/proof", "%q is not the id of a file.", l.Proof)
	}
	switch {
	case l.Scope == OfOffers && len(offers) == 0:
		f.add("/offers", "Name the offers it is for.")
	case l.Scope == OfOrganisation && len(offers) > 0:
		f.add("/offers", "A label of the whole organisation names no offers.")
	}
	return refusal(ErrLabel, f)
}

// theirs says which offers are not the seller's own.
func theirs(asked, mine []string) error {
	var f findings
	for i, o := range asked {
		if !slices.Contains(mine, o) {
			f.add(pointer("/offers", i, ""), "There is no such offer.")
		}
	}
	return refusal(ErrLabel, f)
}

// known refuses whom nobody knows.
func (s *Service) known(ctx context.Context, db pg.DB, seller string) error {
	all, err := s.sellers.Sellers(ctx, db, []string{seller})
	if err != nil {
		return err
	}
	if _, ok := all[seller]; !ok {
		return ErrInvalid.At("/seller", "There is no such organisation.")
	}
	return nil
}

// ListLabels lists a seller's labels to it, and all to the operator, the oldest
// first.
func (s *Service) ListLabels(ctx context.Context, in LabelsInput) (p rest.Page[LabelDeskView], err error) {
	seller, err := mine(ctx, in.Seller)
	if err != nil {
		return p, err
	}
	after, err := in.After(id.Label)
	if err != nil {
		return p, err
	}
	rows, err := labelsPage(ctx, s.db, seller, in.State, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, func(r deskRow) LabelDeskView { return deskView(r.Label, r.Offers) }, func(v LabelDeskView) any { return v.ID }), nil
}

// VerifyLabel makes a claim a badge, from its first day to its last.
func (s *Service) VerifyLabel(ctx context.Context, in VerifyInput) (LabelDeskView, error) {
	return s.decideLabel(ctx, in.Label, Verified, in.Evidence)
}

// RefuseLabel says no to a claim.
func (s *Service) RefuseLabel(ctx context.Context, in LabelReasonInput) (LabelDeskView, error) {
	return s.decideLabel(ctx, in.Label, Refused, in.Reason)
}

// RevokeLabel takes a verified label away before its time.
func (s *Service) RevokeLabel(ctx context.Context, in LabelReasonInput) (LabelDeskView, error) {
	return s.decideLabel(ctx, in.Label, Revoked, in.Reason)
}

// WithdrawLabel has a seller take back its claim, or give up its label.
func (s *Service) WithdrawLabel(ctx context.Context, in LabelID) (LabelDeskView, error) {
	return s.decideLabel(ctx, in.Label, Withdrawn, "")
}

func (s *Service) decideLabel(ctx context.Context, label string, to LabelState, word string) (v LabelDeskView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		l, offers, err := s.moveLabel(ctx, tx, label, to, tidy(word))
		v = deskView(l, offers)
		return err
	})
	return v, err
}

// moveLabel locks what a label covers, then the label, in the order in which
// offers are changed; brings it to a state and shows buyers what follows.
func (s *Service) moveLabel(ctx context.Context, tx *pg.Tx, label string, to LabelState, word string) (Label, []string, error) {
	l, offers, err := lockLabel(ctx, tx, label)
	if err != nil {
		return l, nil, err
	}
	if p := auth.From(ctx); p.Role != auth.Operator && p.Role != auth.System && p.Subject != l.Seller {
		return l, nil, ErrNoLabel
	}
	was := l.State
	if l, err = l.Move(to, auth.From(ctx).Subject, word, tx.Now()); err != nil {
		return l, nil, err
	}
	saveLabel(tx, l)
	if due, ok := l.Next(tx.Now()); ok {
		job.Set(tx, labelTimer, l.ID, due)
	} else {
		job.Clear(tx, labelTimer, l.ID)
	}
	if was == Verified || to == Verified {
		if _, err := s.reindex(ctx, tx, slices.Clone(offers)...); err != nil {
			return l, nil, err
		}
	}
	audit.Record(tx, "labels."+string(to), l.ID, authz.Policy(ctx), map[string]string{"from": string(was), "word": word})
	if l.Scope == OfOrganisation {
		offers = nil
	}
	return l, offers, tx.Publish(ctx, LabelMoved{l.ID, l.Seller, l.Code, l.State, word})
}

// turnLabel is what the label's timer does: it expires, or its end draws near, or
// its first day has come.
func (s *Service) turnLabel(ctx context.Context, tx *pg.Tx, label string) error {
	l, err := findLabel(ctx, tx, label)
	if err != nil || l.State != Verified {
		return ignore(err, ErrNoLabel)
	}
	if !l.InDate(tx.Now()) && !tx.Now().Before(l.Begins()) {
		_, _, err := s.moveLabel(ctx, tx, label, Expired, "")
		return err
	}
	l, offers, err := lockLabel(ctx, tx, label)
	if err != nil {
		return err
	}
	if days := l.Due(tx.Now()); days > 0 {
		l.Reminded = days
		saveLabel(tx, l)
		of, err := s.sellers.Sellers(ctx, tx, []string{l.Seller})
		if err != nil {
			return err
		}
		if !of[l.Seller].Away { // who is suspended is reminded of nothing
			if err := tx.Publish(ctx, LabelExpiring{l.ID, l.Seller, l.Code, days, l.To}); err != nil {
				return err
			}
		}
	}
	if due, ok := l.Next(tx.Now()); ok {
		job.Set(tx, labelTimer, l.ID, due)
	}
	_, err = s.reindex(ctx, tx, offers...)
	return err
}
