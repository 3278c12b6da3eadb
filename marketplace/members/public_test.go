package members_test

import (
	"testing"

	"tiwiza/marketplace/members"
)

func TestAnybodyReadsWhoASellerIsWhileItSells(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	boss, path, open := h.boss.String(), "/v1/organisations/"+org, "/v1/sellers/"+org
	h.refused(404, "organisations.not_found", "", "", "GET", open, "")
	h.want(200, nil, key, "POST", path+"/submit", "")
	h.refused(404, "organisations.not_found", "", "", "GET", open, "")
	h.want(200, nil, boss, "POST", path+"/approve", "")
	var v members.SellerView
	h.want(200, &v, "", "GET", open, "")
	if v.ID != org || v.Names["fr"] == "" || v.Commune == "" || v.Region == "" || v.Point.Lat == 0 || v.Story == nil {
		t.Errorf("the seller is %+v, want its names, its story and its place", v)
	}
	h.want(200, nil, boss, "POST", path+"/suspend", `{"note":"papers"}`)
	h.refused(404, "organisations.not_found", "", "", "GET", open, "")
	h.refused(404, "organisations.not_found", "", "", "GET", "/v1/sellers/org_none", "")
}
