package notices

import (
	"strconv"
	"strings"
	"unicode"

	"tiwiza/adapters/notify"
)

// language is the one of the three that texts are written in: who reads
// Tamazight gets French.
func language(lang string) string {
	switch lang {
	case "ar", "en":
		return lang
	}
	return "fr"
}

// A rendering is a notice as one channel carries it.
type rendering struct {
	subject, text string
	template      string
	params        []string
}

// render writes a notice for a channel. values are its params and its secrets.
func (n Notice) render(c notify.Channel, values map[string]string) (r rendering) {
	sp := n.Kind.spec()
	say, listed := places(sp, n.Lang, values)
	r.subject = say.Replace(sp.subject[n.Lang])
	r.text = say.Replace(sp.text[n.Lang])
	if c == notify.SMS {
		r.text = notify.Plain(r.text + say.Replace(sp.tail))
	}
	if c == notify.WhatsApp {
		r.template, r.params = strings.ReplaceAll(string(n.Kind), ".", "_"), listed
	}
	return r
}

// shown is what a member sees of it later: a secret is not shown again.
func (n Notice) shown() string {
	hidden := map[string]string{}
	for _, q := range n.Kind.spec().params {
		if q.Type == Secret {
			hidden[q.name] = "••••"
		}
	}
	say, _ := places(n.Kind.spec(), n.Lang, merged(n.Params, hidden))
	return say.Replace(n.Kind.spec().text[n.Lang])
}

// places put values where a text has places for them, in one pass: a value that
// looks like a place stays as it is.
func places(sp spec, lang string, values map[string]string) (*strings.Replacer, []string) {
	var pairs, listed []string
	for _, q := range sp.params {
		v := written(q.Type, lang, values[q.name])
		pairs = append(pairs, "{"+q.name+"}", v)
		listed = append(listed, v)
	}
	return strings.NewReplacer(pairs...), listed
}

// longest bounds a text that comes from people, in signs.
const longest = 40

func written(t Type, lang, v string) string {
	switch t {
	case Amount:
		return dirhams(lang, v)
	case Text:
		return line(v, longest)
	}
	return line(v, 500)
}

// line is a value on one line, without signs that steer, and bounded.
func line(v string, most int) string {
	v = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, v)), " ")
	if r := []rune(v); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return v
}

// dirhams writes an amount such as 1275.00 as people do in a language.
func dirhams(lang, v string) string {
	whole, cents, _ := strings.Cut(v, ".")
	sep, point := " ", ","
	if lang == "en" {
		sep, point = ",", "."
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + sep + whole[i:]
	}
	if cents != "" {
		whole += point + cents
	}
	return whole + map[string]string{"fr": " DH", "ar": " درهم", "en": " MAD"}[lang]
}

// A tally is what a day's notices of one kind are together.
type tally struct {
	Kind   Kind
	N      int64
	Amount int64 // centimes
}

// summary says a day in one line.
func summary(lang string, all []tally) string {
	var parts []string
	for _, t := range all {
		amount := strconv.FormatInt(t.Amount/100, 10) + "." + pad(t.Amount%100)
		say := strings.NewReplacer("{n}", strconv.FormatInt(t.N, 10), "{amount}", dirhams(lang, amount))
		parts = append(parts, say.Replace(t.Kind.spec().tally[lang]))
	}
	return strings.Join(parts, map[string]string{"fr": ", ", "ar": "، ", "en": ", "}[lang])
}

func pad(n int64) string {
	s := strconv.FormatInt(n, 10)
	return strings.Repeat("0", max(0, 2-len(s))) + s
}
