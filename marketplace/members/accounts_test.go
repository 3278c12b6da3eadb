package members_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// rib makes an account number whose key fits.
func rib(n int) string {
	head := fmt.Sprintf("230780%016d", n)
	v, _ := new(big.Int).SetString(head+"00", 10)
	return head + fmt.Sprintf("%02d", 97-new(big.Int).Mod(v, big.NewInt(97)).Int64())
}

func (h *hub) give(key, org string, n int) (v members.AccountView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/bank-accounts", fmt.Sprintf(`{"rib":%q,"holder":"Coopérative (exemple)"}`, rib(n)))
	return v
}

func (h *hub) paid(org string) members.Account {
	h.t.Helper()
	all, err := h.members.PayoutAccounts(h.t.Context(), h.db, org)
	must(h.t, err)
	return all[org]
}

// naming is an approval that names the account which an organisation has now.
func (h *hub) naming(org string) string { return fmt.Sprintf(`{"bank_account":%q}`, h.paid(org).ID) }

// One person changes the account while another is about to admit the member: who
// admits verifies what it looked at, or nothing.
func TestAnAdmissionVerifiesNoAccountUnseen(t *testing.T) {
	t.Parallel()
	for name, thief := range map[string]func(h *hub, key string) string{
		"as the operator":             func(h *hub, _ string) string { return h.boss.String() },
		"with the key that it handed": func(_ *hub, key string) string { return key },
	} {
		h := newHub(t)
		org, key := h.org() // the boss made the key
		h.give(key, org, 1)
		h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", "")
		seen := h.naming(org)
		h.give(thief(h, key), org, 666)
		path := "/v1/organisations/" + org
		h.refused(409, "bank_accounts.changed", "", h.mate.String(), "POST", path+"/approve", seen)
		var o members.View
		if h.want(200, &o, h.mate.String(), "GET", path, ""); o.State != members.Submitted {
			t.Errorf("%s: it is %s after an admission that was refused", name, o.State)
		}
		h.want(200, &o, h.mate.String(), "POST", path+"/approve", "")
		if a := h.paid(org); o.State != members.Active || a.Verified() {
			t.Errorf("%s: %s, paid to %+v; want it admitted, and nothing verified", name, o.State, a)
		}
	}
}

func TestWhatTheMemberGivesIsVerifiedWithTheApproval(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	if all, err := h.members.PayoutAccounts(t.Context(), h.db, org); err != nil || len(all) != 0 {
		t.Errorf("without any: %v, %v", all, err)
	}
	v := h.give(key, org, 1)
	if v.Verified || v.State != members.Pending || v.RIB != strings.Repeat("•", 20)+rib(1)[20:] {
		t.Errorf("account = %+v, want it pending and masked", v)
	}
	h.give(key, org, 2) // a slip mended before the approval
	if a := h.paid(org); a.RIB != rib(2) || a.Verified() {
		t.Errorf("paid to %+v, want the second, not verified", a)
	}
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", "")
	h.want(200, nil, h.mate.String(), "POST", "/v1/organisations/"+org+"/approve", h.naming(org))
	if a := h.paid(org); a.RIB != rib(2) || !a.Verified() || !a.First || !a.OpenFrom().Equal(*a.Since) {
		t.Errorf("paid to %+v, want the second, verified and open at once", a)
	}
}

func TestAChangedAccountIsPaidAfterTheOperatorsWordAndTwoDays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	boss, mate := h.boss.String(), h.mate.String()
	h.give(boss, org, 1)
	if v := h.give(mate, org, 1); !v.Verified || v.RIB != rib(1) {
		t.Errorf("account = %+v, want it verified and whole for the operator", v)
	}
	h.give(key, org, 2)
	if a := h.paid(org); a.RIB != rib(1) {
		t.Errorf("paid to %s, want the old one: a stolen key changes nothing", a.RIB)
	}
	h.give(mate, org, 2)
	a := h.paid(org)
	if a.RIB != rib(2) || !a.Verified() || a.OpenFrom().Sub(*a.Since) != 48*time.Hour {
		t.Errorf("paid to %+v, want the new one in 48 hours", a)
	}
	h.give(boss, org, 2)
	h.give(key, org, 2)
	if again := h.paid(org); again.ID != a.ID || !again.Since.Equal(*a.Since) {
		t.Errorf("giving the same again made %+v of %+v", again, a)
	}
	var list struct{ Data []members.AccountView }
	h.want(200, &list, key, "GET", "/v1/organisations/"+org+"/bank-accounts", "")
	if len(list.Data) != 2 || list.Data[0].State != members.Current || list.Data[1].State != members.Former {
		t.Errorf("accounts = %+v, want the current and the former", list.Data)
	}
}

func TestAnApprovalChangesNoVerifiedAccount(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	h.give(h.boss.String(), org, 1)
	h.give(h.mate.String(), org, 1)
	second := h.give(key, org, 2)
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", "")
	h.refused(409, "bank_accounts.changed", "", h.mate.String(), "POST", "/v1/organisations/"+org+"/approve", fmt.Sprintf(`{"bank_account":%q}`, second.ID))
	h.refused(409, "bank_accounts.changed", "", h.mate.String(), "POST", "/v1/organisations/"+org+"/approve", h.naming(org))
	h.want(200, nil, h.mate.String(), "POST", "/v1/organisations/"+org+"/approve", "")
	if a := h.paid(org); a.RIB != rib(1) {
		t.Errorf("paid to %s, want the one that was verified", a.RIB)
	}
}

func TestAWrongRIBIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	good := rib(1)
	for _, wrong := range []string{good[:23], good + "0", "1" + good[1:], good[:22] + "00", "23078000000000000000x" + good[21:]} {
		h.refused(422, "bank.rib", "/rib", key, "POST", "/v1/organisations/"+org+"/bank-accounts", fmt.Sprintf(`{"rib":%q,"holder":"Coopérative"}`, wrong))
	}
	var v members.AccountView
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/bank-accounts",
		fmt.Sprintf(`{"rib":"%s %s %s %s","holder":"Coopérative"}`, good[:3], good[3:6], good[6:22], good[22:]))
}

// One person cannot have a member's money sent elsewhere: not as the operator,
// not with a key it made for the member, and not by admitting the member.
func TestOnePersonsAccountIsNeverVerified(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org() // the boss made the key
	boss := h.boss.String()
	for _, turn := range [][]string{{boss, boss}, {key, boss}, {boss, key, boss}} {
		for i, as := range turn {
			if v := h.give(as, org, len(turn)); v.Verified || v.State != members.Pending {
				t.Errorf("turn %d of %d: %+v, want it pending", i, len(turn), v)
			}
		}
	}
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", "")
	h.refused(403, "bank_accounts.self", "", boss, "POST", "/v1/organisations/"+org+"/approve", h.naming(org))
	h.want(200, nil, boss, "POST", "/v1/organisations/"+org+"/approve", "")
	if a := h.paid(org); a.Verified() {
		t.Errorf("the admission by whoever gave it verified %+v", a)
	}
	if v := h.give(h.mate.String(), org, 3); !v.Verified || v.GivenBy != "operator per_boss" || v.VerifiedBy != "operator per_mate" {
		t.Errorf("after the second person: %+v, want it verified, and by whom", v)
	}
	_, err := h.db.Exec(t.Context(), `update members.bank_account set verified_by = given_by where organisation = $1`, org)
	if !pg.Violates(err, "bank_account_other") {
		t.Errorf("error = %v, want a refusal", err)
	}
}
