package approvals_test

import (
	"errors"
	"testing"

	"tiwiza/payments/approvals"
)

func TestWhatIsReadIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	type content struct{ Amount int64 }
	a, err := approvals.Ask{Kind: "test"}.Of(content{5})
	if err != nil {
		t.Fatal(err)
	}
	var got content
	r := approvals.Request{Kind: a.Kind, Hash: a.Hash, Evidence: a.Evidence}
	if err := r.Read(&got); err != nil || got.Amount != 5 {
		t.Errorf("read %+v (%v), want 5", got, err)
	}
	r.Evidence = `{"Amount":50}`
	if err := r.Read(&got); !errors.Is(err, approvals.ErrChanged) {
		t.Errorf("another content is read: %v, want %v", err, approvals.ErrChanged)
	}
}
