package procedures

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/dues"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Members are who applies, and who is applied to.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
	Institutions(ctx context.Context, db pg.DB, after string, limit int) ([]members.Body, error)
}

// Papers are those that were accepted at an organisation's enrolment.
type Papers interface {
	Holding(ctx context.Context, db pg.DB, org string, at time.Time) ([]enrolment.Paper, error)
}

// Files keep what is uploaded.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Release(tx *pg.Tx, file, subject string)
	Files(ctx context.Context, db pg.DB, ids []string) (map[string]media.File, error)
	Content(ctx context.Context, file string) ([]byte, error)
}

// Dues are the fees' money.
type Dues interface {
	Take(ctx context.Context, tx *pg.Tx, subject, member, payee string, amount money.Money) (dues.Fee, error)
	Keep(ctx context.Context, tx *pg.Tx, subject string) error
	Undo(ctx context.Context, tx *pg.Tx, subject string) (bool, error)
	Of(ctx context.Context, db pg.DB, subject string) (f dues.Fee, found bool, err error)
}

// Labels are the catalogue's badges.
type Labels interface {
	Award(ctx context.Context, tx *pg.Tx, a catalog.Award) (label string, err error)
	TakeAway(ctx context.Context, tx *pg.Tx, label, why string) error
}

// Needs are the others that procedures work with.
type Needs struct {
	Members Members
	Papers  Papers
	Files   Files
	Dues    Dues
	Labels  Labels
	// PublicURL is where documents are verified, without a slash at the end.
	PublicURL string
}

// Service is what others may ask of procedures.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service { return &Service{db, n} }

// mostOpen is how many cases an applicant may have under way.
const mostOpen = 20

// applies says whether the principal brings cases, for its organisation.
func applies(who auth.Principal) bool { return who.Role == auth.Seller || who.Role == auth.Provider }

// by is who acts: the person who signed in, or whose program it is.
func by(ctx context.Context) string {
	if who := auth.From(ctx); who.Human != "" {
		return who.Human
	}
	return auth.From(ctx).Person()
}

// channel is by which way something comes: what an agent says, or what is seen.
func channel(ctx context.Context, said string) (string, error) {
	who := auth.From(ctx)
	switch {
	case who.Role == auth.System:
		return "hub", nil
	case who.Proof.Agent && said == "":
		return "counter", nil
	case who.Proof.Agent:
		return said, nil
	case said != "":
		return "", ErrInvalid.At("/channel", "Only who acts for a member, with its code, says how the member came.")
	case who.Human == "":
		return "api", nil
	}
	return "online", nil
}

// Begin drafts a case of the caller's, or of the member for whom an agent acts with
// its code. What is answered already is checked; what is missing may come later.
func (s *Service) Begin(ctx context.Context, tx *pg.Tx, in BeginInput) (v CaseView, err error) {
	who := auth.From(ctx)
	if !applies(who) {
		return v, ErrNotFound
	}
	e, err := published(ctx, tx, in.Procedure)
	if err != nil {
		return v, err
	}
	o, err := s.Members.Of(ctx, tx, who.Subject)
	if errors.Is(err, members.ErrNotFound) {
		err = ErrNotFound.With(err)
	}
	if err != nil {
		return v, err
	}
	if !slices.Contains(e.Definition.Kinds, o.Kind) {
		return v, ErrInvalid.At("/procedure", "This procedure is not for organisations of this kind.")
	}
	if err := s.atWork(ctx, tx, e.Institution); err != nil {
		return v, err
	}
	in.Answers = kept(in.Answers)
	if err := e.Definition.answered(in.Answers, false); err != nil {
		return v, err
	}
	going, err := lockOpen(ctx, tx, who.Subject, mostOpen)
	if err != nil {
		return v, err
	}
	switch {
	case slices.Contains(going, e.Procedure):
		return v, ErrOpen
	case len(going) >= mostOpen:
		return v, ErrMany
	}
	until := tx.Now().Add(patience)
	c := Case{
		ID: id.New(id.Case), Procedure: e.Procedure, Edition: e.Version, Institution: e.Institution, Holder: e.Institution, Applicant: o.ID, Region: o.Region,
		State: Draft, Answers: in.Answers, Due: &until, MadeBy: by(ctx), MadeAt: tx.Now(), MovedAt: tx.Now(), Version: 1,
	}
	insertCase(tx, c)
	return s.moved(ctx, tx, c, e.Definition, "begin", applicant, in.Channel, "", nil)
}

// atWork refuses an institution that is suspended or gone.
func (s *Service) atWork(ctx context.Context, db pg.DB, org string) error {
	o, err := s.Members.Of(ctx, db, org)
	if errors.Is(err, members.ErrNotFound) || err == nil && (o.State != members.Active || o.Kind != members.Institution) {
		return ErrAway
	}
	return err
}

// lockMine locks a case of the caller's, who is its applicant.
func (s *Service) lockMine(ctx context.Context, tx *pg.Tx, id string, version int) (c Case, d Definition, err error) {
	c, d, err = lock(ctx, tx, id)
	if who := auth.From(ctx); err == nil && (!applies(who) || who.Subject != c.Applicant) {
		return Case{}, d, ErrNotFound
	}
	return c, d, stale(err, c, version)
}

