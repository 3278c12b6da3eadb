package web

import "testing"

func TestEveryTextIsThereInEachLanguage(t *testing.T) {
	t.Parallel()
	for lang, words := range texts {
		for other, theirs := range texts {
			for key := range theirs {
				if words[key] == "" {
					t.Errorf("%s lacks %q, which %s has", lang, key, other)
				}
			}
		}
	}
}
