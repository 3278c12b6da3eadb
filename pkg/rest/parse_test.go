package rest_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"tiwiza/pkg/rest"
)

// FuzzParse holds the strict reader against encoding/json: what it takes is
// JSON of the same value, and what it refuses beyond that has a stated reason.
func FuzzParse(f *testing.F) {
	for _, s := range []string{goodSale, `{"a":1,"a":2}`, `[1,-0.5e+3,"\u00e9\ud83d\ude00",null,true,false,{}]`, `{} {}`, `"\ud800"`, `"\\ud800"`, `"\u0000"`, ` [ ] `, `{"a":{"a":1},"b":[{"a":1},{"a":2}]}`, strings.Repeat("[", 33) + strings.Repeat("]", 33), "\"\xff\"", `{"":"","\u0061":1,"a":2}`, `-`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, problems := rest.Parse(b)
		if len(problems) == 0 {
			var want any
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			if err := d.Decode(&want); err != nil || !utf8.Valid(b) {
				t.Fatalf("%q was taken: %v", b, err)
			}
			if got := exact(tree); !reflect.DeepEqual(got, exact(want)) {
				t.Fatalf("%q was read as %#v, want %#v", b, got, want)
			}
			again, _ := json.Marshal(tree)
			if _, problems := rest.Parse(again); len(problems) > 0 {
				t.Fatalf("%q came back as %q, which is refused: %v", b, again, problems)
			}
			return
		}
		grammar := utf8.Valid(b) && json.Valid(b)
		for _, p := range problems {
			if p.Detail == "" || grammar && !strings.Contains(p.Detail, "twice") && !strings.Contains(p.Detail, "nested") &&
				!strings.Contains(p.Detail, "surrogate") && !strings.Contains(p.Detail, "U+0000") {
				t.Fatalf("%q is JSON but refused: %v", b, problems)
			}
		}
	})
}

// exact writes whole numbers alike.
func exact(v any) any {
	switch v := v.(type) {
	case int:
		b, _ := json.Marshal(v)
		return json.Number(b)
	case json.Number:
		if v == "-0" {
			return json.Number("0")
		}
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	}
	return v
}

func BenchmarkParse(b *testing.B) {
	body := []byte(checkoutBody)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, problems := rest.Parse(body); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

// BenchmarkRequest is the whole edge around a use case that does nothing.
func BenchmarkRequest(b *testing.B) {
	e := edge()
	e.Limits = rest.Limits{Principal: -1}
	h := mount(shop(), e)
	b.SetBytes(int64(len(checkoutBody)))
	b.ReportAllocs()
	for b.Loop() {
		if w := ask(h, "POST", "/v1/shops/s1/sales", checkoutBody); w.Code != 201 {
			b.Fatal(w.Body)
		}
	}
}

const checkoutBody = `{"contact":{"name":"Example Buyer of a Market","phone":"+212612345678","email":"buyer@example.org"},` +
	`"lines":[{"offer":"off_01m802b11xf6nzhfg5k230j7rm","quantity":2},{"offer":"off_01m802b11xf6nzhfg5k230j7rn","quantity":1},` +
	`{"offer":"off_01m802b11xf6nzhfg5k230j7rp","quantity":12}],"method":"cash_on_delivery","tip":{"amount":"12.50","currency":"MAD"},` +
	`"names":{"fr":"Huile d’argan","ar":"زيت الأركان"}}`
