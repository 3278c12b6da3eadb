package ledger

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// HandInput is one transfer by hand.
type HandInput struct {
	Reference    string     `json:"reference" required:"true" minLength:"1" maxLength:"100" pattern:"^[!-~]+$" description:"Yours; posting it again changes nothing."`
	Note         string     `json:"note" required:"true" minLength:"1" maxLength:"500" description:"Why, for whoever reads the books."`
	Order        string     `json:"order,omitempty" maxLength:"60"`
	EffectiveAt  *time.Time `json:"effective_at,omitempty" description:"When it counts; now when left out."`
	Legs         []LegView  `json:"legs" required:"true" minItems:"2" maxItems:"100"`
	SecondPerson bool       `json:"second_person,omitempty" description:"Have a second person agree, also to what one may move alone."`
}

// PostInput is one transfer by hand, or a list of them.
type PostInput struct {
	Reference    string      `json:"reference,omitempty" minLength:"1" maxLength:"100" pattern:"^[!-~]+$" description:"Yours; posting it again changes nothing."`
	Note         string      `json:"note,omitempty" minLength:"1" maxLength:"500" description:"Why, for whoever reads the books."`
	Order        string      `json:"order,omitempty" maxLength:"60"`
	EffectiveAt  *time.Time  `json:"effective_at,omitempty" description:"When it counts; now when left out."`
	Legs         []LegView   `json:"legs,omitempty" minItems:"2" maxItems:"100"`
	SecondPerson bool        `json:"second_person,omitempty" description:"Have a second person agree, also to what one may move alone."`
	Transfers    []HandInput `json:"transfers,omitempty" minItems:"1" maxItems:"1000" description:"Several, instead of the other fields; each has its own result."`
}

// PostedView is what became of a transfer by hand.
type PostedView struct {
	Reference string `json:"reference" required:"true"`
	State     string `json:"state" required:"true" enum:"posted,waiting,refused"`
	Approval  string `json:"approval,omitempty" description:"What a second person must agree to first."`
	Code      string `json:"code,omitempty" description:"Why it was refused."`
	Detail    string `json:"detail,omitempty"`
}

// PostOutput is the result of one transfer, or of each of a list in its order.
type PostOutput struct {
	Reference string       `json:"reference,omitempty"`
	State     string       `json:"state,omitempty" enum:"posted,waiting"`
	Approval  string       `json:"approval,omitempty" description:"What a second person must agree to first."`
	Data      []PostedView `json:"data,omitempty" description:"Of a list, each transfer's own result."`
}

// all are the transfers that were asked for, and whether they came as a list.
func (in PostInput) all() ([]HandInput, bool, error) {
	if in.Transfers == nil {
		one := HandInput{in.Reference, in.Note, in.Order, in.EffectiveAt, in.Legs, in.SecondPerson}
		bad := fault.New(fault.Invalid, "ledger.transfer", "A transfer has a reference, a note and legs.")
		for pointer, missing := range map[string]bool{"/reference": one.Reference == "", "/note": one.Note == "", "/legs": one.Legs == nil} {
			if missing {
				bad = bad.At(pointer, "give it, or a list of transfers")
			}
		}
		if bad.Details != nil {
			return nil, false, bad
		}
		return []HandInput{one}, false, nil
	}
	if in.Reference != "" || in.Note != "" || in.Order != "" || in.EffectiveAt != nil || in.Legs != nil || in.SecondPerson {
		return nil, true, fault.New(fault.Invalid, "ledger.transfer", "Give either one transfer or a list.").At("/transfers", "leave the other fields out, or this one")
	}
	return in.Transfers, true, nil
}

