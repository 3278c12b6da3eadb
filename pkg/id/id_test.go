package id_test

import (
	"testing"

	"tiwiza/pkg/id"
)

func TestIdsAreOfTheirKindAndSorted(t *testing.T) {
	t.Parallel()
	last := ""
	for range 1000 {
		n := id.New(id.Order)
		if !id.Is(id.Order, n) || id.Is(id.Escrow, n) {
			t.Fatalf("%q is not an order's id, or is an escrow's", n)
		}
		if n <= last {
			t.Fatalf("%q does not sort after %q", n, last)
		}
		last = n
	}
}

func TestIsRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "ord_", "ord_1", "ORD_01jd0000000000000000000000", "ord_01jd000000000000000000000u", "ord_zzzzzzzzzzzzzzzzzzzzzzzzzz'"} {
		if id.Is(id.Order, s) {
			t.Errorf("Is(order, %q) = true", s)
		}
	}
}
