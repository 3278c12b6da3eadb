package openinsurance_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tiwiza/adapters/insurance"
	"tiwiza/adapters/insurance/insuranceconform"
	"tiwiza/adapters/insurance/openinsurance"
)

const apiKey = "conformance-key-0001"

func letsIn(r *http.Request) bool { return r.Header.Get("X-API-Key") == apiKey }

func dial(t testing.TB, addr, key string, observes bool, keys ...string) insurance.Driver {
	t.Helper()
	d, err := openinsurance.New(openinsurance.Config{BaseURL: "http://" + addr + "/api/", APIKey: key, WebhookKeys: keys, Observations: observes})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t *testing.T, observes bool) insuranceconform.Fixture {
	s := insuranceconform.NewStand("/api", letsIn)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return insuranceconform.Of(s, srv.Listener.Addr().String(),
		func(addr string) insurance.Driver { return dial(t, addr, apiKey, observes, s.Key()) },
		func(addr string) insurance.Driver { return dial(t, addr, "somebody-elses-key-1", observes, s.Key()) })
}

func TestConformance(t *testing.T) {
	t.Parallel()
	insuranceconform.Run(t, func(t *testing.T) insuranceconform.Fixture { return open(t, true) })
}

func TestConformanceWithoutAnIndex(t *testing.T) {
	t.Parallel()
	insuranceconform.Run(t, func(t *testing.T) insuranceconform.Fixture { return open(t, false) })
}

func TestConfigurationThatLacksSomethingIsRefused(t *testing.T) {
	t.Parallel()
	good := openinsurance.Config{BaseURL: "https://insurer.example/v1", APIKey: apiKey}
	if _, err := openinsurance.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*openinsurance.Config){
		"no address":      func(c *openinsurance.Config) { c.BaseURL = "" },
		"another scheme":  func(c *openinsurance.Config) { c.BaseURL = "ftp://insurer.example" },
		"a query":         func(c *openinsurance.Config) { c.BaseURL += "?a=b" },
		"a password":      func(c *openinsurance.Config) { c.BaseURL = "https://a:b@insurer.example" },
		"no key":          func(c *openinsurance.Config) { c.APIKey = "" },
		"a key in pieces": func(c *openinsurance.Config) { c.APIKey = "a key with a space in it" },
		"no webhook key":  func(c *openinsurance.Config) { c.WebhookKeys = []string{"whsec_x"} },
	} {
		c := good
		spoil(&c)
		if _, err := openinsurance.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
