package remote

import (
	"context"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/outbound"
)

// insurancePath is where a connector speaks insurance.v1.
const insurancePath = "/insurance/v1"

// NewInsurance is the driver of a connector that speaks insurance.v1, with the
// features of its manifest. Keys are those that its events are signed with.
func NewInsurance(n *Connector, features, keys []string) insurance.Driver {
	d := insurance.NewV1("remote", func(ctx context.Context, method, path, key string, body []byte) (outbound.Answer, outbound.Result, bool) {
		return n.call(ctx, request{method, insurancePath + path, key, body})
	}, keys...)
	if (Capability{Features: features}).Has("observations") {
		return insurance.Observing{V1: d}
	}
	return d
}
