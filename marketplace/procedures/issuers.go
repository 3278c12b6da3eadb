package procedures

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// An Issuer is the institution that gives a label. Only its procedures do.
type Issuer struct {
	Label       string
	Institution string
	NamedBy     string
	NamedAt     time.Time
}

// issues refuses an institution whose procedure gives a label that another issues, or
// that nobody does.
func (s *Service) issues(ctx context.Context, tx *pg.Tx, org string, d Definition) error {
	if d.Effect == nil || d.Effect.Kind != "label" {
		return nil
	}
	of, err := lockIssuer(ctx, tx, d.Effect.Label)
	if err == nil && of != org {
		err = ErrIssuer.At("/effect/label", "Your institution does not issue this label here.")
	}
	return err
}

// IssuerInput names who issues a label.
type IssuerInput struct {
	Label       string `path:"label" maxLength:"60"`
	Institution string `json:"institution" required:"true" maxLength:"40"`
}

// IssuerView is who issues a label.
type IssuerView struct {
	Label       string    `json:"label" required:"true"`
	Institution NamedView `json:"institution" required:"true"`
	NamedAt     time.Time `json:"named_at" required:"true"`
}

// NameIssuer names the institution that issues a label, in the place of any other: from
// then on only its procedures give it, and only it decides on cases that do. The
// market's people call it.
func (s *Service) NameIssuer(ctx context.Context, tx *pg.Tx, in IssuerInput) (v IssuerView, err error) {
	if auth.From(ctx).Role != auth.Operator {
		return v, ErrNotFound
	}
	if !plain(in.Label) {
		return v, ErrInvalid.At("/label", "Give the code of a label.")
	}
	if err := s.atWork(ctx, tx, in.Institution); err != nil {
		return v, ErrInvalid.At("/institution", "This is no institution that is at work here.").With(err)
	}
	i, err := s.Issues(ctx, tx, in.Label, in.Institution)
	if err != nil {
		return v, err
	}
	name, err := s.named(ctx, tx, i.Institution)
	return IssuerView{i.Label, name(i.Institution), i.NamedAt.UTC()}, err
}

// Issues has an institution issue a label, a step of whoever sets a market up.
func (s *Service) Issues(ctx context.Context, tx *pg.Tx, label, institution string) (Issuer, error) {
	i := Issuer{Label: label, Institution: institution, NamedBy: by(ctx), NamedAt: tx.Now()}
	saveIssuer(tx, i)
	audit.Record(tx, "labels.issuer", label, authz.Policy(ctx), map[string]string{"institution": institution})
	return i, tx.Flush(ctx)
}

// Issuers lists which institution issues which label, for institutions and the market's
// people.
func (s *Service) Issuers(ctx context.Context, in rest.Paging) (p rest.Page[IssuerView], err error) {
	var after string
	if err := rest.DecodeCursor(in.Cursor, &after); err != nil {
		return p, err
	}
	all, err := issuers(ctx, s.db, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, i := range all {
		ids = append(ids, i.Institution)
	}
	name, err := s.named(ctx, s.db, ids...)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(i Issuer) IssuerView { return IssuerView{i.Label, name(i.Institution), i.NamedAt.UTC()} }, func(v IssuerView) any { return v.Label }), nil
}
