// Package limits keeps what one buyer, one cooperative, one phone may do in a
// while: rules that people set, counters that hold under any number of checkouts
// at once, and what was decided, with the figures it was decided by.
package limits

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// Errors of limits.
var (
	ErrRefused  = fault.New(fault.Conflict, "limits.refused", "This is more than is allowed at the moment.")
	ErrNotFound = fault.New(fault.NotFound, "limits.not_found", "There is no such decision.")
	ErrCleared  = fault.New(fault.Conflict, "limits.cleared", "This decision does not wait for anybody.")
	ErrRules    = fault.New(fault.Invalid, "limits.rules", "Some of these rules cannot be; see errors.")
	ErrVersion  = fault.New(fault.Conflict, "limits.version", "The rules were changed meanwhile; look at them again.")
)

// decisionID is the prefix of a decision's id.
const decisionID id.Kind = "dec"

// What a rule is about.
const (
	OfSales   = "sale"
	OfPayouts = "payout"
)

// An Action is what happens when a rule is reached.
type Action string

// The actions, and Pass when none is. Of a sale: it is refused; or made, and its
// money is not paid out before a person has cleared it; or made, and a person
// looks at it. Of a payout: it is refused; it waits until there is room again,
// or a person clears it; it waits for a person.
const (
	Pass   Action = "pass"
	Review Action = "review"
	Hold   Action = "hold"
	Refuse Action = "refuse"
)

// weight orders actions by how much they stop.
func (a Action) weight() int { return slices.Index([]Action{Pass, Review, Hold, Refuse}, a) }

// A Rule says how much, or how often, in a window. Windows slide in steps of
// five minutes, and count what began in their first step.
type Rule struct {
	ID        string       `json:"id" required:"true" pattern:"^[a-z][a-z0-9_]{2,39}$"`
	What      string       `json:"what" required:"true" enum:"sale,payout,write_off,give_back" description:"write_off and give_back: what one of the operator's people gives up of a bank's line, or has a seller give back, without a second one."`
	Per       string       `json:"per" required:"true" enum:"buyer,seller,phone,address,card,person,all" description:"Whose sales, payouts or decisions are counted together; all: everybody's."`
	Method    string       `json:"method,omitempty" enum:"card,wallet,transfer,cash_on_delivery" description:"Only sales paid in this way."`
	WindowS   int64        `json:"window_s" required:"true" minimum:"0" maximum:"2678400" description:"Seconds, 300 to a month; 0 looks at each single one."`
	Max       *money.Money `json:"max_amount,omitempty" db:"-" description:"The most in the window."`
	MaxAmount *int64       `json:"-"` // the same in centimes
	MaxCount  *int64       `json:"max_count,omitempty" minimum:"1"`
	Action    Action       `json:"action" required:"true" enum:"refuse,hold,review"`
	About     string       `json:"about" required:"true" minLength:"1" maxLength:"200"`
}

// check says what cannot be about a rule, by the name of its field.
func (r Rule) check() (field, wrong string) {
	switch {
	case r.Max != nil && r.Max.Centimes() <= 0:
		return "max_amount", "Give an amount above zero."
	case r.Max == nil && r.MaxCount == nil:
		return "max_count", "Give an amount or a count."
	case r.WindowS == 0 && r.MaxCount != nil:
		return "max_count", "A single one is not counted; give a window."
	case r.WindowS > 0 && r.WindowS < 300:
		return "window_s", "A window has at least 300 seconds; 0 looks at each single one."
	case r.What == OfPayouts && (r.Per != "seller" && r.Per != "all" || r.Method != ""):
		return "per", "Payouts are counted for a seller or for all, whatever the method."
	case r.What == OfSales && r.Per == "person":
		return "per", "Sales are counted for their buyer; a person is one of the operator's."
	case r.alone() && (r.Per != "person" && r.Per != "all" || r.Method != ""):
		return "per", "What one decides alone is counted for the person or for all."
	case r.alone() && r.Action != Review:
		return "action", "Above it a second person looks at it: review."
	}
	return "", ""
}

// alone says whether the rule is about what people decide alone.
func (r Rule) alone() bool { return r.What == OfWriteOffs || r.What == OfGiveBacks }

// priced fills in the amount in the form that the API has.
func (r Rule) priced() Rule {
	if r.MaxAmount != nil {
		m := money.Dirhams(*r.MaxAmount)
		r.Max = &m
	}
	return r
}

// A Figure is a rule as it stood for one key when a sale or payout was looked
// at.
type Figure struct {
	Rule   string `json:"rule"`
	Per    string `json:"per"`
	Key    string `json:"key"`
	Action Action `json:"action"`
	Most   int64  `json:"max_centimes,omitempty"`
	Times  int64  `json:"max_count,omitempty"`
	Used   int64  `json:"used_centimes"` // in the window, before this one
	Count  int64  `json:"used_count"`
	Asked  int64  `json:"asked_centimes"`
	Over   bool   `json:"over"`

	WindowS int64  `json:"window_s"`
	About   string `json:"-"`
}

// judge fills in whether the rule is reached.
func (f Figure) judge() Figure {
	f.Over = f.Most > 0 && f.Used+f.Asked > f.Most || f.Times > 0 && f.Count+1 > f.Times
	return f
}

// crowd is more transactions than a database has at once.
const crowd = 500

// ample says whether so much is left that even a crowd which looks at once, and
// does not see each other, cannot reach the rule: half of it is free, and each
// takes at most the crowd's part of that half. Then nobody needs to wait.
func (f Figure) ample() bool {
	if f.WindowS == 0 {
		return true
	}
	return (f.Most == 0 || f.Used <= f.Most/2 && f.Asked <= f.Most/2/crowd) &&
		(f.Times == 0 || f.Count <= f.Times/2 && f.Times/2/crowd >= 1)
}

// verdict is the strictest action of the rules that are reached, and those
// rules.
func verdict(figures []Figure) (worst Action, over []Figure) {
	worst = Pass
	for _, f := range figures {
		if !f.Over {
			continue
		}
		over = append(over, f)
		if f.Action.weight() > worst.weight() {
			worst = f.Action
		}
	}
	slices.SortStableFunc(over, func(a, b Figure) int { return cmp.Compare(b.Action.weight(), a.Action.weight()) })
	return worst, over
}

// sentence says what was reached, to those whose sale or payout it is.
func (f Figure) sentence(what string) string {
	each := f.WindowS == 0
	whose := map[string]string{"buyer": " for one buyer", "seller": " for one cooperative", "phone": " for one phone", "address": " to one address", "card": " with one card"}[f.Per]
	switch over := f.Most > 0 && f.Used+f.Asked > f.Most; {
	case over && each:
		return fmt.Sprintf("One %s is at most %s.", what, money.Dirhams(f.Most))
	case over:
		return fmt.Sprintf("The %ss%s are at most %s %s; %s is used.", what, whose, money.Dirhams(f.Most), span(f.WindowS), money.Dirhams(f.Used))
	default:
		return fmt.Sprintf("There are at most %d %ss%s %s.", f.Times, what, whose, span(f.WindowS))
	}
}

// span says a window in words.
func span(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := d / u.of; {
		case d%u.of != 0 || n == 0:
		case n == 1:
			return "in one " + u.name
		default:
			return fmt.Sprintf("in %d %ss", n, u.name)
		}
	}
	return "in " + d.String()
}
