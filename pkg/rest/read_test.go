package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestBodyIsReadStrictly(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	swap := func(old, new string) string {
		out := strings.Replace(goodSale, old, new, 1)
		if out == goodSale {
			t.Fatalf("%q is not in the good body", old)
		}
		return out
	}
	for _, c := range []struct {
		name, body string
		status     int
		code       string
		pointers   string
	}{
		{"good", goodSale, 201, "", ""},
		{"good with spaces", " \n" + goodSale + "\t", 201, "", ""},
		{"name twice", swap(`"method":"card"`, `"method":"card","method":"card"`), 400, "request.malformed", "/method"},
		{"name twice inside", swap(`"quantity":2`, `"quantity":2,"quantity":3`), 400, "request.malformed", "/lines/0/quantity"},
		{"name twice by escape", swap(`"quantity":2`, `"quantity":2,"qu\u0061ntity":3`), 400, "request.malformed", "/lines/0/quantity"},
		{"other case", swap(`"method"`, `"Method"`), 400, "request.malformed", "/Method /method"},
		{"both cases", swap(`"quantity":2`, `"quantity":2,"Quantity":3`), 400, "request.malformed", "/lines/0/Quantity"},
		{"unknown name", swap(`"method"`, `"x~/y":1,"method"`), 400, "request.malformed", "/x~0~1y"},
		{"a field of the path", swap(`"method"`, `"Shop":"other","method"`), 400, "request.malformed", "/Shop"},
		{"more after it", goodSale + `{}`, 400, "request.malformed", ""},
		{"null", swap(`"card"`, `null`), 400, "request.malformed", "/method"},
		{"null where it may be left out", swap(`"method"`, `"tip":null,"method"`), 400, "request.malformed", "/tip"},
		{"null for a text that may be left out", swap(`"phone"`, `"email":null,"phone"`), 400, "request.malformed", "/contact/email"},
		{"a number for a text", swap(`"card"`, `1`), 400, "request.malformed", "/method"},
		{"a text for a number", swap(`:2`, `:"2"`), 400, "request.malformed", "/lines/0/quantity"},
		{"a broken number", swap(`:2`, `:2.5`), 400, "request.malformed", "/lines/0/quantity"},
		{"a whole number with a point", swap(`:2`, `:2.0`), 400, "request.malformed", "/lines/quantity"},
		{"beyond int64", swap(`:2`, `:9223372036854775808`), 422, "request.invalid", "/lines/0/quantity"},
		{"missing", swap(`,"method":"card"`, ``), 400, "request.malformed", "/method"},
		{"missing inside", swap(`"offer":"off_1",`, ``), 400, "request.malformed", "/lines/0/offer"},
		{"cut off", goodSale[:40], 400, "request.malformed", ""},
		{"not JSON", `hello`, 400, "request.malformed", ""},
		{"a list", `[]`, 400, "request.malformed", ""},
		{"nothing", ``, 400, "request.malformed", ""},
		{"not UTF-8", swap(`Example`, "Ex\xffmple"), 400, "request.malformed", ""},
		{"half a pair", swap(`Example`, `\ud800x`), 400, "request.malformed", "/contact/name"},
		{"a whole pair", swap(`Example`, `\ud83d\ude00`), 201, "", ""},
		{"NUL", swap(`Example`, `\u0000x`), 400, "request.malformed", "/contact/name"},
		{"too deep", deep, 400, "request.malformed", strings.Repeat("/a", 32)},
		{"empty list", swap(`[{"offer":"off_1","quantity":2}]`, `[]`), 422, "request.invalid", "/lines"},
		{"too small", swap(`:2`, `:0`), 422, "request.invalid", "/lines/0/quantity"},
		{"not one of", swap(`"card"`, `"gold"`), 422, "request.invalid", "/method"},
		{"wrong pattern", swap(`+2126`, `06`), 422, "request.invalid", "/contact/phone"},
		{"wrong format", swap(`"phone"`, `"email":"x","phone"`), 422, "request.invalid", "/contact/email"},
		{"too short in letters", swap(`Example Buyer`, `é`), 422, "request.invalid", "/contact/name"},
		{
			"all of them", `{"contact":{"name":"x","phone":"1"},"lines":[{"offer":"o","quantity":0}],"method":"gold"}`, 422, "request.invalid",
			"/contact/name /contact/phone /lines/0/offer /lines/0/quantity /method",
		},
		{"both kinds", swap(`"card"`, `"gold","more":1`), 400, "request.malformed", "/more /method"},
		{"money", swap(`"method"`, `"tip":{"amount":"1.20","currency":"MAD"},"method"`), 201, "", ""},
		{"money as a number", swap(`"method"`, `"tip":{"amount":1.2,"currency":"MAD"},"method"`), 400, "request.malformed", "/tip/amount"},
		{"money with more", swap(`"method"`, `"tip":{"amount":"1.20","currency":"MAD","Amount":"9"},"method"`), 400, "request.malformed", "/tip/Amount"},
		{"money without currency", swap(`"method"`, `"tip":{"amount":"1.20"},"method"`), 400, "request.malformed", "/tip/currency"},
		{"money of three decimals", swap(`"method"`, `"tip":{"amount":"1.205","currency":"MAD"},"method"`), 422, "request.invalid", "/tip/amount"},
		{"money of 19 digits", swap(`"method"`, `"tip":{"amount":"1234567890123456789","currency":"MAD"},"method"`), 422, "request.invalid", "/tip/amount"},
		{"money in euro", swap(`"method"`, `"tip":{"amount":"1.20","currency":"EUR"},"method"`), 422, "request.invalid", "/tip/currency"},
		{"texts by language", swap(`"method"`, `"names":{"fr":"Huile","Fr":"x"},"method"`), 201, "", ""},
		{"a sign that turns the rest around", swap(`Example Buyer`, `Example\u202efdp.exe`), 422, "request.invalid", "/contact/name"},
		{"a sign of no width, in a text by language", swap(`"method"`, `"names":{"ar":"\u200bزيت","fr":"Huile\ufeff"},"method"`), 422, "request.invalid", "/names/ar /names/fr"},
		{"a sign that steers a terminal, in a list", swap(`"offer":"`, `"offer":"\u001b[2J`), 422, "request.invalid", "/lines/0/offer"},
		{"marks that a telephone copies along", swap(`Example Buyer`, `\u200eExample\u200f \u202aBuyer\u202c`), 201, "", ""},
		{"a sign of no width, in what people call something", swap(`"method"`, `"names":{"f\u200br":"Huile"},"method"`), 422, "request.invalid", "/names/f\u200br"},
		{"a list for texts by language", swap(`"method"`, `"names":["Huile"],"method"`), 400, "request.malformed", "/names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := ask(h, "POST", "/v1/shops/s1/sales", c.body, "Content-Type", "application/json")
			if w.Code != c.status {
				t.Fatalf("answered %d %s, want %d", w.Code, w.Body, c.status)
			}
			if c.status == 201 {
				return
			}
			p := problemOf(t, w)
			var at []string
			for _, d := range p.Errors {
				at = append(at, d.Pointer)
				if !strings.HasSuffix(d.Detail, ".") {
					t.Errorf("%q is no sentence", d.Detail)
				}
			}
			if got := strings.Join(at, " "); p.Code != c.code || got != c.pointers {
				t.Errorf("got %s at %q, want %s at %q: %s", p.Code, got, c.code, c.pointers, w.Body)
			}
		})
	}
}

