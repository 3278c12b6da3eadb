package finance

import (
	"context"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// A Product is an account or a loan that a bank has on offer, in versions.
type Product struct {
	ID     string
	Bank   string
	Kind   ProductKind
	MadeBy string
	MadeAt time.Time
}

// An EditionState is where a version of a product stands.
type EditionState string

// The states of a version.
const (
	Drafted   EditionState = "draft"
	Waiting   EditionState = "submitted" // for the market's people
	Published EditionState = "published"
	Replaced  EditionState = "replaced"  // by the next version
	Ended     EditionState = "withdrawn" // by the bank
)

// An Edition is a version of a product. Amounts are centimes, rates hundredths of a
// percent a year; an account has none.
type Edition struct {
	Product    string
	Kind       ProductKind
	Bank       string
	Version    int
	State      EditionState
	Names      map[string]string
	Terms      map[string]string
	Sections   []string
	Sensitive  bool
	Least      *int64
	Most       *int64
	Shortest   *int
	Longest    *int
	Rate       *int
	Note       string
	MadeBy     string
	MadeAt     time.Time
	DecidedBy  string
	DecidedAt  *time.Time
	RowVersion int
}

// turns is the whole of a version's life.
var turns = map[EditionState][]EditionState{
	Drafted: {Waiting}, Waiting: {Published, Drafted}, Published: {Replaced, Ended},
}

// To brings a version to a state.
func (e Edition) To(s EditionState) (Edition, error) {
	if !slices.Contains(turns[e.State], s) {
		return e, ErrProduct.Say("This version is %s.", e.State).At("/state", string(e.State))
	}
	e.State = s
	e.RowVersion++
	return e, nil
}

var languages = []string{"fr", "ar", "en"}

// edition reads what a bank says of a product, or what is wrong with it.
func (in ProductText) edition(kind ProductKind) (e Edition, err error) {
	bad := ErrInvalid
	e = Edition{Kind: kind, State: Drafted, Names: map[string]string{}, Terms: map[string]string{}, Sensitive: in.Sensitive}
	for _, s := range sharing.Sections {
		if slices.Contains(in.Sections, s) {
			e.Sections = append(e.Sections, s)
		}
	}
	for _, t := range []struct {
		at   string
		most int
		from map[string]string
		to   map[string]string
	}{{"/names", 80, in.Names, e.Names}, {"/terms", 1200, in.Terms, e.Terms}} {
		for _, lang := range languages {
			said := strings.TrimSpace(t.from[lang])
			if n := len([]rune(said)); n == 0 || n > t.most || !plain(said) {
				bad = bad.At(t.at+"/"+lang, "Write it in this language, plainly and not too long.")
			}
			t.to[lang] = said
		}
		for lang := range t.from {
			if !slices.Contains(languages, lang) {
				bad = bad.At(t.at+"/"+pointer(lang), "Write it in fr, ar and en.")
			}
		}
	}
	if kind == Account {
		if in.Least != nil || in.Most != nil || in.Shortest != 0 || in.Longest != 0 || in.Rate != "" {
			bad = bad.At("/least", "An account has no amounts, durations and rate.")
		}
	} else {
		bad = in.loan(&e, bad)
	}
	if len(bad.Details) > 0 {
		return e, bad
	}
	return e, nil
}

// loan reads the bounds of a loan.
func (in ProductText) loan(e *Edition, bad *fault.Error) *fault.Error {
	bad, least := centimes(bad, "/least", in.Least, 100)
	bad, top := centimes(bad, "/most", in.Most, 100)
	if least != nil && top != nil && *least > *top {
		bad = bad.At("/most", "The highest amount is not below the lowest.")
	}
	if in.Shortest < 1 || in.Longest > 360 || in.Shortest > in.Longest {
		bad = bad.At("/longest", "Give durations of 1 to 360 months, the shortest first.")
	}
	rate, err := ParsePercent(in.Rate)
	if err != nil || rate > mostRate {
		bad = bad.At("/rate", "Give the yearly rate from which it is lent, as 7.25.")
	}
	e.Least, e.Most, e.Shortest, e.Longest, e.Rate = least, top, &in.Shortest, &in.Longest, &rate
	return bad
}

// Make has a bank draft a product.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in MakeInput) (v EditionView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Bank {
		return v, ErrNotFound
	}
	e, err := in.ProductText.edition(in.Kind)
	if err != nil {
		return v, err
	}
	p := Product{ID: id.New(id.Product), Bank: who.Subject, Kind: in.Kind, MadeBy: who.Person(), MadeAt: tx.Now()}
	e.Product, e.Bank, e.Version, e.MadeBy, e.MadeAt, e.RowVersion = p.ID, p.Bank, 1, who.Person(), tx.Now(), 1
	insertProduct(tx, p)
	insertEdition(tx, e)
	audit.Record(tx, "finance_products.make", p.ID, authz.Policy(ctx), in)
	return s.editionView(ctx, tx, e)
}

