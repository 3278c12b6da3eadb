package procedures

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// A Definition is a procedure, as data.
type Definition struct {
	Code     string         `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$" description:"Its name among the institution's; the same again is a new version."`
	Kinds    []members.Kind `json:"kinds" required:"true" minItems:"1" uniqueItems:"true" enum:"beneficiary_coop,auto_entrepreneur,service_provider" description:"Who may apply."`
	Names    members.Texts  `json:"names" required:"true" description:"By language: fr, ar and en at least."`
	About    members.Texts  `json:"about,omitempty"`
	Form     map[string]any `json:"form" required:"true" description:"A JSON Schema (2020-12) of an object; a title, or titles by language under x-title, names a field."`
	Papers   []PaperRule    `json:"papers,omitempty" maxItems:"20"`
	Fee      *FeeRule       `json:"fee,omitempty"`
	Terms    Terms          `json:"terms" required:"true"`
	Steps    []StepRule     `json:"steps" required:"true" minItems:"1" maxItems:"20" description:"Of the examination, in order. The last is the institution's own: there it decides."`
	Two      []string       `json:"two,omitempty" uniqueItems:"true" enum:"grant,refuse,revoke" description:"What two people decide."`
	Reasons  []ReasonRule   `json:"reasons" required:"true" minItems:"1" maxItems:"40"`
	Document *DocumentRule  `json:"document,omitempty" description:"What a granted case gives."`
	Effect   *EffectRule    `json:"effect,omitempty" description:"What follows in the market from the document."`
}

// A PaperRule is a paper that a case needs.
type PaperRule struct {
	Code     string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Names    members.Texts `json:"names" required:"true"`
	Enrolled string        `json:"enrolled,omitempty" maxLength:"40" description:"Which accepted paper of the applicant's enrolment answers it."`
	Optional bool          `json:"optional,omitempty"`
}

// A FeeRule is what a case costs.
type FeeRule struct {
	Amount     money.Money `json:"amount" required:"true"`
	Refundable bool        `json:"refundable" description:"It goes back when the case ends before anybody has examined it."`
}

// A StepRule is a stage of the examination.
type StepRule struct {
	Code  string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Actor string        `json:"actor" required:"true" enum:"institution,other" description:"Whose: the institution's own, or another's to which it hands the case."`
	Names members.Texts `json:"names" required:"true"`
}

// A ReasonRule is why something may be refused or taken away.
type ReasonRule struct {
	Code  string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	For   string        `json:"for" required:"true" enum:"refuse,revoke"`
	Names members.Texts `json:"names" required:"true"`
}

// A DocumentRule is what a granted case gives.
type DocumentRule struct {
	Prefix string        `json:"prefix" required:"true" pattern:"^[A-Z]{2,8}$" description:"Of its number."`
	Months int           `json:"months,omitempty" minimum:"0" maximum:"600" description:"How long it is valid; 0: until it is revoked."`
	Texts  members.Texts `json:"texts" required:"true" description:"What it says, with {holder}, {number}, {from} and {to}."`
	Public []string      `json:"public,omitempty" maxItems:"20" uniqueItems:"true" description:"What whoever verifies it may see: holder, region, or names of answers."`
}

// An EffectRule is what follows in the market.
type EffectRule struct {
	Kind    string `json:"kind" required:"true" enum:"label,accreditation"`
	Label   string `json:"label,omitempty" maxLength:"40" description:"The code of the label that the catalogue shows."`
	Domains string `json:"domains,omitempty" maxLength:"40" description:"Which answer lists the domains of an accreditation."`
	Regions string `json:"regions,omitempty" maxLength:"40" description:"And which its regions."`
}

// two says whether two people decide something.
func (d Definition) two(what string) bool { return slices.Contains(d.Two, what) }

// reason finds a reason for something.
func (d Definition) reason(code, what string) (ReasonRule, bool) {
	i := slices.IndexFunc(d.Reasons, func(r ReasonRule) bool { return r.Code == code && r.For == what })
	if i < 0 {
		return ReasonRule{}, false
	}
	return d.Reasons[i], true
}

