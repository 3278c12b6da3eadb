// Package digital keeps what is sold without a parcel: the files of an article,
// in versions, and codes that are each given once. The buyer of an order is
// granted them when it is paid; opening what was granted proves that it came, and
// from then on it cannot be given back.
package digital

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tiwiza/pkg/fault"
)

// Errors of digital goods.
var (
	ErrNotFound = fault.New(fault.NotFound, "digital.not_found", "There is no such file or code.")
	ErrInvalid  = fault.New(fault.Invalid, "digital.invalid", "Some of this is not right; see errors.")
	ErrNotOurs  = fault.New(fault.Invalid, "digital.not_digital", "Only what is digital has files and codes.")
	ErrFull     = fault.New(fault.Conflict, "digital.full", "An article has at most 20 files, and a file at most 100 versions; take one out first.")
	ErrRetired  = fault.New(fault.Conflict, "digital.retired", "This file is not sold any more; add it anew.")
	ErrOver     = fault.New(fault.Conflict, "digital.over", "The time to fetch this is over, or its price went back.")
	ErrUnopened = fault.New(fault.Conflict, "digital.unopened", "Open this first: from then on it cannot be given back.")
	ErrOften    = fault.New(fault.Conflict, "digital.fetched_often", "This file was fetched 20 times; write to its seller.")
	ErrNoVault  = fault.New(fault.Unavailable, "digital.no_vault", "This market has no key to seal codes with, so that none can be sold.")
)

// How long what was bought can be fetched, and how often each file; how much an
// article and a request may have.
const (
	Access    = 90 * 24 * time.Hour
	MostTimes = 20
	mostWares = 20
	mostCodes = 10_000 // of an article that nobody has yet
	longTitle = 120
	longCode  = 200
)

// A Ware is one file of a variant. Buyers have its newest version.
type Ware struct {
	ID        string
	Variant   string
	Seller    string
	Title     string
	Version   int
	MadeAt    time.Time
	RetiredAt *time.Time
	File      string // of this version
	Type      string
	Size      int
	AddedAt   time.Time
}

// Another is the ware with a new version.
func (w Ware) Another(title string) (Ware, error) {
	switch {
	case w.RetiredAt != nil:
		return w, ErrRetired
	case w.Version >= 100:
		return w, ErrFull
	}
	w.Version++
	if title != "" {
		w.Title = title
	}
	return w, nil
}

// A Grant is what the buyer of an order may have of one article, and until when.
type Grant struct {
	Order     string `db:"order_id"`
	Variant   string
	Buyer     string
	Seller    string
	Quantity  int
	Codes     int // that go with it
	GrantedAt time.Time
	Until     time.Time
	OpenedAt  *time.Time
	ClosedAt  *time.Time
}

// Open says that the buyer takes it: from now on it was delivered. Opening twice
// changes nothing.
func (g Grant) Open(at time.Time) (Grant, error) {
	if g.OpenedAt != nil {
		return g, g.usable(at)
	}
	if err := g.usable(at); err != nil {
		return g, err
	}
	g.OpenedAt = &at
	return g, nil
}

func (g Grant) usable(at time.Time) error {
	if g.ClosedAt != nil || !at.Before(g.Until) {
		return ErrOver
	}
	return nil
}

// Fetch says why its files cannot be fetched now, or nil.
func (g Grant) Fetch(at time.Time) error {
	if err := g.usable(at); err != nil {
		return err
	}
	if g.OpenedAt == nil {
		return ErrUnopened
	}
	return nil
}

// A Stock is what there is to give of a variant.
type Stock struct {
	Variant string
	Files   int
	Codes   int // that nobody has
}

// Gives says whether n buyers' worth can be given: of what is sold by codes as
// many, of what is not a file.
func (s Stock) Gives(n int, byCodes bool) bool {
	if byCodes {
		return s.Codes >= n
	}
	return s.Files > 0
}

// codes brings codes to the form they are kept in, each once, and says which are
// none.
func codes(raw []string) (out []string, wrong *fault.Error) {
	for i, c := range raw {
		c = strings.TrimSpace(c)
		switch {
		case c == "" || utf8.RuneCountInString(c) > longCode || len(c) > 2*longCode || strings.ContainsFunc(c, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
			if wrong == nil {
				wrong = ErrInvalid
			}
			wrong = wrong.At(at("/codes", i), "A code has 1 to 200 letters, digits and signs, in one line.")
		case !slices.Contains(out, c):
			out = append(out, c)
		}
	}
	return out, wrong
}
