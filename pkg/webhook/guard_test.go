package webhook_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/webhook"
)

// names is a resolver that answers each question about addresses with the next
// of a list, and the last one from then on.
func names(t *testing.T, answers ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	asked := new(atomic.Int64)
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(reply(buf[:n], func() string {
				i := int(asked.Add(1)) - 1
				return answers[min(i, len(answers)-1)]
			}), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}, asked
}

// reply answers a DNS question of type A with an address (RFC 1035, section 4.1).
func reply(q []byte, next func() string) []byte {
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	end += 5
	kind := binary.BigEndian.Uint16(q[end-4:])
	out := append([]byte{}, q[:2]...)
	out = append(out, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	out = append(out, q[12:end]...)
	if kind != 1 {
		return out // there is no other address
	}
	a := netip.MustParseAddr(next()).As4()
	out[7] = 1
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(out, a[:]...)
}

func TestANameThatPointsInsideIsNeverCalled(t *testing.T) {
	t.Parallel()
	inside := receive(t, nil)
	port := inside.URL[strings.LastIndex(inside.URL, ":")+1:]
	db := pgtest.New(t)
	for name, answers := range map[string][]string{
		"always":   {"127.0.0.1"},
		"metadata": {"169.254.169.254"},
		"private":  {"10.1.2.3"},
	} {
		resolver, asked := names(t, answers...)
		h := openHub(t, db, webhook.Guard{Resolver: resolver})
		v := h.create(stranger, "https://"+name+".shop.example/", "*")
		d, err := h.svc.Test(as(t, stranger), webhook.One{Endpoint: v.ID})
		must(t, err)
		if d.State != webhook.Failed || d.Status != 0 || d.Error != "the address is not public" || asked.Load() == 0 {
			t.Errorf("%s: %+v after %d questions", name, d, asked.Load())
		}
	}
	if n := len(inside.got()); n != 0 {
		t.Errorf("%d calls came inside, to port %s", n, port)
	}
}

// A name that is public when it is looked at first, and private when it is
// called, is refused at the second: what counts is the address of each
// connection.
func TestANameThatChangesItsMindIsRefused(t *testing.T) {
	t.Parallel()
	inside := receive(t, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(inside.URL, "http://"))
	must(t, err)
	resolver, asked := names(t, "192.0.2.1", "8.8.8.8", "127.0.0.1")
	g := webhook.Guard{Resolver: resolver}
	for _, want := range []string{"not public", "port", "not public"} {
		conn, err := g.Dial(t.Context(), "tcp", "shop.example:"+port)
		if err == nil {
			conn.Close()
			t.Fatal("a connection was made")
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("after %d questions: %v, want «%s»", asked.Load(), err, want)
		}
	}
	if n := len(inside.got()); n != 0 {
		t.Errorf("%d calls came inside", n)
	}
	for _, literal := range []string{"127.0.0.1:443", "[::1]:443", "[::ffff:127.0.0.1]:443", "[64:ff9b::7f00:1]:443", "0x7f.1:443", "2130706433:443", "0:443", "[fe80::1]:443"} {
		if conn, err := g.Dial(t.Context(), "tcp", literal); err == nil {
			conn.Close()
			t.Errorf("%s was called", literal)
		}
	}
	conn, err := webhook.Guard{Loopback: true}.Dial(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("in a demonstration: %v", err)
	}
	conn.Close()
}
