package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/pkg/pg"
)

// A Certificate says that a connector has proved that it executes the same
// reference once, however often it is sent, and how long it remembers one. It
// is data: a connector without one is never sent a reference twice.
type Certificate struct {
	Connector string
	Kind      string
	Proof     string        // which tests, when, by whom
	Remembers time.Duration // at least a second
}

var errNoCertificate = errors.New("nothing is certified")

// Certify sets what a connector has proved, in place of what it had before.
func (e *Engine) Certify(ctx context.Context, connector string, proved ...Certificate) error {
	return e.db.InTx(ctx, func(tx *pg.Tx) error { return e.Proved(tx, connector, proved...) })
}

// Proved is Certify in the caller's unit of work.
func (e *Engine) Proved(tx *pg.Tx, connector string, proved ...Certificate) error {
	for _, c := range proved {
		if c.Connector != connector || c.Kind == "" || c.Proof == "" || c.Remembers < time.Second {
			return fmt.Errorf("a certificate names its connector, kind, proof and how long references are remembered: %+v", c)
		}
	}
	certify(tx, connector, proved)
	return nil
}

// proved is the policy for an operation at its connector: sending it again needs
// a certificate, and only lasts while the connector remembers.
func (e *Engine) proved(ctx context.Context, tx *pg.Tx, o Operation, p Policy) (Policy, error) {
	if !p.Resend {
		return p, nil
	}
	remembers, err := certified(ctx, tx, o.Connector, o.Kind)
	if errors.Is(err, errNoCertificate) {
		p.Resend = false
		return p, nil
	}
	p.Window = min(p.Window, remembers)
	return p, err
}
