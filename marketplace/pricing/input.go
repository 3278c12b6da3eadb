package pricing

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// GroupInput makes a group.
type GroupInput struct {
	Seller  string   `json:"seller,omitempty" maxLength:"40" description:"Whose customers; for operators."`
	Name    string   `json:"name" required:"true" maxLength:"100" description:"For the seller alone."`
	Members []string `json:"members,omitempty" maxItems:"1000" description:"Persons (per_…) and organisations (org_…) as they buy."`
}

// MembersInput changes who is in a group.
type MembersInput struct {
	Group  string   `path:"group"`
	Add    []string `json:"add,omitempty" maxItems:"1000"`
	Remove []string `json:"remove,omitempty" maxItems:"1000"`
}

// ListInput makes a price list.
type ListInput struct {
	Group  string      `json:"group" required:"true" maxLength:"40"`
	Name   string      `json:"name" required:"true" maxLength:"100" description:"For the seller alone."`
	From   string      `json:"from" required:"true" format:"date" description:"The first day in Morocco."`
	To     string      `json:"to" required:"true" format:"date" description:"The last day."`
	Prices []PriceLine `json:"prices" required:"true" minItems:"1" maxItems:"500"`
}

// at is a place in a list of the input.
func at(list string, i int, rest string) string { return fmt.Sprintf("%s/%d%s", list, i, rest) }

// faults gathers what is wrong.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, text)
}

func (f *faults) err() error {
	if f.wrong == nil {
		return nil
	}
	return f.wrong
}

func (f *faults) name(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if n := utf8.RuneCountInString(s); n < 1 || n > 100 {
		f.say("/name", "A name has 1 to 100 letters.")
	}
	return s
}

// members are ids of people and organisations, each once. Whether they are
// anybody's is not told.
func (f *faults) members(pointer string, all []string) []string {
	out := []string{}
	for i, m := range all {
		if !id.Is(id.Person, m) && !id.Is(id.Organisation, m) {
			f.say(at(pointer, i, ""), "The id of a person (per_…) or an organisation (org_…).")
		}
		out = append(out, m)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (in GroupInput) group(seller string, now time.Time) (Group, []string, error) {
	var f faults
	g := Group{ID: id.New(id.CustomerGroup), Seller: seller, Name: f.name(in.Name), MadeAt: now}
	all := f.members("/members", in.Members)
	return g, all, f.err()
}

func (in MembersInput) check() (add, remove []string, err error) {
	var f faults
	add, remove = f.members("/add", in.Add), f.members("/remove", in.Remove)
	for i, m := range in.Remove {
		if slices.Contains(add, m) {
			f.say(at("/remove", i, ""), "This one is put in as well.")
		}
	}
	if len(add)+len(remove) == 0 {
		f.say("/add", "Say who is put in, or taken out.")
	}
	return add, remove, f.err()
}

// longest is how long a price list lasts at most.
const longest = 2 * 366 * 24 * time.Hour

// mostPrice is above any price of goods, in centimes.
const mostPrice = 1_000_000_00

func (in ListInput) list(g Group, now time.Time) (List, error) {
	var f faults
	l := List{ID: id.New(id.PriceList), Seller: g.Seller, Group: g.ID, Name: f.name(in.Name), MadeAt: now}
	f.period(&l, in, now)
	type key struct {
		variant string
		least   int
	}
	seen := map[key]bool{}
	for i, line := range in.Prices {
		p := f.price(i, line)
		if seen[key{p.Variant, p.Least}] {
			f.say(at("/prices", i, ""), "This stands twice, for the same article and number.")
		}
		seen[key{p.Variant, p.Least}] = true
		l.Prices = append(l.Prices, p)
	}
	return l, f.err()
}

func (f *faults) price(i int, line PriceLine) Price {
	p := Price{Variant: line.Variant, Least: max(line.Least, 1)}
	if line.Variant != "" && !id.Is(id.Variant, line.Variant) {
		f.say(at("/prices", i, "/variant"), "The id of an article (var_…).")
	}
	switch {
	case (line.Price == nil) == (line.Percent == nil):
		f.say(at("/prices", i, ""), "Give a price, or a percentage off the public one.")
	case line.Price != nil && line.Variant == "":
		f.say(at("/prices", i, "/variant"), "Say what costs this.")
	case line.Price != nil && line.Price.Currency() != money.MAD:
		f.say(at("/prices", i, "/price/currency"), "Prices are in "+money.MAD+".")
	case line.Price != nil:
		if p.Price = line.Price.Centimes(); p.Price < 1 || p.Price > mostPrice {
			f.say(at("/prices", i, "/price/amount"), "Above 0.00, at most "+money.Dirhams(mostPrice).Amount()+".")
		}
	default:
		p.Percent = *line.Percent
		if p.Percent.Sign() <= 0 || !p.Percent.LessThan(decimal.NewFromInt(100)) || !p.Percent.Equal(p.Percent.Truncate(2)) {
			f.say(at("/prices", i, "/percent"), "Above 0, below 100, with at most two decimals.")
		}
	}
	return p
}

func (f *faults) period(l *List, in ListInput, now time.Time) {
	from, err1 := time.ParseInLocation(time.DateOnly, in.From, clock.Morocco)
	to, err2 := time.ParseInLocation(time.DateOnly, in.To, clock.Morocco)
	l.Since, l.Until = from, to.AddDate(0, 0, 1)
	switch {
	case err1 != nil:
		f.say("/from", "Write the first day as 2026-01-31.")
	case err2 != nil:
		f.say("/to", "Write the last day as 2026-01-31.")
	case !l.Until.After(from):
		f.say("/to", "The last day is before the first.")
	case !l.Until.After(now):
		f.say("/to", "That day is over.")
	case l.Until.Sub(from) > longest:
		f.say("/to", "A price list lasts at most two years.")
	}
}

// numbers are those from which a variant may cost something else, by rising
// number, from 1 on.
func numbers(item catalog.Item, own []Own) []int {
	out := append([]int{1}, item.Steps()...)
	for _, o := range own {
		if o.Variant == "" || o.Variant == item.Variant {
			out = append(out, o.Least)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
