// Package directory is where members are looked up: by region, trade, label and
// words. What a member shows besides, a telephone number or what it can make, it
// shows to everybody, to kinds of organisations, to those that it names, or to nobody.
package directory

import (
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
	"tiwiza/search"
)

// Errors of the directory.
var (
	ErrNotFound = fault.New(fault.NotFound, "directory.not_found", "The directory has no such member.")
	ErrInvalid  = fault.New(fault.Invalid, "directory.invalid", "Some of this is not right; see errors.")
)

// An Entry is a member as anybody may find it.
type Entry struct {
	Organisation string
	Kind         members.Kind
	Names        members.Texts
	Sort         string // its name, folded
	Region       string
	Commune      string
	Lat          float64
	Lng          float64
	Trades       []string // categories of the catalogue that it has something on offer in
	Labels       []string // codes of its labels that are verified and in date
	Words        []string `db:"-"`
	MadeAt       time.Time
}

// entry is what the directory says of a member; false for one that is not at work.
func entry(o members.Organisation, trades []string, badges []catalog.Badge, at time.Time) (Entry, bool) {
	if o.State != members.Active || o.Kind == members.Operator {
		return Entry{}, false
	}
	e := Entry{
		Organisation: o.ID, Kind: o.Kind, Names: o.Names, Region: o.Region, Commune: o.Commune, Lat: o.Lat, Lng: o.Lng,
		Trades: append([]string{}, trades...), Labels: []string{}, MadeAt: at,
	}
	text := []string{o.Commune}
	for _, lang := range []string{"fr", "ar", "en", "zgh"} {
		text = append(text, o.Names[lang], o.Story[lang])
	}
	for _, t := range trades {
		c, _ := catalog.Category(t)
		for _, name := range c.Names {
			text = append(text, name)
		}
	}
	for _, b := range badges {
		if !slices.Contains(e.Labels, b.Code) {
			e.Labels = append(e.Labels, b.Code)
			text = append(text, b.Code)
		}
	}
	e.Sort = strings.Join(search.Fold(o.Names["fr"]), " ")
	e.Words = search.Fold(strings.Join(text, " "))
	slices.Sort(e.Words)
	e.Words = slices.Compact(e.Words)
	return e, true
}

// Shown says to whom a member shows a field.
type Shown string

// The ways to show a field.
const (
	Public Shown = "public"
	Some   Shown = "some" // kinds of organisations, and those that are named
	Nobody Shown = "nobody"
)

// A Field is something that a member shows besides.
type Field struct {
	Organisation  string
	Code          string
	Value         string
	Shown         Shown
	Kinds         []members.Kind
	Organisations []string
	ChangedBy     string
	ChangedAt     time.Time
}

// A Reader is who looks: an organisation at work, or anybody ("").
type Reader struct {
	Organisation string
	Kind         members.Kind
}
