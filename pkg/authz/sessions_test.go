package authz_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

// templates are what roles in an organisation give a right to, as members.role
// has them.
var templates = map[string][]string{
	"manager": {"sell", "money", "people", "deliver"}, "treasurer": {"money"}, "member": {"sell", "deliver"}, "courier": {"deliver"}, "agent": {"represent"},
}

func atDesk(role auth.Role, template string) auth.Principal {
	return auth.Principal{Key: "ses_1", Subject: me, Role: role, Human: "per_1", Proof: auth.Proof{
		Session: true, SteppedUp: true, Passkey: true, Desk: true, Rights: auth.RightsOf(templates[template]),
	}}
}

// A manager with a passkey, a moment ago, may do what its organisation's key may,
// and besides only what concerns its own sessions.
func TestAManagerMayDoWhatTheKeyMay(t *testing.T) {
	t.Parallel()
	p := compile(t)
	for action := range matrix {
		for _, role := range []auth.Role{auth.Seller, auth.Operator, auth.Bank, auth.Insurer, auth.Institution, auth.Provider} {
			for _, r := range []authz.Resource{{}, {Seller: me, Buyer: other}, {Seller: other, Buyer: other}} {
				_, key := p.May(auth.Principal{Subject: me, Role: role}, action, r)
				_, err := p.May(atDesk(role, "manager"), action, r)
				own := len(matrix[action]) == 0 && action != "agents.code" && action != "agents.session" && action != "organisations.withdraw"
				if strings.HasPrefix(action, "personal_data.") && len(matrix[action]) == 1 { // people, also at a desk; buyers besides with a key
					own = own || matrix[action][auth.Buyer] == "*"
				}
				if signs := strings.HasPrefix(action, "charter."); own && signs { // members, for their own organisation
					own = role != auth.Operator && r.Seller != other
				}
				if (err == nil) != (key == nil || own) {
					t.Errorf("%s to %s %+v: with a key %v, as a manager %v", role, action, r, key, err)
				}
			}
		}
	}
}

func TestARoleInAnOrganisationGivesItsRightsAndNoMore(t *testing.T) {
	t.Parallel()
	p := compile(t)
	for action, who := range map[string][]string{
		"payouts.create":       {"manager", "treasurer"},
		"bank_accounts.create": {"manager", "treasurer"},
		"balance.show":         {"manager", "treasurer", "member"},
		"offers.update":        {"manager", "member"},
		"orders.accept":        {"manager", "member"},
		"orders.deliver":       {"manager", "member", "courier"},
		"memberships.invite":   {"manager"},
		"api_keys.create":      {"manager"},
		"orders.list":          {"manager", "treasurer", "member", "courier", "agent"},
	} {
		for template := range templates {
			for _, r := range []authz.Resource{{}, {Seller: me}} {
				_, err := p.May(atDesk(auth.Seller, template), action, r)
				if want := slices.Contains(who, template); (err == nil) != want || err != nil && !errors.Is(err, authz.ErrDenied) {
					t.Errorf("a %s to %s: %v, want %t", template, action, err, want)
				}
			}
			if _, err := p.May(atDesk(auth.Seller, template), action, authz.Resource{Seller: other}); err == nil {
				t.Errorf("a %s may %s of another seller", template, action)
			}
		}
	}
}

// byPIN is somebody who opened its session again with four digits.
func byPIN(p auth.Principal) auth.Principal {
	p.Proof.PIN, p.Proof.SteppedUp, p.Proof.Passkey = true, false, false
	return p
}

// An agent sells and delivers for a member, and touches neither money nor people.
func TestAnAgentSellsForAMemberAndNoMore(t *testing.T) {
	t.Parallel()
	p := compile(t)
	for template := range templates {
		if _, err := p.May(atDesk(auth.Seller, template), "agents.session", authz.Resource{}); (err == nil) != (template == "agent") {
			t.Errorf("a %s asks to act for a member: %v", template, err)
		}
	}
	w := atDesk(auth.Seller, "member")
	w.For, w.Proof.Agent = "per_2", true
	for action, want := range map[string]bool{
		"offers.update": true, "orders.accept": true, "orders.deliver": true, "orders.list": true, "people.me": true, "sessions.end": true,
		"payouts.create": false, "bank_accounts.create": false, "bank_accounts.list": false, "orders.refund": false, "returns.refund": false,
		"memberships.invite": false, "api_keys.create": false, "passkeys.begin": false, "sessions.desk": false, "agents.session": false, "payouts.list": false,
	} {
		if _, err := p.May(w, action, authz.Resource{}); (err == nil) != want {
			t.Errorf("an agent to %s: %v, want %t", action, err, want)
		}
	}
}

