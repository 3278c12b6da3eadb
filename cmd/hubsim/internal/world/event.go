package world

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Signed is the request of an event of the partner protocol, signed by Standard
// Webhooks; wrongly when it is spoilt. A signature's time is the machine's, whatever
// the partners' clock says.
func Signed(ctx context.Context, to string, key ed25519.PrivateKey, name string, body []byte, spoilt bool) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	signature := ed25519.Sign(key, append([]byte(name+"."+at+"."), body...))
	if spoilt {
		signature[0] ^= 1
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": at, "webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(signature)} {
		req.Header.Set(k, v)
	}
	return req, nil
}

// PublicKey is a key as a manifest lists it.
func PublicKey(key ed25519.PrivateKey) string {
	return "whpk_" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

// Event sends an event of the partner protocol.
func Event(ctx context.Context, client *http.Client, to string, key ed25519.PrivateKey, name string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := Signed(ctx, to, key, name, body, false)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("it is answered %s", res.Status)
	}
	return nil
}
