package main

import (
	"net/url"
	"slices"
	"testing"
)

// looked searches as people type, and has the operator teach the search a word.
func looked(t *testing.T, r *rig, _ trade) {
	op := r.operator()
	var list struct {
		Data []struct {
			Names, Highlights map[string]string
		}
	}
	find := func(q string) {
		t.Helper()
		list.Data = nil
		r.ask(t, req{method: "GET", path: "/v1/offers?limit=5&q=" + url.QueryEscape(q)}).into(t, &list)
	}
	if find("za3fran 7or"); len(list.Data) == 0 || list.Data[0].Highlights["ar"] == "" {
		t.Errorf("za3fran finds %+v", list.Data)
	}
	var suggestions struct{ Data []struct{ Kind, Text string } }
	r.ask(t, req{method: "GET", path: "/v1/suggestions?lang=fr&q=safr"}).into(t, &suggestions)
	var kinds []string
	for _, s := range suggestions.Data {
		kinds = append(kinds, s.Kind)
	}
	if !slices.Contains(kinds, "category") || !slices.Contains(kinds, "offer") {
		t.Errorf("safr may be %+v", suggestions.Data)
	}

	var table struct {
		Version int
		Groups  [][]string
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/search/synonyms"}).into(t, &table)
	table.Groups = append(table.Groups, []string{"hanbel", "qwrtz"})
	put := req{key: op, method: "PUT", path: "/v1/search/synonyms", body: map[string]any{"version": table.Version, "groups": table.Groups}}
	r.ask(t, put).into(t, &table)
	r.ask(t, put).refused(t, 409, "search.synonyms_changed")
	r.until(t, "the search to know the new word", func() bool {
		find("qwrtz")
		return len(list.Data) > 0
	})
	var asked struct{ Times int }
	r.until(t, "what was looked for to be noted", func() bool {
		r.ask(t, req{key: op, method: "GET", path: "/v1/search/asked?days=1"}).into(t, &asked)
		return asked.Times > 0
	})
	r.ask(t, req{key: r.buyer(t), method: "GET", path: "/v1/search/asked"}).refused(t, 403, "auth.denied")
}
