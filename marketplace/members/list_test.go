package members_test

import (
	"slices"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
)

func TestTheOperatorListsOrganisationsByWhereTheyStand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	one, key := h.org()
	two, _ := h.org()
	boss := h.boss.String()
	h.want(200, nil, key, "POST", "/v1/organisations/"+one+"/submit", "")
	ids := func(query string) (out []string, next string) {
		var p rest.Page[members.View]
		h.want(200, &p, boss, "GET", "/v1/organisations"+query, "")
		for _, o := range p.Data {
			out = append(out, o.ID)
		}
		if p.Next != nil {
			next = *p.Next
		}
		return out, next
	}
	if got, _ := ids("?state=submitted"); !slices.Equal(got, []string{one}) {
		t.Errorf("those that ask are %v, want %s", got, one)
	}
	if got, _ := ids("?account=pending"); len(got) != 0 {
		t.Errorf("accounts wait of %v, want none", got)
	}
	first, next := ids("?limit=1")
	rest, _ := ids("?limit=1&cursor=" + next)
	if !slices.Equal(append(first, rest...), []string{two, one}) {
		t.Errorf("in pages of one they are %v and %v, want the newest first", first, rest)
	}
	if asking, accounts, err := h.members.Waiting(t.Context(), h.db); asking != 1 || accounts != 0 || err != nil {
		t.Errorf("%d ask, %d accounts wait, %v; want 1 and 0", asking, accounts, err)
	}
	h.refused(403, "auth.denied", "", key, "GET", "/v1/organisations", "")
	h.refused(400, "request.malformed", "?cursor", boss, "GET", "/v1/organisations?cursor=x", "")
}
