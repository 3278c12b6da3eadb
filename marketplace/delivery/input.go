package delivery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// WayInput makes a way of delivery.
type WayInput struct {
	Seller   string            `json:"seller,omitempty" maxLength:"40" description:"Whose it is; for operators. Relay points are nobody's."`
	Kind     Kind              `json:"kind" required:"true" enum:"carrier,own,pickup,relay" description:"carrier: one that the seller hires; own: the seller brings the goods; pickup: the buyer fetches them; relay: a point of the operator's."`
	Names    map[string]string `json:"names" required:"true" description:"By language; French at least."`
	Payee    string            `json:"payee,omitempty" maxLength:"40" description:"The carrier of a relay point."`
	LeadDays int               `json:"lead_days" required:"true" minimum:"0" maximum:"60" description:"How long the goods travel."`
	Place    string            `json:"place,omitempty" maxLength:"40" description:"One of the seller's places (plc_…), instead of a commune."`
	Commune  string            `json:"commune,omitempty" maxLength:"100" description:"Where goods are fetched, or where a radius begins."`
	Address  string            `json:"address,omitempty" maxLength:"300" description:"A street, or a landmark; needed where goods are fetched."`
	Point    *PointInput       `json:"point,omitempty" description:"The commune's own place when left out."`
	RadiusKm *int              `json:"radius_km,omitempty" minimum:"1" maximum:"300" description:"How far the seller itself goes, as the crow flies, to the middle of the buyer's commune."`
	FreeFrom *money.Money      `json:"free_from,omitempty" description:"Goods worth this much travel free."`
	Zones    []ZoneInput       `json:"zones,omitempty" maxItems:"60" description:"What it costs where; none for pickup, which is free."`
}

// PointInput is a place on the map, in degrees.
type PointInput struct {
	Lat float64 `json:"lat" required:"true" minimum:"20" maximum:"36.5"`
	Lng float64 `json:"lng" required:"true" minimum:"-18" maximum:"-0.5"`
}

// ZoneInput says what a way costs in some places. One without any is everywhere
// else.
type ZoneInput struct {
	Regions  []string    `json:"regions,omitempty" maxItems:"12"`
	Communes []string    `json:"communes,omitempty" maxItems:"300"`
	Steps    []StepInput `json:"steps" required:"true" minItems:"1" maxItems:"30" description:"By weight, the lightest first."`
}

// StepInput is the price up to a weight.
type StepInput struct {
	UpToG *int64      `json:"up_to_g,omitempty" minimum:"1" maximum:"2000000" description:"The last step may be without: whatever it weighs."`
	Price money.Money `json:"price" required:"true"`
}

// faults gathers what is wrong with a wanted way.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string, args ...any) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, fmt.Sprintf(text, args...))
}

// most is above any price of delivery: it keeps sums far from the end of the
// numbers.
const most = 1_000_000_00

func (f *faults) price(pointer string, m money.Money, least int64) int64 {
	if m.Currency() != money.MAD {
		f.say(pointer+"/currency", "Prices are in %s.", money.MAD)
		return 0
	}
	if c := m.Centimes(); c < least || c > most {
		f.say(pointer+"/amount", "From %s to %s.", money.Dirhams(least).Amount(), money.Dirhams(most).Amount())
	}
	return m.Centimes()
}

var payee = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)

// way reads what is wanted for a seller ("" is the operator), whose place it
// names, and says all that is wrong with it.
func (in WayInput) way(seller string, place *catalog.Place) (Way, error) {
	var f faults
	w := Way{ID: id.New(id.Way), Seller: seller, Kind: in.Kind, Names: map[string]string{}, Payee: in.Payee, LeadDays: in.LeadDays, RadiusKm: in.RadiusKm}
	f.names(w.Names, in.Names)
	if (in.Kind == Relay) != (seller == "") {
		f.say("/kind", "Relay points are the operator's; every other way is a seller's.")
	}
	if (in.Kind == Relay) != payee.MatchString(in.Payee) {
		f.say("/payee", "A relay point has a carrier, by its code; nothing else has.")
	}
	w.Spot = f.spot(in, place)
	if in.RadiusKm != nil && in.Kind != Own {
		f.say("/radius_km", "Only what the seller brings itself has a radius.")
	}
	if in.FreeFrom != nil {
		c := f.price("/free_from", *in.FreeFrom, 1)
		w.FreeFrom = &c
	}
	w.Zones = f.zones(in)
	if f.wrong != nil {
		return w, f.wrong
	}
	return w, nil
}

