package sharing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// A statement that forgets to ask whose a row is shows it to nobody else: the
// database knows who is at work, and what a live consent covers.
func TestWhatAStatementForgetsTheDatabaseDoesNot(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	other, _ := h.member(members.Cooperative, "Autre (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	second, _ := h.member(members.Bank, "Autre banque (exemple)")
	h.puts(owner, coop, "financial", "bilan", false)
	h.puts(owner, coop, "financial", "dettes", true)
	h.puts(owner, coop, "social", "salaires", false)
	c := h.gives(owner, bank, 90, false, "financial")
	h.want(200, nil, officer, "GET", "/v1/dossiers/"+coop, nil)

	as := func(role auth.Role, subject string) context.Context {
		return auth.With(t.Context(), auth.Principal{Role: role, Subject: subject, Key: "key_x"})
	}
	sees := func(ctx context.Context, db pg.DB) string {
		t.Helper()
		var all []string
		for _, table := range []string{"item", "edition", "consent", "consultation", "shared"} {
			n, err := pg.Value[int](ctx, db, nil, `select count(*)::int from sharing.`+table)
			must(t, err)
			all = append(all, fmt.Sprint(n))
		}
		return strings.Join(all, " ")
	}
	// Items, their versions, consents, looks, and what consents let see.
	wants := []struct {
		who  string
		ctx  context.Context
		want string
	}{
		{"the owner", as(auth.Seller, coop), "3 3 1 1 0"},
		{"the bank with its consent", as(auth.Bank, bank), "1 1 1 1 1"},
		{"another bank", as(auth.Bank, second), "0 0 0 0 0"},
		{"another member", as(auth.Seller, other), "0 0 0 0 0"},
		{"the market's people, who broke no glass", as(auth.Operator, "org_market"), "0 0 1 0 0"},
		{"a visitor", as(auth.Guest, ""), "0 0 0 0 0"},
		{"a buyer who is nobody", as(auth.Buyer, ""), "0 0 0 0 0"},
		{"nobody", t.Context(), "0 0 0 0 0"},
		{"the hub", auth.With(t.Context(), auth.Hub), "3 3 1 1 0"},
	}
	for _, w := range wants {
		if got := sees(w.ctx, h.db.Asking()); got != w.want {
			t.Errorf("%s sees %q, want %q", w.who, got, w.want)
		}
		must(t, h.db.InTx(w.ctx, func(tx *pg.Tx) error {
			if got := sees(w.ctx, tx); got != w.want {
				t.Errorf("in a unit of work %s sees %q, want %q", w.who, got, w.want)
			}
			return nil
		}))
		if got := sees(w.ctx, h.db); got != "0 0 0 0 0" {
			t.Errorf("who does not say that it is %s sees %q, want nothing", w.who, got)
		}
	}
	bankers := as(auth.Bank, bank)
	for _, sql := range []string{
		`update sharing.item set version = version + 1`,
		`update sharing.consent set state = 'expired', ended_at = now() where owner <> '` + coop + `'`,
	} {
		n, err := h.db.Exec(bankers, sql)
		must(t, err)
		if n != 0 {
			t.Errorf("a bank changes %d rows: %s", n, sql)
		}
	}
	_, err := h.db.Exec(bankers, `insert into sharing.item (id, owner, section, title, sensitive, version, made_at) values ('itm_x', $1, 'social', 'x', false, 1, now())`, coop)
	if pg.Code(err) != "42501" {
		t.Errorf("a bank writes into a dossier: %v, want it refused", err)
	}
	_, err = h.db.Exec(bankers, `insert into sharing.edition select item, version + 1, file, form, type, size, digest, added_by, added_at from sharing.edition`)
	if pg.Code(err) != "42501" {
		t.Errorf("a bank writes a new version of what it may see: %v, want it refused", err)
	}
	_, err = h.db.Exec(bankers, `insert into sharing.consent (id, owner, grantee, purpose, sections, sensitive, days, text, digest, state, asked_by, asked_at, answered_by, evidence, since, until)
		select 'cns_x', owner, grantee, 'audit', '{social}', true, days, text, digest, 'granted', asked_by, asked_at, answered_by, evidence, since, until from sharing.consent where id = $1`, c.ID)
	if pg.Code(err) != "42501" {
		t.Errorf("a bank consents for a member: %v, want it refused", err)
	}
	must(t, h.db.InTx(as(auth.Seller, coop), func(tx *pg.Tx) error { // asked by the bank, for something else
		_, err := tx.Exec(as(auth.Seller, coop), `insert into sharing.consent (id, owner, grantee, purpose, sections, sensitive, days, text, digest, state, asked_by, asked_at)
			select 'cns_y', owner, grantee, 'audit', '{social}', true, days, text, digest, 'requested', asked_by, asked_at from sharing.consent where id = $1`, c.ID)
		return err
	}))
	_, err = h.db.Exec(bankers, `update sharing.consent set state = 'granted', answered_by = 'x', answered_at = asked_at, evidence = 'code', since = asked_at, until = asked_at + days * interval '24 hours' where id = 'cns_y'`)
	if pg.Code(err) != "42501" {
		t.Errorf("a bank answers itself for a member: %v, want it refused", err)
	}
	must(t, h.db.InTx(as(auth.Seller, coop), func(tx *pg.Tx) error {
		_, err := tx.Exec(as(auth.Seller, coop), `with said as (insert into accords.accord (who, subject, about, word, channel) values ($1, 'dossier', 'cns_y', 'refused', 'api'))
			update sharing.consent set state = 'refused', answered_by = 'x', answered_at = asked_at where id = 'cns_y'`, coop)
		return err
	}))
	h.want(200, nil, owner, "POST", "/v1/consents/"+c.ID+"/withdraw", nil)
	if got := sees(bankers, h.db.Asking()); got != "0 0 2 1 0" {
		t.Errorf("after the withdrawal the bank sees %q, want no item", got)
	}
}
