package nestpay_test

import (
	"errors"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"tiwiza/adapters/card"
)

// caseMessage are the fields of a message about a chargeback.
func caseMessage() map[string]string {
	return map[string]string{
		"messageType": "CHARGEBACK", "clientid": config.ClientID, "oid": "CHG01JD0000000000000000000001", "caseId": "CBK-000001",
		"caseState": "OPENED", "amount": "75.00", "caseFee": "15.00", "caseReason": "13.1 Merchandise not received", "currency": "504",
		"hashAlgorithm": "ver3",
	}
}

func TestACaseOfOtherFieldsIsForged(t *testing.T) {
	t.Parallel()
	d := open(t, config)
	if _, err := d.Case(body(caseMessage(), config.StoreKey)); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(caseMessage())) {
		without := caseMessage()
		delete(without, name)
		if _, err := d.Case(body(without, config.StoreKey)); !errors.Is(err, card.ErrForged) {
			t.Errorf("a rightly signed message without %s: %v, want ErrForged", name, err)
		}
		spoilt := caseMessage()
		spoilt[name] += "1"
		raw := encode(signedAs(caseMessage(), spoilt))
		if _, err := d.Case(raw); !errors.Is(err, card.ErrForged) {
			t.Errorf("a message whose %s was changed after it was signed: %v, want ErrForged", name, err)
		}
	}
	more := caseMessage()
	more["ErrMsg"] = ""
	if _, err := d.Case(body(more, config.StoreKey)); !errors.Is(err, card.ErrForged) {
		t.Errorf("a rightly signed message with a field more: %v, want ErrForged", err)
	}
}

// signedAs are the changed fields under the signature of the true ones.
func signedAs(signed, changed map[string]string) map[string]string {
	out := maps.Clone(changed)
	out["HASH"] = hashOf(signed)
	return out
}

func TestACaseThatSaysNothingSensibleIsUnreadable(t *testing.T) {
	t.Parallel()
	d := open(t, config)
	for name, value := range map[string]string{
		"caseState": "MAYBE", "caseId": "a b", "oid": "", "amount": "0.00", "caseFee": "-1.00", "currency": "999",
	} {
		f := caseMessage()
		f[name] = value
		if _, err := d.Case(body(f, config.StoreKey)); !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("%s %q: %v, want ErrUnreadable", name, value, err)
		}
	}
}

func FuzzCase(f *testing.F) {
	f.Add(body(caseMessage(), config.StoreKey))
	f.Add(body(notice(), config.StoreKey))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := open(t, config).Case(raw)
		if err == nil && (c.Amount.Sign() <= 0 || c.Fee.Sign() < 0 || c.ID == "" || c.Ref == "") {
			t.Errorf("%q was read as %+v", raw, c)
		}
	})
}

// TestNoAlteredCaseIsAccepted tries more than 10,000 altered messages about a
// chargeback. One that is the same message in other letters must mean the same.
func TestNoAlteredCaseIsAccepted(t *testing.T) {
	t.Parallel()
	d := open(t, config)
	good := body(caseMessage(), config.StoreKey)
	want, err := d.Case(good)
	if err != nil {
		t.Fatal(err)
	}
	right, err := url.ParseQuery(string(good))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	try := func(what string, raw []byte) {
		tried++
		got, err := d.Case(raw)
		if err != nil {
			return
		}
		v, err := url.ParseQuery(string(raw))
		if err != nil || !reflect.DeepEqual(v, right) || got.ID != want.ID || !got.Amount.Equal(want.Amount) || got.State != want.State {
			t.Errorf("%s was accepted as %+v: %s", what, got, raw)
		}
	}
	for i := range good {
		for bit := range 8 {
			raw := slices.Clone(good)
			raw[i] ^= 1 << bit
			try("a flipped bit", raw)
		}
		try("a lost byte", slices.Delete(slices.Clone(good), i, i+1))
		try("a cut body", good[:i])
		for c := range 32 {
			try("a byte more", slices.Insert(slices.Clone(good), i, byte(33+c*2)))
		}
	}
	if tried < 10_000 {
		t.Errorf("%d mutants are too few", tried)
	}
	for name, raw := range map[string][]byte{
		"another merchant's key": body(caseMessage(), "TEST9999"), "no signature": encode(caseMessage()), "a card's notice": body(notice(), config.StoreKey), "nothing": nil,
	} {
		if _, err := d.Case(raw); !errors.Is(err, card.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
}
