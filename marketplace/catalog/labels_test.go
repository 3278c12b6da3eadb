package catalog_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// to moves the hub's time to a moment in Morocco, written 2026-01-31 14:30:00.
func (m *market) to(moment string) {
	m.Helper()
	at, err := time.ParseInLocation(time.DateTime, moment, clock.Morocco)
	if err != nil {
		m.Fatal(err)
	}
	if err := m.tx(func(tx *pg.Tx) error {
		_, err := clock.Advance(m.Context(), tx, at.Sub(tx.Now()))
		return err
	}); err != nil {
		m.Fatal(err)
	}
}

// due fires what is due.
func (m *market) due() {
	m.Helper()
	timers := job.NewTimers(m.db)
	catalog.Timers(timers, m.s)
	if _, err := timers.Due(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// said are the events of a type, in order, as their JSON.
func (m *market) said(kind string) []string {
	m.Helper()
	all, err := pg.Column[string](m.Context(), m.db, `select payload::text from platform.event where type = $1 order by seq`, kind)
	if err != nil {
		m.Fatal(err)
	}
	return all
}

// claim has our seller claim a label until a day.
func (m *market) claim(body string) catalog.LabelDeskView {
	m.Helper()
	var l catalog.LabelDeskView
	m.json(ourKey, "POST", "/v1/labels", body).as(http.StatusCreated, &l)
	return l
}

func TestALabelIsABadgeOnlyWhenVerifiedAndInDate(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-05-10 12:00:00")
	v := m.offer()
	l := m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"offers","offers":["` + v.ID + `"],"valid_from":"2031-05-12","valid_to":"2031-05-20"}`)
	badge := func(when string, want bool) {
		t.Helper()
		var shown catalog.View
		m.json(auth.Key{}, "GET", "/v1/offers/"+v.ID, "").as(http.StatusOK, &shown)
		has := func(all []catalog.LabelView) bool {
			return slices.ContainsFunc(all, func(x catalog.LabelView) bool { return x.Code == "Bio" })
		}
		list := m.list("")
		if got := []bool{has(shown.Labels), has(list.Data[0].Labels), len(m.list("label=Bio").Data) == 1}; slices.Contains(got, !want) {
			t.Errorf("%s: on its page, in the list, by filter: %v, want %v", when, got, want)
		}
	}
	badge("claimed", false)
	m.json(ourKey, "POST", "/v1/labels/"+l.ID+"/verify", `{"evidence":"my word"}`).refused(http.StatusForbidden, "auth.denied")
	m.json(operatorKey, "POST", "/v1/labels/"+l.ID+"/verify", `{"evidence":"The issuer's register."}`).as(http.StatusOK, &l)
	if l.State != catalog.Verified || l.VerifiedAt == nil {
		t.Errorf("verified to %+v", l)
	}
	badge("verified, before its first day", false)
	m.to("2031-05-12 00:00:00")
	m.due()
	badge("on its first day", true)
	m.json(operatorKey, "POST", "/v1/labels/"+l.ID+"/revoke", `{"reason":"The issuer withdrew it."}`).as(http.StatusOK, &l)
	badge("revoked", false)
	m.json(operatorKey, "POST", "/v1/labels/"+l.ID+"/verify", `{"evidence":"The issuer's register."}`).refused(http.StatusConflict, "catalog.label_state")
}

// Expiry acts by itself and at its instant: neither the page nor the list waits
// for the timer, and after the timer the index has forgotten it too.
func TestALabelExpiresByItselfAlsoInTheIndex(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-05-10 12:00:00")
	v := m.offer()
	m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2031-01-01","valid_to":"2031-05-20"}`)
	m.verify()
	if n := len(m.list("label=Bio").Data); n != 1 {
		t.Fatalf("%d offers carry the organisation's label, want 1", n)
	}
	m.to("2031-05-20 23:59:00")
	m.due()
	if n := len(m.list("label=Bio").Data); n != 1 {
		t.Errorf("%d offers on the last evening, want 1", n)
	}
	m.to("2031-05-21 00:00:00")
	if n := len(m.list("label=Bio").Data); n != 0 {
		t.Errorf("%d offers found by a label that is over, before the timer", n)
	}
	m.due()
	if got := m.list("").Facets["label"]["Bio"]; got != 0 {
		t.Errorf("the index counts %d with the label", got)
	}
	var own catalog.View
	m.json(ourKey, "GET", "/v1/offers/"+v.ID, "").as(http.StatusOK, &own)
	if i := slices.IndexFunc(own.LabelsOwn, func(l catalog.LabelDeskView) bool { return l.Code == "Bio" }); i < 0 || own.LabelsOwn[i].State != catalog.Expired {
		t.Errorf("its owner sees %+v, want it expired", own.LabelsOwn)
	}
	if got := m.said("catalog.label_moved"); len(got) < 2 {
		t.Errorf("told %v, want that it was verified and that it expired", got)
	}
}

