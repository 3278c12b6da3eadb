package search_test

import (
	"slices"
	"testing"

	"tiwiza/search"
)

func TestWordsThatSoundAlikeMeetAcrossScripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ arabic, latin string }{
		{"عسل", "3sal"},
		{"عسل", "3ssel"},
		{"العسل", "l3sel"},
		{"زيت", "zit"},
		{"زيتون", "zitoune"},
		{"لوز", "lloz"},
		{"زربية", "zarbiya"},
		{"زربية", "zerbia"},
		{"حنبل", "7anbel"},
		{"حناء", "l7enna"},
		{"خل", "lkhel"},
		{"خل", "5el"},
		{"قفة", "9offa"},
		{"قفة", "koffa"},
		{"شريحة", "chri7a"},
		{"شريحة", "shriha"},
		{"ملح", "mel7"},
		{"كمون", "kammoun"},
		{"بويطوب", "bouittob"},
		{"زعفران", "za3fran"},
		{"ورد", "lward"},
		{"حصيرة", "7sira"},
		{"غربال", "gharbal"},
		{"زعفران", "zaafran"},
		{"زعفران", "za'fran"},
		{"عسل", "laasel"},
		{"عدس", "adas"},
		{"حمص", "lhommos"},
		{"كركاع", "guergaa"},
		{"مجفف", "mjeffef"},
		{"زربية", "zarbiyat"},
		{"ملح", "lmelh"},
		{"ⴰⵔⴳⴰⵏ", "argan"},
	} {
		want := search.Key(search.Fold(c.arabic)[0])
		if got := search.Parse(c.latin, nil)[0].Spoken(); !slices.Contains(got, want) {
			t.Errorf("%s sounds as %q, %s as %q", c.latin, got, c.arabic, want)
		}
	}
	if a, b := search.Bones(search.Fold("رمان")[0]), search.Bones(search.Fold("roummane")[0]); a != b {
		t.Errorf("the bones of رمان are %q, of roummane %q", a, b)
	}
}

func TestWordsThatAreOneThingAreOneTerm(t *testing.T) {
	t.Parallel()
	s := search.NewSynonyms([][]string{{"huile d’olive", "زيت العود", "zit l3oud"}, {"miel", "عسل"}})
	terms := search.Parse("miel et huile d'olives", s)
	if len(terms) != 2 || len(terms[1].Words) != 2 || len(terms[1].Same) != 2 || len(terms[0].Same) != 1 || terms[0].Prefix || !terms[1].Prefix {
		t.Errorf("the terms are %+v", terms)
	}
	if got := s.Sounding(search.Parse("l3sel", s)[0]); len(got) != 2 {
		t.Errorf("l3sel sounds like %v", got)
	}
	if terms := search.Parse("huile d'olive", nil); len(terms) != 2 || terms[0].Same != nil {
		t.Errorf("without synonyms the terms are %+v", terms)
	}
}

func TestPhrasesMeetRunTogetherApartAndBySound(t *testing.T) {
	t.Parallel()
	s := search.NewSynonyms([][]string{{"eau de rose", "ماء الورد", "rose water"}, {"pois chiche", "chickpea"}, {"nigelle", "الحبة السوداء"}})
	for _, text := range []string{"ماورد", "rosewater", "ma lward", "mawerd", "chick peas", "l7abba sawda"} {
		terms := search.Parse(text, s)
		if len(terms) != 1 {
			t.Errorf("%q is %+v", text, terms)
			continue
		}
		if len(terms[0].Same) == 0 && len(s.Sounding(terms[0])) == 0 {
			t.Errorf("nothing else is said for %q", text)
		}
	}
	if terms := search.Parse("mawerd pois", s); len(terms) != 2 || len(terms[1].Same) > 0 {
		t.Errorf("half a phrase is %+v", terms)
	}
}

func TestFramesForgiveShortVowels(t *testing.T) {
	t.Parallel()
	s := search.NewSynonyms([][]string{{"figue de barbarie", "هندية"}})
	if got := s.Framed(search.Parse("hindiya", s)[0]); len(got) != 2 {
		t.Errorf("hindiya has the consonants of %v", got)
	}
	if got := s.Framed(search.Parse("hind3a", s)[0]); len(got) != 0 {
		t.Errorf("ع is a consonant: %v", got)
	}
}

func TestGroupsThatSayNothingAreNamed(t *testing.T) {
	t.Parallel()
	if bad := search.CheckGroups(search.DefaultGroups()); len(bad) > 0 {
		t.Errorf("our own groups: %v", bad)
	}
	bad := search.CheckGroups([][]string{{"miel"}, {"!", "deux trois quatre cinq six"}, {"miel", "عسل"}})
	if len(bad) != 3 || bad[0].Pointer != "/groups/0" || bad[1].Pointer != "/groups/1/0" || bad[2].Pointer != "/groups/1/1" {
		t.Errorf("named are %v", bad)
	}
}
