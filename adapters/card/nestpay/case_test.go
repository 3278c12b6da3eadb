package nestpay_test

import (
	"errors"
	"maps"
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
