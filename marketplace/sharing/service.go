package sharing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Members are the organisations that share, and with whom.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
	Naming(org string, out *members.Named) pg.Read
}

// Files are documents that were uploaded.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Content(ctx context.Context, file string) ([]byte, error)
}

// Approvals ask a second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Needs are the others that sharing works with.
type Needs struct {
	Members   Members
	Files     Files
	Approvals Approvals
}

// Service keeps dossiers, consents and the log.
type Service struct {
	db *pg.Store
	Needs
}

// kindGlass names the breaking of a glass among the approvals.
const kindGlass = "sharing.glass"

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db, n}
	n.Approvals.Handle(kindGlass, s.broken)
	return s
}

// own is the seller whose dossier the caller keeps; another's is not there.
func own(ctx context.Context, org string) error {
	if who := auth.From(ctx); who.Role != auth.Seller || who.Subject != org {
		return ErrNotFound
	}
	return nil
}

// Add puts something into the caller's dossier.
func (s *Service) Add(ctx context.Context, tx *pg.Tx, in ItemInput) (v ItemView, err error) {
	if err := own(ctx, in.Org); err != nil {
		return v, err
	}
	n, err := lockDossier(ctx, tx, in.Org)
	if err != nil {
		return v, err
	}
	if n >= most {
		return v, ErrFull
	}
	title := strings.TrimSpace(in.Title)
	if title == "" {
		return v, ErrInvalid.At("/title", "Say what it is.")
	}
	i := Item{ID: id.New(id.Item), Owner: in.Org, Section: in.Section, Title: title, Sensitive: in.Sensitive, Version: 1, MadeAt: tx.Now()}
	insertItem(tx, i)
	e, err := s.edition(ctx, tx, i, in.Content)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "dossiers.add", i.ID, authz.Policy(ctx), map[string]any{"owner": i.Owner, "section": i.Section, "sensitive": i.Sensitive})
	return i.view(e), nil
}

// most is how many items a dossier has.
const most = 500

// maxForm is how many bytes a form has.
const maxForm = 20_000

// edition writes down a version of an item.
func (s *Service) edition(ctx context.Context, tx *pg.Tx, i Item, in Content) (e Edition, err error) {
	e = Edition{Item: i.ID, Version: i.Version, File: in.File, Form: in.Form, AddedBy: auth.From(ctx).Person(), AddedAt: tx.Now()}
	switch {
	case (in.File == "") == (in.Form == nil):
		return e, ErrInvalid.At("/file", "Give the id of a proof that you uploaded, or a form.")
	case in.Form != nil:
		b, err := json.Marshal(in.Form)
		if err != nil {
			return e, err
		}
		if len(in.Form) == 0 || len(b) > maxForm {
			return e, ErrInvalid.At("/form", "A form says something, in at most 20,000 bytes.")
		}
		sum := sha256.Sum256(b)
		e.Type, e.Size, e.Digest = "application/json", len(b), sum[:]
	default:
		f, err := s.Files.Use(ctx, tx, in.File, i.Owner, media.Proof, i.ID)
		if err != nil {
			return e, err
		}
		e.Type, e.Size = f.Type, f.Size
		if e.Digest, err = hex.DecodeString(f.Blob[:min(64, len(f.Blob))]); err != nil {
			return e, err
		}
	}
	insertEdition(tx, e)
	return e, nil
}

// Replace puts a new version in the place of an item's content. Who may see the
// item sees the new one; the log names the version that was seen.
func (s *Service) Replace(ctx context.Context, tx *pg.Tx, in VersionInput) (v ItemView, err error) {
	i, err := s.lockItem(ctx, tx, in.Item)
	if err != nil {
		return v, err
	}
	if i.Version >= 1000 {
		return v, ErrFull
	}
	i.Version++
	saveItem(tx, i)
	e, err := s.edition(ctx, tx, i, in.Content)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "dossiers.replace", i.ID, authz.Policy(ctx), map[string]any{"owner": i.Owner, "version": i.Version})
	return i.view(e), nil
}

// Retire takes an item out of the dossier, from the next request on.
func (s *Service) Retire(ctx context.Context, tx *pg.Tx, in OneItem) (v ItemView, err error) {
	i, err := s.lockItem(ctx, tx, in.Item)
	if err != nil {
		return v, err
	}
	e, err := editionOf(ctx, tx, i.ID, i.Version)
	if err != nil {
		return v, err
	}
	at := tx.Now()
	i.RetiredAt = &at
	saveItem(tx, i)
	audit.Record(tx, "dossiers.retire", i.ID, authz.Policy(ctx), map[string]string{"owner": i.Owner})
	return i.view(e), nil
}

// Stands says whether an item still is in the caller's dossier.
func (s *Service) Stands(ctx context.Context, db pg.DB, item string) (bool, error) {
	i, err := loadItem(ctx, db, item)
	if err == nil {
		err = own(ctx, i.Owner)
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && i.RetiredAt == nil, err
}

// lockItem locks an item of the caller's that is in its dossier.
func (s *Service) lockItem(ctx context.Context, tx *pg.Tx, item string) (Item, error) {
	i, err := lockItem(ctx, tx, item)
	if err == nil {
		err = own(ctx, i.Owner)
	}
	if err == nil && i.RetiredAt != nil {
		err = ErrRetired
	}
	return i, err
}

// ordered are sections in the order of the dossier, each once.
func ordered(sections []string) (out []string) {
	for _, s := range Sections {
		if slices.Contains(sections, s) {
			out = append(out, s)
		}
	}
	return out
}
