package privacy

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Systems are those outside that were asked to forget somebody.
type Systems interface {
	Forgotten(ctx context.Context, db pg.DB, person string) ([]relations.Erasure, error)
}

// Standing is how forgetting the caller stands: the last time it was asked for, and
// what is in the way now.
func (s *Service) Standing(ctx context.Context, _ rest.None) (v StandingView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	who, err := s.People.Subject(ctx, s.db, person)
	if err != nil {
		return v, err
	}
	open, err := bars(ctx, s.db, s.Holders, who)
	if err != nil {
		return v, err
	}
	last, err := lastErasures(ctx, s.db, person)
	if err != nil {
		return v, err
	}
	v = StandingView{CoolingOffDays: register.CoolingOffDays, Bars: views(open), Kept: keeps()}
	if len(last) > 0 {
		e := last[0].view()
		v.Erasure = &e
	}
	return v, nil
}

// AskErasure asks that the caller be forgotten, after a time in which it can be taken
// back: ErrBarred with each thing that stands in the way. The secret of the answer
// opens the certificate, also when nobody can sign in any more.
func (s *Service) AskErasure(ctx context.Context, tx *pg.Tx, _ rest.None) (v AskedView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	if s.Vault == nil {
		return v, ErrNoVault
	}
	who, err := s.People.Subject(ctx, tx, person)
	if err != nil {
		return v, err
	}
	open, err := bars(ctx, tx, s.Holders, who)
	if err != nil {
		return v, err
	}
	if len(open) > 0 {
		return v, refusal(open)
	}
	secret := auth.Secret()
	e := Erasure{
		ID: id.New(id.Forgetting), Person: person, Hash: digest(secret), State: Asked, Rooms: len(s.Holders), Bars: []byte("[]"),
		AskedAt: tx.Now(), RunsAt: tx.Now().Add(days(register.CoolingOffDays)), Version: 1,
	}
	insertErasure(tx, e)
	job.Set(tx, timerErase, e.ID, e.RunsAt)
	audit.Record(tx, "personal_data.erase", e.ID, authz.Policy(ctx), map[string]string{"person": person})
	v = AskedView{e.view(), s.URL + "/v1/erasure-certificates/" + secret}
	return v, s.tell(ctx, tx, person, notices.ErasureAsked, e.ID, map[string]string{"date": e.RunsAt.In(clock.Morocco).Format("02/01/2006")})
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CancelErasure takes back that the caller is to be forgotten, before it began.
func (s *Service) CancelErasure(ctx context.Context, tx *pg.Tx, _ rest.None) (v ErasureView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	e, err := lockLast(ctx, tx, person)
	if err != nil {
		return v, err
	}
	if e, err = e.cancel(tx.Now()); err != nil {
		return v, err
	}
	saveErasure(tx, e)
	job.Clear(tx, timerErase, e.ID)
	audit.Record(tx, "personal_data.keep", e.ID, authz.Policy(ctx), map[string]string{"person": person})
	return e.view(), nil
}

// waits is when it is looked again whether what came in the way while somebody was
// being forgotten is over.
const waits = time.Hour

// erase goes one step with somebody who is to be forgotten. The first looks once more
// what stands in the way, and has the room that lets people sign in forget, in one unit
// of work: nothing comes between. Then one room after the other forgets, each in a unit
// of work of its own with the note that it has. Whoever is killed in the middle, or
// comes second, finds that note or does the step.
func (s *Service) erase(ctx context.Context, tx *pg.Tx, erasure string) error {
	e, err := lockErasure(ctx, tx, erasure)
	if err != nil {
		return err
	}
	switch e.State {
	case Asked:
		return s.begins(ctx, tx, e)
	case Running:
		return s.forgets(ctx, tx, e)
	}
	return nil
}

func (s *Service) begins(ctx context.Context, tx *pg.Tx, e Erasure) error {
	if tx.Now().Before(e.RunsAt) {
		job.Set(tx, timerErase, e.ID, e.RunsAt)
		return nil
	}
	beginAlone(tx) // two who answer for one organisation do not both go
	who, err := s.People.Subject(ctx, tx, e.Person)
	if err != nil {
		return err
	}
	open, err := bars(ctx, tx, s.Holders, who)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		if e, err = e.bar(open, tx.Now()); err != nil {
			return err
		}
		saveErasure(tx, e)
		return s.tell(ctx, tx, e.Person, notices.ErasureBarred, e.ID, nil)
	}
	sealed, err := s.seal(e.ID, who)
	if err != nil {
		return err
	}
	return s.forgets(ctx, tx, e.begin(sealed, tx.Now()))
}

