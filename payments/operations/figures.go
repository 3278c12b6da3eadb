package operations

import (
	"context"
	"time"
)

// Figures say how things stand with the partners, for those who watch.
type Figures struct {
	Oldest       time.Duration // age of the oldest operation in doubt; 0 when there is none
	Contradicted int64         // that did not end as they were booked
	Open         map[State]int64
}

// Figures reads them from the database: all hubs tell the same.
func (e *Engine) Figures(ctx context.Context) (Figures, error) { return figuresOf(ctx, e.db) }
