package members

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const org = "/v1/organisations/{org}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("POST", "/v1/organisations", "organisations.create", "Write down a new organisation", made, s.create),
		rest.Handle("GET", org, "organisations.show", "Show an organisation", ok, s.show),
		rest.Handle("POST", org+"/submit", "organisations.submit", "Ask for admission", ok, s.moving(Submit)),
		rest.Handle("POST", org+"/approve", "organisations.approve", "Admit an organisation", ok, s.moving(Approve)),
		rest.Handle("POST", org+"/request-changes", "organisations.request_changes", "Ask an applicant for changes", ok, s.noting(RequestChanges)),
		rest.Handle("POST", org+"/suspend", "organisations.suspend", "Suspend an organisation", ok, s.noting(Suspend)),
		rest.Handle("POST", org+"/reactivate", "organisations.reactivate", "Let a suspended organisation sell again", ok, s.moving(Reactivate)),
		rest.Handle("GET", org+"/api-keys", "api_keys.list", "List an organisation's API keys", ok, s.listKeys),
		rest.Handle("POST", org+"/api-keys", "api_keys.create", "Make an API key; its secret is shown once", made, s.createKey),
		rest.Handle("GET", org+"/bank-accounts", "bank_accounts.list", "List an organisation's bank accounts", ok, s.listAccounts),
		rest.Handle("POST", org+"/bank-accounts", "bank_accounts.create", "Say where an organisation is paid", made, s.createAccount),
	}
}

// View is an organisation as itself and the operator see it.
type View struct {
	ID        string    `json:"id" required:"true"`
	Kind      Kind      `json:"kind" required:"true"`
	Names     Texts     `json:"names" required:"true"`
	Legal     Legal     `json:"legal" required:"true"`
	Story     Texts     `json:"story" required:"true"`
	Region    string    `json:"region" required:"true"`
	Commune   string    `json:"commune" required:"true"`
	Point     Point     `json:"point" required:"true"`
	State     State     `json:"state" required:"true" enum:"draft,submitted,changes_requested,active,suspended,terminated"`
	Note      string    `json:"note,omitempty" description:"What the operator asks for, or why it suspended."`
	CreatedAt time.Time `json:"created_at" required:"true"`
}

func view(o Organisation) View {
	return View{o.ID, o.Kind, o.Names, o.Legal, o.Story, o.Region, o.Commune, Point{o.Lat, o.Lng}, o.State, o.Note, o.CreatedAt.UTC()}
}

// One names an organisation.
type One struct {
	Org string `path:"org"`
}

// Noted names an organisation and says why.
type Noted struct {
	Org  string `path:"org"`
	Note string `json:"note,omitempty" maxLength:"1000" description:"Why, and what to do; the organisation sees it."`
}

func (s *Service) create(ctx context.Context, in Enrolment) (v View, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := s.Enrol(ctx, tx, in)
		if err != nil {
			return err
		}
		policy, err := s.may(ctx, "organisations.create", o.ID)
		if err != nil {
			return err
		}
		audit.Record(tx, "organisations.create", o.ID, policy, map[string]any{"kind": o.Kind})
		v = view(o)
		return nil
	})
	return v, err
}

func (s *Service) show(ctx context.Context, in One) (View, error) {
	if _, err := s.may(ctx, "organisations.show", in.Org); err != nil {
		return View{}, err
	}
	o, err := load(ctx, s.db, in.Org)
	if err != nil {
		return View{}, err
	}
	return view(o), nil
}

func (s *Service) moving(m Move) func(context.Context, One) (View, error) {
	return func(ctx context.Context, in One) (View, error) { return s.noting(m)(ctx, Noted{Org: in.Org}) }
}

func (s *Service) noting(m Move) func(context.Context, Noted) (View, error) {
	return func(ctx context.Context, in Noted) (v View, err error) {
		err = s.db.InTx(ctx, func(tx *pg.Tx) error {
			o, err := s.Move(ctx, tx, in.Org, m, in.Note)
			v = view(o)
			return err
		})
		return v, err
	}
}

// KeyView is an API key without its secret.
type KeyView struct {
	ID        string     `json:"id" required:"true"`
	Label     string     `json:"label" required:"true"`
	Role      auth.Role  `json:"role" required:"true"`
	CreatedAt time.Time  `json:"created_at" required:"true"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// NewKeyView is an API key with its secret, shown this once.
type NewKeyView struct {
	KeyView
	APIKey string `json:"api_key" required:"true" description:"Send it as Authorization: Bearer. It is shown this once."`
}

// NewKeyInput asks for an API key.
type NewKeyInput struct {
	Org   string `path:"org"`
	Label string `json:"label" required:"true" minLength:"1" maxLength:"100" description:"Where the key is used."`
}

// OfOrganisation asks for a list of an organisation's own.
type OfOrganisation struct {
	Org string `path:"org"`
	rest.Paging
}

func (s *Service) listKeys(ctx context.Context, in OfOrganisation) (p rest.Page[KeyView], err error) {
	var below string
	if err := s.listing(ctx, "api_keys.list", in, &below); err != nil {
		return p, err
	}
	all, err := keysOf(ctx, s.db, in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	var out []KeyView
	for _, c := range all {
		out = append(out, keyView(c))
	}
	return rest.Cut(out, in.Limit, func(k KeyView) any { return k.ID }), nil
}

// listing checks that the caller may list, that there is such an organisation,
// and reads where to go on.
func (s *Service) listing(ctx context.Context, action string, in OfOrganisation, below *string) error {
	if err := rest.DecodeCursor(in.Cursor, below); err != nil {
		return err
	}
	if _, err := s.may(ctx, action, in.Org); err != nil {
		return err
	}
	_, err := load(ctx, s.db, in.Org)
	return err
}

func keyView(c credential) KeyView {
	return KeyView{c.ID, c.Label, c.Role, c.CreatedAt.UTC(), c.RevokedAt}
}

func (s *Service) createKey(ctx context.Context, in NewKeyInput) (v NewKeyView, err error) {
	policy, err := s.may(ctx, "api_keys.create", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := load(ctx, tx, in.Org)
		if err != nil {
			return err
		}
		role, ok := o.Kind.Role()
		if !ok {
			return ErrNoAccess
		}
		if role != auth.Seller && o.State != Active { // a bank's word moves money
			return ErrNotActive
		}
		k, err := s.CreateKey(ctx, tx, o.ID, role, in.Label)
		if err != nil {
			return err
		}
		audit.Record(tx, "api_keys.create", o.ID, policy, map[string]any{"key": k.ID, "label": in.Label})
		v = NewKeyView{KeyView{k.ID, in.Label, role, tx.Now(), nil}, k.String()}
		return nil
	})
	return v, err
}
