package members

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const org = "/v1/organisations/{org}"
	ok, made := http.StatusOK, http.StatusCreated
	return append([]rest.Route{
		rest.Handle("POST", "/v1/guests", "guests.create", "Buy without an account; the secret is shown once", made, s.Welcome, rest.Public()),
		rest.Handle("POST", "/v1/organisations", "organisations.create", "Write down a new organisation", made, s.create),
		rest.Handle("GET", "/v1/organisations", "organisations.list", "List organisations, the newest first", ok, s.list),
		rest.Handle("GET", org, "organisations.show", "Show an organisation", ok, s.show),
		rest.Handle("GET", org+"/lookalikes", "organisations.lookalikes", "List members that an organisation may be taken for", ok, s.lookalikes,
			rest.About("Members of its region, at work or suspended, of which a name looks like one of its own: other capitals, accents, spaces, letters that are mixed up or drawn alike. At most five are named.")),
		rest.Handle("POST", org+"/submit", "organisations.submit", "Ask for admission", ok, s.moving(Submit)),
		rest.Handle("POST", org+"/approve", "organisations.approve", "Admit an organisation", ok, s.approve),
		rest.Handle("POST", org+"/request-changes", "organisations.request_changes", "Ask an applicant for changes", ok, s.noting(RequestChanges)),
		rest.Commit("POST", org+"/review", "organisations.review", "Take an application up", ok, s.noted(Review)),
		rest.Commit("POST", org+"/terminate", "organisations.terminate", "End an organisation's membership for good", ok, s.noted(Terminate)),
		rest.Handle("POST", org+"/suspend", "organisations.suspend", "Suspend an organisation", ok, s.noting(Suspend)),
		rest.Handle("POST", org+"/reactivate", "organisations.reactivate", "Let a suspended organisation sell again", ok, s.moving(Reactivate)),
		rest.Handle("GET", org+"/api-keys", "api_keys.list", "List an organisation's API keys", ok, s.listKeys),
		rest.Handle("POST", org+"/api-keys", "api_keys.create", "Make an API key; its secret is shown once", made, s.createKey),
		rest.Handle("DELETE", org+"/api-keys/{key}", "api_keys.revoke", "Revoke an API key for good", ok, s.revokeKey),
		rest.Handle("GET", org+"/bank-accounts", "bank_accounts.list", "List an organisation's bank accounts", ok, s.listAccounts),
		rest.Handle("POST", org+"/bank-accounts", "bank_accounts.create", "Say where an organisation is paid", made, s.createAccount),
	}, slices.Concat(applicationRoutes(s), publicRoutes(s))...)
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
	State     State     `json:"state" required:"true" enum:"draft,submitted,under_review,changes_requested,active,suspended,terminated"`
	Note      string    `json:"note,omitempty" description:"What the operator asks for, or why it suspended."`
	CreatedAt time.Time `json:"created_at" required:"true"`

	AskedAt    *time.Time `json:"asked_at,omitempty" description:"When it asked for admission, the last time."`
	Reviewer   string     `json:"reviewer,omitempty" description:"Who took the application up."`
	Restricted []string   `json:"restricted,omitempty" enum:"papers,charter" description:"Why it may sell nothing new: a paper is missing, or the charter is not signed; orders that are open go on."`
	Charter    int        `json:"charter,omitempty" description:"The version of the charter that binds it: what it signed last."`
}

func view(o Organisation) View {
	return View{o.ID, o.Kind, o.Names, o.Legal, o.Story, o.Region, o.Commune, Point{o.Lat, o.Lng}, o.State, o.Note, o.CreatedAt.UTC(), rest.UTC(o.AskedAt), o.Reviewer, o.Restricted, o.Charter}
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

// Admission admits an organisation.
type Admission struct {
	Org         string `path:"org"`
	BankAccount string `json:"bank_account,omitempty" maxLength:"64" description:"The first account that waits, when you have compared its number with the organisation's own word: it is verified with the admission. Left out, it goes on waiting."`
}

func (s *Service) approve(ctx context.Context, in Admission) (v View, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := s.Move(ctx, tx, in.Org, Approve, "")
		if err == nil && in.BankAccount != "" {
			err = s.vouch(ctx, tx, in.Org, in.BankAccount)
		}
		v = view(o)
		return err
	})
	return v, err
}

func (s *Service) noted(m Move) func(context.Context, *pg.Tx, Noted) (View, error) {
	return func(ctx context.Context, tx *pg.Tx, in Noted) (View, error) {
		o, err := s.Move(ctx, tx, in.Org, m, in.Note)
		return view(o), err
	}
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