func (d Definition) paper(code string) (PaperRule, bool) {
	i := slices.IndexFunc(d.Papers, func(r PaperRule) bool { return r.Code == code })
	if i < 0 {
		return PaperRule{}, false
	}
	return d.Papers[i], true
}

// last says whether a case is at its last step.
func (d Definition) last(step int) bool { return step >= len(d.Steps)-1 }

// mostForm is how large a form may be, in bytes of JSON.
const mostForm = 64 << 10

// check says what is wrong with a definition.
func (d Definition) check() error {
	bad := ErrInvalid
	named := func(at string, t members.Texts, most int) {
		for _, lang := range []string{"fr", "ar", "en"} {
			if strings.TrimSpace(t[lang]) == "" {
				bad = bad.At(at+"/"+lang, "Write it in French, Arabic and English.")
			}
		}
		for lang, text := range t {
			switch {
			case !slices.Contains([]string{"fr", "ar", "en", "zgh"}, lang):
				bad = bad.At(at+"/"+pointer(lang), "This language is not known; use fr, ar, zgh or en.")
			case len([]rune(text)) > most || !plain(text):
				bad = bad.At(at+"/"+lang, fmt.Sprintf("Write at most %d letters, without signs that nobody sees.", most))
			}
		}
	}
	seen := map[string]bool{}
	once := func(at, key string) {
		if seen[key] {
			bad = bad.At(at, "This code comes twice.")
		}
		seen[key] = true
	}
	named("/names", d.Names, 200)
	if d.About != nil {
		named("/about", d.About, 4000)
	}
	for i, p := range d.Papers {
		named(fmt.Sprintf("/papers/%d/names", i), p.Names, 200)
		once(fmt.Sprintf("/papers/%d/code", i), "paper "+p.Code)
	}
	for i, s := range d.Steps {
		named(fmt.Sprintf("/steps/%d/names", i), s.Names, 200)
		once(fmt.Sprintf("/steps/%d/code", i), "step "+s.Code)
	}
	if n := len(d.Steps); n == 0 || d.Steps[n-1].Actor != institution || d.Steps[0].Actor != institution {
		bad = bad.At("/steps", "The first and the last step are the institution's own.")
	}
	for i, r := range d.Reasons {
		named(fmt.Sprintf("/reasons/%d/names", i), r.Names, 200)
		once(fmt.Sprintf("/reasons/%d/code", i), r.For+" "+r.Code)
	}
	if !slices.ContainsFunc(d.Reasons, func(r ReasonRule) bool { return r.For == "refuse" }) {
		bad = bad.At("/reasons", "Say why a case may be refused.")
	}
	if d.Fee != nil && (d.Fee.Amount.Currency() != money.MAD || d.Fee.Amount.Centimes() <= 0 || d.Fee.Amount.Centimes() > 1_000_000_00) {
		bad = bad.At("/fee/amount", "A fee is from 0.01 to 1,000,000.00 MAD; leave it out when there is none.")
	}
	bad = d.checkForm(bad)
	bad = d.checkDocument(bad, named)
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

func (d Definition) checkForm(bad *fault.Error) *fault.Error {
	b, err := json.Marshal(d.Form)
	switch {
	case err != nil || len(b) > mostForm:
		return bad.At("/form", "A form has at most 64 KB.")
	case d.Form["type"] != "object":
		return bad.At("/form/type", "The answers are an object.")
	}
	if _, err := rest.CompileForm(d.Form); err != nil {
		return bad.At("/form", "This is no JSON Schema of 2020-12 that stands alone.")
	}
	if _, err := rest.CompileForm(d.drafted()); err != nil {
		return bad.At("/form", "Drafts are checked without what holds of the whole form (allOf, anyOf, oneOf, if): nothing may refer into it; put what is referred to under $defs.")
	}
	return bad
}

// drafted is the form as drafts are checked: without what is asked of the whole.
func (d Definition) drafted() map[string]any {
	form := maps.Clone(d.Form)
	for _, k := range []string{"required", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentRequired", "minProperties"} {
		delete(form, k)
	}
	return form
}

func (d Definition) checkDocument(bad *fault.Error, named func(string, members.Texts, int)) *fault.Error {
	fields, _ := d.Form["properties"].(map[string]any)
	field := func(at, name string) {
		if fields[name] == nil {
			bad = bad.At(at, "The form has no field of this name.")
		}
	}
	if d.Document != nil {
		named("/document/texts", d.Document.Texts, 2000)
		for i, p := range d.Document.Public {
			if p != "holder" && p != "region" {
				field(fmt.Sprintf("/document/public/%d", i), p)
			}
		}
	}
	if d.Effect == nil {
		return bad
	}
	if d.Document == nil {
		bad = bad.At("/effect", "What follows in the market follows from a document.")
	}
	switch {
	case d.Effect.Kind == "label" && (d.Effect.Label == "" || !plain(d.Effect.Label)):
		bad = bad.At("/effect/label", "Give the code of the label.")
	case d.Effect.Kind == "label" && slices.Contains(d.Kinds, members.Provider):
		bad = bad.At("/kinds", "Labels are for those who sell.")
	case d.Effect.Kind == "accreditation":
		field("/effect/domains", d.Effect.Domains)
		field("/effect/regions", d.Effect.Regions)
	}
	return bad
}

// words is a text as it is kept: without what steers a terminal or a page.
func words(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) && (!unicode.Is(unicode.Cf, r) || r == '\u200c' || r == '\u200d') {
			return r
		}
		return -1
	}, s))
}