// forgets has the next room forget. What was on its way when the person signed in no
// more, an order or a refund, is waited for: nobody is forgotten who is owed something.
func (s *Service) forgets(ctx context.Context, tx *pg.Tx, e Erasure) error {
	var who personal.Subject
	if err := s.unseal(e.ID, e.Subject, &who); err != nil {
		return err
	}
	did, err := forgotten(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	left := s.left(did)
	if len(did) > 0 {
		open, err := bars(ctx, tx, left, who)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			job.Set(tx, timerErase, e.ID, tx.Now().Add(waits))
			return nil
		}
	}
	if len(left) > 0 {
		part, err := left[0].Erase(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("have %s forget %s: %w", left[0].Name(), e.Person, err)
		}
		insertErased(tx, e.ID, len(did), part, tx.Now())
		left = left[1:]
	}
	e = e.forgot(len(left), tx.Now())
	saveErasure(tx, e)
	if e.State == Running {
		job.Set(tx, timerErase, e.ID, tx.Now())
		return nil
	}
	audit.Record(tx, "personal_data.erased", e.ID, "", map[string]any{"person": e.Person, "rooms": e.Rooms})
	return nil
}

// OneCertificate names a certificate by its secret.
type OneCertificate struct {
	Secret string `path:"secret" maxLength:"60"`
}

// Certificate is what became of an erasure, for whoever has its secret: what was
// erased, what is kept and why, and what systems outside made of it. It names nobody.
func (s *Service) Certificate(ctx context.Context, in OneCertificate) (v CertificateView, err error) {
	e, err := byHash(ctx, s.db, digest(in.Secret))
	if err != nil {
		return v, err
	}
	rooms, err := erasedBy(ctx, s.db, e.ID)
	if err != nil {
		return v, err
	}
	v = CertificateView{ErasureView: e.view(), Tables: []ErasedView{}, Systems: []SystemView{}}
	for _, r := range rooms {
		for _, t := range r.Sections {
			x := ErasedView{Table: t.Table, Rows: t.Erased, Kept: t.Kept}
			if said, p, ok := register.table(t.Table); ok {
				x.Processing, x.Why = p.Code, register.Kept[said.Why]
			}
			v.Tables = append(v.Tables, x)
		}
	}
	if s.Systems == nil || e.BeganAt == nil {
		return v, nil
	}
	all, err := s.Systems.Forgotten(ctx, s.db, e.Person)
	for _, x := range all {
		v.Systems = append(v.Systems, SystemView{x.Partner, string(x.State), rest.UTC(x.DoneAt)})
	}
	return v, err
}

// ErasuresInput asks for who is to be forgotten.
type ErasuresInput struct {
	State ErasureState `query:"state" enum:"asked,cancelled,barred,running,done"`
	rest.Paging
}

// Erasures lists who is to be forgotten or was, the newest first. The operator reads it.
func (s *Service) Erasures(ctx context.Context, in ErasuresInput) (p rest.Page[OperatorErasureView], err error) {
	below, err := in.After(id.Forgetting)
	if err != nil {
		return p, err
	}
	rows, err := listErasures(ctx, s.db, in.State, below, in.Limit+1)
	return rest.View(rows, in.Limit, func(e Erasure) OperatorErasureView { return OperatorErasureView{e.view(), e.Person} }, func(v OperatorErasureView) any { return v.ID }), err
}

// keeps are the processings of which something stays when somebody is forgotten.
func keeps() (all []KeptView) {
	for _, p := range register.Processings {
		var seen []string
		for _, t := range p.Tables {
			if t.After != "kept" || slices.Contains(seen, t.Why) {
				continue
			}
			seen = append(seen, t.Why)
			all = append(all, KeptView{p.Code, p.Purpose, register.Kept[t.Why]})
		}
	}
	return all
}
