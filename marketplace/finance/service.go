package finance

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"tiwiza/adapters/bank"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Members are who applies, and who is applied to.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
	PayoutAccounts(ctx context.Context, db pg.DB, orgs ...string) (map[string]members.Account, error)
	AddAccount(ctx context.Context, tx *pg.Tx, org, rib, holder string) (members.Account, error)
}

// Sharing keeps dossiers, and who may see what of them.
type Sharing interface {
	Give(ctx context.Context, tx *pg.Tx, in sharing.GiveInput) (sharing.ConsentView, error)
	Wording(ctx context.Context, db pg.DB, grantee string, t sharing.Terms) (text map[string]string, digest string, err error)
	Known(ctx context.Context, db pg.DB, ids ...string) (map[string]sharing.Consent, error)
}

// Banks opens the systems of banks that have one.
type Banks interface {
	// Applicants is the bank's system behind a partner; an error says why it takes no
	// applications.
	Applicants(ctx context.Context, db pg.DB, partner string) (bank.Applicants, error)
}

// Needs are the others that finance works with.
type Needs struct {
	Members Members
	Sharing Sharing
	Banks   Banks // nil: all banks are at the desk
	// Every is how often a bank's system is asked how an application stands, when it
	// says nothing itself; zero is ten minutes.
	Every time.Duration
}

// Service is what others may ask of finance.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	if n.Every == 0 {
		n.Every = 10 * time.Minute
	}
	return &Service{db, n}
}

// words is a text as it is kept: without what steers a terminal or a page.
func words(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) && (!unicode.Is(unicode.Cf, r) || r == '\u200c' || r == '\u200d') {
			return r
		}
		return -1
	}, s))
}

func plain(s string) bool { return s == words(s) }

// pointer is a name as a part of a JSON pointer.
func pointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// centimes reads an amount in dirhams, from least on.
func centimes(bad *fault.Error, at string, m *money.Money, least int64) (*fault.Error, *int64) {
	if m == nil || m.Currency() != money.MAD || m.Centimes() < least || m.Centimes() > most {
		return bad.At(at, "Give an amount from "+money.Dirhams(least).Amount()+" to 10,000,000.00 in MAD."), nil
	}
	c := m.Centimes()
	return bad, &c
}

// Apply drafts an application of the caller's for a product that is on offer. What
// the bank would see, and the text to agree to, stand in the answer.
func (s *Service) Apply(ctx context.Context, tx *pg.Tx, in ApplyInput) (v ApplicationView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return v, ErrNotFound
	}
	e, err := publishedOf(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	a := Application{
		ID: id.New(id.Application), Product: e.Product, ProductVersion: e.Version, Kind: e.Kind, Bank: e.Bank, Member: who.Subject,
		Purpose: words(in.Purpose), Sensitive: in.Sensitive, Days: in.Days, State: Draft, MadeBy: who.Person(), MadeAt: tx.Now(), MovedAt: tx.Now(), Version: 1,
	}
	for _, x := range sharing.Sections {
		if slices.Contains(in.Sections, x) {
			a.Sections = append(a.Sections, x)
		}
	}
	if err := in.fits(&a, e); err != nil {
		return v, err
	}
	n, err := lockOpen(ctx, tx, who.Subject, mostOpen)
	if err != nil {
		return v, err
	}
	if n >= mostOpen {
		return v, ErrMany
	}
	until := tx.Now().Add(patience[Draft])
	a.Deadline = &until
	insertApplication(tx, a)
	insertStep(tx, a, "member", "")
	setDeadline(tx, a)
	audit.Record(tx, "finance.apply", a.ID, authz.Policy(ctx), in)
	return s.whole(ctx, tx, a)
}

const mostOpen = 20

