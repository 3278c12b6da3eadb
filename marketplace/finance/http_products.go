package finance

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// productRoutes are those of products.
func productRoutes(s *Service) []rest.Route {
	const all, one = "/v1/finance/products", "/v1/finance/products/{product}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", "/v1/finance/catalogue", "finance.catalogue", "List the accounts and loans that banks offer", ok, s.Catalogue),
		rest.Handle("GET", all, "finance_products.list", "List one's bank's products, or those that wait for the market's people, in their newest version", ok, s.Products),
		rest.Commit("POST", all, "finance_products.make", "Draft a product", made, s.Make),
		rest.Handle("GET", one, "finance_products.show", "Show a product in all its versions, the newest first", ok, s.ShowProduct),
		rest.Handle("PUT", one+"/draft", "finance_products.write", "Change the draft of a product, or begin its next version", ok, s.Write),
		rest.Commit("POST", one+"/submit", "finance_products.submit", "Have the market's people look at a draft", ok, s.HandInProduct),
		rest.Commit("POST", one+"/publish", "finance_products.publish", "Have members see a version, in place of the one before", ok, s.Publish),
		rest.Commit("POST", one+"/return", "finance_products.return", "Give a version back with what is to be changed", ok, s.Return),
		rest.Commit("POST", one+"/withdraw", "finance_products.withdraw", "Take a product off the list", ok, s.Retire),
	}
}

// ProductText is what a bank says of a product.
type ProductText struct {
	Names     map[string]string `json:"names" required:"true" description:"In fr, ar and en."`
	Terms     map[string]string `json:"terms" required:"true" description:"The conditions in plain sentences, in fr, ar and en."`
	Sections  []string          `json:"sections" required:"true" minItems:"1" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project" description:"The parts of a dossier that the bank needs to see."`
	Sensitive bool              `json:"sensitive,omitempty" description:"What is sensitive too."`
	Least     *money.Money      `json:"least,omitempty" description:"Of a loan: the lowest amount."`
	Most      *money.Money      `json:"most,omitempty" description:"Of a loan: the highest amount."`
	Shortest  int               `json:"shortest,omitempty" minimum:"0" maximum:"360" description:"Of a loan, in months."`
	Longest   int               `json:"longest,omitempty" minimum:"0" maximum:"360" description:"Of a loan, in months."`
	Rate      string            `json:"rate,omitempty" pattern:"^[0-9]{1,2}(\\.[0-9]{1,2})?$" description:"Of a loan: percent a year from which it is lent, as 7.25."`
}

// MakeInput drafts a product.
type MakeInput struct {
	Kind ProductKind `json:"kind" required:"true" enum:"account,loan"`
	ProductText
}

// WriteInput changes a product's draft.
type WriteInput struct {
	Product string `path:"product"`
	ProductText
}

// OneProduct names a product.
type OneProduct struct {
	Product string `path:"product"`
}

// DecideProduct names the version that somebody has looked at.
type DecideProduct struct {
	Product string `path:"product"`
	Version int    `json:"version" required:"true" minimum:"1" maximum:"1000"`
}

// ReturnInput gives a version back.
type ReturnInput struct {
	Product string `path:"product"`
	Version int    `json:"version" required:"true" minimum:"1" maximum:"1000"`
	Note    string `json:"note" required:"true" minLength:"1" maxLength:"500" description:"The bank reads it."`
}

// EditionView is a version of a product.
type EditionView struct {
	Product   string            `json:"product" required:"true"`
	Kind      ProductKind       `json:"kind" required:"true" enum:"account,loan"`
	Bank      NamedView         `json:"bank" required:"true"`
	Version   int               `json:"version" required:"true"`
	State     EditionState      `json:"state" required:"true" enum:"draft,submitted,published,replaced,withdrawn"`
	Names     map[string]string `json:"names" required:"true"`
	Terms     map[string]string `json:"terms" required:"true"`
	Sections  []string          `json:"sections" required:"true"`
	Sensitive bool              `json:"sensitive" required:"true"`
	Least     *money.Money      `json:"least,omitempty"`
	Most      *money.Money      `json:"most,omitempty"`
	Shortest  int               `json:"shortest,omitempty"`
	Longest   int               `json:"longest,omitempty"`
	Rate      string            `json:"rate,omitempty"`
	Example   *ExampleView      `json:"example,omitempty" description:"Of a loan: what the highest amount over the longest time costs a month at the lowest rate."`
	Note      string            `json:"note,omitempty" description:"What the market's people want changed."`
	MadeAt    time.Time         `json:"made_at" required:"true"`
	DecidedAt *time.Time        `json:"decided_at,omitempty"`
}

