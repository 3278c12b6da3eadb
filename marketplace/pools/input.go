package pools

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tiwiza/marketplace/delivery"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// Input opens a pool.
type Input struct {
	Names    map[string]string `json:"names" required:"true" description:"What is sought, by language; French at least."`
	Text     string            `json:"text,omitempty" maxLength:"4000" description:"What quality is meant."`
	Category string            `json:"category" required:"true" maxLength:"60" description:"Of what is sought: producers pledge articles of it."`
	Unit     string            `json:"unit" required:"true" minLength:"1" maxLength:"60" description:"Of which quantities are: what one of an article is, such as a sack of 25 kg."`
	Commune  string            `json:"commune" required:"true" maxLength:"100"`
	Address  string            `json:"address,omitempty" maxLength:"300" description:"Where in the commune producers bring the goods, at their cost, and buyers fetch them; left out, each producer delivers in its own ways."`
	Ceiling  money.Money       `json:"ceiling" required:"true" description:"Of each; nothing is bought above it."`
	Minimum  int               `json:"minimum" required:"true" minimum:"1" maximum:"100000" description:"If less can be exchanged, nothing is."`
	Deadline time.Time         `json:"deadline" required:"true" format:"date-time" description:"From one hour to sixty days from now."`
}

// PledgeInput pledges.
type PledgeInput struct {
	Pool     string      `path:"pool"`
	Quantity int         `json:"quantity" required:"true" minimum:"1" maximum:"999"`
	Price    money.Money `json:"price" required:"true" description:"Of each: at most, for who buys; at least, for who sells."`
	Variant  string      `json:"variant,omitempty" maxLength:"40" description:"The article that a producer sells; one is one unit of the pool."`
}

// How long a pool takes pledges, and what it may cost at most.
const (
	shortest  = time.Hour
	longest   = 60 * 24 * time.Hour
	mostPrice = 1_000_000_00
)

var categoryText = regexp.MustCompile(`^[a-z][a-z0-9_]{1,59}$`)

// faults gathers what is wrong.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string, args ...any) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, fmt.Sprintf(text, args...))
}

func (f *faults) price(pointer string, m money.Money, most int64) int64 {
	switch {
	case m.Currency() != money.MAD:
		f.say(pointer+"/currency", "Prices are in %s.", money.MAD)
		return 0
	case m.Sign() <= 0 || m.Centimes() > most:
		f.say(pointer+"/amount", "Above 0.00, at most %s.", money.Dirhams(most).Amount())
	}
	return m.Centimes()
}

// pool reads what is wanted and says all that is wrong with it.
func (in Input) pool(who auth.Principal, now time.Time) (Pool, error) {
	var f faults
	p := Pool{
		ID: id.New(id.Pool), Organiser: who.Subject, Names: map[string]string{}, Text: strings.TrimSpace(in.Text), Category: in.Category, Unit: strings.Join(strings.Fields(in.Unit), " "),
		Ceiling: f.price("/ceiling", in.Ceiling, mostPrice), Least: in.Minimum, Deadline: in.Deadline.UTC().Truncate(time.Microsecond), State: Open, Version: 1, MadeAt: now,
	}
	for lang, text := range in.Names {
		text = strings.Join(strings.Fields(text), " ")
		if !slices.Contains([]string{"fr", "ar", "zgh", "en"}, lang) || text == "" || utf8.RuneCountInString(text) > 100 {
			f.say("/names/"+lang, "Names have 1 to 100 letters, in fr, ar, zgh and en.")
		}
		p.Names[lang] = text
	}
	if p.Names["fr"] == "" {
		f.say("/names/fr", "Give the name in French at least.")
	}
	if !categoryText.MatchString(in.Category) {
		f.say("/category", "The code of a category, such as honey.")
	}
	if p.Unit == "" {
		f.say("/unit", "Say of what quantities are, such as a sack of 25 kg.")
	}
	place, ok := geo.Find(in.Commune)
	if !ok {
		f.say("/commune", "This commune is not known; write its name as on the map, in French or Arabic.")
	}
	p.Commune, p.Region = place.Name, place.Region
	if at := strings.TrimSpace(in.Address); at != "" {
		p.Spot = &delivery.Spot{Address: at, Commune: place.Name, Region: place.Region, Lat: place.Lat, Lng: place.Lng}
	}
	if d := p.Deadline.Sub(now); d < shortest || d > longest {
		f.say("/deadline", "From one hour to sixty days from now.")
	}
	if f.wrong != nil {
		return p, f.wrong
	}
	return p, nil
}

// pledge reads what is pledged.
func (in PledgeInput) pledge(p Pool, member string, side Side, now time.Time) (Pledge, error) {
	var f faults
	most := int64(mostPrice)
	if side == Sells {
		most = p.Ceiling // above it nothing is bought
	}
	out := Pledge{
		ID: id.New(id.Pledge), Pool: p.ID, Member: member, Side: side, Variant: in.Variant, Quantity: in.Quantity, Price: f.price("/price", in.Price, most),
		State: Pledged, MadeAt: now,
	}
	if f.wrong != nil {
		return out, f.wrong
	}
	return out, nil
}
