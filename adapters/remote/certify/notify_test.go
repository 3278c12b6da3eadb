package certify_test

import (
	"net/http/httptest"
	"testing"

	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/tellconform"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound/netfault"
)

// certifiedGateway plays all cases against a gateway with a defect.
func certifiedGateway(t testing.TB, defect string, features ...string) certify.Report {
	t.Helper()
	s := tellconform.NewNotify(token, features...)
	s.Defect = defect
	events := netfault.FreeAddr(t)
	s.Events = "http://" + events
	at := httptest.NewServer(s)
	t.Cleanup(func() { at.Close(); s.Wait() })
	r, err := certify.Run(t.Context(), casesOf(t, "notify.v1"), options(at.URL, events))
	must(t, err)
	return r
}

var bringsAll = []string{"sms", "whatsapp", "email", "events", "sandbox"}

func TestAGatewayIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedGateway(t, "", bringsAll...)
	for _, one := range r.Results {
		if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	c, ok := r.Certificate()
	if !ok || r.Level != certificate.Security || c.Connector != "messages-exemple" || c.Protocol != "notify.v1" || len(c.Features) != 5 {
		t.Errorf("level %q, certificate %+v", r.Level, c)
	}
}

// TestAGatewayOfOneChannelIsCertified leaves out what is not declared; one of no
// channel is none.
func TestAGatewayOfOneChannelIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedGateway(t, "", "email", "sandbox")
	skipped := 0
	for _, one := range r.Results {
		if one.Skipped != "" {
			skipped++
		} else if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	if skipped != 2 || r.Level != certificate.Security {
		t.Errorf("%d cases are left out, and it reaches %s", skipped, r.Level)
	}
	if r := certifiedGateway(t, "", "sandbox"); r.Level != "" {
		t.Errorf("one without a channel reaches %s", r.Level)
	}
}

func TestPlantedDefectsOfAGatewayAreNamed(t *testing.T) {
	t.Parallel()
	named(t, map[string]defect{
		"no owner":                                 {"C1-01", "/owner"},
		"errors are plain text":                    {"C1-02", "message_not_found"},
		"the key is not looked at":                 {"C1-02", "201"},
		"signs are lost":                           {"C2-01", "was brought as"},
		"a message stays under way":                {"C2-01", "is underway"},
		"every number is there":                    {"C2-02", "201"},
		"everything arrives":                       {"C2-02", "is delivered"},
		"no reason for a failure":                  {"C2-02", "with the code"},
		"who opted out is written to":              {"C2-03", "201"},
		"any template is taken":                    {"C2-04", "201"},
		"brings a message again":                   {"C3-01", "times, want 1"},
		"another message under the same reference": {"C3-02", "200"},
		"time that is left is compared":            {"C3-01", "idempotency_conflict"},
		"lost with its answer":                     {"C3-03", "not_found"},
		"half a request is taken":                  {"C3-04", "not to be there"},
		"busy, and does it all the same":           {"C3-05", "not to be there"},
		"busy without saying for how long":         {"C3-05", "Retry-After"},
		"anybody is let in":                        {"C5-01", "401"},
		"errors tell secrets":                      {"C5-02", "secret"},
		"events are not signed":                    {"C5-03", "not signed"},
	}, func(t testing.TB, planted string) certify.Report { return certifiedGateway(t, planted, bringsAll...) })
}

// TestTheNotifyDocumentIsWhatIsSpoken listens to a certification.
func TestTheNotifyDocumentIsWhatIsSpoken(t *testing.T) {
	t.Parallel()
	at := httptest.NewServer(tellconform.NewNotify(token, bringsAll...))
	t.Cleanup(at.Close)
	spoken(t, casesOf(t, "notify.v1"), at.URL, "manifest", "ping", "sendMessage", "showMessage", "sandboxSettle", "sandboxOutbox", "sandboxBusy")
}
