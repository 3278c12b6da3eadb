package netfault

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
)

var given sync.Map

// FreeAddr is an address of this machine that nobody listens on, given once in a run of
// tests. It lies below the ports that systems give to outgoing connections, so that it
// is free a moment later too, and again after whoever listened there was killed.
func FreeAddr(t testing.TB) string {
	t.Helper()
	first := 20000 + os.Getpid()%10*1000 // packages are tested side by side
	for range 500 {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(1000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, taken := given.LoadOrStore(addr, true); !taken {
			return addr
		}
	}
	t.Fatalf("no port from %d to %d is free", first, first+999)
	return ""
}
