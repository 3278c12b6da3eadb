package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
)

// Limits of what a seller writes.
const (
	longestName  = 200 // letters
	longestText  = 5000
	longestKey   = 64
	longestLabel = 100
	mostPrice    = 1_000_000_000 // centimes
	mostStock    = 1_000_000
	mostWeight   = 1_000_000 // grams
	mostLabels   = 10
)

var (
	keyForm   = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._:/+-]*$`)
	imageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,80}\.(svg|png|jpg|webp)$`)
	languages = []string{"fr", "ar", "en", "zgh"}
	exempt    = []string{"", "perishable", "made_to_measure"}
)

// settle checks an offer as a seller wrote it and fills in what follows from
// it: the region and the point from the commune. It reports each wrong field.
func (o Offer) settle() (Offer, []fault.Detail) {
	var f findings
	if _, ok := Category(o.Category); !ok {
		f.add("/category", "There is no category %q; use one of %s.", o.Category, strings.Join(CategoryCodes(), ", "))
	}
	if o.Names["fr"] == "" && o.Names["ar"] == "" {
		f.add("/names/fr", "Give the name in French or in Arabic.")
	}
	f.texts("/names", o.Names, longestName)
	f.texts("/descriptions", o.Descriptions, longestText)
	f.key("/key", o.Ref)
	if o.Image != "" && !imageForm.MatchString(o.Image) {
		f.add("/image", "%q is not the name of a picture file.", o.Image)
	}
	if !slices.Contains(exempt, o.WithdrawalExempt) {
		f.add("/withdrawal_exempt", "Use perishable, made_to_measure, or leave it empty.")
	}
	o = f.origin(o)
	if len(o.Labels) > mostLabels {
		f.add("/labels", "An offer has at most %d labels.", mostLabels)
	}
	seen := map[string]bool{}
	for i, l := range o.Labels {
		at := fmt.Sprintf("/labels/%d", i)
		f.label(at, l)
		if seen[l.Code] {
			f.add(at+"/code", "The label %s is given twice.", l.Code)
		}
		seen[l.Code] = true
	}
	return o, f
}

// check reports each wrong field of a variant.
func (v Variant) check() []fault.Detail {
	var f findings
	f.key("/sku", v.SKU)
	f.texts("/names", v.Names, longestName)
	if utf8.RuneCountInString(v.Unit) > longestKey || !clean(v.Unit) {
		f.add("/unit", "The unit is a short text of at most %d letters.", longestKey)
	}
	if v.WeightG < 0 || v.WeightG > mostWeight {
		f.add("/weight_g", "The weight is in grams, from 0 to %d.", mostWeight)
	}
	if c := v.Price.Centimes(); v.Price.Currency() != money.MAD || c <= 0 || c > mostPrice {
		f.add("/price", "The price must be above 0 and at most %s.", money.Dirhams(mostPrice))
	}
	if v.OnHand < 0 || v.OnHand > mostStock {
		f.add("/on_hand", "The stock is a whole number from 0 to %d.", mostStock)
	}
	return f
}

// findings collects what is wrong.
type findings []fault.Detail

func (f *findings) add(pointer, format string, args ...any) {
	*f = append(*f, fault.Detail{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (f *findings) key(pointer, key string) {
	if utf8.RuneCountInString(key) > longestKey || !keyForm.MatchString(key) {
		f.add(pointer, "Use 1 to %d letters, digits, spaces or . _ : / + - here, beginning with a letter or a digit.", longestKey)
	}
}

func (f *findings) texts(pointer string, texts map[string]string, longest int) {
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		at := pointer + "/" + lang
		switch text := texts[lang]; {
		case !slices.Contains(languages, lang):
			f.add(at, "Texts are in %s.", strings.Join(languages, ", "))
		case !clean(text):
			f.add(at, "The text holds control characters; type it anew.")
		case utf8.RuneCountInString(text) > longest:
			f.add(at, "The text is too long: at most %d letters.", longest)
		}
	}
}

// clean says that a text holds no control characters but line ends and tabs.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
	})
}

// origin finds the commune and, from it, the region and the point.
func (f *findings) origin(o Offer) Offer {
	if o.Region != "" {
		code, ok := region(o.Region)
		if !ok {
			f.add("/region", "There is no region %q; use a code from MA-01 to MA-12.", o.Region)
			return o
		}
		o.Region = code
	}
	if o.Commune != "" {
		p, ok := geo.FindIn(o.Commune, o.Region)
		if !ok {
			if p, ok = geo.Find(o.Commune); !ok {
				f.add("/commune", "The commune %q is not known; use the name of a town or commune of Morocco.", o.Commune)
				return o
			}
			if o.Region != "" {
				f.add("/region", "%s lies in %s, not in %s.", p.Name, p.Region, o.Region)
				return o
			}
		}
		o.Region = p.Region
		if o.Lat == nil && o.Lng == nil {
			o.Lat, o.Lng = &p.Lat, &p.Lng
		}
	}
	if o.Region == "" {
		f.add("/commune", "Say where it comes from: a commune, or at least a region.")
	}
	if (o.Lat == nil) != (o.Lng == nil) {
		f.add("/point", "Give both lat and lng, or neither.")
	} else if o.Lat != nil && !(*o.Lat > 20 && *o.Lat < 36.5 && *o.Lng > -18 && *o.Lng < -0.5) { // also refuses NaN
		f.add("/point", "This point is not in Morocco.")
	}
	return o
}

func (f *findings) label(at string, l Label) {
	if n := utf8.RuneCountInString(l.Code); n == 0 || n > longestLabel || !clean(l.Code) {
		f.add(at+"/code", "The label's name is a text of 1 to %d letters.", longestLabel)
	}
	if utf8.RuneCountInString(l.Issuer) > longestName || !clean(l.Issuer) {
		f.add(at+"/issuer", "The issuer's name is a text of at most %d letters.", longestName)
	}
	if utf8.RuneCountInString(l.Number) > longestKey || !clean(l.Number) {
		f.add(at+"/number", "The number is a text of at most %d letters.", longestKey)
	}
	if !day(l.From) {
		f.add(at+"/valid_from", "Say from which day the label is valid, as 2026-01-31.")
	}
	switch {
	case l.To == "":
	case !day(l.To):
		f.add(at+"/valid_to", "Write the label's last day as 2026-01-31.")
	case l.To < l.From:
		f.add(at+"/valid_to", "The label ends before it begins.")
	}
}

func day(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// region gives the code of a region told by code or by name.
func region(s string) (string, bool) {
	for _, r := range geo.Regions() {
		if strings.EqualFold(r.Code, s) {
			return r.Code, true
		}
		for _, n := range r.Names {
			if strings.EqualFold(n, s) {
				return r.Code, true
			}
		}
	}
	return "", false
}
