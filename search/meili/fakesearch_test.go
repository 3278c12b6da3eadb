package meili_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (f *fake) fetch(uid string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	in, e := fields(body, "offset", "limit", "fields", "filter", "retrieveVectors", "ids", "sort")
	if e != nil {
		return nil, e
	}
	x := f.indexes[uid]
	if x == nil {
		return nil, refuse(404, "index_not_found", "Index `%s` not found.", uid)
	}
	ids := slices.Sorted(maps.Keys(x.docs))
	from := min(number(in["offset"], 0), len(ids))
	to := min(from+number(in["limit"], 20), len(ids))
	out := []any{}
	for _, id := range ids[from:to] {
		out = append(out, only(x.docs[id], list(in["fields"])))
	}
	return map[string]any{"results": out, "offset": from, "limit": number(in["limit"], 20), "total": len(ids)}, nil
}

func only(d map[string]any, fields []string) map[string]any {
	out := map[string]any{}
	for _, k := range fields {
		if v, ok := d[k]; ok {
			out[k] = v
		}
	}
	return out
}

func number(v any, unless int) int {
	if n, ok := v.(float64); ok {
		return int(n)
	}
	return unless
}

func (f *fake) search(uid string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	in, e := fields(body, "q", "offset", "limit", "page", "hitsPerPage", "filter", "facets", "attributesToRetrieve", "attributesToCrop", "cropLength",
		"cropMarker", "attributesToHighlight", "highlightPreTag", "highlightPostTag", "showMatchesPosition", "sort", "matchingStrategy",
		"showRankingScore", "showRankingScoreDetails", "rankingScoreThreshold", "attributesToSearchOn", "hybrid", "vector", "retrieveVectors",
		"locales", "distinct", "media")
	if e != nil {
		return nil, e
	}
	x := f.indexes[uid]
	if x == nil {
		return nil, refuse(404, "index_not_found", "Index `%s` not found.", uid)
	}
	if s, _ := in["matchingStrategy"].(string); s != "all" {
		return nil, refuse(400, "invalid_search_matching_strategy", "the fake knows no strategy but all, not %q", s)
	}
	keep, e := x.filters(list(in["filter"]))
	if e != nil {
		return nil, e
	}
	less, e := x.order(list(in["sort"]))
	if e != nil {
		return nil, e
	}
	for _, a := range list(in["facets"]) {
		if !slices.Contains(list(x.settings["filterableAttributes"]), a) {
			return nil, refuse(400, "invalid_search_facets", "Invalid facet distribution: Attribute `%s` is not filterable.", a)
		}
	}
	for name, v := range map[string]any{"limit": in["limit"], "offset": in["offset"]} {
		if n, ok := v.(float64); v != nil && (!ok || n < 0 || n != math.Trunc(n)) {
			return nil, refuse(400, "invalid_search_"+name, "Invalid value type at `.%s`: expected a positive integer.", name)
		}
	}
	q, _ := in["q"].(string)
	words := strings.Fields(q)
	words = words[:min(len(words), 10)] // a server reads no more
	var hits []*fakeHit
	for _, d := range x.docs {
		if h := x.match(d, words); h != nil && keep(d) {
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, less)
	facets := map[string]map[string]int{}
	for _, a := range list(in["facets"]) {
		facets[a] = map[string]int{}
		for _, h := range hits {
			for _, v := range values(h.doc[a]) {
				facets[a][v]++
			}
		}
		counts, _ := x.settings["faceting"].(map[string]any)
		for n, v := range slices.Sorted(maps.Keys(facets[a])) {
			if n >= number(counts["maxValuesPerFacet"], 100) {
				delete(facets[a], v)
			}
		}
	}
	paging, _ := x.settings["pagination"].(map[string]any)
	most := number(paging["maxTotalHits"], 1000)
	total := min(len(hits), most)
	from := min(number(in["offset"], 0), total)
	to := min(from+number(in["limit"], 20), total)
	out := []any{}
	for _, h := range hits[from:to] {
		shown := slices.DeleteFunc(list(in["attributesToRetrieve"]), func(a string) bool { return !slices.Contains(list(x.settings["displayedAttributes"]), a) })
		out = append(out, only(h.doc, shown))
	}
	return map[string]any{
		"hits": out, "estimatedTotalHits": total, "offset": from, "limit": number(in["limit"], 20), "query": q, "processingTimeMs": 0,
		"facetDistribution": facets, "facetStats": map[string]any{},
	}, nil
}

func values(v any) []string {
	if all, ok := v.([]any); ok {
		return list(all)
	}
	return []string{fmt.Sprint(v)}
}

// A fakeHit is a document with how well it matches.
type fakeHit struct {
	doc       map[string]any
	attribute int // sum of the attributes' places; less is better
	exact     int
}

// match finds all words of a query in a document: as they are, as synonyms say,
// the last one also unfinished.
func (x *fakeIndex) match(d map[string]any, words []string) *fakeHit {
	h := &fakeHit{doc: d}
	synonyms, _ := x.settings["synonyms"].(map[string]any)
	for i := 0; i < len(words); {
		n := min(3, len(words)-i)
		for ; n > 1; n-- {
			if synonyms[strings.Join(words[i:i+n], " ")] != nil {
				break
			}
		}
		phrase := strings.Join(words[i:i+n], " ")
		best := -1
		for _, way := range append([]string{phrase}, list(synonyms[phrase])...) {
			if at := x.place(d, strings.Fields(way), way == phrase && i+n == len(words)); at >= 0 && (best < 0 || at < best) {
				best = at
			}
		}
		if best < 0 {
			return nil
		}
		h.attribute += best
		if x.place(d, words[i:i+n], false) >= 0 {
			h.exact++
		}
		i += n
	}
	return h
}

// place is the first searchable attribute that has one of the words, if the
// document has them all; else -1.
func (x *fakeIndex) place(d map[string]any, words []string, open bool) int {
	best := -1
	for i, w := range words {
		at := slices.IndexFunc(list(x.settings["searchableAttributes"]), func(a string) bool {
			text, _ := d[a].(string)
			return slices.ContainsFunc(strings.Fields(text), func(have string) bool {
				return have == w || open && i == len(words)-1 && strings.HasPrefix(have, w)
			})
		})
		if at < 0 {
			return -1
		}
		if best < 0 || at < best {
			best = at
		}
	}
	return best
}

var (
	geoForm     = regexp.MustCompile(`^_geoRadius\((\S+), (\S+), (\d+)\)$`)
	compareForm = regexp.MustCompile(`^(\w+) (=|>=|<=) ("(?:[^"\\]|\\.)*"|true|false|-?\d+)$`)
	pointForm   = regexp.MustCompile(`^_geoPoint\((\S+),(\S+)\):(asc|desc)$`)
	sortForm    = regexp.MustCompile(`^(\w+):(asc|desc)$`)
)

// filters reads conditions of which all must hold. It refuses attributes that
// were not declared filterable.
func (x *fakeIndex) filters(all []string) (func(map[string]any) bool, *fakeError) {
	var tests []func(map[string]any) bool
	may := list(x.settings["filterableAttributes"])
	for _, f := range all {
		if g := geoForm.FindStringSubmatch(f); g != nil {
			if !slices.Contains(may, "_geo") {
				return nil, refuse(400, "invalid_search_filter", "Attribute `_geo` is not filterable.")
			}
			lat, lng, m := float(g[1]), float(g[2]), float(g[3])
			if math.Abs(lat) > 90 || math.Abs(lng) > 180 {
				return nil, refuse(400, "invalid_search_filter", "Bad latitude or longitude.")
			}
			tests = append(tests, func(d map[string]any) bool { return metres(d, lat, lng) <= m })
			continue
		}
		c := compareForm.FindStringSubmatch(f)
		if c == nil {
			return nil, refuse(400, "invalid_search_filter", "Was expecting an operation, found %q.", f)
		}
		if !slices.Contains(may, c[1]) {
			return nil, refuse(400, "invalid_search_filter", "Attribute `%s` is not filterable.", c[1])
		}
		tests = append(tests, func(d map[string]any) bool {
			switch c[2] {
			case ">=":
				return d[c[1]].(float64) >= float(c[3])
			case "<=":
				return d[c[1]].(float64) <= float(c[3])
			}
			want := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strings.Trim(c[3], `"`))
			return slices.Contains(values(d[c[1]]), want)
		})
	}
	return func(d map[string]any) bool {
		for _, holds := range tests {
			if !holds(d) {
				return false
			}
		}
		return true
	}, nil
}

