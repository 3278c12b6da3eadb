package nestpay_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/adapters/card"
	"tiwiza/adapters/card/nestpay"
	"tiwiza/pkg/money"
)

var config = nestpay.Config{
	ClientID: "600002599", StoreKey: `TE|ST\1234`, APIUser: "hub", APIPassword: "s3cret-of-the-api",
	GateURL: "https://acquirer.example/fim/est3Dgate", APIURL: "https://acquirer.example/fim/api",
}

func open(t testing.TB, cfg nestpay.Config) *nestpay.Driver {
	t.Helper()
	d, err := nestpay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func payment() card.Payment {
	return card.Payment{
		Ref: "chg_01jd0000000000000000000001", Amount: money.MustParse("1234.5", money.MAD), Lang: "ar", Nonce: "n0nce-0001", ExpiresAt: time.Now().Add(time.Hour),
		Buyer: card.Buyer{Name: "فاطمة الزهراء", Email: "acheteuse@example.ma", Phone: "+212600000001"},
		OKURL: "https://hub.example/ok", FailURL: "https://hub.example/fail", CallbackURL: "https://hub.example/callback", ShopURL: "https://hub.example/",
	}
}

func TestFormIsWhatThePlatformReads(t *testing.T) {
	t.Parallel()
	form, err := open(t, config).Form(payment())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"clientid": "600002599", "storetype": "3D_PAY_HOSTING", "trantype": "PreAuth", "amount": "1234.50", "currency": "504",
		"oid": "chg_01jd0000000000000000000001", "okUrl": "https://hub.example/ok", "failUrl": "https://hub.example/fail",
		"shopurl": "https://hub.example/", "callbackUrl": "https://hub.example/callback", "CallbackResponse": "true", "lang": "ar",
		"hashAlgorithm": "ver3", "rnd": "n0nce-0001", "encoding": "UTF-8", "refreshtime": "5", "BillToName": "Fatma Alzhra",
		"email": "acheteuse@example.ma", "tel": "00212600000001",
	}
	want["HASH"] = nestpay.Hash(want, config.StoreKey, false)
	if diff := cmp.Diff(want, form.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if form.URL != config.GateURL || form.Method != "POST" {
		t.Errorf("form goes to %s %s", form.Method, form.URL)
	}
}

func TestNamesThatCannotBeWrittenStillPay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Zoë O’Brien | Fils\\": "Zoe O Brien Fils", "漢字": "Client", "ⵜⵉⵡⵉⵣⵉ": "Tiwizi", "a_b-c 1": "a_b-c 1",
	} {
		p := payment()
		p.Buyer.Name = in
		form, err := open(t, config).Form(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := form.Fields["BillToName"]; got != want {
			t.Errorf("BillToName of %q = %q, want %q", in, got, want)
		}
	}
}

func TestConfigurationIsWhole(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*nestpay.Config){
		"client":   func(c *nestpay.Config) { c.ClientID = "" },
		"key":      func(c *nestpay.Config) { c.StoreKey = "" },
		"user":     func(c *nestpay.Config) { c.APIUser = "" },
		"password": func(c *nestpay.Config) { c.APIPassword = "" },
		"gate":     func(c *nestpay.Config) { c.GateURL = "acquirer.example" },
		"api":      func(c *nestpay.Config) { c.APIURL = "ftp://acquirer.example" },
	} {
		cfg := config
		spoil(&cfg)
		if _, err := nestpay.New(cfg); err == nil {
			t.Errorf("a configuration without its %s was taken", name)
		}
	}
}