// lockHeld locks a case that the caller, an institution, has.
func (s *Service) lockHeld(ctx context.Context, tx *pg.Tx, id string, version int) (c Case, d Definition, err error) {
	c, d, err = lock(ctx, tx, id)
	who := auth.From(ctx)
	if err == nil && (who.Role != auth.Institution || who.Subject != c.Holder || c.State == Draft) {
		return Case{}, d, ErrNotFound
	}
	if err == nil {
		err = s.acting(ctx, tx, c)
	}
	if err != nil {
		return Case{}, d, err
	}
	return c, d, stale(err, c, version)
}

// acting refuses an institution that is not at work, and a case that stands still.
func (s *Service) acting(ctx context.Context, tx *pg.Tx, c Case) error {
	if c.StrandedAt != nil {
		return ErrAway
	}
	return s.atWork(ctx, tx, auth.From(ctx).Subject)
}

// stale refuses who looked at another version than there is; 0 did not look.
func stale(err error, c Case, version int) error {
	if err == nil && version != 0 && version != c.Version {
		return ErrStale
	}
	return err
}

// Fill replaces the answers of a draft, or of a case whose applicant was asked.
func (s *Service) Fill(ctx context.Context, tx *pg.Tx, in AnswersInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c.State != Draft && c.State != Asked {
		return v, ErrState.Say("This case is %s.", c.State).At("/state", string(c.State))
	}
	in.Answers = kept(in.Answers)
	if err := d.answered(in.Answers, c.State == Asked); err != nil {
		return v, err
	}
	c.Answers, c.MovedAt = in.Answers, tx.Now()
	c.Version++
	save(tx, c)
	return s.moved(ctx, tx, c, d, "fill", applicant, in.Channel, "", nil)
}

// AddPaper puts a paper into a draft, or into a case whose applicant was asked: a
// file that was uploaded, or what was accepted at the enrolment.
func (s *Service) AddPaper(ctx context.Context, tx *pg.Tx, in PaperInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	rule, ok := d.paper(in.Code)
	switch {
	case c.State != Draft && c.State != Asked:
		return v, ErrState.Say("This case is %s.", c.State).At("/state", string(c.State))
	case !ok:
		return v, ErrInvalid.At("/code", "This procedure asks for no such paper.")
	case in.File == "" && rule.Enrolled == "":
		return v, ErrInvalid.At("/file", "Upload this paper first, and give its id here.")
	}
	p := Paper{Code: in.Code, File: in.File, AddedBy: by(ctx), AddedAt: tx.Now()}
	if in.File == "" {
		if p, err = s.enrolled(ctx, tx, c.Applicant, rule, p); err != nil {
			return v, err
		}
	}
	if p.File != "" {
		if _, err := s.Files.Use(ctx, tx, p.File, c.Applicant, media.Proof, c.ID); err != nil {
			return v, ErrInvalid.At("/file", "There is no such file of yours, sent as a proof.").With(err)
		}
	}
	savePaper(tx, c.ID, p)
	c.MovedAt = tx.Now()
	c.Version++
	save(tx, c)
	return s.moved(ctx, tx, c, d, "paper", applicant, in.Channel, in.Code, nil)
}

// enrolled is the accepted paper of the enrolment that answers a rule.
func (s *Service) enrolled(ctx context.Context, tx *pg.Tx, org string, rule PaperRule, p Paper) (Paper, error) {
	held, err := s.Papers.Holding(ctx, tx, org, tx.Now())
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(held, func(h enrolment.Paper) bool { return h.Requirement == rule.Enrolled })
	if i < 0 {
		return p, ErrInvalid.At("/file", "Your enrolment has no accepted paper of this kind that is still in date; upload it.")
	}
	p.Enrolled, p.File = held[i].ID, held[i].File
	return p, nil
}

// HandIn hands a case in, whole: to the institution, or first to be paid.
func (s *Service) HandIn(ctx context.Context, tx *pg.Tx, in MoveInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if err := s.atWork(ctx, tx, c.Institution); err != nil {
		return v, err
	}
	if err := s.whole(ctx, tx, c, d); err != nil {
		return v, err
	}
	m := Submit
	if d.Fee != nil {
		m = Lodge
	}
	if c, err = c.Do(m, d, tx.Now()); err != nil {
		return v, err
	}
	save(tx, c)
	return s.moved(ctx, tx, c, d, m, applicant, in.Channel, "", nil)
}

