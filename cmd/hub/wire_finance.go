package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/pg"
)

// applicants are the systems of plugged banks, as finance knows them.
type applicants struct{ plugged *connectors.Service }

// Applicants is the system behind a partner that takes members' applications.
func (a applicants) Applicants(ctx context.Context, db pg.DB, partner string) (bank.Applicants, error) {
	s, err := a.plugged.System(ctx, db, partner)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(s.Features, featureApplications):
		return nil, fmt.Errorf("the connector %s does not have the feature %s", partner, featureApplications)
	case s.Barred != "":
		return nil, fmt.Errorf("nothing leaves to %s now: %s", partner, s.Barred)
	}
	return s.Bank, nil
}

// featureApplications is what a connector's manifest calls taking applications.
const featureApplications = "applications"

// askEvery is how often banks' systems are asked how applications stand.
func askEvery(demo bool) time.Duration {
	if demo {
		return 2 * time.Second
	}
	return 10 * time.Minute
}
