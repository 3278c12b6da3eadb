package arch_test

import (
	"testing"

	"tiwiza/pkg/arch"
)

func TestHouseStands(t *testing.T) {
	t.Parallel()
	h, err := arch.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if h.Files() < 100 {
		t.Errorf("read %d files; the module has more", h.Files())
	}
	for _, v := range h.Check() {
		t.Error(v)
	}
}
