// Package netfault puts a bad network between a driver and its partner, for
// tests: answers that are lost, cut, reset or late.
package netfault

import (
	"context"
	"fmt"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A Fault is one way for the network to fail.
type Fault string

// The faults, with what a partner behind them does to one request.
const (
	AnswerLost  Fault = `{"type":"timeout","stream":"downstream","attributes":{"timeout":50}}`    // executes
	AnswerReset Fault = `{"type":"reset_peer","stream":"downstream","attributes":{"timeout":50}}` // executes
	AnswerCut   Fault = `{"type":"limit_data","stream":"downstream","attributes":{"bytes":40}}`   // executes
	AnswerLate  Fault = `{"type":"latency","stream":"downstream","attributes":{"latency":60000}}` // executes
	RequestLost Fault = `{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`       // hears nothing
)

// RequestCut lets so many bytes of each connection through to the partner.
func RequestCut(bytes int) Fault {
	return Fault(fmt.Sprintf(`{"type":"limit_data","stream":"upstream","attributes":{"bytes":%d}}`, bytes))
}

// AnswersCut lets so many bytes of each connection through from the partner.
func AnswersCut(bytes int) Fault {
	return Fault(fmt.Sprintf(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":%d}}`, bytes))
}

// Network is a proxy in front of one partner.
type Network struct {
	Addr  string // where a driver finds the partner
	proxy *toxiproxy.Proxy
	t     testing.TB
}

// New puts a network in front of upstream, a host and port; it ends with the
// test.
func New(t testing.TB, upstream string) *Network {
	t.Helper()
	s := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(s, "partner", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatalf("start the proxy: %v", err)
	}
	n := &Network{Addr: p.Listen, proxy: p, t: t}
	t.Cleanup(func() { n.Mend(); p.Stop() })
	return n
}

// Break makes the network fail until Mend.
func (n *Network) Break(f Fault) {
	n.t.Helper()
	if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(string(f))); err != nil {
		n.t.Fatalf("break the network: %v", err)
	}
}

// Mend makes the network good again.
func (n *Network) Mend() { n.proxy.Toxics.ResetToxics(context.Background()) }

// Stop refuses connections until Start.
func (n *Network) Stop() { n.proxy.Stop() }

// Start takes connections again at the same address.
func (n *Network) Start() {
	n.t.Helper()
	n.proxy.Listen = n.Addr
	if err := n.proxy.Start(); err != nil {
		n.t.Fatalf("start the proxy: %v", err)
	}
}
