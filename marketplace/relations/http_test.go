package relations_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/rest"
)

func TestPeopleAgreeToATextThatTheyRead(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	_, key := p.somebody()
	seen := map[string]bool{}
	for _, lang := range []string{"fr", "ar", "en", "zgh", ""} {
		v := get[relations.StanceView](p, "/v1/wishes/marketing?lang="+lang, key)
		if v.Granted || v.At != nil || v.Text == "" || len(v.TextHash) != 64 || v.Lang != map[string]string{"ar": "ar", "en": "en"}[lang] && v.Lang != "fr" {
			t.Errorf("in %q it is %+v", lang, v)
		}
		seen[v.TextHash] = true
	}
	if len(seen) != 3 {
		t.Errorf("there are %d texts", len(seen))
	}
	for name, body := range map[string]any{
		"no text":      map[string]any{"granted": true},
		"another text": map[string]any{"granted": true, "text": strings.Repeat("0", 64)},
		"no word":      map[string]any{"text": "x"},
		"another word": map[string]any{"granted": "yes"},
		"more":         map[string]any{"granted": false, "person": "per_other"},
	} {
		if status, answer := p.ask("POST", "/v1/wishes/marketing", key, body); status < 400 || status >= 500 {
			t.Errorf("%s is answered %d %s", name, status, answer)
		}
	}
	_, _, arabic := relations.Text("ar")
	for range 2 {
		if status, answer := p.ask("POST", "/v1/wishes/marketing", key, map[string]any{"granted": true, "text": arabic}); status != http.StatusOK || !strings.Contains(answer, `"lang":"ar"`) {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if all := get[rest.Page[relations.WishView]](p, "/v1/wishes", key).Data; len(all) != 1 || all[0].Lang != "ar" || all[0].TextHash != arabic {
		t.Errorf("said twice the wishes are %+v", all)
	}
	if v := p.stance(key); !v.Granted || v.At == nil || v.Outdated || v.Source != relations.ByPerson {
		t.Errorf("the stance is %+v", v)
	}
}

func TestEachSeesItsOwnAlone(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.agrees()
	_, other := p.somebody()
	p.ask("POST", "/v1/erasures", key, nil)
	if all := get[rest.Page[relations.WishView]](p, "/v1/wishes", other).Data; len(all) != 0 {
		t.Errorf("another sees %+v", all)
	}
	for _, path := range []string{"/v1/erasures?person=" + person} {
		if status, _ := p.ask("GET", path, other, nil); status != http.StatusNotFound {
			t.Errorf("another's %s is answered %d", path, status)
		}
	}
	if status, _ := p.ask("POST", "/v1/erasures", other, map[string]string{"person": person}); status != http.StatusNotFound {
		t.Errorf("another has somebody forgotten: %d", status)
	}
	for _, path := range []string{"/v1/crm", "/v1/crm/crm/links"} {
		if status, _ := p.ask("GET", path, key, nil); status != http.StatusForbidden {
			t.Errorf("a buyer's %s is answered %d", path, status)
		}
	}
	operator := p.key(auth.Operator, "org_operator")
	for path, want := range map[string]int{"/v1/crm/none": 404, "/v1/crm/none/redo": 404} {
		if status, _ := p.ask("POST", path, operator, map[string]any{}); status != want {
			t.Errorf("%s is answered %d, want %d", path, status, want)
		}
	}
	for path, body := range map[string]any{"/v1/erasures": map[string]string{"person": "org_x"}, "/v1/crm/crm/redo": map[string]string{"person": "per_x"}} {
		if status, answer := p.ask("POST", path, operator, body); status != http.StatusUnprocessableEntity {
			t.Errorf("%s with %v is answered %d %s", path, body, status, answer)
		}
	}
	if status, _ := p.ask("GET", "/v1/crm/none/links", operator, nil); status != http.StatusNotFound {
		t.Errorf("the links of no system are answered %d", status)
	}
	if status, _ := p.ask("GET", "/v1/crm/crm/links?cursor="+rest.EncodeCursor(map[string]string{"e": "x", "i": "y"}), operator, nil); status != http.StatusBadRequest {
		t.Errorf("a cursor of another list is answered %d", status)
	}
	if all := get[rest.Page[relations.ErasureView]](p, "/v1/erasures", operator).Data; len(all) != 1 || all[0].Person != person {
		t.Errorf("the operator sees %+v", all)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	operator := p.key(auth.Operator, "org_operator")
	_, key := p.somebody()
	for i := range 5 {
		p.says(key, i%2 == 0)
		if i < 2 {
			p.agrees()
		}
	}
	p.soon()
	pages := func(path, key string) (n int) {
		for cursor := ""; ; {
			page := get[rest.Page[map[string]any]](p, path+"limit=2&cursor="+cursor, key)
			if len(page.Data) > 2 {
				t.Fatalf("%s has %d in a page", path, len(page.Data))
			}
			if n += len(page.Data); page.Next == nil {
				return n
			}
			cursor = *page.Next
		}
	}
	if n := pages("/v1/wishes?", key); n != 5 {
		t.Errorf("%d wishes, want 5", n)
	}
	if n := pages("/v1/crm/crm/links?", operator); n != 9 {
		t.Errorf("%d links, want 9", n)
	}
	if n := pages("/v1/crm/crm/links?state=said&", operator); n != 9 {
		t.Errorf("%d links that are said, want 9", n)
	}
	if n := pages("/v1/crm/crm/links?state=waiting&", operator); n != 0 {
		t.Errorf("%d links wait", n)
	}
}

// TestTheMostRestrictiveWins plays wishes here, refusals there, orders and outages
// in any order. In the end the system writes to nobody who does not agree, and to
// nobody who refused there last; and it knows of nobody else.
func TestTheMostRestrictiveWins(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	type somebody struct {
		id, key string
		ever    bool
	}
	var all []*somebody
	for range 4 {
		who, key := p.somebody()
		all = append(all, &somebody{id: who, key: key})
	}
	dice := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	for range 60 {
		who := all[dice.IntN(len(all))]
		switch dice.IntN(7) {
		case 0, 1:
			p.says(who.key, true)
			who.ever = true
		case 2:
			p.says(who.key, false)
		case 3:
			if c, ok := p.known(who.id); ok && !c.Withdrawn {
				p.crm.leave(p.email(who.id))
			}
		case 4:
			p.crm.will([]outbound.Result{unknown, notSent}[dice.IntN(2)])
		case 5:
			p.order(who.id, id.New(id.Order), orders.Paid, paid)
		case 6:
			p.soon()
		}
	}
	p.crm.will()
	p.pass(2 * time.Hour)
	for _, who := range all {
		granted := p.stance(who.key).Granted
		c, known := p.known(who.id)
		var writes, left bool
		p.crm.do(func() { writes, left = p.crm.mails[p.email(who.id)], p.crm.left[p.email(who.id)] })
		switch {
		case writes && !granted, writes && left, granted && left && known, known && c.Withdrawn == granted, known && !who.ever, granted && !writes:
			t.Errorf("%s agrees %v, is known %v as %+v, written to %v, and left %v", who.id, granted, known, c, writes, left)
		}
	}
}

var _ crm.Driver = plain{}
