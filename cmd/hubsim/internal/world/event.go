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

// Event sends an event of the partner protocol, signed by Standard Webhooks.
func Event(ctx context.Context, client *http.Client, to string, key ed25519.PrivateKey, name string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	signature := ed25519.Sign(key, []byte(name+"."+at+"."+string(body)))
	for k, v := range map[string]string{"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": at, "webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(signature)} {
		req.Header.Set(k, v)
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
