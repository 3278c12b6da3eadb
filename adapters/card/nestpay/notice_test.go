package nestpay_test

import (
	"errors"
	"maps"
	"math/bits"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/adapters/card"
	"tiwiza/adapters/card/nestpay"
	"tiwiza/pkg/money"
)

// notice are the fields of a signed, approved callback.
func notice() map[string]string {
	return map[string]string{
		"clientid": config.ClientID, "storetype": "3D_PAY_HOSTING", "trantype": "PreAuth", "amount": "1234.50", "currency": "504",
		"oid": "chg_01jd0000000000000000000001", "ReturnOid": "chg_01jd0000000000000000000001", "okUrl": "https://hub.example/ok",
		"failUrl": "https://hub.example/fail", "shopurl": "https://hub.example/", "callbackUrl": "https://hub.example/callback",
		"CallbackResponse": "true", "lang": "ar", "hashAlgorithm": "ver3", "rnd": `ab|cd\ef`, "encoding": "UTF-8", "refreshtime": "5",
		"BillToName": "L&#39;Argane &amp; Fils\n", "email": "acheteuse@example.ma", "tel": "00212600000001",
		"ProcReturnCode": "00", "Response": "Approved", "mdStatus": "1", "TransId": "26325KabC1234", "AuthCode": "123456",
		"HostRefNum": "632512345678", "acqStan": "184784", "MaskedPan": "400000***0010", "EXTRA_CARDBRAND": "VISA",
		"EXTRA_TRXDATE": "20261121 10:00:00", "ErrMsg": "", "eci": "05", "xid": "N1An1iS5iN4u/1VWS6CgzSGRtN0=",
	}
}

// body signs fields and writes them as the platform posts them.
func body(fields map[string]string, key string) []byte {
	fields = maps.Clone(fields)
	fields["HASH"] = nestpay.Hash(fields, key, true)
	return encode(fields)
}

func hashOf(fields map[string]string) string { return nestpay.Hash(fields, config.StoreKey, true) }

func encode(fields map[string]string) []byte {
	v := url.Values{}
	for name, text := range fields {
		v.Set(name, text)
	}
	return []byte(v.Encode())
}

func with(name, value string) map[string]string {
	f := notice()
	f[name] = value
	return f
}

func TestNoticeIsRead(t *testing.T) {
	t.Parallel()
	raw := body(notice(), config.StoreKey)
	got, err := open(t, config).Notice(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := card.Notice{
		Ref: "chg_01jd0000000000000000000001", Merchant: config.ClientID, Amount: money.MustParse("1234.50", money.MAD), Approved: true,
		Code: "00", PartnerID: "26325KabC1234", EventID: got.EventID, Raw: raw,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(money.Money.Equal)); diff != "" || len(got.EventID) != 64 {
		t.Errorf("notice (-want +got):\n%s", diff)
	}
}

func TestOnlyAFullApprovalIsApproved(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]map[string]string{
		"code":      with("ProcReturnCode", "51"),
		"no code":   with("ProcReturnCode", ""),
		"response":  with("Response", "Declined"),
		"case":      with("Response", "approved"),
		"3-D":       with("mdStatus", "0"),
		"3-D weird": with("mdStatus", "14"),
	} {
		n, err := open(t, config).Notice(body(f, config.StoreKey))
		if err != nil || n.Approved {
			t.Errorf("%s: approved %v, %v; want a refusal that is read", name, n.Approved, err)
		}
	}
}

func TestEveryCopyIsTheSameEvent(t *testing.T) {
	t.Parallel()
	d := open(t, config)
	first, err := d.Notice(body(notice(), config.StoreKey))
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Notice(body(with("rnd", "another"), config.StoreKey))
	if err != nil || again.EventID != first.EventID {
		t.Errorf("a repeated notice is event %s, %v; want %s", again.EventID, err, first.EventID)
	}
	other, err := d.Notice(body(with("TransId", "other"), config.StoreKey))
	if err != nil || other.EventID == first.EventID {
		t.Errorf("another attempt is the same event, %v", err)
	}
}

func TestUnreadableNoticesAreRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"amount":      body(with("amount", "1e3"), config.StoreKey),
		"no amount":   body(with("amount", ""), config.StoreKey),
		"comma":       body(with("amount", "12,50"), config.StoreKey),
		"currency":    body(with("currency", "999"), config.StoreKey),
		"no order":    body(with("oid", ""), config.StoreKey),
		"two orders":  body(with("ReturnOid", "chg_other"), config.StoreKey),
		"algorithm":   body(with("hashAlgorithm", "ver2"), config.StoreKey),
		"encoding":    body(with("encoding", "UTF-7"), config.StoreKey),
		"broken form": []byte("oid=%zz"),
		"not UTF-8":   []byte("oid=%ff&HASH=x"),
		"endless":     []byte("oid=" + strings.Repeat("x", nestpay.MaxNotice)),
		"a semicolon": []byte("oid=1;HASH=x"),
	} {
		if n, err := open(t, config).Notice(raw); !errors.Is(err, card.ErrUnreadable) || n.Approved && err == nil {
			t.Errorf("%s: %v, want ErrUnreadable", name, err)
		}
	}
}

func TestForgedNoticesAreRefused(t *testing.T) {
	t.Parallel()
	good := string(body(notice(), config.StoreKey))
	forged := map[string][]byte{
		"another merchant's key": body(notice(), "TEST9999"),
		"another merchant":       body(with("clientid", "600009999"), config.StoreKey),
		"no hash":                encode(notice()),
		"an empty hash":          encode(with("HASH", "")),
		"an unknown field":       body(with("bonus", "1"), config.StoreKey),
		"two spellings of one":   body(with("CallbackURL", "https://hub.example/callback"), config.StoreKey),
		"nothing":                nil,
	}
	for _, name := range slices.Sorted(maps.Keys(notice())) {
		forged["twice "+name] = []byte(good + "&" + url.QueryEscape(name) + "=x")
		forged["twice, in capitals, "+name] = []byte(good + "&" + url.QueryEscape(strings.ToUpper(name)) + "=x")
	}
	for name, raw := range forged {
		if _, err := open(t, config).Notice(raw); !errors.Is(err, card.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
}

// tamper checks that altered bodies are refused. A body that is the same
// message in other letters (%2f for %2F) is no forgery: it must mean the same
// and be the same event.
type tamper struct {
	t            *testing.T
	d            *nestpay.Driver
	want         card.Notice
	tried, spelt int
}

func (m *tamper) try(what string, raw []byte) {
	m.tried++
	got, err := m.d.Notice(raw)
	if err != nil {
		return
	}
	got.Raw = nil
	if diff := cmp.Diff(m.want, got, cmp.Comparer(money.Money.Equal)); diff != "" {
		m.t.Errorf("%s was accepted with another meaning:\n%s", what, diff)
	}
	if !m.same(raw) {
		m.t.Errorf("%s was accepted: %s", what, raw)
	}
	m.spelt++
}

// same says whether a body decodes to the fields that were signed; a form may
// spell a space or an escape in two ways, and the encoding's name is optional.
func (m *tamper) same(raw []byte) bool {
	v, err := url.ParseQuery(string(raw))
	if err != nil {
		return false
	}
	want := notice()
	want["HASH"] = nestpay.Hash(want, config.StoreKey, true)
	for name := range v {
		if v.Get(name) != want[name] && v.Get(name)+"\n" != want[name] {
			return false
		}
	}
	return len(v) == len(want) || len(v) == len(want)-1 && !v.Has("encoding")
}

func TestNoAlteredNoticeIsAccepted(t *testing.T) {
	t.Parallel()
	good := body(notice(), config.StoreKey)
	m := &tamper{t: t, d: open(t, config)}
	var err error
	if m.want, err = m.d.Notice(good); err != nil {
		t.Fatal(err)
	}
	m.want.Raw = nil
	for i := range good {
		for bit := range 8 {
			raw := slices.Clone(good)
			raw[i] ^= 1 << bit
			m.try("a flipped bit", raw)
		}
		m.try("a lost byte", slices.Delete(slices.Clone(good), i, i+1))
		for _, c := range []byte("x|&=+%;\\") {
			m.try("a byte more", slices.Insert(slices.Clone(good), i, c))
		}
		m.try("a cut body", good[:i])
	}
	shuffle(m)
	t.Logf("%d mutants tried, 0 forgeries accepted, %d spelt the same message otherwise", m.tried, m.spelt)
	if m.tried < 10_000 {
		t.Errorf("%d mutants are too few", m.tried)
	}
}

// shuffle moves the borders between fields, swaps and drops them, and adds
// more, all under the good hash.
func shuffle(m *tamper) {
	hash := nestpay.Hash(notice(), config.StoreKey, true)
	names := slices.Sorted(maps.Keys(notice()))
	send := func(what string, f map[string]string) {
		f["HASH"] = hash
		m.try(what, encode(f))
	}
	for i, a := range names {
		f := notice()
		delete(f, a)
		if a != "encoding" { // it is not signed, and its absence means the same
			send("a dropped "+a, f)
		}
		send("an emptied "+a, with(a, notice()[a][:0]+"\x00"))
		for _, b := range names[i+1:] {
			f := notice()
			f[a], f[b] = f[b], f[a]
			send("swapped "+a+" and "+b, f)
			for _, border := range []string{"|", `\|`, `\`, `|\`, `\\|`} {
				f := notice()
				f[a], f[b] = f[a]+border+f[b], ""
				send("a moved border", f)
				f = notice()
				delete(f, b)
				f[a] += border + notice()[b]
				send("a swallowed field", f)
			}
		}
	}
	for _, name := range nestpay.Usual {
		if _, there := notice()[name]; !there && !strings.EqualFold(name, "HASH") {
			send("an added "+name, with(name, ""))
			send("an added "+name, with(name, "1"))
		}
	}
}

func TestNoTwoKnownNamesAreOneByteApart(t *testing.T) {
	t.Parallel()
	for i, a := range nestpay.Usual {
		for _, b := range nestpay.Usual[i+1:] {
			// A notice always has exactly one oid, so nothing can become it or stop being it.
			if len(a) == len(b) && apart(a, b) < 2 && a != "oid" && b != "oid" {
				t.Errorf("%s and %s: a flipped bit would rename the field unseen", a, b)
			}
		}
	}
}

func apart(a, b string) (n int) {
	for i := range len(a) {
		if bits.OnesCount8(a[i]^b[i]) > 0 {
			n++
		}
	}
	return n
}

func TestReplyIsWhatThePlatformWaitsFor(t *testing.T) {
	t.Parallel()
	for v, want := range map[card.Verdict]string{card.Capture: "ACTION=POSTAUTH", card.Acknowledge: "APPROVED", card.Trouble: "FAILURE", "": "FAILURE"} {
		if got := open(t, config).Reply(v); got != want {
			t.Errorf("Reply(%s) = %s, want %s", v, got, want)
		}
	}
}

func FuzzNotice(f *testing.F) {
	f.Add(body(notice(), config.StoreKey))
	f.Add([]byte("oid=1&HASH="))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := open(t, config).Notice(raw)
		if err != nil && !errors.Is(err, card.ErrForged) && !errors.Is(err, card.ErrUnreadable) {
			t.Fatalf("%v is neither forged nor unreadable", err)
		}
		if err == nil && n.Merchant != config.ClientID {
			t.Fatalf("a notice for %q was accepted", n.Merchant)
		}
	})
}
