package relations_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// plugged is a system that is plugged in while the hub runs.
type plugged struct {
	c      *crm.CRM
	there  bool
	barred string
}

func (p *plugged) system() relations.System {
	return relations.System{ID: p.c.ID(), Driver: "remote", Points: p.c.KeepsPoints(), Wishes: p.c.KeepsWishes()}
}

func (p *plugged) Any() bool { return p.there }

func (p *plugged) Systems(context.Context, pg.DB) ([]relations.System, error) {
	if !p.there {
		return nil, nil
	}
	return []relations.System{p.system()}, nil
}

func (p *plugged) Open(_ context.Context, _ pg.DB, name string) (*crm.CRM, string, error) {
	if !p.there || name != p.c.ID() {
		return nil, "", relations.ErrPartner
	}
	return p.c, p.barred, nil
}

// TestASystemThatIsPluggedInHearsOfAllWhoAgreed has one come while the hub runs, be
// barred for a while, and say that somebody left.
func TestASystemThatIsPluggedInHearsOfAllWhoAgreed(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	before, key := p.agrees()
	sys := newSystem()
	late := &plugged{c: crm.New("late", sys, crm.Options{Lane: outbound.Settings{Rate: 1000, Burst: 1000}})}
	p.s.Plugged = late
	ctx := auth.With(t.Context(), auth.Hub)
	p.soon()
	if n := len(sys.asked()); n != 0 {
		t.Errorf("before it is there it was asked %d times", n)
	}
	late.there = true
	if err := p.db.InTx(ctx, func(tx *pg.Tx) error { return p.s.Meet(ctx, tx, late.system()) }); err != nil {
		t.Fatal(err)
	}
	p.soon()
	if _, ok := sys.contacts[before]; !ok || !sys.mails[p.email(before)] || sys.points[before].Points != 120 {
		t.Errorf("it has %+v, %+v, %v", sys.contacts, sys.points, sys.mails)
	}
	var list relations.PartnersView
	if status, text := p.ask("GET", "/v1/crm", p.key(auth.Operator, "per_op"), nil); status != 200 {
		t.Errorf("the systems are %d %s", status, text)
	} else if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Data) != 2 || list.Data[0].Partner != "late" && list.Data[1].Partner != "late" {
		t.Errorf("the systems are %+v", list.Data)
	}
	late.barred = "the partner is paused"
	after, _ := p.agrees()
	p.soon()
	if _, ok := sys.contacts[after]; ok {
		t.Error("it was told something while it was barred")
	}
	late.barred = ""
	p.pass(3 * time.Minute)
	if _, ok := sys.contacts[after]; !ok {
		t.Error("it was not told what happened while it was barred")
	}
	sys.mu.Lock()
	sys.mails[p.email(before)], sys.left[p.email(before)] = false, true
	sys.mu.Unlock()
	if err := p.s.Heard(ctx, "late"); err != nil {
		t.Fatal(err)
	}
	p.soon()
	if st := p.stance(key); st.Granted || st.Source != relations.ByCRM {
		t.Errorf("who left there stands as %+v", st)
	}
	if !slices.Contains(sys.asked(), "refusing") {
		t.Errorf("it was asked %v", sys.asked())
	}
}