// fits reads amount and duration, or says what its product does not allow.
func (in ApplyInput) fits(a *Application, e Edition) error {
	bad := ErrInvalid
	if a.Kind == Account {
		if in.Amount != nil || in.Months != 0 {
			bad = bad.At("/amount", "An account has no amount and no months.")
		}
	} else {
		var amount *int64
		if bad, amount = centimes(bad, "/amount", in.Amount, *e.Least); amount != nil && *amount > *e.Most {
			bad = bad.At("/amount", "This bank lends at most "+money.Dirhams(*e.Most).Amount()+" MAD.")
		}
		if in.Months < *e.Shortest || in.Months > *e.Longest {
			bad = bad.At("/months", "This is lent for other durations; see the product.")
		}
		months := in.Months
		a.Amount, a.Months = amount, &months
	}
	for _, x := range e.Sections {
		if !slices.Contains(a.Sections, x) {
			bad = bad.At("/sections", "The bank asks for "+x+" for this product.")
		}
	}
	if e.Sensitive && !a.Sensitive {
		bad = bad.At("/sensitive", "The bank asks for what is sensitive too.")
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// lockMine locks an application of the caller's, who is its member.
func lockMine(ctx context.Context, tx *pg.Tx, application string) (Application, error) {
	a, err := lockApplication(ctx, tx, application)
	if who := auth.From(ctx); err == nil && (who.Role != auth.Seller || who.Subject != a.Member) {
		return Application{}, ErrNotFound
	}
	return a, err
}

// lockTheirs locks an application that was put to the caller, who is its bank and
// works at the desk.
func lockTheirs(ctx context.Context, tx *pg.Tx, application string) (Application, error) {
	a, err := lockApplication(ctx, tx, application)
	if who := auth.From(ctx); err == nil && (who.Role != auth.Bank || who.Subject != a.Bank || a.State == Draft) {
		return Application{}, ErrNotFound
	}
	if err == nil && a.Partner != "" {
		return Application{}, ErrSystem
	}
	return a, err
}

// terms are those of the consent that an application asks for.
func (a Application) terms(sections []string) sharing.Terms {
	return sharing.Terms{Purpose: a.Kind.purpose(), Sections: sections, Sensitive: a.Sensitive, Days: a.Days}
}

// HandIn puts an application to its bank, with a consent that is given with it, by
// the digest of the text that was shown, or with one that lives already.
func (s *Service) HandIn(ctx context.Context, tx *pg.Tx, in SubmitInput) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if a, err = a.Do(Submit, tx.Now()); err != nil {
		return v, err
	}
	e, err := publishedOf(ctx, tx, a.Product)
	if err != nil {
		return v, err
	}
	if e.Version != a.ProductVersion {
		return v, ErrGone.Say("The bank has changed its conditions since; begin anew to see them.")
	}
	b, err := s.Members.Of(ctx, tx, a.Bank)
	if err != nil {
		return v, err
	}
	if b.State != members.Active {
		return v, ErrBank
	}
	if a.Partner, err = partnerOf(ctx, tx, a.Bank); err != nil {
		return v, err
	}
	g, err := s.ground(ctx, tx, a, in)
	if err != nil {
		return v, err
	}
	saveApplication(tx, a)
	insertGround(tx, g)
	if a.Partner != "" {
		s.send(tx, a, Errand{N: 1, Kind: "apply"})
	}
	return s.moved(ctx, tx, a, "finance.submit", "member", "", map[string]any{"consent": g.Consent, "bank": a.Bank})
}

// ground is the consent on which the bank will read.
func (s *Service) ground(ctx context.Context, tx *pg.Tx, a Application, in SubmitInput) (g Ground, err error) {
	if (in.Consent == "") == (in.Digest == "") {
		return g, ErrInvalid.At("/digest", "Give the digest of the text that you agree to, or a consent that you gave this bank before.")
	}
	if in.Consent == "" {
		return s.give(ctx, tx, a, a.Sections, in.Digest)
	}
	known, err := s.Sharing.Known(ctx, tx, in.Consent)
	if err != nil {
		return g, err
	}
	c, ok := known[in.Consent]
	if !ok || c.Owner != a.Member || c.Grantee != a.Bank || c.Purpose != a.Kind.purpose() || !c.Live(tx.Now()) || a.Sensitive && !c.Sensitive || !covers(c.Sections, a.Sections) {
		return g, ErrInvalid.At("/consent", "This is no consent that you gave this bank for this, or it does not cover what the application names.")
	}
	return Ground{Application: a.ID, Consent: c.ID, Sections: c.Sections, Until: *c.Until}, nil
}

// give gives the bank a consent for sections, on the digest of what was shown.
func (s *Service) give(ctx context.Context, tx *pg.Tx, a Application, sections []string, digest string) (g Ground, err error) {
	c, err := s.Sharing.Give(ctx, tx, sharing.GiveInput{Grantee: a.Bank, Terms: a.terms(sections)})
	if err != nil {
		return g, err
	}
	if c.Digest != digest {
		return g, ErrInvalid.At("/digest", "This is not the digest of the text that you agree to; look at it again.")
	}
	return Ground{Application: a.ID, Consent: c.ID, Sections: c.Sections, Until: *c.Until}, nil
}

func covers(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// moved keeps what follows from a move: the step, the timer, the trail and the
// event. The application itself is saved by who moved it.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, a Application, action, side, note string, detail any) (v ApplicationView, err error) {
	insertStep(tx, a, side, note)
	setDeadline(tx, a)
	audit.Record(tx, action, a.ID, authz.Policy(ctx), detail)
	if err := s.tell(ctx, tx, a, side); err != nil {
		return v, err
	}
	return s.whole(ctx, tx, a)
}

// AnswerQuestion answers what the bank asked for besides. Sections that no consent
// covers yet are let in by one that is given with the answer.
func (s *Service) AnswerQuestion(ctx context.Context, tx *pg.Tx, in AnswerInput) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if a, err = a.Do(Answer, tx.Now()); err != nil {
		return v, err
	}
	q, err := openQuestion(ctx, tx, a.ID)
	if err != nil {
		return v, err
	}
	more, err := s.uncovered(ctx, tx, a, q)
	if err != nil {
		return v, err
	}
	text := words(in.Text)
	switch {
	case text == "" && len(more) == 0:
		return v, ErrInvalid.At("/text", "Write an answer.")
	case len(more) > 0 && in.Digest == "":
		return v, ErrInvalid.At("/digest", "The bank asks for more of your dossier: give the digest of the text that you agree to.")
	case len(more) > 0:
		g, err := s.give(ctx, tx, a, more, in.Digest)
		if err != nil {
			return v, err
		}
		insertGround(tx, g)
	}
	at := tx.Now()
	q.Answer, q.AnsweredBy, q.AnsweredAt = text, auth.From(ctx).Person(), &at
	saveQuestion(tx, q)
	saveApplication(tx, a)
	if a.Partner != "" {
		if err := s.sendNext(ctx, tx, a, "papers", text); err != nil {
			return v, err
		}
	}
	return s.moved(ctx, tx, a, "finance.answer", "member", text, map[string]any{"question": q.N, "sections": more})
}

