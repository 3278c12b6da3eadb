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
	"tiwiza/pkg/script"
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
	mostNet      = 10_000_000
	mostTiers    = 10
)

var (
	keyForm   = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._:/+-]*$`)
	voiceForm = regexp.MustCompile(`^[a-z]{2,5}_[0-9a-z]{26}$`)
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
	if o.Voice != "" && !voiceForm.MatchString(o.Voice) {
		f.add("/voice", "%q is not the id of a recorded sound.", o.Voice)
	}
	f.kind(o)
	f.attributes(o)
	f.claims(o.Claims)
	o = f.origin(o)
	f.labels(o.Labels)
	return o, f
}

// findings collects what is wrong.
type findings []fault.Detail

func (f *findings) kind(o Offer) {
	switch {
	case o.Kind != Product && o.Kind != Labour && o.Kind != Digital:
		f.add("/kind", "Use product, service or digital.")
	case o.Kind == Labour && o.Way != ByQuote && o.Way != ByBooking:
		f.add("/way", "Say how the service is had: quote or booking.")
	case o.Kind != Labour && o.Way != "":
		f.add("/way", "Only services are had by quote or booking.")
	}
}

// labels checks those that are claimed anew.
func (f *findings) labels(all []Label) {
	seen, n := map[Label]bool{}, 0
	for i, l := range all {
		if l.ID != "" {
			continue
		}
		at := pointer("/labels", i, "")
		f.label(at, l)
		if seen[l.said()] {
			f.add(at+"/code", "The label %s is given twice.", l.Code)
		}
		seen[l.said()] = true
		n++
	}
	if n > mostLabels {
		f.add("/labels", "An offer claims at most %d labels at once.", mostLabels)
	}
}

func pointer(list string, i int, rest string) string { return fmt.Sprintf("%s/%d%s", list, i, rest) }

// short says that a text is clean and no longer than so many letters.
func short(s string, most int) bool { return utf8.RuneCountInString(s) <= most && clean(s) }

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
			f.add(at, "The text holds signs that nobody sees; type it anew.")
		case utf8.RuneCountInString(text) > longest:
			f.add(at, "The text is too long: at most %d letters.", longest)
		}
	}
}

// clean says that a text holds no signs that nobody sees, and of control characters
// only line ends and tabs: a file brings in no more than the edge takes.
func clean(s string) bool {
	return utf8.ValidString(s) && !script.Hidden(s) && strings.IndexByte(s, '\r') < 0
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
	} else if o.Lat != nil && !inMorocco(*o.Lat, *o.Lng) {
		f.add("/point", "This point is not in Morocco.")
	}
	return o
}

func (f *findings) label(at string, l Label) {
	if n := utf8.RuneCountInString(l.Code); n == 0 || n > longestLabel || !clean(l.Code) {
		f.add(at+"/code", "The label's name is a text of 1 to %d letters.", longestLabel)
	}
	if !short(l.Issuer, longestName) {
		f.add(at+"/issuer", "The issuer's name is a text of at most %d letters.", longestName)
	}
	if !short(l.Number, longestKey) {
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
