package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"tiwiza/pkg/webhook"
)

func TestOnlyWhatAKeyOfOursSignedLatelyIsHeard(t *testing.T) {
	t.Parallel()
	pub, key, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	name := func(k ed25519.PublicKey) string { return "whpk_" + base64.StdEncoding.EncodeToString(k) }
	now := time.Unix(1_795_000_000, 0)
	sign := func(at time.Time) webhook.Signed {
		s := webhook.Signed{ID: "msg_1", Timestamp: strconv.FormatInt(at.Unix(), 10), Body: []byte(`{"type":"message.waiting"}`)}
		s.Signature = "v1,xxx v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(s.ID+"."+s.Timestamp+"."+string(s.Body))))
		return s
	}
	good := sign(now)
	if !good.By(now, name(other), name(pub)) {
		t.Error("a good signature is not heard")
	}
	for what, ok := range map[string]bool{
		"another key": good.By(now, name(other)), "no key": good.By(now), "a broken key": good.By(now, "whpk_"),
		"six minutes late": good.By(now.Add(6*time.Minute), name(pub)), "six minutes early": good.By(now.Add(-6*time.Minute), name(pub)),
	} {
		if ok {
			t.Errorf("%s: heard", what)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 { // no mutant passes
		bad := good
		part := []*string{&bad.ID, &bad.Timestamp, &bad.Signature}[r.IntN(3)]
		if r.IntN(4) == 0 {
			b := append([]byte(nil), bad.Body...)
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
			bad.Body = b
		} else {
			b := []byte(*part)
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(127))
			*part = string(b)
		}
		if bad.By(now, name(pub)) && string(bad.Body) == string(good.Body) && bad.ID == good.ID && bad.Timestamp == good.Timestamp {
			continue // a sign that stands before the signature, of another scheme
		} else if bad.By(now, name(pub)) {
			t.Fatalf("heard: %+v", bad)
		}
	}
}