// uncovered are the sections of a question that no live consent lets in.
func (s *Service) uncovered(ctx context.Context, db pg.DB, a Application, q Question) (more []string, err error) {
	grounds, err := groundsOf(ctx, db, a.ID)
	for _, x := range q.Sections {
		if !slices.ContainsFunc(grounds, func(g Ground) bool { return g.Ended == "" && slices.Contains(g.Sections, x) }) {
			more = append(more, x)
		}
	}
	return more, err
}

// AcceptOffer takes the bank's offer, before its time is over.
func (s *Service) AcceptOffer(ctx context.Context, tx *pg.Tx, in OneApplication) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if a.State == Offered && !tx.Now().Before(*a.OfferUntil) {
		return v, ErrState.Say("This offer's time is over.").At("/state", string(Expired))
	}
	return s.ends(ctx, tx, a, Accept, "accept", "finance.accept", "")
}

// DeclineOffer says that the offer is not wanted.
func (s *Service) DeclineOffer(ctx context.Context, tx *pg.Tx, in ReasonedInput) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	return s.ends(ctx, tx, a, Decline, "decline", "finance.decline", words(in.Reason))
}

// TakeBack withdraws an application. Again is harmless.
func (s *Service) TakeBack(ctx context.Context, tx *pg.Tx, in OneApplication) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil || a.State == Withdrawn {
		if err != nil {
			return v, err
		}
		return s.whole(ctx, tx, a)
	}
	return s.ends(ctx, tx, a, Withdraw, "withdraw", "finance.withdraw", "")
}

// ends has the member decide on an application, and the bank's system hear of it.
func (s *Service) ends(ctx context.Context, tx *pg.Tx, a Application, m Move, errand, action, note string) (v ApplicationView, err error) {
	handed := a.State != Draft
	if a, err = a.Do(m, tx.Now()); err != nil {
		return v, err
	}
	saveApplication(tx, a)
	if a.Partner != "" && handed {
		if err := s.sendNext(ctx, tx, a, errand, note); err != nil {
			return v, err
		}
	}
	return s.moved(ctx, tx, a, action, "member", note, map[string]string{"note": note})
}

// UseAccount has the member be paid on the account that the bank opened. It waits,
// as any other that is given, until the market's people vouch for it, and payouts
// wait after that as long as after any change.
func (s *Service) UseAccount(ctx context.Context, tx *pg.Tx, in OneApplication) (v ApplicationView, err error) {
	a, err := lockMine(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if a.RIB == nil {
		return v, ErrNoRIB
	}
	if a.Account == "" {
		if a, err = s.keepAccount(ctx, tx, a); err != nil {
			return v, err
		}
		saveApplication(tx, a)
	}
	audit.Record(tx, "finance.use_account", a.ID, authz.Policy(ctx), map[string]string{"account": a.Account})
	return s.whole(ctx, tx, a)
}

// keepAccount gives the RIB to members as an account of the member's.
func (s *Service) keepAccount(ctx context.Context, tx *pg.Tx, a Application) (Application, error) {
	acc, err := s.Members.AddAccount(ctx, tx, a.Member, *a.RIB, a.Holder)
	a.Account = acc.ID
	return a, err
}
