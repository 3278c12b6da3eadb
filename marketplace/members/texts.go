package members

import (
	"maps"
	"slices"
	"strings"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/script"
)

// Texts is a text by language.
type Texts = map[string]string

// languages are those the market speaks.
var languages = []string{"fr", "ar", "zgh", "en"}

// checkTexts adds what is wrong with a text by language, below pointer.
func checkTexts(wrong *fault.Error, pointer string, t Texts, longest int) *fault.Error {
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		text := t[lang]
		switch {
		case !slices.Contains(languages, lang):
			wrong = alsoAt(wrong, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(lang), "This language is not known; use one of "+strings.Join(languages, ", ")+".")
		case strings.TrimSpace(text) == "":
			wrong = alsoAt(wrong, pointer+"/"+lang, "Write something, or leave the language out.")
		case len([]rune(text)) > longest:
			wrong = alsoAt(wrong, pointer+"/"+lang, "This is too long.")
		}
	}
	return wrong
}

// tidied are names without the marks that came along with what was pasted.
func tidied(names Texts) Texts {
	if names == nil {
		return nil
	}
	out := Texts{}
	for lang, name := range names {
		out[lang] = script.Tidy(name)
	}
	return out
}

// checkNames adds what is wrong with the names of an organisation: signs that
// nobody sees, or a word of two scripts, whose letters look like others'.
func checkNames(wrong *fault.Error, names Texts) *fault.Error {
	for _, lang := range slices.Sorted(maps.Keys(names)) {
		if !script.Line(names[lang]) || script.Mixed(names[lang]) {
			wrong = alsoAt(wrong, "/names/"+lang, "Write the name with the letters of one alphabet a word, without signs that nobody sees.")
		}
	}
	return wrong
}

// alsoAt adds a wrong place to what is wrong, which is nil as long as all is right.
func alsoAt(wrong *fault.Error, pointer, detail string) *fault.Error {
	if wrong == nil {
		wrong = ErrInvalid
	}
	return wrong.At(pointer, detail)
}

// words says a state or a move as people do.
func words[S ~string](s S) string { return strings.ReplaceAll(string(s), "_", " ") }

func either(states []State) string {
	var out []string
	for _, s := range states {
		out = append(out, words(s))
	}
	return strings.Join(out, " or ")
}

// sentence makes a sentence for people of an error that says what is wrong.
func sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
