package charter

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Members are the organisations that sign.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Locked(ctx context.Context, tx *pg.Tx, org string) (members.Organisation, error)
	Restrict(ctx context.Context, tx *pg.Tx, o members.Organisation, why string) (members.Organisation, error)
	Lift(ctx context.Context, tx *pg.Tx, o members.Organisation, why string) (members.Organisation, error)
	Bind(tx *pg.Tx, o members.Organisation, version int, from time.Time) members.Organisation
	Unbound(ctx context.Context, db pg.DB, in members.Unsigned) ([]members.Organisation, error)
	UnboundAfter(ctx context.Context, db pg.DB, version int, org string, suspended bool, limit int) ([]string, error)
	AskSigning(ctx context.Context, what string, from members.Origin) (members.CodeView, error)
	BeginSigning(ctx context.Context, what string) (members.CeremonyView, error)
	Signs(ctx context.Context, tx *pg.Tx, what string, in members.Hand, from members.Origin) (by members.Signer, refused, err error)
}

// Files are recordings and scans that were uploaded.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Release(tx *pg.Tx, file, subject string)
	Files(ctx context.Context, db pg.DB, ids []string) (map[string]media.File, error)
}

// Approvals ask a second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Rules compiles what a version forbids, or says what is wrong with it.
type Rules interface {
	Charter(version int, text string) (*authz.Charter, []authz.Fault)
}

// Needs are the others that the charter works with.
type Needs struct {
	Members   Members
	Files     Files
	Approvals Approvals
	Rules     Rules
}

// Service keeps the charter.
type Service struct {
	db *pg.Store
	Needs
	refusals *refusals
}

// kindVersion names new versions among the approvals; owner is whose recordings are.
const (
	kindVersion = "charter.version"
	owner       = "charter"
)

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n, refusals: newRefusals()}
	n.Approvals.Handle(kindVersion, s.seconded)
	return s
}

// Rule is what a version forbids, for the judge of every hub.
func (s *Service) Rule(ctx context.Context, version int) (string, error) {
	return rulesOf(ctx, s.db, version)
}

// Draft writes down a new charter that is not published yet. The market's people
// call it.
func (s *Service) Draft(ctx context.Context, tx *pg.Tx, in DraftInput) (v DraftView, err error) {
	c, err := s.content(in, tx.Now())
	if err != nil {
		return v, err
	}
	who := auth.From(ctx).Person()
	d := Draft{ID: id.New(id.CharterDraft), Content: c, State: Open, Version: 1, MadeBy: who, MadeAt: tx.Now(), ChangedBy: who, ChangedAt: tx.Now()}
	insertDraft(tx, d)
	if err := s.keepSounds(ctx, tx, Draft{ID: d.ID}, d); err != nil {
		return v, err
	}
	audit.Record(tx, "charter.draft", d.ID, authz.Policy(ctx), nil)
	return d.view(""), nil
}

// Write puts another text in the place of a draft's. Who was asked to publish what
// stood there before is asked no more.
func (s *Service) Write(ctx context.Context, in WriteInput) (v DraftView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		before, err := lockDraft(ctx, tx, in.Draft)
		switch {
		case err != nil:
			return err
		case before.State == Published || before.State == Discarded:
			return ErrState
		case before.Version != in.Revision:
			return ErrRaced
		}
		d := before
		if d.Content, err = s.content(in.DraftInput, tx.Now()); err != nil {
			return err
		}
		if d.State == Asked {
			if err := s.Approvals.Void(ctx, tx, kindVersion, d.ID); err != nil {
				return err
			}
		}
		d.State, d.ChangedBy, d.ChangedAt = Open, auth.From(ctx).Person(), tx.Now()
		d.Version++
		saveDraft(tx, d)
		audit.Record(tx, "charter.write", d.ID, authz.Policy(ctx), map[string]int{"revision": d.Version})
		v = d.view("")
		return s.keepSounds(ctx, tx, before, d)
	})
	return v, err
}

