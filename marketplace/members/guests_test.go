package members_test

import (
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// The database itself lets nobody own what a person has who signs in, nor a guest
// twice, nor a guest own another.
func TestOnlyGuestsAreClaimedAndOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var g, other members.GuestView
	h.want(201, &g, "", "POST", "/v1/guests", "")
	h.want(201, &other, "", "POST", "/v1/guests", "")
	me, you := h.signIn(phone, "").Person, h.signIn("+212600000002", "").Person
	claim := func(guest, person string) error {
		return h.db.InTx(t.Context(), func(tx *pg.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into members.guest_claim (guest, person, proof, at) values ($1, $2, 'key', platform.now())`, guest, person)
			return err
		})
	}
	must(t, claim(g.Person, me))
	for name, c := range map[string]struct{ guest, person, constraint string }{
		"a person":         {you, me, "guest_claim_guest"},
		"twice":            {g.Person, you, "guest_claim_pkey"},
		"by a guest":       {other.Person, g.Person, "guest_claim_guest"},
		"its own":          {me, me, "guest_claim_guest"},
		"who claimed some": {me, you, "guest_claim_guest"},
	} {
		if err := claim(c.guest, c.person); !pg.Violates(err, c.constraint) {
			t.Errorf("%s: %v, want it against %s", name, err, c.constraint)
		}
	}
}