// transfer is what is asked for, in the books' own terms.
func (in HandInput) transfer() (Transfer, error) {
	t := Transfer{Key: handKey(in.Reference), Kind: hand, Order: in.Order, Note: in.Note, Legs: make([]Leg, len(in.Legs))}
	if in.EffectiveAt != nil {
		t.Effective = in.EffectiveAt.UTC()
	}
	for i, l := range in.Legs {
		if t.Currency == "" {
			t.Currency = l.Amount.Currency()
		}
		if l.Amount.Sign() <= 0 || l.Amount.Currency() != t.Currency {
			return t, ErrUnbalanced.At(fmt.Sprintf("/legs/%d/amount", i), "above zero, and all in one currency")
		}
		t.Legs[i] = Debit(l.Account, l.Amount.Centimes())
		if l.Side == "credit" {
			t.Legs[i] = Credit(l.Account, l.Amount.Centimes())
		}
	}
	return t.Check()
}

// An asked transfer is one on its way through the route.
type asked struct {
	view PostedView
	t    Transfer
	two  bool // a second person must agree first
	err  error
}

// sort says of each of what is given which way it goes: to a second person, at
// once, or nowhere.
func sort(given []HandInput, person string) []asked {
	all := make([]asked, len(given))
	for i, g := range given {
		a := &all[i]
		a.view.Reference = g.Reference
		if a.t, a.err = g.transfer(); a.err == nil {
			a.two, a.err = ByHand(a.t)
		}
		if a.two = a.two || g.SecondPerson; !a.two {
			a.t = a.t.by(person)
		}
	}
	return all
}

// Take posts transfers by hand: those that one person may ask for at once, by
// the lane; the others wait for a second. The answer is kept in the commit of
// all that it tells of, so that a request that is refused has no effect.
func (l *Lane) Take(ctx context.Context, k *rest.Keep, in PostInput) (out PostOutput, err error) {
	given, list, err := in.all()
	if err != nil {
		return out, err
	}
	all := sort(given, auth.From(ctx).Person())
	if !list && all[0].err != nil {
		return out, all[0].err
	}
	if slices.ContainsFunc(all, func(a asked) bool { return a.err == nil && a.two }) {
		err = l.persist(ctx, func(ctx context.Context) error {
			return l.books.db.InTx(ctx, func(tx *pg.Tx) error { return l.books.take(ctx, tx, k, slices.Clone(all), list) })
		})
		return out, err
	}
	items, through := atOnce(all)
	_, err = l.PostList(ctx, items, &Answer{Keep: k, Of: func(errs []error) (any, error) {
		through(errs)
		return answered(all, list)
	}})
	return out, err // what is kept is sent
}

// atOnce are the transfers that no second person is needed for; through takes in
// what became of each.
func atOnce(all []asked) (items []Item, through func(errs []error)) {
	var at []*asked
	for i := range all {
		if a := &all[i]; a.err == nil && !a.two {
			items, at = append(items, Item{Transfer: a.t}), append(at, a)
		}
	}
	return items, func(errs []error) {
		for i, err := range errs {
			at[i].err = err
		}
	}
}

// answered is what the caller is told. What is not a refusal fails the whole.
func answered(all []asked, list bool) (PostOutput, error) {
	out := PostOutput{Data: make([]PostedView, 0, len(all))}
	for _, a := range all {
		v := a.view
		switch {
		case a.err != nil && !list:
			return PostOutput{}, a.err
		case a.err != nil:
			var told bool
			v.State = "refused"
			if v.Code, v.Detail, told = code(a.err); !told {
				return PostOutput{}, a.err
			}
		case v.State == "":
			v.State = "posted"
		}
		if !list {
			return PostOutput{Reference: v.Reference, State: v.State, Approval: v.Approval}, nil
		}
		out.Data = append(out.Data, v)
	}
	return out, nil
}

// TransferRoutes are those of transfers by hand.
func TransferRoutes(l *Lane) []rest.Route {
	return []rest.Route{
		rest.Kept("POST", "/v1/ledger/transfers", "ledger.post", "Post a transfer by hand, or a list of them", http.StatusCreated, l.Take,
			rest.Timeout(time.Minute),
			rest.About("Of a list each transfer has its own result, in the same order. One person moves fees and costs, up to "+money.FromCentimes(handLimit, money.MAD).Amount()+" a day (of any currency, all requests together); for more, and for every other account, a second person must agree first (/v1/approvals). Accounts of orders, payouts and refunds are not moved by hand, and nothing that would leave clients short.")),
	}
}
