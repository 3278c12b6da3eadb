package diagnosis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// kindQuestionnaire names new versions of questionnaires among the approvals.
const kindQuestionnaire = "diagnosis.questionnaire"

// Draft writes down a questionnaire that is not published yet. The market's people
// call it.
func (s *Service) Draft(ctx context.Context, tx *pg.Tx, in DraftInput) (v DraftView, err error) {
	if err := in.check(); err != nil {
		return v, err
	}
	who := auth.From(ctx).Person()
	d := Draft{ID: id.New(id.QuestionnaireDraft), Questionnaire: in.Questionnaire, State: "open", Version: 1, MadeBy: who, MadeAt: tx.Now(), ChangedBy: who, ChangedAt: tx.Now()}
	insertDraft(tx, d)
	audit.Record(tx, "questionnaires.draft", d.ID, authz.Policy(ctx), map[string]string{"questionnaire": d.Questionnaire.Code})
	return d.view(""), nil
}

// Write puts another questionnaire in the place of a draft's. Who was asked to publish
// what stood there before is asked no more.
func (s *Service) Write(ctx context.Context, in WriteInput) (v DraftView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		d, err := lockDraft(ctx, tx, in.Draft)
		switch {
		case err != nil:
			return err
		case d.State == "published":
			return ErrState.Say("This draft is published.")
		case d.Version != in.Revision:
			return ErrStale
		}
		if err := in.check(); err != nil {
			return err
		}
		if d.State == "asked" {
			if err := s.Approvals.Void(ctx, tx, kindQuestionnaire, d.ID); err != nil {
				return err
			}
		}
		d.Questionnaire, d.State, d.ChangedBy, d.ChangedAt = in.Questionnaire, "open", auth.From(ctx).Person(), tx.Now()
		d.Version++
		saveDraft(tx, d)
		audit.Record(tx, "questionnaires.write", d.ID, authz.Policy(ctx), map[string]int{"revision": d.Version})
		v = d.view("")
		return nil
	})
	return v, err
}

// sum stands for exactly what a second person publishes: the version and the
// questionnaire as JSON.
func sum(version int, q Questionnaire) ([]byte, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s", version, b))
	return h[:], nil
}

// Publish asks a second person to publish a draft as it stands.
func (s *Service) Publish(ctx context.Context, tx *pg.Tx, in OneDraft) (v DraftView, err error) {
	d, err := lockDraft(ctx, tx, in.Draft)
	if err != nil {
		return v, err
	}
	if d.State == "published" {
		return v, ErrState.Say("This draft is published.")
	}
	last, err := lockCode(ctx, tx, d.Questionnaire.Code)
	if err != nil {
		return v, err
	}
	hash, err := sum(last+1, d.Questionnaire)
	if err != nil {
		return v, err
	}
	q, err := s.Approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindQuestionnaire, Subject: d.ID, Hash: hash,
		Why:      fmt.Sprintf("Questionnaire «%s», version %d: %d questions.", d.Questionnaire.Names["fr"], last+1, len(d.Questionnaire.questions())),
		Evidence: "sha256 " + hex.EncodeToString(hash),
	})
	if err != nil {
		return v, err
	}
	if d.State == "open" {
		d.State = "asked"
		d.Version++
		saveDraft(tx, d)
	}
	audit.Record(tx, "questionnaires.publish", d.ID, authz.Policy(ctx), map[string]any{"questionnaire": d.Questionnaire.Code, "version": last + 1, "approval": q.ID})
	return d.view(q.ID), nil
}

// seconded publishes a draft on the word of a second person, or opens it again. Runs
// that are under way go on with the version that they began with.
func (s *Service) seconded(ctx context.Context, tx *pg.Tx, q approvals.Request) error {
	d, err := lockDraft(ctx, tx, q.Subject)
	if err != nil {
		return err
	}
	if d.State != "asked" {
		return approvals.ErrChanged
	}
	d.Version++
	if q.State == approvals.Refused {
		d.State = "open"
		saveDraft(tx, d)
		return nil
	}
	last, err := lockCode(ctx, tx, d.Questionnaire.Code)
	if err != nil {
		return err
	}
	hash, err := sum(last+1, d.Questionnaire)
	if err != nil {
		return err
	}
	if !bytes.Equal(hash, q.Hash) {
		return approvals.ErrChanged
	}
	d.State = "published"
	saveDraft(tx, d)
	return publish(ctx, tx, Edition{Code: d.Questionnaire.Code, Version: last + 1, Questionnaire: d.Questionnaire, Draft: &d.ID, AskedBy: q.AskedBy, PublishedBy: auth.From(ctx).Person()})
}

// publish puts a version in force.
func publish(ctx context.Context, tx *pg.Tx, e Edition) error {
	e.State, e.PublishedAt = "published", tx.Now()
	insertEdition(tx, e)
	told := QuestionnairePublished{e.Code, e.Version, e.Questionnaire.Names}
	audit.Record(tx, "questionnaires.published", told.Subject(), authz.Policy(ctx), map[string]any{"version": e.Version, "draft": e.Draft})
	return tx.Publish(ctx, told)
}

// Arm publishes what comes with the hub and was never published here. It is called
// before work begins, on each hub; the market's people publish what follows.
func (s *Service) Arm(ctx context.Context) error {
	all, err := Shipped()
	if err != nil {
		return err
	}
	for _, q := range all {
		if last, err := lastEdition(ctx, s.db, q.Code); err != nil || last > 0 {
			if err != nil {
				return err
			}
			continue
		}
		err := s.db.InTx(ctx, func(tx *pg.Tx) error {
			if last, err := lockCode(ctx, tx, q.Code); err != nil || last > 0 {
				return err
			}
			return publish(ctx, tx, Edition{Code: q.Code, Version: 1, Questionnaire: q, AskedBy: "hub", PublishedBy: "hub"})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
