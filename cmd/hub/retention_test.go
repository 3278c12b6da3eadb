package main

import (
	"log/slog"
	"strconv"
	"testing"

	"tiwiza/marketplace/privacy"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// ages are rows that a period is about, as made at the hub's time, and what counts those
// that still say something.
var ages = map[string]struct{ make, left string }{
	"devices": {
		`insert into members.session (id, person, hash, proof, device, address, made_at, seen_at, proved_at) values ('ses_1', 'per_1', decode(repeat('00', 32), 'hex'), 'code', 'Firefox', '10.0.0.1', platform.now(), platform.now(), platform.now())`,
		`select count(*)::int from members.session where device <> '' and ended_at is null`,
	},
	"invitations": {
		`insert into members.invitation (id, organisation, role, address, made_by, made_at, expires_at, ended_at) values ('ivt_1', 'org_1', 'member', 'a@exemple.ma', 'seller org_1', platform.now(), platform.now(), platform.now())`,
		`select count(*)::int from members.invitation where address = 'a@exemple.ma'`,
	},
	"refused_papers": {
		`insert into enrolment.paper (id, organisation, requirement, file, sealed, hint, state, made_by, made_at, decided_by, decided_at) values ('pap_1', 'org_1', 'cin', 'med_2', decode(repeat('00', 29), 'hex'), '3456', 'rejected', 'seller org_1', platform.now(), 'operator per_1', platform.now())`,
		`select count(*)::int from enrolment.paper where sealed is not null or file <> '' or hint <> ''`,
	},
	"ended_applications": {
		`insert into enrolment.paper (id, organisation, requirement, file, sealed, hint, state, made_by, made_at, ended_at) values ('pap_2', 'org_2', 'cin', 'med_4', decode(repeat('00', 29), 'hex'), '3456', 'submitted', 'seller org_2', platform.now(), platform.now())`,
		`select count(*)::int from enrolment.paper where sealed is not null or file <> '' or hint <> ''`,
	},
	"delivery_proofs": {
		`insert into orders.shipment (id, order_id, place, method, code, state, shipped_at, delivered_at, proof, photo, lat, lng, accuracy_m) values ('shp_1', 'ord_1', 1, 'own', '1234', 'delivered', platform.now(), platform.now(), 'photo', 'med_1', 34, -6, 10)`,
		`select count(*)::int from orders.shipment where lat is not null or photo = 'med_1'`,
	},
	"delivery_attempts": {
		`insert into orders.attempt (shipment, n, reason, note, lat, lng, accuracy_m, at, actor) values ('shp_1', 1, 'absent', 'porte bleue', 34, -6, 10, platform.now(), 'courier')`,
		`select count(*)::int from orders.attempt where note <> '' or lat is not null`,
	},
	"guest_contacts": {
		`with p as (insert into members.person (id, names) values ('per_guest', '{}') returning id), k as (insert into members.api_key (id, subject, role, label, hash) select 'key_guest', id, 'buyer', 'guest', decode(repeat('01', 32), 'hex') from p)
			insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery, created_at)
			select 'grp_guest', 'bsk_guest', id, 'chg_guest', 'MAD', 100, '{"name": "Exemple", "phone": "+212600000000"}', '{"commune": "Agadir", "address": "rue 1"}', platform.now() from p`,
		`select count(*)::int from orders.order_group where id = 'grp_guest' and contact ->> 'phone' <> '' and delivery ? 'address'`,
	},
	"quotes": {
		`insert into orders.quote (id, basket, hash, version, method, commune, region, body, expires_at) values ('quo_1', 'bsk_1', 'h', 1, 'own', 'Agadir', 'MA-09', '{}', platform.now())`,
		`select count(*)::int from orders.quote`,
	},
	"messages": {
		`insert into orders.message (id, order_id, sender, text, files, at) values ('msg_1', 'ord_1', 'seller', 'Bonjour', '{med_3}', platform.now())`,
		`select count(*)::int from orders.message where text = 'Bonjour' or files <> '{}'`,
	},
	"quotation_messages": {
		`insert into quotations.message (id, request, seller, sender, text, at) values ('msg_1', 'rfq_1', 'org_1', 'buyer', 'Bonjour', platform.now())`,
		`select count(*)::int from quotations.message where text = 'Bonjour'`,
	},
	"notices": {
		`with n as (insert into notices.notice (id, owner, kind, lang, phone, params, dedupe, state, due_at, expires_at, created_at)
			values ('ntc_1', 'per_1', 'order.paid', 'fr', '+212600000000', '{}', 'd', 'delivered', platform.now(), platform.now() + interval '1 day', platform.now()),
				('ntc_2', 'per_1', 'order.paid', 'fr', '+212600000000', '{}', 'e', 'sent', platform.now(), platform.now() + interval '1 day', platform.now()) returning id)
			insert into notices.attempt (id, notice, channel, carrier, address, state, at) select 'nat_' || id, id, 'sms', 'sms', '+212600000000', 'delivered', platform.now() from n`,
		`select (select count(*) from notices.notice)::int + (select count(*) from notices.attempt)::int`,
	},
	"data_requests": {
		`insert into privacy.request (id, person, kind, about, text, state, due_at, answer, answered_by, answered_at, made_at) values ('drq_1', 'per_1', 'objection', 'search', 'Non', 'refused', platform.now() + interval '1 day', 'Parce que', 'operator', platform.now(), platform.now())`,
		`select count(*)::int from privacy.request where text <> '' or answer = 'Parce que'`,
	},
}

func TestWhatIsPastItsTimeGoesByItself(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	store := pgtest.Open(t, url, pg.Options{MaxConns: 4})
	owner := pgtest.Open(t, url, pg.Options{MaxConns: 1})
	ctx := auth.With(t.Context(), auth.Hub)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := owner.Exec(ctx, sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	count := func(sql string) int {
		t.Helper()
		n, err := pg.Value[int](ctx, owner, nil, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return n
	}
	h, err := build(store, &partners{}, options{Demo: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	exec(`set role none`)
	exec(`set session_replication_role = replica`) // rows of their own, without all that they belong to
	if err := h.rights.Arm(ctx); err != nil {
		t.Fatal(err)
	}
	due := func() {
		t.Helper()
		if _, err := h.timers.Due(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range privacy.TheRegister().Periods {
		a, ok := ages[p.Code]
		if !ok {
			t.Errorf("no test has the time of %s pass", p.Code)
			continue
		}
		due()
		exec(a.make)
		if n := count(a.left); n == 0 {
			t.Errorf("%s: nothing was made", p.Code)
		}
		exec(`update platform.clock set shift = shift + make_interval(days => $1)`, p.Days-1)
		due()
		if n := count(a.left); n == 0 {
			t.Errorf("%s: gone a day before its %d days are over", p.Code, p.Days)
		}
		exec(`update platform.clock set shift = shift + interval '2 days'`)
		due()
		if n := count(a.left); n != 0 {
			t.Errorf("%s: %d are left a day after its %d days are over", p.Code, n, p.Days)
		}
	}
	exec(`insert into orders.quote (id, basket, hash, version, method, commune, region, body, expires_at) select 'quo_' || n, 'bsk_1', 'h' || n, 1, 'own', 'Agadir', 'MA-09', '{}', platform.now() - interval '1 year' from generate_series(1, 1200) n`)
	exec(`insert into orders.shipment (id, order_id, place, method, code, state, shipped_at, delivered_at, proof)
		select 'shp_held' || n, 'ord_held' || n, 1, 'own', '1234', 'delivered', platform.now() - interval '2 years', platform.now() - interval '2 years', 'code' from generate_series(1, 600) n`)
	exec(`insert into orders.attempt (shipment, n, reason, note, at, actor) select 'shp_held' || n, 1, 'absent', 'porte bleue', platform.now() - interval '2 years', 'courier' from generate_series(1, 600) n
		union all select 'shp_' || n, 1, 'absent', 'porte bleue', platform.now() - interval '1 year', 'courier' from generate_series(2, 1201) n`)
	exec(`insert into escrow.case_of (id, order_id, kind, state, opened_at) select 'cbk_held' || n, 'ord_held' || n, 'chargeback', 'open', platform.now() from generate_series(1, 600) n`)
	exec(`update platform.clock set shift = shift + interval '2 days'`)
	due()
	if n := count(`select count(*)::int from orders.quote`); n != 0 {
		t.Errorf("%d of more than one batch are left", n)
	}
	if n := count(`select count(*)::int from orders.attempt where note <> ''`); n != 600 {
		t.Errorf("%d attempts are left besides a batch that is contested", n-600)
	}
	v, err := h.rights.Periods(ctx, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range v.Data {
		if want := map[string]int64{"quotes": 1201, "delivery_attempts": 1201}[p.Code]; p.Total < max(want, 1) || p.LastAt == nil {
			t.Errorf("of %s it is said that %d rows went, last looked at %v", p.Code, p.Total, p.LastAt)
		}
	}
}

// What proves a delivery stays while its payment can be charged back, and while it is; and
// only of those without an account an order's name and number go.
func TestWhatABankMayAskForStays(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	store := pgtest.Open(t, url, pg.Options{MaxConns: 4})
	owner := pgtest.Open(t, url, pg.Options{MaxConns: 1})
	ctx := auth.With(t.Context(), auth.Hub)
	exec := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	h, err := build(store, &partners{}, options{Demo: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	exec(`set role none`)
	exec(`set session_replication_role = replica`)
	if err := h.rights.Arm(ctx); err != nil {
		t.Fatal(err)
	}
	exec(`insert into members.person (id, names, phone) values ('per_known', '{}', '+212600000001'), ('per_guest', '{}', null), ('per_claimed', '{}', null)`)
	exec(`insert into members.api_key (id, subject, role, label, hash) select 'key_' || p, 'per_' || p, 'buyer', 'guest', sha256(p::bytea) from unnest(array['guest', 'claimed']) p`)
	exec(`insert into members.guest_claim (guest, person, proof, at) values ('per_claimed', 'per_known', 'phone', platform.now())`)
	for _, x := range [][3]string{{"card", "known", "card"}, {"case", "known", "card"}, {"cash", "guest", "cash_on_delivery"}, {"bought", "guest", "card"}, {"mine", "claimed", "cash_on_delivery"}} {
		exec(`insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery, created_at)
			values ('grp_` + x[0] + `', 'bsk_` + x[0] + `', 'per_` + x[1] + `', 'chg_` + x[0] + `', 'MAD', 100, '{"name": "Exemple", "phone": "+212600000000"}', '{"commune": "Agadir", "address": "rue 1"}', platform.now())`)
		exec(`insert into orders.seller_order (id, grp, seller, seller_names, buyer, state, currency, payment, goods, delivery, total, legs, delivery_code, method, created_at)
			values ('ord_` + x[0] + `', 'grp_` + x[0] + `', 'org_1', '{}', 'per_` + x[1] + `', 'completed', 'MAD', '` + x[2] + `', 100, 0, 100, '[]', '1234', 'own', platform.now())`)
		exec(`insert into orders.shipment (id, order_id, place, method, code, state, shipped_at, delivered_at, proof, photo, lat, lng, accuracy_m)
			values ('shp_` + x[0] + `', 'ord_` + x[0] + `', 1, 'own', '1234', 'delivered', platform.now(), platform.now(), 'photo', 'med_` + x[0] + `', 34, -6, 10)`)
		exec(`insert into orders.attempt (shipment, n, reason, note, lat, lng, accuracy_m, at, actor) values ('shp_` + x[0] + `', 1, 'absent', 'porte bleue', 34, -6, 10, platform.now(), 'courier')`)
	}
	const openCase = `insert into escrow.case_of (id, order_id, kind, state, opened_at) values ('cbk_1', 'ord_case', 'chargeback', 'open', platform.now())`
	const closeCase = `update escrow.case_of set ended_at = platform.now()`
	days := 0
	for _, x := range []struct {
		day               int
		proofs, contacted string
		first             string
	}{
		{179, "bought card case cash mine", "bought card case cash mine", ""},
		{182, "bought card case", "bought card case cash mine", ""},
		{367, "bought card case", "bought card case mine", ""},
		{538, "bought card case", "bought card case mine", `CASE`},
		{543, "case", "card case mine", ""},
		{700, "case", "card case mine", ""},
		{702, "", "card case mine", `CASE OVER`},
	} {
		exec(`update platform.clock set shift = shift + make_interval(days => ` + strconv.Itoa(x.day-days) + `)`)
		days = x.day
		switch x.first {
		case "CASE":
			exec(openCase)
		case "CASE OVER":
			exec(closeCase)
		}
		if _, err := h.timers.Due(ctx); err != nil {
			t.Fatal(err)
		}
		for what, sql := range map[string]string{
			"proofs":   `select coalesce(string_agg(substr(id, 5), ' ' order by id), '') from orders.shipment where lat is not null and photo <> '—'`,
			"attempts": `select coalesce(string_agg(substr(shipment, 5), ' ' order by shipment), '') from orders.attempt where note <> ''`,
			"contacts": `select coalesce(string_agg(substr(id, 5), ' ' order by id), '') from orders.order_group where contact ->> 'phone' <> '' and delivery ? 'address'`,
		} {
			want := x.proofs
			if what == "contacts" {
				want = x.contacted
			}
			got, err := pg.Value[string](ctx, owner, nil, sql)
			if err != nil || got != want {
				t.Errorf("after %d days there are %s of %q, want %q: %v", x.day, what, got, want, err)
			}
		}
	}
}
