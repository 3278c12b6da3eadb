package members_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// member enrols and admits an organisation of a kind.
func (h *hub) member(kind string) (org string) {
	h.t.Helper()
	var o members.View
	h.want(201, &o, h.boss.String(), "POST", "/v1/organisations", strings.Replace(h.nextOrg(), "beneficiary_coop", kind, 1))
	for _, move := range []string{"submit", "approve"} {
		h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+o.ID+"/"+move, "")
	}
	return o.ID
}

func (h *hub) mint(key, org string) (v members.NewKeyView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/api-keys", `{"label":"test"}`)
	return v
}

const yes, no = `{"decision":"approve"}`, `{"decision":"refuse"}`

func TestAKeyThatMovesMoneyOpensOnASecondPersonsWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, kind := range []string{"operational_bank", "insurer", "institutional", "service_provider"} {
		org := h.member(kind)
		k := h.mint(h.boss.String(), org)
		keys, word := "/v1/organisations/"+org+"/api-keys", "/v1/approvals/"+k.Approval
		if k.Approval == "" || !k.Waits {
			t.Fatalf("%s: %+v, want it to wait", kind, k)
		}
		h.refused(401, "api_keys.waits", "", k.APIKey, "GET", keys, "")
		h.refused(403, "approvals.self", "", h.boss.String(), "POST", word, yes)
		h.refused(401, "api_keys.waits", "", k.APIKey, "GET", keys, "")
		h.want(200, nil, h.mate.String(), "POST", word, yes)
		var list struct{ Data []members.KeyView }
		h.want(200, &list, k.APIKey, "GET", keys, "")
		if got := list.Data[0]; len(list.Data) != 1 || got.Waits || got.MadeBy != "operator per_boss" || got.OpenedBy != "operator per_mate" {
			t.Errorf("%s: the keys are %+v, want one, made by the boss and opened by the mate", kind, list.Data)
		}
		if own := h.mint(k.APIKey, org); own.Waits || own.Behind != "operator per_boss" || own.MadeWith != k.ID {
			t.Errorf("%s: its own key is %+v, want it open, and the boss behind it still", kind, own)
		}
	}
}

func TestARefusedOrRevokedKeyNeverOpens(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org := h.member("operational_bank")
	refused, revoked := h.mint(h.boss.String(), org), h.mint(h.boss.String(), org)
	keys := "/v1/organisations/" + org + "/api-keys"
	h.want(200, nil, h.mate.String(), "POST", "/v1/approvals/"+refused.Approval, no)
	h.want(200, nil, h.boss.String(), "DELETE", keys+"/"+revoked.ID, "")
	h.refused(409, "approvals.ended", "", h.mate.String(), "POST", "/v1/approvals/"+revoked.Approval, yes)
	for _, k := range []members.NewKeyView{refused, revoked} {
		h.refused(401, "auth.unknown", "", k.APIKey, "GET", keys, "")
	}
}

func TestOnePersonGivesASellerItsFirstKeyAndNoOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	own := h.mint(key, org)
	if own.Waits || own.MadeBy != "seller "+org || own.Behind != "operator per_boss" {
		t.Errorf("the seller's own second key is %+v", own)
	}
	for _, k := range []string{key, own.APIKey} {
		h.want(200, nil, k, "DELETE", "/v1/organisations/"+org+"/api-keys/"+strings.Split(k, ".")[0], "")
	}
	if k := h.mint(h.mate.String(), org); !k.Waits { // though none is open any more
		t.Errorf("another key made by the operator is %+v, want it to wait", k)
	}
	var alone atomic.Int32
	other := h.member("beneficiary_coop")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !h.mint(h.boss.String(), other).Waits {
				alone.Add(1)
			}
		})
	}
	all.Wait()
	if n := alone.Load(); n != 1 {
		t.Errorf("of eight made at once %d open at once, want one", n)
	}
	_, err := h.db.Exec(t.Context(), `update members.api_key set second = false where subject = $1`, other)
	if pg.Code(err) != "42501" { // no privilege
		t.Errorf("error = %v, want a refusal", err)
	}
	_, err = h.db.Exec(t.Context(), `insert into members.api_key (id, subject, role, label, hash, made_by, behind) values
		('key_x', $1, 'seller', '', sha256(''), 'operator per_boss', 'operator per_boss')`, other)
	if !pg.Violates(err, "api_key_first") {
		t.Errorf("error = %v, want a refusal", err)
	}
	_, err = h.db.Exec(t.Context(), `insert into members.api_key (id, subject, role, label, hash, made_by, behind) values
		('key_x', 'org_bank', 'bank', '', sha256(''), 'operator per_boss', 'operator per_boss')`)
	if !pg.Violates(err, "api_key_second") {
		t.Errorf("error = %v, want a refusal", err)
	}
}

// An operator's key that one person made is that person, where two decide.
func TestAnOperatorsSecondKeyIsNoSecondPerson(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	k := h.mint(h.boss.String(), h.house)
	h.want(200, nil, h.mate.String(), "POST", "/v1/approvals/"+k.Approval, yes)
	bank := h.mint(h.boss.String(), h.member("operational_bank"))
	h.refused(403, "approvals.self", "", k.APIKey, "POST", "/v1/approvals/"+bank.Approval, yes)
	bank = h.mint(k.APIKey, h.member("operational_bank"))
	h.refused(403, "approvals.self", "", h.boss.String(), "POST", "/v1/approvals/"+bank.Approval, yes)
	h.want(200, nil, h.mate.String(), "POST", "/v1/approvals/"+bank.Approval, yes)
}

func TestAKeyIsRevokedByItsMemberOrTheOperator(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	_, stranger := h.org()
	spare, lost := h.mint(key, org), h.mint(key, org)
	at := func(id string) string { return "/v1/organisations/" + org + "/api-keys/" + id }
	h.refused(404, "organisations.not_found", "", stranger, "DELETE", at(spare.ID), "")
	h.refused(404, "api_keys.not_found", "", key, "DELETE", at(strings.Split(stranger, ".")[0]), "")
	h.refused(404, "api_keys.not_found", "", key, "DELETE", at("key_1"), "")
	for by, k := range map[string]members.NewKeyView{key: spare, h.boss.String(): lost} {
		var first, again members.KeyView
		h.want(200, nil, k.APIKey, "GET", "/v1/organisations/"+org, "")
		h.want(200, &first, by, "DELETE", at(k.ID), "")
		h.want(200, &again, by, "DELETE", at(k.ID), "")
		if first.RevokedAt == nil || again.RevokedAt == nil || !again.RevokedAt.Equal(*first.RevokedAt) {
			t.Errorf("revoked at %v, then %v; want the same", first.RevokedAt, again.RevokedAt)
		}
		h.refused(401, "auth.unknown", "", k.APIKey, "GET", "/v1/organisations/"+org, "")
	}
	h.want(200, nil, key, "GET", "/v1/organisations/"+org, "")
}
