package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"tiwiza/pkg/fault"
)

var errSoldOut = fault.New(fault.Conflict, "orders.sold_out", "This is sold out.")

func TestSentinelMatchesWithCauseAndDetails(t *testing.T) {
	t.Parallel()
	cause := errors.New("row locked")
	err := fmt.Errorf("check out: %w", errSoldOut.With(cause).At("/lines/0", "2 left").Say("Only %d left.", 2))
	if !errors.Is(err, errSoldOut) || !errors.Is(err, cause) {
		t.Errorf("errors.Is lost the sentinel or its cause in %v", err)
	}
	if got, want := fault.KindOf(err), fault.Conflict; got != want {
		t.Errorf("KindOf = %v, want %v", got, want)
	}
}

func TestCopiesLeaveTheSentinelAlone(t *testing.T) {
	t.Parallel()
	_ = errSoldOut.At("/a", "b").With(errors.New("c"))
	if len(errSoldOut.Details) != 0 || errSoldOut.Err != nil {
		t.Errorf("sentinel changed: %+v", errSoldOut)
	}
}

func TestPlainErrorIsInternal(t *testing.T) {
	t.Parallel()
	if got := fault.KindOf(errors.New("x")); got != fault.Internal {
		t.Errorf("KindOf = %v, want Internal", got)
	}
}
