package loyalty

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const root, ok, made = "/v1/loyalty", http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", root, "loyalty.show", "Show what somebody has in points", ok, s.Show),
		rest.Handle("GET", root+"/entries", "loyalty.entries", "List how somebody's points moved, the newest first", ok, s.Entries),
		rest.Commit("POST", root+"/burn", "loyalty.burn", "Spend points on something that is taken off one order", made, s.Burn),
		rest.Commit("POST", root+"/adjustments", "loyalty.adjust", "Give or take points by hand", made, s.Adjust),
		rest.Handle("GET", root+"/liability", "loyalty.liability", "Show what all open points are worth", ok, s.Liability),
		rest.Handle("GET", root+"/rules", "loyalty.rules", "List what earns points, the newest rule first", ok, s.Rules),
		rest.Commit("POST", root+"/rules", "loyalty.rule", "Have purchases earn points from a moment on", made, s.AddRule),
		rest.Commit("POST", root+"/tiers", "loyalty.tier", "Have a tier from a moment on, or change or end it", made, s.AddTier),
		rest.Commit("POST", root+"/terms", "loyalty.terms", "Say what a point is worth and how long it holds, from a moment on", made, s.AddTerms),
	}
}

// View is what somebody has.
type View struct {
	Person  string      `json:"person" required:"true"`
	Points  int64       `json:"points" required:"true"`
	Owed    int64       `json:"owed" required:"true" description:"Points taken back when they were spent already: what is earned next pays them."`
	Worth   money.Money `json:"worth" required:"true" description:"What the points can take off."`
	Least   int64       `json:"least" required:"true" description:"How many can be spent at once at least."`
	Spent   money.Money `json:"spent" required:"true" description:"What was bought and kept within twelve months."`
	Tier    *TierView   `json:"tier,omitempty"`
	Next    *TierView   `json:"next_tier,omitempty" description:"The next one up."`
	Expire  []Expiry    `json:"expire" required:"true" description:"Which points are over when, the first in front; a hundred at most."`
	Version int64       `json:"version" required:"true"`
}

// Expiry is points that are over at one moment.
type Expiry struct {
	Points int64     `json:"points" required:"true"`
	At     time.Time `json:"at" required:"true"`
}

// WhoseInput says whose points.
type WhoseInput struct {
	Person string `query:"person" maxLength:"40" description:"Whose; for operators, who must say it."`
}

// whose is the person a caller means: oneself, or by the operator whoever is
// named.
func whose(ctx context.Context, named string) (string, error) {
	who := auth.From(ctx)
	if who.Role != auth.Operator {
		if named != "" && named != who.Subject {
			return "", ErrNotFound
		}
		return who.Subject, nil
	}
	if named == "" {
		return "", ErrInvalid.At("?person", "Say whose points.")
	}
	return named, nil
}

// Show shows what the caller has, or to the operator what somebody has.
func (s *Service) Show(ctx context.Context, in WhoseInput) (v View, err error) {
	person, err := whose(ctx, in.Person)
	if err != nil {
		return v, err
	}
	now, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	var b book
	if err := b.read(ctx, s.db, person, now); err != nil {
		return v, err
	}
	return b.view(person), nil
}

func (b book) view(person string) View {
	v := View{Person: person, Spent: money.Dirhams(b.spent), Worth: money.Dirhams(0), Expire: []Expiry{}}
	for _, a := range b.account {
		v.Points, v.Owed, v.Version = a.Points, a.Owed, a.Version
	}
	for _, t := range b.terms {
		v.Worth, v.Least = money.Dirhams(v.Points*int64(t.Worth)), t.Least
	}
	if t := tierOf(b.tiers, b.spent); t.Code != "" {
		v.Tier = t.view()
	}
	if t := nextTier(b.tiers, b.spent); t.Code != "" {
		v.Next = t.view()
	}
	for _, l := range b.lots {
		if n := len(v.Expire); n > 0 && v.Expire[n-1].At.Equal(l.ExpiresAt) {
			v.Expire[n-1].Points += l.Remains
			continue
		}
		v.Expire = append(v.Expire, Expiry{l.Remains, l.ExpiresAt.UTC()})
	}
	return v
}

// EntryView is one move of somebody's points.
type EntryView struct {
	ID      string    `json:"id" required:"true"`
	Kind    Kind      `json:"kind" required:"true" enum:"earned,taken_back,burnt,given_back,expired,adjusted"`
	Points  int64     `json:"points" required:"true" description:"Added; below zero when they went."`
	Owed    int64     `json:"owed" required:"true" description:"Added to what is owed."`
	Balance int64     `json:"balance" required:"true" description:"The points there were then."`
	About   string    `json:"about" required:"true" description:"The order, the promotion or the adjustment."`
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at" required:"true"`
}

func (m Move) view() EntryView {
	return EntryView{m.ID, m.Kind, m.Points, m.Owed, m.After, about(m.Ref), m.Note, m.At.UTC()}
}

// EntriesInput asks for somebody's moves.
type EntriesInput struct {
	WhoseInput
	rest.Paging
}

// Entries lists how somebody's points moved.
func (s *Service) Entries(ctx context.Context, in EntriesInput) (p rest.Page[EntryView], err error) {
	person, err := whose(ctx, in.Person)
	if err != nil {
		return p, err
	}
	below, err := in.After(id.Points)
	if err != nil {
		return p, err
	}
	rows, err := listMoves(ctx, s.db, person, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Move.view, func(v EntryView) any { return v.ID }), nil
}

// LiabilityView is what the market owes in points.
type LiabilityView struct {
	Points int64       `json:"points" required:"true" description:"All that people have."`
	Owed   int64       `json:"owed" required:"true" description:"All that people owe."`
	Worth  money.Money `json:"worth" required:"true" description:"What the points can take off at most."`
}

// Liability shows what all open points are worth by the terms of now.
func (s *Service) Liability(ctx context.Context, _ rest.None) (v LiabilityView, err error) {
	now, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	terms, err := termsAt(ctx, s.db, now)
	if err != nil {
		return v, err
	}
	v.Points, v.Owed, err = sums(ctx, s.db)
	v.Worth = money.Dirhams(v.Points * int64(terms.Worth))
	return v, err
}
