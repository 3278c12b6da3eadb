package certify_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/tellconform"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound/netfault"
)

// certifiedCRM plays all cases against a system with a defect.
func certifiedCRM(t testing.TB, defect string, features ...string) certify.Report {
	t.Helper()
	s := tellconform.NewCRM(token, features...)
	s.Defect = defect
	events := netfault.FreeAddr(t)
	s.Events = "http://" + events
	at := httptest.NewServer(s)
	t.Cleanup(func() { at.Close(); s.Wait() })
	r, err := certify.Run(t.Context(), casesOf(t, "crm.v1"), options(at.URL, events))
	must(t, err)
	return r
}

var keepsAll = []string{"erasure", "points", "wishes", "events", "sandbox"}

func TestACRMIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedCRM(t, "", keepsAll...)
	for _, one := range r.Results {
		if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	c, ok := r.Certificate()
	if !ok || r.Level != certificate.Security || c.Connector != "crm-exemple" || c.Protocol != "crm.v1" || len(c.Features) != 5 {
		t.Errorf("level %q, certificate %+v", r.Level, c)
	}
}

// TestACRMThatWritesToNobodyIsCertified leaves out what is not declared, but not
// that people can be forgotten.
func TestACRMThatWritesToNobodyIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedCRM(t, "", "erasure", "sandbox")
	skipped := 0
	for _, one := range r.Results {
		if one.Skipped != "" {
			skipped++
		} else if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	if skipped != 4 || r.Level != certificate.Security {
		t.Errorf("%d cases are left out, and it reaches %s", skipped, r.Level)
	}
	if r := certifiedCRM(t, "", "sandbox"); r.Level != certificate.Contract || len(r.Failed()) != 1 || !strings.Contains(r.Failed()[0].Found, `"erasure"`) {
		t.Errorf("one that can forget nobody reaches %s: %+v", r.Level, r.Failed())
	}
}

func TestPlantedDefectsOfACRMAreNamed(t *testing.T) {
	t.Parallel()
	named(t, map[string]defect{
		"no owner":                            {"C1-01", "/owner"},
		"errors are plain text":               {"C1-02", "contact_not_found"},
		"signs are lost":                      {"C1-03", "was said as"},
		"who is refused is not named":         {"C2-02", "names 0"},
		"a number that is none is taken":      {"C2-02", "refused as nothing"},
		"an order does not move on":           {"C2-03", "was said to be"},
		"a withdrawal is forgotten":           {"C2-04", "was said as"},
		"points are added up":                 {"C2-05", "points by version"},
		"a refusal is not kept":               {"C2-06", "those who refuse are"},
		"who left is brought back":            {"C2-06", "brought back by the hub"},
		"nobody is forgotten":                 {"C2-07", "still knows it"},
		"orders still name who was forgotten": {"C2-07", "names the contact"},
		"somebody twice is two":               {"C3-01", "put again is"},
		"lost with its answer":                {"C3-02", "404"},
		"half a request is taken":             {"C3-03", "not to be there"},
		"older points hold":                   {"C3-04", "points by version"},
		"busy, and does it all the same":      {"C3-05", "not to be there"},
		"busy without saying for how long":    {"C3-05", "Retry-After"},
		"amounts are rounded":                 {"C4-01", "was said to be of"},
		"anybody is let in":                   {"C5-01", "401"},
		"errors tell secrets":                 {"C5-02", "secret"},
		"events are not signed":               {"C5-03", "not signed"},
	}, func(t testing.TB, planted string) certify.Report { return certifiedCRM(t, planted, keepsAll...) })
}

// A defect is which case fails, and what it says.
type defect struct{ fails, says string }

// named holds each planted defect to the case that must say it.
func named(t *testing.T, all map[string]defect, play func(t testing.TB, planted string) certify.Report) {
	for name, d := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, name)
			found := false
			for _, f := range r.Failed() {
				found = found || f.ID == d.fails && strings.Contains(f.Found, d.says)
			}
			if !found {
				t.Errorf("want %s to say %q; failed are:", d.fails, d.says)
				for _, f := range r.Failed() {
					t.Log(f.Line())
				}
			}
			if r.Level.Reaches(certificate.Level(d.fails[:2])) {
				t.Errorf("it reaches %s", r.Level)
			}
		})
	}
}

// TestTheCRMDocumentIsWhatIsSpoken listens to a certification.
func TestTheCRMDocumentIsWhatIsSpoken(t *testing.T) {
	t.Parallel()
	at := httptest.NewServer(tellconform.NewCRM(token, keepsAll...))
	t.Cleanup(at.Close)
	spoken(t, casesOf(t, "crm.v1"), at.URL, "manifest", "ping", "putContacts", "showContact", "putDeals", "showDeal", "putPoints", "wish", "refusing", "erase", "sandboxLeave", "sandboxBusy")
}
