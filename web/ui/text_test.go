package ui_test

import (
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	parser "github.com/a-h/templ/parser/v2"
	"github.com/a-h/templ/parser/v2/visitor"
	"github.com/google/go-cmp/cmp"

	"tiwiza/web/ui"
)

// classes are the plural classes that a text which counts must have.
var classes = map[ui.Lang][]string{
	ui.French: {"many", "one", "other"}, ui.Arabic: {"few", "many", "one", "other", "two", "zero"}, ui.English: {"one", "other"},
}

func TestFrenchArabicAndEnglishSayTheSame(t *testing.T) {
	t.Parallel()
	words := ui.Words()
	french := words.Keys(ui.French)
	for _, l := range []ui.Lang{ui.Arabic, ui.English} {
		if diff := cmp.Diff(french, words.Keys(l)); diff != "" {
			t.Errorf("%s has other keys than French (-fr +%s):\n%s", l, l, diff)
		}
	}
	for _, key := range french {
		gaps, counted := words.Gaps(ui.French, key)
		for _, l := range []ui.Lang{ui.French, ui.Arabic, ui.English} {
			mine, have := words.Gaps(l, key)
			if diff := cmp.Diff(gaps, mine); diff != "" {
				t.Errorf("%s: %s has other gaps (-fr +%s):\n%s", key, l, l, diff)
			}
			if len(counted) > 1 && !slices.Equal(have, classes[l]) {
				t.Errorf("%s: %s has the classes %v, want %v", key, l, have, classes[l])
			}
		}
	}
}

// used finds the keys that the pages ask for by name.
var used = regexp.MustCompile(`\bT\("([a-z_]+\.[A-Za-z_.]+)"`)

func TestEveryTextThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, k := range ui.Words().Keys(ui.French) {
		have[k] = true
	}
	found := 0
	walk(t, func(name, text string) {
		for _, m := range used.FindAllStringSubmatch(text, -1) {
			found++
			if key := m[1]; !have[key] && !strings.HasSuffix(key, "_") && !strings.HasSuffix(key, ".") {
				t.Errorf("%s asks for %s, which no language has", name, key)
			}
		}
	})
	if found < 50 {
		t.Errorf("only %d texts are asked for", found)
	}
}

// inAllLanguages are the words that a template may hold: names, units, what the
// switch of languages says of each.
var inAllLanguages = []string{"FR", "ع", "EN"}

func TestNoTemplateHoldsBareText(t *testing.T) {
	t.Parallel()
	seen := 0
	walk(t, func(name, text string) {
		if !strings.HasSuffix(name, ".templ") {
			return
		}
		file, err := parser.ParseString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		bare := func(s string) {
			if seen++; strings.IndexFunc(s, unicode.IsLetter) >= 0 && !slices.Contains(inAllLanguages, s) {
				t.Errorf("%s: %q is in one language only", name, s)
			}
		}
		v := visitor.New()
		v.Text = func(n *parser.Text) error { bare(html.UnescapeString(strings.TrimSpace(n.Value))); return nil }
		v.ConstantAttribute = func(n *parser.ConstantAttribute) error {
			if slices.Contains([]string{"aria-label", "placeholder", "title", "alt"}, n.Key.String()) {
				bare(n.Value)
			}
			return nil
		}
		if err := file.Visit(v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	})
	if seen == 0 {
		t.Error("no template holds any text")
	}
}

// walk reads the sources of all pages.
func walk(t *testing.T, f func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		if ext := filepath.Ext(name); ext == ".go" || ext == ".templ" {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			f(name, string(b))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNumbersOfThingsAreSaidAsTheLanguageDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang ui.Lang
		n    int
		want string
	}{
		{ui.French, 0, "Panier, 0 article"},
		{ui.French, 1, "Panier, 1 article"},
		{ui.French, 2, "Panier, 2 articles"},
		{ui.Arabic, 0, "السلة فارغة"},
		{ui.Arabic, 1, "السلة، منتج واحد"},
		{ui.Arabic, 2, "السلة، منتجان"},
		{ui.Arabic, 3, "السلة، 3 منتجات"},
		{ui.Arabic, 11, "السلة، 11 منتجا"},
		{ui.Arabic, 100, "السلة، 100 منتج"},
		{ui.English, 1, "Basket, 1 item"},
		{ui.English, 0, "Basket, 0 items"},
		{ui.Amazigh, 2, "Panier, 2 articles"},
	} {
		if got := c.lang.T("common.basket", "n", c.n); got != c.want {
			t.Errorf("%d in %s is %q, want %q", c.n, c.lang, got, c.want)
		}
	}
}

func TestATextHasOnePlace(t *testing.T) {
	t.Parallel()
	one := &fstest.MapFile{Data: []byte(`{"go": "Aller"}`)}
	if _, err := ui.ReadTexts(fstest.MapFS{"locales/op.fr.json": one, "locales/sell.fr.json": one}); err != nil {
		t.Error(err)
	}
	if _, err := ui.ReadTexts(fstest.MapFS{"locales/op.fr.json": one, "locales/op-more.fr.json": one}); err == nil {
		t.Error("a text that stands in two files is read")
	}
}