// Discard takes a draft out of the list of those that somebody works on. Who was asked
// to publish it is asked no more, and its recordings are let go. What was published
// stays. Discarding twice is harmless.
func (s *Service) Discard(ctx context.Context, tx *pg.Tx, in OneDraft) (v DraftView, err error) {
	d, err := lockDraft(ctx, tx, in.Draft)
	switch {
	case err != nil:
		return v, err
	case d.State == Published:
		return v, ErrState
	case d.State == Discarded:
		return d.view(""), nil
	}
	if d.State == Asked {
		if err := s.Approvals.Void(ctx, tx, kindVersion, d.ID); err != nil {
			return v, err
		}
	}
	d.State, d.ChangedBy, d.ChangedAt = Discarded, auth.From(ctx).Person(), tx.Now()
	d.Version++
	saveDraft(tx, d)
	for _, t := range d.Texts {
		if t.Sound != "" {
			s.Files.Release(tx, t.Sound, d.ID)
		}
	}
	audit.Record(tx, "charter.discard", d.ID, authz.Policy(ctx), nil)
	return d.view(""), nil
}

// content reads and checks what somebody wrote.
func (s *Service) content(in DraftInput, now time.Time) (c Content, err error) {
	var wrong *fault.Error
	c = Content{Texts: in.Texts, Policy: in.Policy}
	for _, d := range []struct {
		at, text string
		to       *time.Time
	}{{"/since", in.Since, &c.Since}, {"/last_day", in.LastDay, &c.LastDay}} {
		if *d.to, err = time.Parse(time.DateOnly, d.text); err != nil {
			wrong = also(wrong, d.at, "Give a day, as 2027-03-31.")
		}
	}
	if wrong == nil {
		wrong = c.Check(now)
	}
	_, faults := s.Rules.Charter(1, c.Policy)
	for _, f := range faults {
		text := f.Text
		if f.Rule != "" {
			text = f.Rule + ": " + text
		}
		wrong = also(wrong, "/policy", text)
	}
	if wrong != nil {
		return c, wrong
	}
	return c, nil
}

// keepSounds says that a draft uses its recordings, and no more those of before.
func (s *Service) keepSounds(ctx context.Context, tx *pg.Tx, before, d Draft) error {
	has := map[string]bool{}
	for _, lang := range slices.Sorted(maps.Keys(d.Texts)) {
		t := d.Texts[lang]
		if t.Sound == "" {
			continue
		}
		has[t.Sound] = true
		if _, err := s.Files.Use(ctx, tx, t.Sound, owner, media.Sound, d.ID); err != nil {
			return ErrInvalid.At("/texts/"+lang+"/sound", "Upload the recording first, with owner=charter, and give its id here.").With(err)
		}
	}
	for _, t := range before.Texts {
		if t.Sound != "" && !has[t.Sound] {
			s.Files.Release(tx, t.Sound, d.ID)
		}
	}
	return nil
}

// next is the version that a draft would become now.
func (s *Service) next(ctx context.Context, tx *pg.Tx, d Draft) (Version, error) {
	last, err := newest(ctx, tx)
	if err != nil {
		return Version{}, err
	}
	if wrong := d.Check(tx.Now()); wrong != nil {
		return Version{}, wrong
	}
	if d.Since.Before(last.Since) {
		return Version{}, ErrInvalid.At("/since", "Version "+fmt.Sprint(last.Number)+" holds only from "+last.Since.Format(time.DateOnly)+" on; a later one holds from then on, or later.")
	}
	var files []string
	for _, t := range d.Texts {
		if t.Sound != "" {
			files = append(files, t.Sound)
		}
	}
	found, err := s.Files.Files(ctx, tx, files)
	if err != nil {
		return Version{}, err
	}
	recordings := map[string]string{}
	for lang, t := range d.Texts {
		if t.Sound == "" {
			continue
		}
		f, ok := found[t.Sound]
		if !ok {
			return Version{}, ErrInvalid.At("/texts/"+lang+"/sound", "This recording is not there any more; upload it again.")
		}
		recordings[lang] = f.Blob[:64]
	}
	return d.make(last.Number+1, recordings), nil
}