// whole says what a case still lacks to be handed in.
func (s *Service) whole(ctx context.Context, tx *pg.Tx, c Case, d Definition) error {
	if c.State != Draft { // Do says so
		return nil
	}
	if err := d.answered(c.Answers, true); err != nil {
		return err
	}
	have, err := papersOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	bad := ErrMissing
	for _, p := range d.Papers {
		if !p.Optional && !slices.ContainsFunc(have, func(h Paper) bool { return h.Code == p.Code }) {
			bad = bad.At("/papers/"+p.Code, p.Names["fr"])
		}
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// PayFee pays a case's fee out of the applicant's balance; from then on the
// institution has the case.
func (s *Service) PayFee(ctx context.Context, tx *pg.Tx, in PayInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c, err = c.Do(Pay, d, tx.Now()); err != nil {
		return v, err
	}
	if err := s.atWork(ctx, tx, c.Institution); err != nil { // it could not look at the case
		return v, err
	}
	f, err := s.Dues.Take(ctx, tx, c.ID, c.Applicant, c.Institution, d.Fee.Amount)
	if err != nil {
		return v, err
	}
	save(tx, c)
	return s.moved(ctx, tx, c, d, Pay, applicant, in.Channel, "", map[string]any{"fee": f.ID, "amount": f.Money()})
}

// AnswerQuestion answers what the institution asked for.
func (s *Service) AnswerQuestion(ctx context.Context, tx *pg.Tx, in TextInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	text := words(in.Text)
	if text == "" {
		return v, ErrInvalid.At("/text", "Write an answer.")
	}
	if c, err = c.Do(Answer, d, tx.Now()); err != nil {
		return v, err
	}
	save(tx, c)
	answerQuestion(tx, c.ID, text, by(ctx))
	return s.moved(ctx, tx, c, d, Answer, applicant, in.Channel, text, nil)
}

// TakeBack withdraws a case. A fee that nobody has earned yet goes back, when the
// procedure says so.
func (s *Service) TakeBack(ctx context.Context, tx *pg.Tx, in MoveInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c.State == Withdrawn {
		return s.view(ctx, tx, c, d)
	}
	if c, err = c.Do(Withdraw, d, tx.Now()); err != nil {
		return v, err
	}
	c.StrandedAt = nil
	save(tx, c)
	back, err := s.settle(ctx, tx, c, d)
	if err != nil {
		return v, err
	}
	return s.moved(ctx, tx, c, d, Withdraw, applicant, in.Channel, "", map[string]any{"fee_back": back})
}

// settle ends the fee of a case that ends: it goes back when nobody has examined
// the case and the procedure says so.
func (s *Service) settle(ctx context.Context, tx *pg.Tx, c Case, d Definition) (back bool, err error) {
	if d.Fee == nil {
		return false, nil
	}
	if c.ExaminedAt == nil && d.Fee.Refundable {
		return s.Dues.Undo(ctx, tx, c.ID)
	}
	return false, s.Dues.Keep(ctx, tx, c.ID)
}

// Object objects to a refusal, once: the institution looks at the case again.
func (s *Service) Object(ctx context.Context, tx *pg.Tx, in TextInput) (v CaseView, err error) {
	c, d, err := s.lockMine(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	text := words(in.Text)
	if text == "" {
		return v, ErrInvalid.At("/text", "Say why you object.")
	}
	last, err := lastDecision(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	if c.State == Refused && (last.State != Standing || last.AppealedAt != nil || last.OnAppeal) {
		return v, ErrAppeal
	}
	if c.ExaminedAt == nil { // looked at for the first time on appeal
		at := tx.Now()
		c.ExaminedAt = &at
	}
	if c, err = c.Do(Appeal, d, tx.Now()); err != nil {
		return v, err
	}
	if err := s.atWork(ctx, tx, c.Institution); errors.Is(err, ErrAway) { // nobody is there to look at it
		at := tx.Now()
		c.StrandedAt = &at
	} else if err != nil {
		return v, err
	}
	save(tx, c)
	appealDecision(tx, c.ID, last.N, text, by(ctx))
	return s.moved(ctx, tx, c, d, Appeal, applicant, in.Channel, text, map[string]any{"decision": last.N})
}

// moved keeps what follows from a move that was saved: the history, the timer, the
// trail and the event.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, c Case, d Definition, m Move, side, said, note string, detail map[string]any) (v CaseView, err error) {
	way, err := channel(ctx, said)
	if err != nil {
		return v, err
	}
	insertMove(tx, c, m, side, way, auth.From(ctx).For, note)
	s.setTurn(tx, c, d)
	if detail == nil {
		detail = map[string]any{}
	}
	detail["state"], detail["channel"] = c.State, way
	audit.Record(tx, "cases."+string(m), c.ID, authz.Policy(ctx), detail)
	if c.State != Draft {
		if err := tx.Publish(ctx, s.event(c, d, m, side)); err != nil {
			return v, err
		}
	}
	return s.view(ctx, tx, c, d)
}

// event is what others hear of a move.
func (s *Service) event(c Case, d Definition, m Move, side string) CaseMoved {
	return CaseMoved{Case: c.ID, Procedure: c.Procedure, Code: d.Code, Names: d.Names, Move: m, State: c.State, Institution: c.Institution, Holder: c.Holder, Desk: c.Desk, Applicant: c.Applicant, By: side, Due: c.Due, SubmittedAt: c.SubmittedAt, Version: c.Version}
}

// number is how a document is numbered.
func number(prefix string, year, n int) string { return fmt.Sprintf("%s-%d-%05d", prefix, year, n) }
