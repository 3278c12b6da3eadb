package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const insuring = "/v1/insurance"

// offer is a product that an insurer's people write down.
func offer(code string) map[string]any {
	said := map[string]string{"fr": code + " (exemple)", "ar": code + " (مثال)", "en": code + " (example)"}
	return map[string]any{
		"insurer": insurerName, "code": code, "line": "stock", "names": said, "covers": []any{said}, "exclusions": []any{},
		"premium": map[string]any{"rate_permille": 20, "period": "year"}, "most": dirhams("50000.00"), "waiting_days": 0, "cooling_off_days": 14, "commission_permille": 100, "papers": []string{},
		"documents": []map[string]string{{"kind": "information_sheet", "lang": "fr", "url": "https://assureur.exemple/fiche", "sha256": strings.Repeat("ab", 32)}},
	}
}

// station is a source of indices whose key the operator entered.
type station struct {
	once    sync.Once
	private ed25519.PrivateKey
}

const rainSource = "Station pluviométrique (exemple)"

// says is a value that a station signs.
func (s *station) says(period, value string) map[string]string {
	sig := ed25519.Sign(s.private, []byte("rain_mm|"+rainSource+"|Taroudant|"+period+"|"+value))
	return map[string]string{"index": "rain_mm", "source": rainSource, "place": "Taroudant", "period": period, "value": value, "signature": base64.StdEncoding.EncodeToString(sig)}
}

// opens enters the station's key.
func (s *station) opens(t *testing.T, r *rig) {
	s.once.Do(func() {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.private = private
		r.posts(t, r.operator(), insuring+"/sources", map[string]string{"name": rainSource, "key": base64.StdEncoding.EncodeToString(public)})
	})
}

