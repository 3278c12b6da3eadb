package smsgateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/smsgateway"
	"tiwiza/pkg/outbound"
)

// BenchmarkSend measures what the port and its driver add to a bare client that
// writes and reads the same JSON: under 40 µs and 60 allocations.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"messages":[{"id":"gw-1","status":"queued"}]}`)
	}))
	defer server.Close()
	c := (&stand{}).config(server.URL)
	d, err := smsgateway.New(c)
	if err != nil {
		b.Fatal(err)
	}
	s := notify.New("sms", d, notify.Options{Lane: outbound.Settings{Rate: 1e9, Burst: 1e9}})
	m := notify.Message{Ref: "nat_1", To: "+212612345678", Text: "Bonjour"}
	b.Run("carrier", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if r := s.Send(b.Context(), m); r.Outcome != outbound.Accepted {
				b.Fatalf("%+v", r)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		client := outbound.Client(outbound.Settings{}, nil)
		b.ReportAllocs()
		for b.Loop() {
			body, err := json.Marshal(map[string]any{"from": "TIWIZA", "messages": []any{map[string]any{"to": m.To, "text": m.Text, "ref": m.Ref, "ttl": ""}}})
			if err != nil {
				b.Fatal(err)
			}
			res, err := client.Post(c.URL, "application/json", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			var v any
			err = json.NewDecoder(res.Body).Decode(&v)
			if _ = res.Body.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
