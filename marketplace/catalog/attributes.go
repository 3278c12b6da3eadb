package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// An Attribute is something that goods of some categories have: a number with
// its unit, a choice, a text.
type Attribute struct {
	Code       string            `json:"code" required:"true"`
	Type       string            `json:"type" required:"true" enum:"text,number,choice,choices,yes_no"`
	Names      map[string]string `json:"names" required:"true"`
	Unit       string            `json:"unit,omitempty"`
	Min        int               `json:"min,omitempty" description:"The smallest number."`
	Max        int               `json:"max,omitempty" description:"The largest number, or how many letters a text has."`
	Options    []Term            `json:"options,omitempty"`
	Categories []string          `json:"categories" required:"true"`
}

// A Term is a word of the market's own, with its names by language.
type Term struct {
	Code  string            `json:"code" required:"true"`
	Names map[string]string `json:"names" required:"true"`
}

//go:embed attributes.json
var attributesJSON []byte

// Attributes are what goods may have, and Claims what a seller may say of how
// they were made, in the order they are shown. They are data: attributes.json.
// A language that a name is missing in has no trusted word for it.
var Attributes, Claims = func() ([]Attribute, []Term) {
	var file struct {
		Attributes []Attribute
		Claims     []Term
	}
	if err := json.Unmarshal(attributesJSON, &file); err != nil {
		panic("catalog: attributes.json: " + err.Error()) // embedded, and tested
	}
	return file.Attributes, file.Claims
}()

// byCategory are the attributes of each category by their codes.
var byCategory = func() map[string]map[string]Attribute {
	m := map[string]map[string]Attribute{}
	for _, a := range Attributes {
		for _, c := range a.Categories {
			if m[c] == nil {
				m[c] = map[string]Attribute{}
			}
			m[c][a.Code] = a
		}
	}
	return m
}()

// attributes checks the offer's against those of its category.
func (f *findings) attributes(o Offer) {
	known := byCategory[o.Category]
	for _, code := range slices.Sorted(maps.Keys(o.Attributes)) {
		a, ok := known[code]
		if !ok {
			f.add("/attributes/"+code, "Goods of this category have no %q; they have %s.", code, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		} else if wrong := a.check(o.Attributes[code]); wrong != "" {
			f.add("/attributes/"+code, "%s", wrong)
		}
	}
}

// check says what is wrong with a value, or "".
func (a Attribute) check(value string) string {
	switch a.Type {
	case "number":
		n, err := strconv.Atoi(value)
		if err != nil || strconv.Itoa(n) != value || n < a.Min || n > a.Max {
			return strings.TrimSpace(fmt.Sprintf("This is a whole number from %d to %d %s", a.Min, a.Max, a.Unit)) + "."
		}
	case "yes_no":
		if value != "true" && value != "false" {
			return "This is true or false."
		}
	case "choice":
		if !a.has(value) {
			return "Use one of " + codes(a.Options) + "."
		}
	case "choices":
		seen := map[string]bool{}
		for v := range strings.SplitSeq(value, ",") {
			if !a.has(v) || seen[v] {
				return "Use some of " + codes(a.Options) + ", each once."
			}
			seen[v] = true
		}
	default:
		if value == "" || !short(value, a.Max) || strings.Contains(value, "|") { // files put bars between values
			return fmt.Sprintf("This is a text of 1 to %d letters, without bars.", a.Max)
		}
	}
	return ""
}

func (a Attribute) has(option string) bool {
	return slices.ContainsFunc(a.Options, func(o Term) bool { return o.Code == option })
}

func codes(terms []Term) string {
	var all []string
	for _, t := range terms {
		all = append(all, t.Code)
	}
	return strings.Join(all, ", ")
}

// written is a value of a request in the way it is kept: numbers and yes or no
// as text, choices with commas between them. What it cannot be stays wrong.
func written(value any) string {
	switch v := value.(type) {
	case string:
		return tidy(v)
	case bool:
		return strconv.FormatBool(v)
	case float64: // as JSON is read; a whole number or wrong
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10)
		}
	case []any:
		all := make([]string, len(v))
		for i, x := range v {
			all[i] = written(x)
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(value)
}

func writtenAll(in map[string]any) map[string]string {
	out := make(map[string]string, len(in))
	for code, v := range in {
		out[code] = written(v)
	}
	return out
}

// typed are the attributes of an offer as the API shows them.
func typed(o Offer) map[string]any {
	out := make(map[string]any, len(o.Attributes))
	for code, v := range o.Attributes {
		switch byCategory[o.Category][code].Type {
		case "number":
			n, _ := strconv.Atoi(v) // checked when it was written
			out[code] = n
		case "yes_no":
			out[code] = v == "true"
		case "choices":
			out[code] = strings.Split(v, ",")
		default:
			out[code] = v
		}
	}
	return out
}

// claims checks what the seller says of how the goods were made.
func (f *findings) claims(all []string) {
	for i, c := range all {
		switch {
		case !slices.ContainsFunc(Claims, func(t Term) bool { return t.Code == c }):
			f.add(pointer("/claims", i, ""), "There is no claim %q; use some of %s.", c, codes(Claims))
		case slices.Contains(all[:i], c):
			f.add(pointer("/claims", i, ""), "This claim is given twice.")
		}
	}
}