func (f *faults) names(to, from map[string]string) {
	for lang, text := range from {
		text = strings.Join(strings.Fields(text), " ")
		switch {
		case !slices.Contains([]string{"fr", "ar", "zgh", "en"}, lang):
			f.say("/names/"+lang, "Languages are fr, ar, zgh and en.")
		case text == "" || utf8.RuneCountInString(text) > 100:
			f.say("/names/"+lang, "A name has 1 to 100 letters.")
		}
		to[lang] = text
	}
	if to["fr"] == "" {
		f.say("/names/fr", "Give the name in French at least.")
	}
}

// spot is where goods are fetched or brought from, if that is said.
func (f *faults) spot(in WayInput, place *catalog.Place) *Spot {
	fetched := in.Kind == Pickup || in.Kind == Relay
	if fetched && in.Address == "" {
		f.say("/address", "Say where in the commune the goods are fetched: a street, or a landmark.")
	}
	s := Spot{Address: in.Address}
	switch {
	case place != nil && in.Commune != "":
		f.say("/commune", "The place says where it is; leave this out.")
		return nil
	case place != nil:
		s.Place, s.Commune, s.Region, s.Lat, s.Lng = place.ID, place.Commune, place.Region, place.Lat, place.Lng
	case in.Commune == "":
		if fetched || in.RadiusKm != nil {
			f.say("/commune", "Say the commune, or one of your places.")
		}
		return nil
	default:
		at, ok := geo.Find(in.Commune)
		if !ok {
			f.say("/commune", "The commune %q is not known; write its name as on the map, in French or Arabic.", in.Commune)
		}
		s.Commune, s.Region, s.Lat, s.Lng = at.Name, at.Region, at.Lat, at.Lng
	}
	if in.Point != nil {
		s.Lat, s.Lng = in.Point.Lat, in.Point.Lng
	}
	return &s
}

func (f *faults) zones(in WayInput) []Zone {
	out := []Zone{}
	if (in.Kind == Pickup) != (len(in.Zones) == 0) {
		f.say("/zones", "Pickup is free and has no zones; any other way has at least one.")
	}
	seen := map[Area]bool{}
	for i, z := range in.Zones {
		at := fmt.Sprintf("/zones/%d", i)
		areas := f.areas(at, z)
		if len(areas) == 0 {
			areas = append(areas, Area{})
		}
		for _, a := range areas {
			if seen[a] {
				f.say(at, "This zone is in another already, or twice here: %s.", strings.TrimSpace(a.Region+" "+a.Commune))
			}
			seen[a] = true
		}
		if areas[0] == (Area{}) {
			areas = []Area{}
		}
		out = append(out, Zone{areas, f.steps(at, z.Steps)})
	}
	return out
}

func (f *faults) areas(at string, z ZoneInput) (out []Area) {
	for i, r := range z.Regions {
		if !slices.ContainsFunc(geo.Regions(), func(g geo.Region) bool { return g.Code == r }) {
			f.say(fmt.Sprintf("%s/regions/%d", at, i), "Regions are MA-01 to MA-12.")
		}
		out = append(out, Area{Region: r})
	}
	for i, c := range z.Communes {
		p, ok := geo.Find(c)
		if !ok {
			f.say(fmt.Sprintf("%s/communes/%d", at, i), "The commune %q is not known; write its name as on the map, in French or Arabic.", c)
		}
		out = append(out, Area{p.Region, p.Name})
	}
	return out
}

func (f *faults) steps(at string, steps []StepInput) (out []Step) {
	below := int64(0)
	for i, s := range steps {
		here := fmt.Sprintf("%s/steps/%d", at, i)
		switch {
		case s.UpToG == nil && i < len(steps)-1:
			f.say(here+"/up_to_g", "Only the last step is without a bound.")
		case s.UpToG != nil && *s.UpToG <= below:
			f.say(here+"/up_to_g", "Each step goes up to a larger weight than the one before.")
		case s.UpToG != nil:
			below = *s.UpToG
		}
		out = append(out, Step{s.UpToG, f.price(here+"/price", s.Price, 0)})
	}
	return out
}
