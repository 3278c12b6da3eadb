package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far a signature's time may be from ours.
const Tolerance = 5 * time.Minute

// PublicKey reads whpk_…: the Ed25519 key of who sends us events
// (standardwebhooks.com, asymmetric).
func PublicKey(s string) (ed25519.PublicKey, bool) {
	text, ok := strings.CutPrefix(s, "whpk_")
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	return key, ok && err == nil && len(key) == ed25519.PublicKeySize
}

// A Signed is what came with an event that somebody sends us.
type Signed struct {
	ID, Timestamp, Signature string
	Body                     []byte
}

// By says whether one of the keys signed it, and not long ago: «v1a,» and the
// Ed25519 signature of «id.timestamp.body», one of several separated by spaces.
func (s Signed) By(now time.Time, keys ...string) bool {
	at, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil || s.Timestamp != strconv.FormatInt(at, 10) || s.ID == "" || len(s.Signature) > 2000 {
		return false
	}
	if off := now.Sub(time.Unix(at, 0)); off > Tolerance || off < -Tolerance {
		return false
	}
	text := append([]byte(s.ID+"."+s.Timestamp+"."), s.Body...)
	return slices.ContainsFunc(strings.Fields(s.Signature), func(one string) bool {
		given, ok := strings.CutPrefix(one, "v1a,")
		signature, err := base64.StdEncoding.Strict().DecodeString(given)
		return ok && err == nil && slices.ContainsFunc(keys, func(k string) bool {
			key, ok := PublicKey(k)
			return ok && ed25519.Verify(key, text, signature)
		})
	})
}

// Now is the machine's time, by which signatures are judged.
func Now() time.Time { return time.Now() }
