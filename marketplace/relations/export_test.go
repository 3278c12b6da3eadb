package relations

import (
	"context"
	"testing"
)

// Occupy has nobody else speak with a system for as long as a talk may take.
func (s *Service) Occupy(ctx context.Context, t testing.TB, partner string) {
	if until, err := s.occupy(ctx, partner); err != nil || until.IsZero() {
		t.Fatalf("the system is not free: %v", err)
	}
}
