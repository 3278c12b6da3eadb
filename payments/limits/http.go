package limits

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of limits; the operator's people use it.
func Routes(s *Service) []rest.Route {
	ok := http.StatusOK
	return []rest.Route{
		rest.Handle("GET", "/v1/limits", "limits.show", "Show the rules on sales and payouts", ok, s.Show),
		rest.Handle("PUT", "/v1/limits", "limits.put", "Ask for other rules; a second person decides", ok, s.Put),
		rest.Handle("GET", "/v1/limits/decisions", "limits.decisions", "List what the rules made of sales and payouts, newest first", ok, s.Decisions),
		rest.Handle("POST", "/v1/limits/decisions/{decision}/clear", "limits.clear", "Let a sale or a payout go on", ok, s.Clear),
	}
}

// DecisionView is a decision as the API shows it.
type DecisionView struct {
	ID        string       `json:"id" required:"true"`
	What      string       `json:"what" required:"true" enum:"sale,payout"`
	Ref       string       `json:"ref" required:"true" description:"The order group, or the payout."`
	Outcome   Action       `json:"outcome" required:"true" enum:"pass,review,hold,refuse"`
	Rules     []string     `json:"rules" required:"true" description:"Those that were reached."`
	Figures   []FigureView `json:"figures" required:"true" description:"All rules that were looked at, as they stood."`
	Amount    money.Money  `json:"amount" required:"true"`
	Open      bool         `json:"open" required:"true" description:"It waits for a person."`
	At        time.Time    `json:"at" required:"true"`
	ClearedBy string       `json:"cleared_by,omitempty"`
	ClearedAt *time.Time   `json:"cleared_at,omitempty"`
	Note      string       `json:"note,omitempty"`
}

// FigureView is a rule as it stood for one key.
type FigureView struct {
	Rule    string       `json:"rule" required:"true"`
	Per     string       `json:"per" required:"true"`
	Key     string       `json:"key" required:"true" description:"Phones, addresses and cards are hashed."`
	Action  Action       `json:"action" required:"true" enum:"refuse,hold,review"`
	WindowS int64        `json:"window_s" required:"true"`
	Most    *money.Money `json:"max_amount,omitempty"`
	Times   int64        `json:"max_count,omitempty"`
	Used    money.Money  `json:"used_amount" required:"true" description:"In the window, before this one."`
	Count   int64        `json:"used_count" required:"true"`
	Asked   money.Money  `json:"asked" required:"true"`
	Over    bool         `json:"over" required:"true"`
}

func (f Figure) view() FigureView {
	v := FigureView{f.Rule, f.Per, f.Key, f.Action, f.WindowS, nil, f.Times, money.Dirhams(f.Used), f.Count, money.Dirhams(f.Asked), f.Over}
	if f.Most > 0 {
		m := money.Dirhams(f.Most)
		v.Most = &m
	}
	return v
}

// kept is a decision as the database has it.
type kept struct {
	ID, What, Ref string
	Outcome       Action
	Rules         []string
	Figures       []byte
	Amount        int64
	Open          bool
	At            time.Time
	ClearedBy     string
	ClearedAt     *time.Time
	Note          string
}

func (k kept) view() (DecisionView, error) {
	v := DecisionView{k.ID, k.What, k.Ref, k.Outcome, k.Rules, nil, money.Dirhams(k.Amount), k.Open, k.At.UTC(), k.ClearedBy, rest.UTC(k.ClearedAt), k.Note}
	var figures []Figure
	err := json.Unmarshal(k.Figures, &figures)
	v.Figures = make([]FigureView, len(figures))
	for i, f := range figures {
		v.Figures[i] = f.view()
	}
	return v, err
}

// DecisionsInput pages through decisions.
type DecisionsInput struct {
	Ref     string `query:"ref" maxLength:"60" description:"Only those about this order group or payout."`
	Outcome Action `query:"outcome" enum:",pass,review,hold,refuse"`
	Open    bool   `query:"open" description:"Only those that wait for a person."`
	rest.Paging
}

// Decisions lists decisions, newest first.
func (s *Service) Decisions(ctx context.Context, in DecisionsInput) (p rest.Page[DecisionView], err error) {
	below, err := in.After(decisionID)
	if err != nil {
		return p, err
	}
	rows, err := decisions(ctx, s.db, in.Ref, in.Outcome, in.Open, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	views := make([]DecisionView, len(rows))
	for i, k := range rows {
		if views[i], err = k.view(); err != nil {
			return p, err
		}
	}
	return rest.Cut(views, in.Limit, func(v DecisionView) any { return v.ID }), nil
}

// ClearInput says why it may go on.
type ClearInput struct {
	Decision string `path:"decision"`
	Note     string `json:"note" required:"true" minLength:"1" maxLength:"500"`
}

// Clear is a person's word that a sale or a payout may go on although it reached
// a rule. The rule still holds for what comes after.
func (s *Service) Clear(ctx context.Context, in ClearInput) (v DecisionView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		k, err := lockDecision(ctx, tx, in.Decision)
		if err != nil {
			return err
		}
		if !k.Open {
			return ErrCleared
		}
		at := tx.Now()
		k.Open, k.ClearedBy, k.ClearedAt, k.Note = false, auth.From(ctx).Person(), &at, in.Note
		orders, err := clearDecision(ctx, tx, k)
		if err != nil {
			return err
		}
		audit.Record(tx, "limits.clear", k.ID, authz.Policy(ctx), map[string]any{"ref": k.Ref, "rules": k.Rules, "note": k.Note})
		if v, err = k.view(); err != nil {
			return err
		}
		return tx.Publish(ctx, Cleared{k.ID, k.What, k.Ref, orders})
	})
	return v, err
}
