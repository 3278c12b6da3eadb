package authz_test

import (
	"errors"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

func init() {
	for _, action := range []string{"answer", "appeal", "begin", "fill", "paper", "pay", "submit", "withdraw"} {
		matrix["cases."+action] = map[auth.Role]string{auth.Seller: "own", auth.Provider: "own"}
	}
	for _, action := range []string{"advance", "ask", "confirm", "decide", "examine", "hand_over", "inbox", "receive", "return", "statistics", "statistics_csv"} {
		matrix["cases."+action] = map[auth.Role]string{auth.Institution: "*"}
	}
	for _, action := range []string{"documents.revoke", "procedures.publish", "procedures.retire"} {
		matrix[action] = map[auth.Role]string{auth.Institution: "*"}
	}
	for _, action := range []string{"cases.list", "cases.show"} {
		matrix[action] = map[auth.Role]string{auth.Seller: "own", auth.Provider: "own", auth.Institution: "*", auth.Operator: "*"}
	}
	matrix["cases.read_paper"] = map[auth.Role]string{auth.Seller: "own", auth.Provider: "own", auth.Institution: "*"}
	for _, action := range []string{"institutions.list", "procedures.list", "procedures.show"} {
		matrix[action] = map[auth.Role]string{auth.Seller: "*", auth.Provider: "*", auth.Institution: "*", auth.Operator: "*"}
	}
	matrix["cases.entrust"] = map[auth.Role]string{auth.Operator: "*"}
	matrix["label_issuers.name"] = map[auth.Role]string{auth.Operator: "*"}
	matrix["label_issuers.list"] = map[auth.Role]string{auth.Institution: "*", auth.Operator: "*"}
	matrix["documents.verify"], matrix["accreditations.list"] = everyone, everyone
}

func TestAnOfficerDecidesWithAPasskeyShownAMomentAgo(t *testing.T) {
	t.Parallel()
	p := compile(t)
	with := func(template string, steppedUp, passkey bool) auth.Principal {
		w := atDesk(auth.Institution, template)
		w.Proof.SteppedUp, w.Proof.Passkey = steppedUp, passkey
		return w
	}
	for _, c := range []struct {
		name   string
		who    auth.Principal
		action string
		want   error
	}{
		{"an officer with a code", with("member", true, false), "cases.inbox", authz.ErrPasskey},
		{"an officer", with("member", false, true), "cases.inbox", nil},
		{"an officer, long ago", with("member", false, true), "cases.decide", authz.ErrStepUp},
		{"an officer, a moment ago", with("member", true, true), "cases.decide", nil},
		{"an officer", with("member", true, true), "documents.revoke", authz.ErrDenied},
		{"who speaks for it", with("manager", true, true), "documents.revoke", nil},
		{"an agent at the counter", with("agent", true, true), "cases.decide", authz.ErrDenied},
		{"a treasurer", with("treasurer", true, true), "cases.examine", authz.ErrDenied},
		{"a member's agent", auth.Principal{Key: "ses_1", Subject: me, Role: auth.Seller, Human: other, For: "per_1", Proof: auth.Proof{Session: true, SteppedUp: true, Desk: true, Agent: true, Rights: auth.Sell | auth.Deliver}}, "cases.submit", nil},
		{"a member's agent", auth.Principal{Key: "ses_1", Subject: me, Role: auth.Seller, Human: other, For: "per_1", Proof: auth.Proof{Session: true, SteppedUp: true, Desk: true, Agent: true, Rights: auth.Sell | auth.Deliver}}, "cases.pay", authz.ErrDenied},
	} {
		if _, err := p.May(c.who, c.action, authz.Resource{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s to %s: %v, want %v", c.name, c.action, err, c.want)
		}
	}
}
