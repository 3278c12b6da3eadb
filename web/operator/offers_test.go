package operator_test

import (
	"reflect"
	"strings"
	"testing"

	"tiwiza/marketplace/policies"
	"tiwiza/web/ui"
)

// TestEachBreakWithAnInsurerHasItsWords: also those that the market sees to by itself.
func TestEachBreakWithAnInsurerHasItsWords(t *testing.T) {
	t.Parallel()
	kind, _ := reflect.TypeFor[policies.GapView]().FieldByName("Kind")
	by, _ := reflect.TypeFor[policies.ResolveInput]().FieldByName("By")
	kinds, ways := strings.Split(kind.Tag.Get("enum"), ","), strings.Split(by.Tag.Get("enum"), ",")
	if len(kinds) < 2 || len(ways) < 2 {
		t.Fatalf("the kinds are %q, the ways %q", kinds, ways)
	}
	var keys []string
	for _, k := range kinds {
		keys = append(keys, "op.g_"+k)
	}
	for _, w := range append(ways, "superseded", "answered") {
		keys = append(keys, "op.way_"+w)
	}
	for _, l := range []ui.Lang{ui.French, ui.Arabic, ui.English} {
		for _, k := range keys {
			if l.T(k) == k {
				t.Errorf("%s: %s has no words", l, k)
			}
		}
	}
}