// Publish asks a second person to publish a draft as it stands.
func (s *Service) Publish(ctx context.Context, tx *pg.Tx, in OneDraft) (v DraftView, err error) {
	d, err := lockDraft(ctx, tx, in.Draft)
	if err != nil {
		return v, err
	}
	if d.State == Published || d.State == Discarded {
		return v, ErrState
	}
	next, err := s.next(ctx, tx, d)
	if err != nil {
		return v, err
	}
	q, err := s.Approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindVersion, Subject: d.ID, Hash: next.Digest,
		Why:      fmt.Sprintf("Charter, version %d: it holds from %s, and members sign it until %s.", next.Number, next.Since.Format(time.DateOnly), next.LastDay.Format(time.DateOnly)),
		Evidence: "sha256 " + next.Hex(),
	})
	if err != nil {
		return v, err
	}
	if d.State == Open {
		d.State = Asked
		d.Version++
		saveDraft(tx, d)
	}
	audit.Record(tx, "charter.publish", d.ID, authz.Policy(ctx), map[string]any{"version": next.Number, "sha256": next.Hex(), "approval": q.ID})
	return d.view(q.ID), nil
}

// seconded publishes a draft on the word of a second person, or opens it again.
func (s *Service) seconded(ctx context.Context, tx *pg.Tx, q approvals.Request) error {
	d, err := lockDraft(ctx, tx, q.Subject)
	if err != nil {
		return err
	}
	if d.State != Asked {
		return approvals.ErrChanged
	}
	d.Version++
	if q.State == approvals.Refused {
		d.State = Open
		saveDraft(tx, d)
		return nil
	}
	v, err := s.next(ctx, tx, d)
	if err != nil {
		return err
	}
	if !bytes.Equal(v.Digest, q.Hash) {
		return approvals.ErrChanged
	}
	v.AskedBy, v.PublishedBy, v.PublishedAt = q.AskedBy, auth.From(ctx).Person(), tx.Now()
	d.State = Published
	saveDraft(tx, d)
	insertVersion(tx, v)
	for _, t := range v.turns(tx.Now()) {
		insertRound(tx, v.Number, t)
		job.Set(tx, timerRound, roundOf(v.Number, t.Step), t.Due)
	}
	audit.Record(tx, "charter.published", VersionPublished{Version: v.Number}.Subject(), authz.Policy(ctx), map[string]any{"draft": d.ID, "sha256": v.Hex(), "rules": hex.EncodeToString(v.Rules)})
	return tx.Publish(ctx, VersionPublished{v.Number, v.Since.Format(time.DateOnly), v.LastDay.Format(time.DateOnly), v.Hex()})
}

// Passes lets an organisation ask for admission once it has signed the charter in
// force, and be admitted as long as it is not late with a newer one.
func (s *Service) Passes(ctx context.Context, tx *pg.Tx, o members.Organisation, m members.Move) error {
	if m != members.Submit && m != members.Approve || o.Kind == members.Operator {
		return nil
	}
	v, err := inForce(ctx, tx, today(tx.Now()))
	if errors.Is(err, ErrNone) {
		return nil
	}
	switch {
	case err != nil:
		return err
	case o.Charter >= v.Number:
		return nil
	case m == members.Approve && o.Charter > 0 && tx.Now().Before(v.End()):
		return nil
	}
	return ErrUnsigned.At("/charter", fmt.Sprintf("«%s», version %d, is not signed yet.", v.Titles["fr"], v.Number))
}

// now is the hub's day.
func (s *Service) today(ctx context.Context) (time.Time, error) {
	now, err := clock.Now(ctx, s.db)
	return today(now), err
}

// mine says whether an organisation's signatures are the caller's to see.
func mine(who auth.Principal, org string) bool {
	return who.Role == auth.Operator || who.Subject != "" && who.Subject == org
}