func float(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

func metres(d map[string]any, lat, lng float64) float64 {
	g, ok := d["_geo"].(map[string]any)
	if !ok {
		return math.Inf(1)
	}
	a, b := g["lat"].(float64)*math.Pi/180, lat*math.Pi/180
	s := math.Pow(math.Sin((a-b)/2), 2) + math.Cos(a)*math.Cos(b)*math.Pow(math.Sin((g["lng"].(float64)-lng)*math.Pi/360), 2)
	return 2 * 6371008.8 * math.Asin(math.Sqrt(s))
}

// order compares hits by the ranking rules. It refuses to sort by attributes
// that were not declared sortable.
func (x *fakeIndex) order(sorts []string) (func(a, b *fakeHit) int, *fakeError) {
	var by []func(a, b *fakeHit) int
	for _, s := range sorts {
		if p := pointForm.FindStringSubmatch(s); p != nil {
			if !slices.Contains(list(x.settings["sortableAttributes"]), "_geo") {
				return nil, refuse(400, "invalid_search_sort", "Attribute `_geo` is not sortable.")
			}
			by = append(by, func(a, b *fakeHit) int {
				return cmp.Compare(metres(a.doc, float(p[1]), float(p[2])), metres(b.doc, float(p[1]), float(p[2])))
			})
			continue
		}
		p := sortForm.FindStringSubmatch(s)
		if p == nil {
			return nil, refuse(400, "invalid_search_sort", "Invalid syntax for the sort parameter: %q.", s)
		}
		if !slices.Contains(list(x.settings["sortableAttributes"]), p[1]) {
			return nil, refuse(400, "invalid_search_sort", "Attribute `%s` is not sortable.", p[1])
		}
		by = append(by, byAttribute(p[1], p[2]))
	}
	var rules []func(a, b *fakeHit) int
	for _, r := range list(x.settings["rankingRules"]) {
		switch r {
		case "sort":
			rules = append(rules, by...)
		case "attribute":
			rules = append(rules, func(a, b *fakeHit) int { return cmp.Compare(a.attribute, b.attribute) })
		case "exactness":
			rules = append(rules, func(a, b *fakeHit) int { return cmp.Compare(b.exact, a.exact) })
		default:
			if p := sortForm.FindStringSubmatch(r); p != nil {
				rules = append(rules, byAttribute(p[1], p[2]))
			}
		}
	}
	return func(a, b *fakeHit) int {
		for _, rule := range rules {
			if c := rule(a, b); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}

func byAttribute(name, way string) func(a, b *fakeHit) int {
	return func(a, b *fakeHit) int {
		c := 0
		if x, ok := a.doc[name].(float64); ok {
			c = cmp.Compare(x, b.doc[name].(float64))
		} else {
			c = cmp.Compare(fmt.Sprint(a.doc[name]), fmt.Sprint(b.doc[name]))
		}
		if way == "desc" {
			return -c
		}
		return c
	}
}
