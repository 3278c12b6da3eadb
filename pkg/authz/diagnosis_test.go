package authz_test

import (
	"errors"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

func init() {
	for _, action := range []string{"answer", "begin", "finish", "list", "share", "show"} {
		matrix["diagnostics."+action] = map[auth.Role]string{auth.Seller: "own"}
	}
	for _, action := range []string{"diagnostics.figures", "questionnaires.draft", "questionnaires.drafts", "questionnaires.publish", "questionnaires.show_draft", "questionnaires.write"} {
		matrix[action] = map[auth.Role]string{auth.Operator: "*"}
	}
	for _, action := range []string{"questionnaires.list", "questionnaires.show"} {
		matrix[action] = map[auth.Role]string{auth.Seller: "*", auth.Operator: "*"}
	}
}

func TestAResultIsSharedByWhoSpeaksForTheMember(t *testing.T) {
	t.Parallel()
	p := compile(t)
	agent := auth.Principal{Key: "ses_1", Subject: me, Role: auth.Seller, Human: other, For: "per_1", Proof: auth.Proof{Session: true, SteppedUp: true, Desk: true, Agent: true, Rights: auth.Sell | auth.Deliver}}
	operator := func(steppedUp, passkey bool) auth.Principal {
		w := atDesk(auth.Operator, "manager")
		w.Proof.SteppedUp, w.Proof.Passkey = steppedUp, passkey
		return w
	}
	for _, c := range []struct {
		name   string
		who    auth.Principal
		action string
		want   error
	}{
		{"who sells", atDesk(auth.Seller, "member"), "diagnostics.answer", nil},
		{"who sells", atDesk(auth.Seller, "member"), "diagnostics.share", authz.ErrDenied},
		{"who speaks for it", atDesk(auth.Seller, "manager"), "diagnostics.share", nil},
		{"a treasurer", atDesk(auth.Seller, "treasurer"), "diagnostics.begin", authz.ErrDenied},
		{"a member's agent", agent, "diagnostics.finish", nil},
		{"a member's agent", agent, "diagnostics.share", authz.ErrDenied},
		{"the market's people with a code", operator(true, false), "diagnostics.figures", authz.ErrPasskey},
		{"the market's people", operator(false, true), "diagnostics.figures", nil},
		{"the market's people, long ago", operator(false, true), "questionnaires.publish", authz.ErrStepUp},
		{"the market's people, a moment ago", operator(true, true), "questionnaires.publish", nil},
	} {
		if _, err := p.May(c.who, c.action, authz.Resource{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s to %s: %v, want %v", c.name, c.action, err, c.want)
		}
	}
}
