package sharing_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// An accord is what the model knows of a consent. It shares no code with the hub.
type accord struct {
	id, bank, programme string
	sections            []string
	sensitive           bool
	days                int
	state               string
	until               time.Duration
	digest              string
}

// No sequence of grants, requests, refusals, withdrawals, expiries and changes of
// team lets a read through without a live consent, and each allowed read has exactly
// one row in the log.
func TestNoSequenceLetsAReadThroughWithoutALiveConsent(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	banks := map[string]auth.Key{}
	var orgs []string
	for _, name := range []string{"Une (exemple)", "Deux (exemple)"} {
		org, key := h.member(members.Bank, name)
		banks[org], orgs = key, append(orgs, org)
	}
	rapid.Check(t, func(r *rapid.T) { play(t, h, r, orgs, banks) })
}

func play(t *testing.T, h *hub, r *rapid.T, orgs []string, banks map[string]auth.Key) {
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	type thing struct {
		id, section string
		sensitive   bool
	}
	things := []thing{{"", "financial", false}, {"", "financial", true}, {"", "social", false}}
	for i, x := range things {
		things[i].id = h.puts(owner, coop, x.section, "chose", x.sensitive)
	}
	var p sharing.ProgrammeView
	h.want(201, &p, h.boss, "POST", "/v1/programmes", fields{"names": fields{"fr": "Programme (exemple)"}})
	part, barred := map[string]bool{}, map[string]bool{}
	var all []*accord
	var now time.Duration
	reads := 0
	terms := func(a *accord) fields {
		a.sections = rapid.SampledFrom([][]string{{"financial"}, {"social"}, {"financial", "social"}}).Draw(r, "sections")
		a.sensitive, a.days = rapid.Bool().Draw(r, "sensitive"), rapid.IntRange(1, 3).Draw(r, "days")
		purpose := rapid.SampledFrom([]string{"credit", "audit"}).Draw(r, "purpose")
		return fields{"purpose": purpose, "sections": a.sections, "sensitive": a.sensitive, "days": a.days}
	}
	granted := func(a *accord) { a.state, a.until = "granted", now+time.Duration(a.days)*24*time.Hour }
	pick := func(state string) *accord {
		var of []*accord
		for _, a := range all {
			if a.state == state {
				of = append(of, a)
			}
		}
		if len(of) == 0 {
			r.Skip("there is none")
		}
		return rapid.SampledFrom(of).Draw(r, "consent")
	}
	bank := func() string { return rapid.SampledFrom(orgs).Draw(r, "bank") }
	defer func() { // the banks are shared by all runs
		for b, on := range barred {
			if on {
				h.want(200, nil, h.boss, "POST", "/v1/organisations/"+b+"/reactivate", nil)
			}
		}
	}()
	r.Repeat(map[string]func(*rapid.T){
		"give": func(*rapid.T) {
			a := &accord{}
			body := terms(a)
			if rapid.Bool().Draw(r, "to the programme") {
				a.programme, body["programme"] = p.ID, p.ID
			} else if a.bank = bank(); barred[a.bank] {
				r.Skip("it is suspended")
			} else {
				body["grantee"] = a.bank
			}
			var v sharing.ConsentView
			h.want(201, &v, owner, "POST", "/v1/consents", body)
			a.id = v.ID
			granted(a)
			all = append(all, a)
		},
		"ask": func(*rapid.T) {
			a := &accord{bank: bank(), state: "requested"}
			if barred[a.bank] {
				r.Skip("it is suspended")
			}
			body := terms(a)
			body["owner"] = coop
			w := h.ask(banks[a.bank], "POST", "/v1/consent-requests", body)
			if w.Code == 409 {
				return // asked already
			}
			var v sharing.ConsentView
			must(t, decode(w, 201, &v))
			a.id, a.digest = v.ID, v.Digest
			all = append(all, a)
		},
		"grant": func(*rapid.T) {
			a := pick("requested")
			h.want(200, nil, owner, "POST", "/v1/consents/"+a.id+"/answer", fields{"decision": "grant", "digest": a.digest})
			granted(a)
		},
		"refuse": func(*rapid.T) {
			a := pick("requested")
			h.want(200, nil, owner, "POST", "/v1/consents/"+a.id+"/answer", fields{"decision": "refuse"})
			a.state = "refused"
		},
		"withdraw": func(*rapid.T) {
			a := pick("granted")
			w := h.ask(owner, "POST", "/v1/consents/"+a.id+"/withdraw", nil)
			if over := now >= a.until; w.Code != 200 && !over {
				t.Fatalf("withdraw: %d %s", w.Code, w.Body)
			}
			a.state = "withdrawn"
		},
		"wait": func(*rapid.T) {
			by := time.Duration(rapid.IntRange(1, 40).Draw(r, "hours")) * time.Hour
			if rapid.Bool().Draw(r, "the timers fire") {
				pgtest.Pass(t, h.db, h.timers, by)
			} else {
				pgtest.Advance(t, h.db, by)
			}
			now += by
		},
		"join or leave": func(*rapid.T) {
			b := bank()
			if barred[b] && !part[b] {
				r.Skip("it is suspended")
			}
			h.want(200, nil, h.boss, "POST", "/v1/programmes/"+p.ID+"/participants", fields{"organisation": b, "ends": part[b]})
			part[b] = !part[b]
		},
		"suspend or reactivate": func(*rapid.T) {
			b := bank()
			move := map[bool]string{false: "suspend", true: "reactivate"}[barred[b]]
			h.want(200, nil, h.boss, "POST", "/v1/organisations/"+b+"/"+move, nil)
			barred[b] = !barred[b]
		},
		"read": func(*rapid.T) {
			b, x := bank(), rapid.SampledFrom(things).Draw(r, "thing")
			may := !barred[b] && slices.ContainsFunc(all, func(a *accord) bool {
				return a.state == "granted" && now < a.until && (a.bank == b || a.programme != "" && part[b]) && slices.Contains(a.sections, x.section) && (a.sensitive || !x.sensitive)
			})
			w := h.ask(banks[b], "GET", "/v1/dossiers/"+coop+"/items/"+x.id, nil)
			if (w.Code == 200) != may || w.Code != 200 && w.Code != 403 && w.Code != 404 {
				t.Fatalf("%s reads %+v: %d %s; want it let in: %t", b, x, w.Code, w.Body, may)
			}
			if may {
				reads++
			}
		},
		"": func(*rapid.T) {
			n, err := pg.Value[int](pgtest.Hub(t), h.db.Asking(), nil, `select count(*)::int from sharing.consultation where owner = $1`, coop)
			must(t, err)
			if n != reads {
				t.Fatalf("%d rows in the log, and %d reads", n, reads)
			}
		},
	})
}
