package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/webhook"
)

// verify is a receiver's reading of the specification: the header is versions
// and signatures, and one of ours must be among them.
func verify(header, id string, at time.Time, body, secret []byte) bool {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	for part := range strings.SplitSeq(header, " ") {
		version, text, ok := strings.Cut(part, ",")
		sum, err := base64.StdEncoding.DecodeString(text)
		if ok && version == "v1" && err == nil && hmac.Equal(sum, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// Each live secret verifies what was signed; another secret, another body, id or
// time does not.
func FuzzSignature(f *testing.F) {
	f.Add("msg_1", int64(1614265330), []byte(`{"test": 2432232314}`), []byte("secret"), []byte("older"))
	f.Add("", int64(-1), []byte{}, []byte{}, []byte{0})
	f.Fuzz(func(t *testing.T, id string, unix int64, body, secret, older []byte) {
		at := time.Unix(unix, 0)
		header := webhook.Signature([][]byte{secret, older}, id, at, body)
		if !verify(header, id, at, body, secret) || !verify(header, id, at, body, older) {
			t.Fatalf("%q does not verify", header)
		}
		if strings.ContainsAny(header, "\r\n") || strings.Count(header, " ") != 1 {
			t.Fatalf("%q is no header of two signatures", header)
		}
		// HMAC pads a short key with zeros, so that only another byte makes another key.
		other := append([]byte{1}, append(append([]byte{}, secret...), older...)...)
		if verify(header, id, at, append([]byte("x"), body...), secret) || verify(header, id+"x", at, body, secret) ||
			verify(header, id, at.Add(time.Second), body, secret) || verify(header, id, at, body, other) {
			t.Fatalf("%q verifies something else", header)
		}
	})
}
