package bank

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// tell sends the connector's events until the context ends. One only saves time:
// who misses it finds the message all the same.
func (b *Bank) tell(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-b.news:
			if b.EventsTo == "" {
				continue
			}
			if err := b.event(ctx, client, id); err != nil && ctx.Err() == nil {
				slog.Warn("bank: an event is not heard", "to", b.EventsTo, "err", err)
			}
		}
	}
}

func (b *Bank) event(ctx context.Context, client *http.Client, id string) error {
	body, err := json.Marshal(map[string]any{"type": "message.waiting", "data": map[string]string{"id": id}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.EventsTo, bytes.NewReader(body))
	if err != nil {
		return err
	}
	name, at := "msg_"+id, strconv.FormatInt(time.Now().Unix(), 10)
	signature := ed25519.Sign(b.Secrets.Events, []byte(name+"."+at+"."+string(body)))
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
