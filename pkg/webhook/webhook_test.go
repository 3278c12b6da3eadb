package webhook_test

import (
	"encoding/base64"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/pkg/webhook"
)

func TestSignatureIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	must(t, err)
	const msg, want = "msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	if got := webhook.Signature([][]byte{key}, msg, at, body); got != want {
		t.Errorf("Signature = %s, want %s", got, want)
	}
	if got := webhook.Signature([][]byte{[]byte("another secret of 24 byte"), key}, msg, at, body); got[len(got)-len(want)-1:] != " "+want {
		t.Errorf("with two secrets: %s, want the older last", got)
	}
}

func TestTriesGoOnForThreeDaysAndEndThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		start := time.Unix(1_800_000_000, 0)
		until, at, tries := start.Add(webhook.Lifetime), start, 0
		for {
			tries++
			asked := time.Duration(rapid.Int64Range(0, int64(5*time.Hour)).Draw(r, "asked"))
			if rapid.Bool().Draw(r, "silent") {
				asked = 0
			}
			next, again := webhook.Next(tries, at, until, asked, rapid.Float64Range(0, 0.999).Draw(r, "jitter"))
			if !again {
				break
			}
			if !next.After(at) || next.After(until) || next.Sub(at) > 16*time.Hour {
				r.Fatalf("try %d at %s is followed by one at %s", tries, at, next)
			}
			at = next
		}
		if !at.Equal(until) || tries < 14 || tries > 60 {
			r.Errorf("%d tries, the last %s after the first", tries, at.Sub(start))
		}
	})
}

func TestWhatAnEndpointWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		events []string
		typ    string
		want   bool
	}{
		{[]string{"*"}, "orders.paid", true},
		{[]string{"orders.*"}, "orders.paid", true},
		{[]string{"orders.paid"}, "orders.paid", true},
		{[]string{"orders.shipped", "payouts.*"}, "orders.paid", false},
		{[]string{"order.*"}, "orders.paid", false},
		{[]string{"orders"}, "orders.paid", false},
	} {
		if got := webhook.Wants(c.events, c.typ); got != c.want {
			t.Errorf("%v wants %s: %v, want %v", c.events, c.typ, got, c.want)
		}
	}
}

func TestOnlyTheOpenInternetIsPublic(t *testing.T) {
	t.Parallel()
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "3fff::1",
	} {
		if webhook.Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for public", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "196.200.130.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4007::1"} {
		if !webhook.Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is not taken for public", a)
		}
	}
}

func TestAddressesThatAreTaken(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]bool{ // in production, in a demonstration
		"https://shop.example/hooks":                {true, true},
		"https://shop.example:8443/":                {true, true},
		"https://shop.example:22/":                  {},
		"http://shop.example/":                      {},
		"ftp://shop.example/":                       {},
		"https://u:p@shop.example/":                 {},
		"https://shop.example/#x":                   {},
		"https://127.0.0.1/":                        {false, true},
		"http://127.0.0.1:9000/hook":                {false, true},
		"http://localhost:9000/hook":                {false, true},
		"http://[::1]:9000/":                        {false, true},
		"https://localhost./":                       {false, true},
		"https://10.0.0.1/":                         {},
		"http://10.0.0.1/":                          {},
		"https://169.254.169.254/latest/meta-data/": {},
		"https://[::ffff:10.0.0.1]/":                {},
		"https://[fd00::1]/":                        {},
		"https://db.internal/":                      {},
		"https://":                                  {},
		"shop.example":                              {},
		"https:shop.example":                        {},
	} {
		for i, g := range []webhook.Guard{{}, {Loopback: true}} {
			if wrong := g.Check(address); (wrong == "") != want[i] {
				t.Errorf("%s with %+v: %q, want taken: %v", address, g.Loopback, wrong, want[i])
			}
		}
	}
}