// Write changes the draft of a product, or begins its next version.
func (s *Service) Write(ctx context.Context, in WriteInput) (v EditionView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v, err = s.write(ctx, tx, in)
		return err
	})
	return v, err
}

func (s *Service) write(ctx context.Context, tx *pg.Tx, in WriteInput) (v EditionView, err error) {
	all, err := s.lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	last := all[0]
	e, err := in.ProductText.edition(last.Kind)
	if err != nil {
		return v, err
	}
	e.Product, e.Bank, e.Version, e.MadeBy, e.MadeAt = last.Product, last.Bank, last.Version, auth.From(ctx).Person(), tx.Now()
	switch last.State {
	case Waiting:
		return v, ErrProduct.Say("The market's people look at this version; change it when they have answered.").At("/state", string(last.State))
	case Drafted:
		e.MadeAt, e.RowVersion = last.MadeAt, last.RowVersion+1
		rewrite(tx, e)
	default:
		if last.Version >= 1000 {
			return v, ErrProduct
		}
		e.Version, e.RowVersion = last.Version+1, 1
		insertEdition(tx, e)
	}
	audit.Record(tx, "finance_products.write", e.Product, authz.Policy(ctx), map[string]any{"version": e.Version})
	return s.editionView(ctx, tx, e)
}

// lockProduct locks a product of the caller's, who is a bank; the newest version
// comes first.
func (s *Service) lockProduct(ctx context.Context, tx *pg.Tx, product string) ([]Edition, error) {
	all, err := lockEditions(ctx, tx, product)
	if err != nil {
		return nil, err
	}
	who := auth.From(ctx)
	if len(all) == 0 || who.Role != auth.Operator && (who.Role != auth.Bank || all[0].Bank != who.Subject) {
		return nil, ErrNotFound
	}
	return all, nil
}

// HandInProduct has the market's people look at a draft.
func (s *Service) HandInProduct(ctx context.Context, tx *pg.Tx, in OneProduct) (v EditionView, err error) {
	all, err := s.lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	return s.turn(ctx, tx, all[0], Waiting, "finance_products.submit", "")
}

// Publish has members see a version that its bank handed in, in place of the one
// before. The market's people do that.
func (s *Service) Publish(ctx context.Context, tx *pg.Tx, in DecideProduct) (v EditionView, err error) {
	all, err := s.lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	if all[0].Version != in.Version {
		return v, ErrProduct.Say("This is not the version that waits; look at it again.")
	}
	if all[0].State != Waiting {
		_, err := all[0].To(Published)
		return v, err
	}
	for _, e := range all[1:] {
		if e.State == Published {
			if e, err = e.To(Replaced); err != nil {
				return v, err
			}
			saveEdition(tx, e)
		}
	}
	return s.turn(ctx, tx, all[0], Published, "finance_products.publish", "")
}

// Return gives a version back to its bank, with what is to be changed.
func (s *Service) Return(ctx context.Context, tx *pg.Tx, in ReturnInput) (v EditionView, err error) {
	all, err := s.lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	if all[0].Version != in.Version {
		return v, ErrProduct.Say("This is not the version that waits; look at it again.")
	}
	if words(in.Note) == "" {
		return v, ErrInvalid.At("/note", "Say what is to be changed.")
	}
	return s.turn(ctx, tx, all[0], Drafted, "finance_products.return", words(in.Note))
}

// Retire takes a product off the list; applications under way go on.
func (s *Service) Retire(ctx context.Context, tx *pg.Tx, in OneProduct) (v EditionView, err error) {
	all, err := s.lockProduct(ctx, tx, in.Product)
	if err != nil {
		return v, err
	}
	i := slices.IndexFunc(all, func(e Edition) bool { return e.State == Published })
	if i < 0 {
		return v, ErrProduct.Say("No version of this product is published.")
	}
	return s.turn(ctx, tx, all[i], Ended, "finance_products.withdraw", "")
}

// turn brings a version to a state, keeps it and tells of it.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, e Edition, to EditionState, action, note string) (v EditionView, err error) {
	if e, err = e.To(to); err != nil {
		return v, err
	}
	e.Note = note
	if to == Published {
		at := tx.Now()
		e.DecidedBy, e.DecidedAt = auth.From(ctx).Person(), &at
	}
	saveEdition(tx, e)
	audit.Record(tx, action, e.Product, authz.Policy(ctx), map[string]any{"version": e.Version, "note": note})
	if err := tx.Publish(ctx, ProductMoved{Product: e.Product, Version: e.Version, Bank: e.Bank, Kind: e.Kind, State: e.State}); err != nil {
		return v, err
	}
	return s.editionView(ctx, tx, e)
}
