package procedures

import (
	"context"
	"fmt"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// mostEditions is how many versions a procedure may have.
const mostEditions = 1000

// Publish makes a new version of a procedure of the caller's, an institution; cases
// under way stay with theirs.
func (s *Service) Publish(ctx context.Context, tx *pg.Tx, in PublishInput) (v ProcedureView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Institution {
		return v, ErrNotFound
	}
	e, err := s.PublishFor(ctx, tx, who.Subject, in.Definition)
	if err != nil {
		return v, err
	}
	return s.procedureView(ctx, tx, e)
}

// PublishFor makes a new version of an institution's procedure, a step of whoever
// sets a market up.
func (s *Service) PublishFor(ctx context.Context, tx *pg.Tx, org string, d Definition) (e Edition, err error) {
	if err := s.atWork(ctx, tx, org); err != nil {
		return e, err
	}
	if err := d.check(); err != nil {
		return e, err
	}
	if err := s.issues(ctx, tx, org, d); err != nil {
		return e, err
	}
	p, last, err := lockProcedure(ctx, tx, org, d.Code)
	if err != nil {
		return e, err
	}
	if last >= mostEditions {
		return e, ErrInvalid.At("/code", fmt.Sprintf("This procedure has %d versions; publish the next one under another code.", mostEditions))
	}
	if p == "" {
		p = id.New(id.Procedure)
		insertProcedure(tx, p, org, d.Code, by(ctx))
	}
	e = Edition{Procedure: p, Version: last + 1, Institution: org, State: "published", Definition: d, MadeBy: by(ctx), MadeAt: tx.Now()}
	endEdition(tx, p, "replaced")
	insertEdition(tx, e)
	audit.Record(tx, "procedures.publish", p, authz.Policy(ctx), map[string]any{"code": d.Code, "version": e.Version})
	return e, tx.Publish(ctx, ProcedureMoved{Procedure: p, Version: e.Version, Code: d.Code, Institution: org, State: e.State})
}

// Retire closes a procedure to new cases; those under way go on.
func (s *Service) Retire(ctx context.Context, tx *pg.Tx, in OneProcedure) (v ProcedureView, err error) {
	e, err := published(ctx, tx, in.Procedure)
	if err != nil {
		return v, err
	}
	if who := auth.From(ctx); who.Role != auth.Institution || who.Subject != e.Institution {
		return v, ErrNotFound
	}
	if _, _, err := lockProcedure(ctx, tx, e.Institution, e.Definition.Code); err != nil {
		return v, err
	}
	if e, err = published(ctx, tx, in.Procedure); err != nil { // another version, or none, since
		return v, err
	}
	endEdition(tx, e.Procedure, "retired")
	e.State = "retired"
	audit.Record(tx, "procedures.retire", e.Procedure, authz.Policy(ctx), map[string]any{"version": e.Version})
	if err := tx.Publish(ctx, ProcedureMoved{Procedure: e.Procedure, Version: e.Version, Code: e.Definition.Code, Institution: e.Institution, State: e.State}); err != nil {
		return v, err
	}
	return s.procedureView(ctx, tx, e)
}

// An Edition is a version of a procedure.
type Edition struct {
	Procedure   string
	Version     int
	Institution string
	State       string // published, replaced or retired
	Definition  Definition
	MadeBy      string
	MadeAt      time.Time
}