// ExampleView is a loan reckoned through.
type ExampleView struct {
	Amount  money.Money `json:"amount" required:"true"`
	Months  int         `json:"months" required:"true"`
	Monthly money.Money `json:"monthly" required:"true"`
}

func (e Edition) view(bank map[string]string) EditionView {
	v := EditionView{
		Product: e.Product, Kind: e.Kind, Bank: NamedView{e.Bank, bank}, Version: e.Version, State: e.State, Names: e.Names, Terms: e.Terms, Sections: e.Sections,
		Sensitive: e.Sensitive, Least: dirhams(e.Least), Most: dirhams(e.Most), Note: e.Note, MadeAt: e.MadeAt.UTC(), DecidedAt: rest.UTC(e.DecidedAt),
	}
	if e.Kind == Loan {
		v.Shortest, v.Longest, v.Rate = *e.Shortest, *e.Longest, Percent(*e.Rate)
		if m, err := Monthly(*e.Most, *e.Rate, *e.Longest); err == nil {
			v.Example = &ExampleView{money.Dirhams(*e.Most), *e.Longest, money.Dirhams(m)}
		}
	}
	return v
}

func (s *Service) editionView(ctx context.Context, db pg.DB, e Edition) (EditionView, error) {
	all, err := s.editionViews(ctx, db, []Edition{e})
	if err != nil {
		return EditionView{}, err
	}
	return all[0], nil
}

func (s *Service) editionViews(ctx context.Context, db pg.DB, all []Edition) ([]EditionView, error) {
	var ids []string
	for _, e := range all {
		ids = append(ids, e.Bank)
	}
	slices.Sort(ids)
	who, err := s.Members.Sellers(ctx, db, slices.Compact(ids))
	out := make([]EditionView, len(all))
	for i, e := range all {
		out[i] = e.view(who[e.Bank].Names)
	}
	return out, err
}

// CatalogueInput asks for what banks offer.
type CatalogueInput struct {
	Kind ProductKind `query:"kind" enum:"account,loan"`
	rest.Paging
}

// Catalogue lists what is published, the newest product first.
func (s *Service) Catalogue(ctx context.Context, in CatalogueInput) (p rest.Page[EditionView], err error) {
	below, err := in.After(id.Product)
	if err != nil {
		return p, err
	}
	all, err := catalogue(ctx, s.db, in.Kind, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	views, err := s.editionViews(ctx, s.db, all)
	return rest.Cut(views, in.Limit, func(v EditionView) any { return v.Product }), err
}

// ProductsInput asks for products.
type ProductsInput struct {
	State EditionState `query:"state" enum:"draft,submitted,published,replaced,withdrawn" description:"Of the newest version."`
	rest.Paging
}

// Products lists a bank's own products in their newest version; the market's people
// see all banks' but drafts.
func (s *Service) Products(ctx context.Context, in ProductsInput) (p rest.Page[EditionView], err error) {
	who, bank := auth.From(ctx), ""
	switch who.Role {
	case auth.Bank:
		bank = who.Subject
	case auth.Operator:
	default:
		return p, ErrNotFound
	}
	below, err := in.After(id.Product)
	if err != nil {
		return p, err
	}
	all, err := newest(ctx, s.db, bank, in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	views, err := s.editionViews(ctx, s.db, all)
	return rest.Cut(views, in.Limit, func(v EditionView) any { return v.Product }), err
}

// VersionsView is a product in all its versions.
type VersionsView struct {
	Product  string        `json:"product" required:"true"`
	Versions []EditionView `json:"versions" required:"true"`
}

// ShowProduct shows a product: all versions to its bank, all but drafts to the
// market's people, and to members what is published, or was when they applied.
func (s *Service) ShowProduct(ctx context.Context, in OneProduct) (v VersionsView, err error) {
	all, err := editionsOf(ctx, s.db, in.Product)
	if err != nil {
		return v, err
	}
	who := auth.From(ctx)
	all = slices.DeleteFunc(all, func(e Edition) bool {
		switch {
		case who.Role == auth.Bank:
			return e.Bank != who.Subject
		case who.Role == auth.Operator:
			return e.State == Drafted
		}
		return e.State == Drafted || e.State == Waiting
	})
	if len(all) == 0 {
		return v, ErrNotFound
	}
	v.Product = in.Product
	v.Versions, err = s.editionViews(ctx, s.db, all)
	return v, err
}
