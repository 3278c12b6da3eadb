// Package geo knows the twelve regions of Morocco and about five hundred of
// its places: what a name in French, Arabic or English stands for, where it is
// and how far it is from another.
package geo

import (
	"math"
)

// A Place is a town, a village or the seat of a commune.
type Place struct {
	Name   string            // the usual name in Latin letters
	Names  map[string]string // by language ("fr", "ar"), where known
	Region string            // ISO 3166-2: "MA-01" to "MA-12"
	Lat    float64           // degrees north
	Lng    float64           // degrees east, so negative in Morocco
}

// A Region is one of the twelve regions of 2015.
type Region struct {
	Code  string            // ISO 3166-2: "MA-01" to "MA-12"
	Names map[string]string // "fr", "ar" and "zgh"
}

// Find says which place a name stands for. Capitals, accents, hyphens,
// apostrophes, articles and the ways of writing Arabic make no difference.
// Where two places share a name, the better known answers; see FindIn.
func Find(name string) (Place, bool) {
	found := gazetteer().byName[fold(name)]
	if len(found) == 0 {
		return Place{}, false
	}
	return gazetteer().places[found[0]], true
}

// FindIn is Find among the places of one region.
func FindIn(name, region string) (Place, bool) {
	for _, i := range gazetteer().byName[fold(name)] {
		if p := gazetteer().places[i]; p.Region == region {
			return p, true
		}
	}
	return Place{}, false
}

// Places is every place, the better known first. The maps are shared: callers
// only read them.
func Places() []Place { return append([]Place(nil), gazetteer().places...) }

// Regions is the twelve regions in the order of their codes.
func Regions() []Region { return append([]Region(nil), gazetteer().regions...) }

// earth is the mean radius in kilometres (IUGG).
const earth = 6371.0088

// Distance is the way between two places in kilometres as the crow flies, on a
// sphere: within half a percent of the ellipsoid.
func Distance(a, b Place) float64 {
	const radian = math.Pi / 180
	lat1, lat2 := a.Lat*radian, b.Lat*radian
	s := math.Sin((lat2 - lat1) / 2)
	t := math.Sin((b.Lng - a.Lng) * radian / 2)
	return 2 * earth * math.Asin(math.Sqrt(min(1, s*s+math.Cos(lat1)*math.Cos(lat2)*t*t)))
}