// What somebody bought as a guest is its own; what others bought is not.
func TestWhatAGuestBoughtIsThePersonsWhoItWas(t *testing.T) {
	t.Parallel()
	p := compile(t)
	buyer := auth.Principal{Key: "ses_1", Subject: me, Role: auth.Buyer, Human: me, Guests: "per_g1 per_g2", Proof: auth.Proof{Session: true}}
	for whose, want := range map[string]bool{me: true, "per_g1": true, "per_g2": true, "per_g": false, "per_g1 per_g2": false, other: false} {
		if _, err := p.May(buyer, "orders.show", authz.Resource{Buyer: whose, Seller: other}); (err == nil) != want {
			t.Errorf("of %q: %v, want %t", whose, err, want)
		}
	}
}

func TestWhatIsMissingIsSaidToThoseWhomItWouldHelp(t *testing.T) {
	t.Parallel()
	p := compile(t)
	with := func(role auth.Role, template string, steppedUp, passkey bool) auth.Principal {
		w := atDesk(role, template)
		w.Proof.SteppedUp, w.Proof.Passkey = steppedUp, passkey
		return w
	}
	buyer := auth.Principal{Key: "ses_1", Subject: me, Role: auth.Buyer, Human: me, Proof: auth.Proof{Session: true}}
	for _, c := range []struct {
		name   string
		who    auth.Principal
		action string
		want   error
	}{
		{"an operator with a code", with(auth.Operator, "manager", true, false), "ledger.account", authz.ErrPasskey},
		{"an operator with a code, long ago", with(auth.Operator, "manager", false, false), "payouts.approve", authz.ErrPasskey},
		{"an operator with a passkey, long ago", with(auth.Operator, "manager", false, true), "payouts.approve", authz.ErrStepUp},
		{"an operator with a passkey", with(auth.Operator, "manager", false, true), "ledger.account", nil},
		{"a bank with a code", with(auth.Bank, "manager", true, false), "statements.create", authz.ErrPasskey},
		{"an institution with a code", with(auth.Institution, "manager", true, false), "memberships.invite", authz.ErrPasskey},
		{"a provider with a code", with(auth.Provider, "manager", true, false), "memberships.invite", nil},
		{"a seller with a code", with(auth.Seller, "manager", true, false), "payouts.create", nil},
		{"a seller, long ago", with(auth.Seller, "manager", false, false), "payouts.create", authz.ErrStepUp},
		{"a courier, long ago", with(auth.Seller, "courier", false, false), "payouts.create", authz.ErrDenied},
		{"a buyer", buyer, "payouts.create", authz.ErrDenied},
		{"a buyer, of its own refund", buyer, "refunds.account", authz.ErrStepUp},
		{"a buyer with a PIN", byPIN(buyer), "orders.receive", authz.ErrStepUp},
		{"somebody with a PIN, who ends an application", byPIN(buyer), "organisations.withdraw", authz.ErrStepUp},
		{"somebody with a PIN, who joins an organisation", byPIN(buyer), "invitations.accept", authz.ErrStepUp},
		{"somebody who joins an organisation, long ago", buyer, "invitations.accept", nil},
		{"an operator with a code, who reads what was agreed to", with(auth.Operator, "manager", true, false), "accords.list", authz.ErrPasskey},
		{"an operator with a passkey, who reads what was agreed to", with(auth.Operator, "manager", false, true), "accords.list", nil},
		{"a bank with a code, of what it agreed to", with(auth.Bank, "manager", true, false), "accords.list", nil},
		{"an operator with a code, who reads of opened dossiers", with(auth.Operator, "manager", true, false), "dossiers.glasses", authz.ErrPasskey},
		{"a buyer with a PIN, who looks", byPIN(buyer), "orders.list", nil},
		{"a seller with a PIN", byPIN(with(auth.Seller, "manager", false, false)), "orders.refund", authz.ErrStepUp},
		{"a seller with a PIN, who sells", byPIN(with(auth.Seller, "manager", false, false)), "orders.accept", nil},
		{"an operator's key", auth.Principal{Subject: me, Role: auth.Operator}, "payouts.approve", nil},
	} {
		for _, r := range []authz.Resource{{}, {Seller: me, Buyer: me}} {
			if _, err := p.May(c.who, c.action, r); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s to %s %+v: %v, want %v", c.name, c.action, r, err, c.want)
			}
		}
	}
}

// Nobody has looked at an applicant yet: it hands in its papers, and asks nobody for
// money or keys.
func TestAnApplicantAsksNobodyForMoneyOrKeys(t *testing.T) {
	t.Parallel()
	p := compile(t)
	who := atDesk(auth.Seller, "manager")
	for action, may := range map[string]bool{
		"papers.hand_in": true, "organisations.submit": true, "organisations.amend": true, "files.add": true, "charter.sign": true,
		"api_keys.create": false, "finance.apply": false, "finance.submit": false, "insurance.ask": false, "insurance.take": false, "memberships.invite": false, "webhooks.create": false,
	} {
		for _, applicant := range []bool{false, true} {
			who.Proof.Applicant = applicant
			if _, err := p.May(who, action, authz.Resource{}); (err == nil) != (may || !applicant) {
				t.Errorf("%s as an applicant (%v): %v", action, applicant, err)
			}
		}
	}
}
