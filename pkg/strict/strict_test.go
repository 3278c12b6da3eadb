package strict_test

import (
	"strings"
	"testing"

	"tiwiza/pkg/strict"
)

func TestOneTextHasOneMeaning(t *testing.T) {
	t.Parallel()
	var got struct {
		A int `json:"a"`
	}
	if err := strict.Object([]byte(`{"a":1,"more":[{"b":2},{"b":3}]}`), &got); err != nil || got.A != 1 {
		t.Errorf("a sound object gives %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "[]", "1", `{"a":1`, `{"a":1}{}`, `{"a":1} x`, `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"b":[{"c":1,"c":2}]}`, "{\"a\":\"\xff\"}",
		strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), `{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}",
	} {
		if err := strict.Object([]byte(bad), &struct{}{}); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
