package operations

import (
	"context"
	"time"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Send is what the job of sending does.
func (e *Engine) Send(ctx context.Context, opID string) error { return e.send(ctx, opID) }

// Ask is what the job of inquiring does.
func (e *Engine) Ask(ctx context.Context, opID string) error { return e.inquire(ctx, opID) }

// Begin is the first half of Send, up to its commit.
func (e *Engine) Begin(ctx context.Context, opID string) (Operation, bool, error) {
	return e.begin(ctx, opID)
}

// Say records a word on one try that was true at a time.
func (e *Engine) Say(ctx context.Context, opID string, try int, from Source, r outbound.Result, at time.Time) error {
	return e.record(ctx, func(ctx context.Context, tx *pg.Tx) error { return e.said(ctx, tx, opID, word{try, from, r, "", at}) })
}

// Kinds of the jobs, for tests that run them by hand.
var (
	SendJob    = sendJob{}.Kind()
	InquireJob = inquireJob{}.Kind()
)