// TestAnInsurerQuotesBindsAndSettles plays the whole of an insurance against the
// stand-in insurer and bank: the demonstration's steps, then each other route.
func TestAnInsurerQuotesBindsAndSettles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	s := r.seller(t)
	r.earn(t, s, "3000.00")
	f, err := r.insures(ctx, s.key)
	if err != nil {
		t.Fatal(err)
	}
	if f.Premium != "20.00" || f.Indemnity != "400.00" || f.PaidOut != "400.00" || f.Statement != 2 || f.Breaks != 0 {
		t.Errorf("it moved %+v", f)
	}
	sold, err := r.products(ctx)
	if err != nil {
		t.Fatal(err)
	}
	op, people := r.operator(), r.keys.Insurer.APIKey
	for key, paths := range map[string][]string{
		s.key:  {"/products", "/products/" + sold["stock"], "/quotes?limit=5", "/policies?state=active", "/claims"},
		op:     {"/products?state=approved", "/policies", "/claims?state=paid", "/statements", "/breaks?state=open"},
		people: {"/products", "/policies", "/claims", "/statements"},
	} {
		for _, p := range paths {
			r.shows(t, key, insuring+p)
		}
	}
	r.ask(t, req{method: "GET", path: insuring + "/products"}).refused(t, 401, "auth.missing")
	r.ask(t, req{key: r.keys.Buyer.APIKey, method: "GET", path: insuring + "/policies"}).refused(t, 403, "auth.denied")

	// The insurer's people: a product, a paper, an answer.
	one := r.posts(t, people, insuring+"/products", offer(strings.ToLower(once()[:8]))).ID
	r.posts(t, op, insuring+"/products/"+one+"/reject", map[string]string{"note": "La fiche manque en arabe."})
	two := r.posts(t, people, insuring+"/products", offer(strings.ToLower(once()[:8]))).ID
	r.posts(t, op, insuring+"/products/"+two+"/approve", nothing)
	r.posts(t, op, insuring+"/products/"+two+"/withdraw", map[string]string{"note": "Plus vendu."})
	v, err := r.takesOut(ctx, s.key, sold["stock"], "20000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.declares(ctx, s.key, v, "700.00")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Evidence []struct{ File string }
	}
	r.ask(t, req{key: people, method: "GET", path: insuring + "/claims/" + c.ID}).into(t, &shown)
	if got := r.ask(t, req{key: people, method: "GET", path: insuring + "/claims/" + c.ID + "/evidence/" + shown.Evidence[0].File}); got.status != 200 || !strings.HasPrefix(string(got.body), "%PDF") {
		t.Errorf("%s: %d", got.what, got.status)
	}
	r.posts(t, s.key, insuring+"/claims/"+c.ID+"/evidence", map[string]any{"evidence": []map[string]string{{"file": r.paper(t, s), "kind": "facture"}}})
	r.posts(t, people, insuring+"/claims/"+c.ID+"/answer", map[string]any{"state": "rejected", "reason": "Usure normale (exemple)."})

	// A harvest, by its index.
	var near station
	near.opens(t, r)
	h, err := r.takesOut(ctx, s.key, sold["crop"], "5000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	r.posts(t, op, insuring+"/policies/"+h.ID+"/observations", near.says("2026-10", "12.5"))
	var claims struct{ Data []insuranceView }
	r.until(t, "what the rain made due", func() bool {
		r.ask(t, req{key: s.key, method: "GET", path: insuring + "/claims?policy=" + h.ID}).into(t, &claims)
		return len(claims.Data) == 1 && claims.Data[0].State == "paid"
	})

	// What was sold, on its way.
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, s, 3, "240.00").variant: 2})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	if _, err := r.takesOut(ctx, s.key, sold["parcel"], "480.01", sale.Orders[0].ID); err == nil || !strings.Contains(err.Error(), "480.00 MAD") {
		t.Errorf("a parcel insured for more than its goods: %v", err)
	}
	if _, err := r.takesOut(ctx, s.key, sold["parcel"], "480.00", sale.Orders[0].ID); err != nil {
		t.Fatal(err)
	}
	r.shows(t, s.key, insuring+"/policies?order="+sale.Orders[0].ID)

	// Thought better of, while one may.
	b, err := r.takesOut(ctx, s.key, sold["stock"], "30000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	r.posts(t, s.key, insuring+"/policies/"+b.ID+"/cancel", map[string]string{"reason": "Trouvé moins cher (exemple)."})
	r.until(t, "the policy to be cancelled", func() bool {
		var now insuranceView
		r.ask(t, req{key: s.key, method: "GET", path: insuring + "/policies/" + b.ID}).into(t, &now)
		return now.State == "cancelled"
	})

	// A statement that is net of fees does not agree, and a person sees to it.
	if err := r.standIn(ctx, "POST", "/faults", map[string]any{"partner": "insurer", "fault": "statement_net_of_fee", "times": 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.reconciles(ctx, &insured{}); err == nil {
		t.Error("a statement net of fees agrees with the books")
	}
	var gaps struct {
		Data []struct{ ID, Kind, Suggestion string }
	}
	r.ask(t, req{key: op, method: "GET", path: insuring + "/breaks?state=open"}).into(t, &gaps)
	if len(gaps.Data) < 4 || gaps.Data[0].Suggestion == "" {
		t.Fatalf("breaks: %+v", gaps.Data)
	}
	r.posts(t, op, insuring+"/breaks/"+gaps.Data[0].ID+"/resolve", map[string]string{"by": "insurer_corrects", "note": "Un relevé corrigé est annoncé (exemple)."})
	r.decidesByPages(t, gaps.Data[1].ID)
	if err := r.reconciles(ctx, &f); err != nil {
		t.Error(err)
	}
	// The insurer is paid what is its own.
	var out payoutView
	r.ask(t, req{key: op, method: "POST", path: "/v1/payouts", body: map[string]any{"beneficiary": "insurer:" + insurerName, "account": map[string]string{"rib": "999780000000000000070721", "holder": "Assurance (exemple)"}}, idem: once()}).into(t, &out)
	r.ask(t, req{key: r.keys.SecondOperator.APIKey, method: "POST", path: "/v1/payouts/" + out.ID + "/approve", idem: once()}).into(t, nil)
	if err := r.payoutIs(ctx, op, out.ID, "paid"); err != nil {
		t.Error(err)
	}
	r.verify(t)
}

// TestAnInsurersFaultsBindOnce has the stand-in insurer misbehave in each way while
// it binds; there is one policy in the end, or none and no premium.
func TestAnInsurersFaultsBindOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	s := r.seller(t)
	r.earn(t, s, "3000.00")
	sold, err := r.products(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []string{"execute_then_drop", "execute_then_500", "execute_then_garbage", "drop_request"} {
		if err := r.standIn(ctx, "POST", "/faults", map[string]any{"partner": "insurer", "fault": fault, "times": 1}, nil); err != nil {
			t.Fatal(err)
		}
		v, err := r.takesOut(ctx, s.key, sold["stock"], "10000.00", "")
		if err != nil {
			t.Fatalf("%s: %v", fault, err)
		}
		all, err := r.player.truth(ctx, refOf(v.ID))
		if err != nil || len(all) != 1 {
			t.Errorf("%s: the insurer executed %+v (%v)", fault, all, err)
		}
	}
	r.verify(t)
}

// paper uploads a proof of a seller's.
func (r *rig) paper(t *testing.T, s *shop) string {
	t.Helper()
	var f struct{ ID string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n% " + once() + "\n%%EOF\n", media: "application/pdf"}).into(t, &f)
	return f.ID
}

// A covered is a rig whose shop can be insured.
type covered struct {
	*onceRig
	sold map[string]string
	rain *station
}

var (
	coveredOnce sync.Map // onceRig → *coveredState
	months      atomic.Int64
)

type coveredState struct {
	once sync.Once
	c    *covered
}

func (o *onceRig) covered(t *testing.T) *covered {
	t.Helper()
	v, _ := coveredOnce.LoadOrStore(o, &coveredState{})
	state := v.(*coveredState)
	state.once.Do(func() {
		sold, err := o.products(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		o.earn(t, o.shop, "9000.00")
		state.c = &covered{o, sold, &station{}}
		state.c.rain.opens(t, o.rig)
	})
	if state.c == nil {
		t.Fatal("no insurance is sold")
	}
	return state.c
}

// has is a policy that holds, with a claim under it that waits.
func (c *covered) has(t *testing.T, line string) insuranceView {
	t.Helper()
	v, err := c.takesOut(t.Context(), c.shop.key, c.sold[line], "10000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (c *covered) claim(t *testing.T) insuranceView {
	t.Helper()
	v, err := c.declares(t.Context(), c.shop.key, c.has(t, "stock"), "600.00")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The routes of insurance, for the suite of what happens once.
func init() {
	with := func(key, by, path string, body, bad, other any) posting {
		p := posting{by: by}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	note := func(s string) map[string]string { return map[string]string{"note": s} }
	waiting := func(t *testing.T, o *onceRig) string {
		return o.posts(t, o.keys.Insurer.APIKey, insuring+"/products", offer(strings.ToLower(once()[:8]))).ID
	}
	decides := func(do string, sold bool) func(*testing.T, *onceRig) posting {
		return func(t *testing.T, o *onceRig) posting {
			id := waiting(t, o)
			if sold {
				o.posts(t, o.operator(), insuring+"/products/"+id+"/approve", nothing)
			}
			p := with(o.operator(), o.keys.SecondOperator.APIKey, insuring+"/products/"+id+"/"+do, note("Vu."), note(strings.Repeat("x", 600)), note("Vu !"))
			p.effect, p.of = trail(map[string]string{"approve": "insurance.approved", "reject": "insurance.rejected", "withdraw": "insurance.withdrawn"}[do], id)
			return p
		}
	}
	postings["insurance.approve"], postings["insurance.reject"], postings["insurance.withdraw"] = decides("approve", false), decides("reject", false), decides("withdraw", true)
	postings["insurance.propose"] = func(t *testing.T, o *onceRig) posting {
		code := strings.ToLower(once()[:8])
		bad := offer(code)
		bad["documents"] = []any{}
		p := with(o.keys.Insurer.APIKey, o.shop.key, insuring+"/products", offer(code), bad, offer(code+"2"))
		p.effect, p.of = `select count(*) from policies.product where code = $1`, code
		return p
	}
	postings["insurance.ask"] = func(t *testing.T, o *onceRig) posting {
		c := o.covered(t)
		commune := mark("Douar")
		ask := func(sum string) map[string]any {
			return map[string]any{"product": c.sold["stock"], "sum": dirhams(sum), "ends": time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second), "commune": commune}
		}
		p := with(o.shop.key, o.stranger.key, insuring+"/quotes", ask("1000.00"), ask("0.00"), ask("2000.00"))
		p.effect, p.of = `select count(*) from policies.quote where subject->>'commune' = $1`, commune
		return p
	}
	postings["insurance.take"] = func(t *testing.T, o *onceRig) posting {
		c := o.covered(t)
		var q insuranceView
		o.ask(t, req{key: o.shop.key, method: "POST", path: insuring + "/quotes", idem: once(), body: map[string]any{"product": c.sold["stock"], "sum": dirhams("1000.00"), "ends": time.Now().AddDate(1, 0, 0)}}).into(t, &q)
		o.until(t, "a price", func() bool {
			o.ask(t, req{key: o.shop.key, method: "GET", path: insuring + "/quotes/" + q.ID}).into(t, &q)
			return q.State == "open"
		})
		agree := func(i int, hash string) map[string]any {
			return map[string]any{"quote": q.ID, "consent": map[string]string{"lang": q.Consents[i].Lang, "text_hash": hash}}
		}
		p := with(o.shop.key, o.stranger.key, insuring+"/policies", agree(0, q.Consents[0].TextHash), agree(0, strings.Repeat("0", 64)), agree(1, q.Consents[1].TextHash))
		p.effect, p.of = `select count(*) from policies.policy y join premiums.premium p on p.policy = y.id where y.quote = $1`, q.ID
		return p
	}
	postings["insurance.cancel"] = func(t *testing.T, o *onceRig) posting {
		v := o.covered(t).has(t, "stock")
		p := with(o.shop.key, o.stranger.key, insuring+"/policies/"+v.ID+"/cancel", reason("Plus besoin."), reason(""), reason("Autre chose."))
		p.effect, p.of = trail("insurance.cancel", v.ID)
		return p
	}
	postings["insurance.observe"] = func(t *testing.T, o *onceRig) posting {
		c := o.covered(t)
		v := c.has(t, "crop")
		n := months.Add(1)
		period := fmt.Sprintf("%d-%02d", 1990+n/12, 1+n%12)
		wrong := c.rain.says(period, "80.5")
		wrong["value"] = "8"
		p := with(o.operator(), o.keys.SecondOperator.APIKey, insuring+"/policies/"+v.ID+"/observations", c.rain.says(period, "80.5"), wrong, c.rain.says(period, "81.5"))
		p.effect, p.of = `select count(*) from policies.observation where policy = $1`, v.ID
		return p
	}
	postings["insurance.source"] = func(t *testing.T, o *onceRig) posting {
		name := mark("Station")
		key := func(b byte) map[string]string {
			return map[string]string{"name": name, "key": base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))}
		}
		p := with(o.operator(), o.keys.SecondOperator.APIKey, insuring+"/sources", key('a'), map[string]string{"name": name, "key": "AAAA"}, key('b'))
		p.effect, p.of = `select count(*) from policies.source where name = $1`, name
		return p
	}
	postings["insurance.declare"] = func(t *testing.T, o *onceRig) posting {
		v := o.covered(t).has(t, "stock")
		lost := func(sum, what string) map[string]any {
			return map[string]any{"policy": v.ID, "event_at": v.Starts, "type": "fire", "description": what, "amount": dirhams(sum), "evidence": []any{}}
		}
		p := with(o.shop.key, o.stranger.key, insuring+"/claims", lost("100.00", "Le feu."), lost("999999.00", "Le feu."), lost("100.00", "L'eau."))
		p.effect, p.of = `select count(*) from policies.claim where policy = $1`, v.ID
		return p
	}
	postings["insurance.evidence"] = func(t *testing.T, o *onceRig) posting {
		c := o.covered(t).claim(t)
		adds := func(file string) map[string]any {
			return map[string]any{"evidence": []map[string]string{{"file": file, "kind": "facture"}}}
		}
		p := with(o.shop.key, o.stranger.key, insuring+"/claims/"+c.ID+"/evidence", adds(o.paper(t, o.shop)), adds("med_none"), adds(o.paper(t, o.shop)))
		p.effect, p.of = trail("insurance.evidence", c.ID)
		return p
	}
	postings["insurance.answer"] = func(t *testing.T, o *onceRig) posting {
		c := o.covered(t).claim(t)
		says := func(why string) map[string]any { return map[string]any{"state": "rejected", "reason": why} }
		p := with(o.keys.Insurer.APIKey, o.shop.key, insuring+"/claims/"+c.ID+"/answer", says("Usure."), says(""), says("Retard."))
		p.effect, p.of = trail("insurance.claim_rejected", c.ID)
		return p
	}
	postings["insurance.statement"] = func(t *testing.T, o *onceRig) posting {
		n := months.Add(1)
		period := fmt.Sprintf("%d-%02d", 1990+n/12, 1+n%12)
		of := func(insurer string) map[string]string {
			return map[string]string{"insurer": insurer, "period": period}
		}
		p := with(o.operator(), o.keys.SecondOperator.APIKey, insuring+"/statements", of(insurerName), of("nobody"), map[string]string{"insurer": insurerName, "period": "1980-01"})
		p.effect, p.of = `select count(*) from policies.statement where period = $1`, period
		return p
	}
	postings["insurance.resolve"] = func(t *testing.T, o *onceRig) posting {
		id := "igp_" + strings.ToLower(once()[:20])
		if _, err := o.owner.Exec(t.Context(), `insert into policies.gap (id, insurer, kind, ref, subject, detail, suggestion, made_at) values ($1, 'insurer', 'amount', $1, $1, 'Une ligne diffère (exemple).', 'Comparer.', platform.now())`, id); err != nil {
			t.Fatal(err)
		}
		says := func(n string) map[string]string { return map[string]string{"by": "explained", "note": n} }
		p := with(o.operator(), o.keys.SecondOperator.APIKey, insuring+"/breaks/"+id+"/resolve", says("Expliqué."), says(""), says("Autrement."))
		p.effect, p.of = trail("insurance.resolve", id)
		return p
	}
}