func TestASellerIsRemindedThirtySevenAndOneDayBefore(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-01-10 12:00:00")
	m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2031-01-01","valid_to":"2031-05-20"}`)
	m.verify()
	for _, step := range []struct {
		to   string
		told int
	}{
		{"2031-04-20 23:59:59", 0},
		{"2031-04-21 00:00:00", 1},
		{"2031-05-01 00:00:00", 1},
		{"2031-05-14 00:00:00", 2},
		{"2031-05-20 00:00:00", 3},
		{"2031-05-21 00:00:00", 3},
	} {
		m.to(step.to)
		m.due()
		m.due()
		if got := m.said("catalog.label_expiring"); len(got) != step.told {
			t.Errorf("at %s told %v, want %d", step.to, got, step.told)
		}
	}
}

func TestASuspendedSellerIsNotReminded(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-01-10 12:00:00")
	m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2031-01-01","valid_to":"2031-05-20"}`)
	m.verify()
	of := m.sellers[ours]
	of.Active, of.Away = false, true
	m.sellers[ours] = of
	for _, at := range []string{"2031-04-21 00:00:00", "2031-05-14 00:00:00", "2031-05-20 00:00:00"} {
		m.to(at)
		m.due()
	}
	if got := m.said("catalog.label_expiring"); len(got) != 0 {
		t.Errorf("who is suspended is told %v", got)
	}
}

func TestAMissedReminderIsNotMadeUpFor(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-01-10 12:00:00")
	m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2031-01-01","valid_to":"2031-05-20"}`)
	m.verify()
	m.to("2031-05-20 08:00:00")
	m.due()
	if got := m.said("catalog.label_expiring"); len(got) != 1 {
		t.Errorf("told %v, want only that one day is left", got)
	}
}

// Whenever timers fire, in order or late: no reminder comes twice, none once it
// is over, and they only come nearer to the end.
func TestRemindersOnlyComeNearer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := catalog.Label{State: catalog.Verified, From: "2031-01-01", To: "2031-05-20"}
		end, _ := l.Ends()
		at := end.AddDate(0, 0, -rapid.IntRange(0, 60).Draw(t, "days left"))
		last := 99
		for range 10 {
			if days := l.Due(at); days != 0 {
				if days >= last || at.Before(end.AddDate(0, 0, -days)) || !at.Before(end) {
					t.Fatalf("told %d days before at %v, after %d", days, at, last)
				}
				last, l.Reminded = days, days
			}
			next, ok := l.Next(at)
			if ok && !next.After(at) {
				t.Fatalf("the next turn after %v is %v", at, next)
			}
			if !ok {
				return
			}
			at = next.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(t, "late")) * time.Hour)
		}
	})
}

func TestALabelWithoutIssuerOrNumberCannotBeVerified(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.json(ourKey, "POST", "/v1/labels", `{"code":"Bio","issuer":"","number":"","scope":"offers","valid_from":"2031-02-01","valid_to":"2031-01-01"}`).
		refused(http.StatusUnprocessableEntity, "catalog.label_invalid", "/valid_to", "/issuer", "/number", "/offers")
	v := m.offer()
	m.json(ourKey, "PATCH", "/v1/offers/"+v.ID, `{"labels":[{"code":"Maison","valid_from":"2026-01-01"}]}`).as(http.StatusOK, nil)
	claims, err := m.s.ListLabels(as(t, operatorKey), catalog.LabelsInput{State: "claimed", Paging: rest.Paging{Limit: 10}})
	if err != nil || len(claims.Data) != 1 {
		t.Fatalf("claimed: %+v, %v", claims.Data, err)
	}
	m.json(operatorKey, "POST", "/v1/labels/"+claims.Data[0].ID+"/verify", `{"evidence":"none"}`).
		refused(http.StatusUnprocessableEntity, "catalog.label_invalid", "/issuer", "/number")
	m.json(operatorKey, "POST", "/v1/labels/"+claims.Data[0].ID+"/refuse", `{"reason":"Nobody issued it."}`).as(http.StatusOK, nil)
	m.json(otherKey, "POST", "/v1/labels/"+claims.Data[0].ID+"/withdraw", "").refused(http.StatusNotFound, "catalog.no_label")
}

// A label in force is not lost while its successor waits to be verified, and a
// file that is imported again does not claim again what was refused.
func TestARenewedLabelStaysInForceAndARefusedOneStaysRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.imports(ourKey, "", goods)
	m.verify()

	renewed := strings.ReplaceAll(goods, "EX-1,2024-01-01,2099-01-01", "EX-2,2025-01-01,2099-06-01")
	m.imports(ourKey, "", renewed)
	if got := m.list("label=IGP").Data; len(got) != 1 || got[0].Labels[0].Number != "EX-1" {
		t.Fatalf("with the label: %+v, want the first one in force", got)
	}
	claims := func() []catalog.LabelDeskView {
		p, err := m.s.ListLabels(as(t, operatorKey), catalog.LabelsInput{State: "claimed", Paging: rest.Paging{Limit: 10}})
		if err != nil {
			t.Fatal(err)
		}
		return p.Data
	}
	c := claims()
	if len(c) != 1 || c[0].Number != "EX-2" || len(c[0].Offers) != 1 {
		t.Fatalf("claimed %+v, want the renewal alone", c)
	}
	m.json(operatorKey, "POST", "/v1/labels/"+c[0].ID+"/refuse", `{"reason":"Not in the register."}`).as(http.StatusOK, nil)
	m.imports(ourKey, "", renewed)
	if c := claims(); len(c) != 0 {
		t.Errorf("claimed again: %+v", c)
	}
}
