package members

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// KeyView is an API key without its secret. Its id is what the key begins with.
type KeyView struct {
	ID        string     `json:"id" required:"true" description:"What the key begins with, up to the full stop."`
	Label     string     `json:"label" required:"true"`
	Role      auth.Role  `json:"role" required:"true"`
	MadeBy    string     `json:"made_by,omitempty" description:"The person or member who made it; nobody when the market was set up."`
	MadeWith  string     `json:"made_with,omitempty" description:"The key with which it was made."`
	Behind    string     `json:"behind,omitempty" description:"The operator's person who may not approve what is asked for with it."`
	Waits     bool       `json:"waits,omitempty" description:"It opens once a second person has approved it."`
	OpenedBy  string     `json:"opened_by,omitempty" description:"The second person."`
	CreatedAt time.Time  `json:"created_at" required:"true"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// NewKeyView is an API key with its secret, shown this once.
type NewKeyView struct {
	KeyView
	APIKey   string `json:"api_key" required:"true" description:"Send it as Authorization: Bearer. It is shown this once."`
	Approval string `json:"approval,omitempty" description:"What a second person must approve before the key opens: POST /v1/approvals/{id}."`
}

// NewKeyInput asks for an API key.
type NewKeyInput struct {
	Org   string `path:"org"`
	Label string `json:"label" required:"true" minLength:"1" maxLength:"100" description:"Where the key is used."`
}

// OneKey names an organisation's key.
type OneKey struct {
	Org string `path:"org"`
	Key string `path:"key"`
}

// OfOrganisation asks for a list of an organisation's own.
type OfOrganisation struct {
	Org string `path:"org"`
	rest.Paging
}

func (s *Service) listKeys(ctx context.Context, in OfOrganisation) (p rest.Page[KeyView], err error) {
	var below string
	if err := s.listing(ctx, "api_keys.list", in, &below); err != nil {
		return p, err
	}
	all, err := keysOf(ctx, s.db, in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, keyView, func(k KeyView) any { return k.ID }), nil
}

// listing checks that the caller may list, that there is such an organisation,
// and reads where to go on.
func (s *Service) listing(ctx context.Context, action string, in OfOrganisation, below *string) error {
	if err := rest.DecodeCursor(in.Cursor, below); err != nil {
		return err
	}
	if _, err := s.may(ctx, action, in.Org); err != nil {
		return err
	}
	_, err := load(ctx, s.db, in.Org)
	return err
}

func keyView(c credential) KeyView {
	return KeyView{c.ID, c.Label, c.Role, c.MadeBy, c.MadeWith, c.Behind, c.waits(), c.OpenedBy, c.CreatedAt.UTC(), rest.UTC(c.RevokedAt)}
}

func (s *Service) createKey(ctx context.Context, in NewKeyInput) (v NewKeyView, err error) {
	policy, err := s.may(ctx, "api_keys.create", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, k, approval, err := s.mint(ctx, tx, in.Org, in.Label)
		if err != nil {
			return err
		}
		audit.Record(tx, "api_keys.create", in.Org, policy, map[string]any{"key": c.ID, "label": c.Label, "waits": c.waits()})
		v = NewKeyView{keyView(c), k.String(), approval}
		return nil
	})
	return v, err
}

func (s *Service) revokeKey(ctx context.Context, in OneKey) (v KeyView, err error) {
	policy, err := s.may(ctx, "api_keys.revoke", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := lockKey(ctx, tx, in.Key)
		if err == nil && c.Subject != in.Org {
			err = ErrNoKey
		}
		if err != nil || c.RevokedAt != nil {
			v = keyView(c)
			return err
		}
		if err := s.RevokeKey(ctx, tx, c.ID); err != nil {
			return err
		}
		at := tx.Now()
		c.RevokedAt = &at
		v = keyView(c)
		audit.Record(tx, "api_keys.revoke", in.Org, policy, map[string]any{"key": c.ID})
		return nil
	})
	return v, err
}