func plain(s string) bool { return strings.TrimSpace(s) == words(s) }

// pointer is a name as a part of a JSON pointer.
func pointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// answered checks answers against the form; all of them when the case is handed in,
// and only those that are there while it is a draft.
func (d Definition) answered(answers map[string]any, whole bool) error {
	form := d.Form
	if !whole {
		form = d.drafted()
	}
	f, err := rest.CompileForm(form)
	if err != nil {
		return err
	}
	wrong, err := f.Check(answers, "/answers")
	if err != nil || len(wrong) == 0 {
		return err
	}
	bad := ErrInvalid
	for _, w := range wrong {
		bad = bad.At(w.Pointer, w.Detail)
	}
	return bad
}

// kept are answers as they are kept: their texts without signs that nobody sees.
func kept(answers map[string]any) map[string]any {
	out := make(map[string]any, len(answers))
	for k, v := range answers {
		out[k] = keptOne(v)
	}
	return out
}

func keptOne(v any) any {
	switch v := v.(type) {
	case string:
		return words(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = keptOne(x)
		}
		return out
	case map[string]any:
		return kept(v)
	}
	return v
}

// titles are how the form names some of its fields, by language where it says so.
func (d Definition) titles(of map[string]any) map[string]members.Texts {
	out := map[string]members.Texts{}
	fields, _ := d.Form["properties"].(map[string]any)
	for name := range of {
		field, ok := fields[name].(map[string]any)
		if !ok {
			continue
		}
		texts := members.Texts{}
		if title, ok := field["title"].(string); ok {
			texts["fr"] = title
		}
		if all, ok := field["x-title"].(map[string]any); ok {
			for lang, t := range all {
				if s, ok := t.(string); ok {
					texts[lang] = s
				}
			}
		}
		if len(texts) == 0 {
			texts["fr"] = name
		}
		out[name] = texts
	}
	return out
}

// A FormField is a field of a procedure's form, as pages show it.
type FormField struct {
	Name   string
	Titles members.Texts
}

// Fields are the fields of the form, in the order of what it requires, then by
// their names.
func (d Definition) Fields() (all []FormField) {
	fields, _ := d.Form["properties"].(map[string]any)
	names := listedIn(d.Form["required"])
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	titles := d.titles(fields)
	for _, name := range names {
		if fields[name] != nil {
			all = append(all, FormField{name, titles[name]})
		}
	}
	return all
}

// listedIn are the texts of a list, in its order.
func listedIn(v any) (out []string) {
	all, _ := v.([]any)
	for _, x := range all {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
