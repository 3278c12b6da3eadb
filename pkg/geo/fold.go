package geo

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold brings the many ways of writing one place name to one key: no capitals,
// accents, harakat, tatweel, hamza, hyphens, apostrophes, spaces, articles;
// Moroccan spellings that sound alike (ou/w, q/k, y/i, doubled letters, a
// silent final e; Beni/Bni, Ouled/Oulad) and Arabic letters that are mixed up
// (ة/ه, ى/ي, ڭ/گ/ك) count as the same.
func fold(name string) string {
	words := strings.FieldsFunc(plain(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var key, whole strings.Builder
	for _, word := range words {
		whole.WriteString(sound(word))
		if !articles[word] {
			key.WriteString(sound(strings.TrimPrefix(word, arabicArticle(word))))
		}
	}
	if key.Len() == 0 {
		return whole.String()
	}
	return key.String()
}

// plain drops capitals, marks and apostrophes and unifies letters. A hamza, an
// accent or a vowel sign becomes a mark of its own in the decomposed form.
func plain(name string) string {
	name = strings.ToLower(norm.NFKD.String(name))
	return strings.Map(func(r rune) rune {
		switch r {
		case '\'', '’', '‘', 'ʼ', 'ʿ', 'ʾ', '`', '´', 'ء', 'ـ':
			return -1
		case 'ٱ':
			return 'ا'
		case 'ة', 'ہ', 'ە':
			return 'ه'
		case 'ى', 'ی':
			return 'ي'
		case 'ڭ', 'ݣ', 'گ', 'ک':
			return 'ك'
		case 'ڤ':
			return 'ف'
		}
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, split(name))
}

// split sets a French elided article apart: "l'oriental", "d'anjra".
func split(name string) string {
	for _, article := range []string{"l'", "l’", "d'", "d’"} {
		if rest, ok := strings.CutPrefix(name, article); ok {
			return rest
		}
	}
	return name
}

// articles are the words that come and go in front of a name, with those that
// follow a sun letter.
var articles = set("el al le la les l du de des d ech er es et ez en ed ad ar as at an az")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// arabicArticle is "ال" when the word starts with it and goes on.
func arabicArticle(word string) string {
	if strings.HasPrefix(word, "ال") && utf8.RuneCountInString(word) > 3 {
		return "ال"
	}
	return ""
}

var alike = strings.NewReplacer("ou", "u", "w", "u", "q", "k", "y", "i")

// variants are words written in two ways, in their sounded form.
var variants = map[string]string{
	"bni": "beni", "uled": "ulad", "zauiat": "zauia", "zauit": "zauia", "mi": "mulai",
	"ابن": "بن", "وادي": "واد",
}

// sound unifies spellings that are read alike.
func sound(word string) string {
	var b strings.Builder
	var last rune
	for _, r := range alike.Replace(word) {
		if r != last || r > unicode.MaxLatin1 {
			b.WriteRune(r)
		}
		last = r
	}
	s := b.String()
	if len(s) > 3 && s[len(s)-1] == 'e' {
		s = s[:len(s)-1]
	}
	if v, ok := variants[s]; ok {
		return v
	}
	return s
}
