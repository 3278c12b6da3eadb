package treasury

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the treasury; the operator uses it.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/halt", "halt.show", "Show whether payments out are halted", http.StatusOK, s.ShowHalt),
		rest.Handle("POST", "/v1/halt", "halt.set", "Stop all payments out at once, or ask for them to go on", http.StatusOK, s.SetHalt),
		rest.Handle("GET", "/v1/treasury/moves", "treasury.list", "List top-ups and sweeps, newest first", http.StatusOK, s.List),
		rest.Commit("POST", "/v1/treasury/top-ups", "treasury.top_up", "Bring our own money to the clients' account now", http.StatusCreated, s.MakeTopUp),
		rest.Commit("POST", "/v1/treasury/sweeps", "treasury.sweep", "Take what is ours out of the clients' account now", http.StatusCreated, s.MakeSweep),
	}
}

// View is a movement as the API shows it.
type View struct {
	ID        string      `json:"id" required:"true"`
	Kind      Kind        `json:"kind" required:"true" enum:"top_up,sweep"`
	Bank      string      `json:"bank" required:"true"`
	Ref       string      `json:"ref" required:"true" description:"The EndToEndId: it stands on the bank's statement."`
	Amount    money.Money `json:"amount" required:"true"`
	State     State       `json:"state" required:"true" enum:"open,done,rejected,returned"`
	Why       string      `json:"why,omitempty" description:"The bank's last word."`
	By        string      `json:"by" required:"true"`
	CreatedAt time.Time   `json:"created_at" required:"true"`
	ChangedAt time.Time   `json:"changed_at" required:"true"`
}

func (m Move) view() View {
	return View{m.ID, m.Kind, m.Bank, m.Ref, m.Money(), m.State, m.Why, m.By, m.CreatedAt.UTC(), m.ChangedAt.UTC()}
}

// ListInput pages through movements.
type ListInput struct {
	Kind string `query:"kind" enum:",top_up,sweep" description:"Only those of this kind."`
	rest.Paging
}

// List lists movements, newest first.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	before, err := in.After(id.TopUp, id.Sweep)
	if err != nil {
		return p, err
	}
	rows, err := list(ctx, s.db, in.Kind, before, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Move.view, func(v View) any { return v.ID }), nil
}

// MoveInput names a bank.
type MoveInput struct {
	Bank string `json:"bank,omitempty" maxLength:"100" description:"May be left out when there is one."`
}

// MakeTopUp tops the clients' account up before its time of the day.
func (s *Service) MakeTopUp(ctx context.Context, tx *pg.Tx, in MoveInput) (View, error) {
	return s.byHand(ctx, tx, in, s.TopUp)
}

// MakeSweep takes what is ours out of the clients' account before its time.
func (s *Service) MakeSweep(ctx context.Context, tx *pg.Tx, in MoveInput) (View, error) {
	return s.byHand(ctx, tx, in, s.Sweep)
}

func (s *Service) byHand(ctx context.Context, tx *pg.Tx, in MoveInput, do func(context.Context, *pg.Tx, string) (Move, error)) (View, error) {
	h, ok, err := s.files.House(ctx, tx, in.Bank)
	if err != nil {
		return View{}, err
	}
	if !ok {
		return View{}, ErrNoBank.At("/bank", "one of the banks on /v1/partners")
	}
	m, err := do(ctx, tx, h.Bank.ID())
	if err != nil {
		return View{}, err
	}
	audit.Record(tx, "treasury."+string(m.Kind), m.ID, "payouts.operator", map[string]string{"amount": m.Money().String()})
	return m.view(), nil
}
