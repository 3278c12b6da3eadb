package groupbuys

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// Input begins a group buy.
type Input struct {
	Variant  string      `json:"variant" required:"true" maxLength:"40" description:"The article."`
	Minimum  int         `json:"minimum" required:"true" minimum:"2" maximum:"1000000" description:"So many must be paid."`
	Maximum  int         `json:"maximum" required:"true" minimum:"2" maximum:"1000000" description:"More are not sold: then it is ordered before the deadline."`
	Price    money.Money `json:"price" required:"true" description:"Of each, with the minimum."`
	Tiers    []TierView  `json:"tiers,omitempty" maxItems:"10" description:"What each costs when more are bought, each less than the one before."`
	Way      string      `json:"way,omitempty" maxLength:"40" description:"One of the seller's ways of delivery where buyers fetch the goods: all of it goes there. Left out, each buyer chooses."`
	Deadline time.Time   `json:"deadline" required:"true" format:"date-time" description:"From one hour to thirty days from now."`
}

// How long a group can be joined, and what it may cost at most.
const (
	shortest  = time.Hour
	longest   = 30 * 24 * time.Hour
	mostPrice = 1_000_000_00
)

// faults gathers what is wrong with a wanted group buy.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string, args ...any) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, fmt.Sprintf(text, args...))
}

func (f *faults) price(pointer string, m money.Money, below int64) int64 {
	switch {
	case m.Currency() != money.MAD:
		f.say(pointer+"/currency", "Prices are in %s.", money.MAD)
		return 0
	case m.Sign() <= 0 || m.Centimes() >= below:
		f.say(pointer+"/amount", "Above 0.00, below %s.", money.Dirhams(below).Amount())
	}
	return m.Centimes()
}

// groupBuy reads what is wanted and says all that is wrong with it.
func (in Input) groupBuy(p auth.Principal, item catalog.Item, way *delivery.Way, from members.Imprint, now time.Time) (GroupBuy, error) {
	var f faults
	g := GroupBuy{
		ID: id.New(id.GroupBuy), Seller: item.Seller, Offer: item.Offer, Variant: item.Variant, Names: item.OfferNames, VariantNames: item.Names, Category: item.Category,
		Region: from.Region, Commune: from.Commune, Organiser: p.Subject, OrganiserRole: p.Role, MinQty: in.Minimum, MaxQty: in.Maximum, Tiers: []Tier{},
		Deadline: in.Deadline.UTC().Truncate(time.Microsecond), State: Asked, Version: 1, MadeAt: now,
	}
	if p.Role == auth.Seller {
		g.State = Open
	}
	if way != nil {
		g.Way, g.Spot, g.Region, g.Commune = way.ID, way.Spot, way.Spot.Region, way.Spot.Commune
	}
	if item.Way == catalog.ByQuote {
		f.say("/variant", "This has no fixed price; ask its seller for a quotation.")
	}
	if in.Maximum < in.Minimum {
		f.say("/maximum", "At least the minimum.")
	}
	g.Price = f.price("/price", in.Price, cmp.Or(item.Price.Centimes()+1, mostPrice))
	before := Tier{in.Minimum, g.Price}
	for i, t := range in.Tiers {
		at := fmt.Sprintf("/tiers/%d", i)
		if t.From <= before.From || t.From > in.Maximum {
			f.say(at+"/from", "Above %d, at most %d.", before.From, in.Maximum)
		}
		before = Tier{t.From, f.price(at+"/price", t.Price, before.Price)}
		g.Tiers = append(g.Tiers, before)
	}
	if d := g.Deadline.Sub(now); d < shortest || d > longest {
		f.say("/deadline", "From one hour to thirty days from now.")
	}
	if f.wrong != nil {
		return g, f.wrong
	}
	return g, nil
}

// plain keeps a spreadsheet from taking a text for a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