func TestAnswerHasListsWhereGoHasNil(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "POST", "/v1/shops/s1/sales", goodSale)
	if got, want := w.Body.String(), `{"id":"sal_1","shop":"s1","total":{"amount":"123.50","currency":"MAD"},"lines":[],"labels":[],"note":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for _, c := range []struct {
		query    string
		status   int
		pointers string
	}{
		{"", 200, ""},
		{"?limit=100&label=bio&label=igp&min=1.5&open=true&sort=price&since=2026-11-21T10:00:00Z", 200, ""},
		{"?limit=x", 400, "?limit"},
		{"?limit=", 400, "?limit"},
		{"?limit=1.0", 400, "?limit"},
		{"?limit=+1", 400, "?limit"},
		{"?limit=%2B1", 400, "?limit"},
		{"?limit=9223372036854775808", 400, "?limit"},
		{"?limit=0", 422, "?limit"},
		{"?limit=101", 422, "?limit"},
		{"?limit=1&limit=2", 400, "?limit"},
		{"?Limit=1", 400, "?Limit"},
		{"?nope=1", 400, "?nope"},
		{"?label=gold", 422, "?label/0"},
		{"?min=-1", 422, "?min"},
		{"?min=NaN", 400, "?min"},
		{"?open=1", 400, "?open"},
		{"?since=yesterday", 400, "?since"},
		{"?cursor=%00", 400, "?cursor"},
		{"?cursor=%ff", 400, "?cursor"},
		{"?cursor=%zz", 400, "?"},
		{"?sort=", 422, "?sort"},
	} {
		w := ask(h, "GET", "/v1/shops/s1/sales"+c.query, "")
		if w.Code != c.status {
			t.Errorf("%s: got %d %s, want %d", c.query, w.Code, w.Body, c.status)
			continue
		}
		if c.status == 200 {
			continue
		}
		if p := problemOf(t, w); len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointers {
			t.Errorf("%s: got %+v, want one at %s", c.query, p.Errors, c.pointers)
		}
	}
}

func TestParametersArriveTyped(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for query, want := range map[string]string{
		"": `{"limit":24,"cursor":"","shop":"s 1","labels":[],"min":null,"open":false,"sort":"new"}`,
		"?limit=7&cursor=c&label=bio&label=igp&min=1.5&open=true&sort=price": `{"limit":7,"cursor":"c","shop":"s 1","labels":["bio","igp"],"min":1.5,"open":true,"sort":"price"}`,
	} {
		w := ask(h, "GET", "/v1/shops/s%201/sales"+query, "")
		var page struct {
			Data []json.RawMessage
			Next *string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Data) != 1 || page.Next != nil {
			t.Fatalf("%s: got %s (%v)", query, w.Body, err)
		}
		if got := string(page.Data[0]); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestHeaderIsChecked(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "POST", "/v1/shops/s1/sales", goodSale, "X-Note", "much too long a note")
	if p := problemOf(t, w); w.Code != 422 || len(p.Errors) != 1 || p.Errors[0].Pointer != "X-Note" {
		t.Errorf("got %d %s, want 422 at X-Note", w.Code, w.Body)
	}
}

func TestOperationWithoutFieldsTakesNothing(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for body, want := range map[string]int{"": 200, "{}": 200, " { } ": 200, `{"a":1}`: 400, "[]": 400, "x": 400} {
		if w := ask(h, "POST", "/v1/shops/s1/open", body); w.Code != want {
			t.Errorf("%q: got %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
}

func TestMediaTypesAndSizes(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	form := func(name string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\nid\r\n--b--\r\n"
	}
	for _, c := range []struct {
		name, path, kind, body string
		status                 int
		code                   string
	}{
		{"a form for JSON", "/v1/shops/s/sales", "application/x-www-form-urlencoded", "a=1", 415, "request.media_type"},
		{"JSON in latin-1", "/v1/shops/s/sales", "application/json; charset=latin1", goodSale, 415, "request.media_type"},
		{"JSON in utf-8", "/v1/shops/s/sales", "application/json; charset=UTF-8", goodSale, 201, ""},
		{"no type", "/v1/shops/s/sales", "", goodSale, 415, "request.media_type"},
		{"a type that is none", "/v1/shops/s/sales", ";;", goodSale, 415, "request.media_type"},
		{"too large", "/v1/shops/s/sales", "application/json", `"` + strings.Repeat("a", 1<<20) + `"`, 413, "request.too_large"},
		{"a file", "/v1/imports", "text/csv", "id", 200, ""},
		{"a file too large", "/v1/imports", "text/csv", strings.Repeat("a", 2001), 413, "request.too_large"},
		{"a picture for a file", "/v1/imports", "image/png", "x", 415, "request.media_type"},
		{"an empty file", "/v1/imports", "text/csv", "", 400, "request.malformed"},
		{"a part", "/v1/imports", "multipart/form-data; boundary=b", form("file"), 200, ""},
		{"a part of another name", "/v1/imports", "multipart/form-data; boundary=b", form("fil"), 400, "request.malformed"},
		{"no part", "/v1/imports", "multipart/form-data; boundary=b", "--b--\r\n", 400, "request.malformed"},
		{"no boundary", "/v1/imports", "multipart/form-data", form("file"), 400, "request.malformed"},
	} {
		w := ask(h, "POST", c.path, c.body, "Content-Type", c.kind)
		if w.Code != c.status {
			t.Errorf("%s: got %d %s, want %d", c.name, w.Code, w.Body, c.status)
			continue
		}
		if c.code != "" && problemOf(t, w).Code != c.code {
			t.Errorf("%s: got %s, want %s", c.name, w.Body, c.code)
		}
		if c.name == "a part" && w.Body.String() != `{"dry":false,"name":"a.csv","text":"id","type":"text/csv"}` {
			t.Errorf("%s: got %s", c.name, w.Body)
		}
	}
}

func TestAnEncodedBodyIsRefused(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for encoding, want := range map[string]int{"gzip": 415, "deflate, gzip": 415, "identity": 201, "": 201} {
		w := ask(h, "POST", "/v1/shops/s/sales", goodSale, "Content-Type", "application/json", "Content-Encoding", encoding)
		if w.Code != want {
			t.Errorf("%q: got %d %s, want %d", encoding, w.Code, w.Body, want)
		}
	}
}

func TestCallbackGetsTheVeryBytes(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "POST", "/callbacks/card?theirs=1", "a=1&b=%20\xff", "Content-Type", "application/x-www-form-urlencoded", "Webhook-Signature", "v1,x", "Authorization", "")
	if got, want := w.Body.String(), "card|v1,x|application/x-www-form-urlencoded|a=1&b=%20\xff"; w.Code != http.StatusOK || got != want {
		t.Errorf("got %d %q, want %q", w.Code, got, want)
	}
}
