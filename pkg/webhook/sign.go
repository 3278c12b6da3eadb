package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Signature is the webhook-signature of a body: for each live secret «v1,» and
// the HMAC-SHA256 of «id.timestamp.body», separated by spaces
// (standardwebhooks.com).
func Signature(secrets [][]byte, msgID string, at time.Time, body []byte) string {
	out := make([]string, len(secrets))
	for i, s := range secrets {
		h := hmac.New(sha256.New, s)
		_, _ = h.Write([]byte(msgID + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		_, _ = h.Write(body)
		out[i] = "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return strings.Join(out, " ")
}
