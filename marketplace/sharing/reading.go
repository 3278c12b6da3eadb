package sharing

import (
	"cmp"
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// A found is an item that somebody may read, with what lets it.
type found struct {
	Item
	Edition Edition `db:"-"`
	Ground  Ground  `db:"-"`
}

// reader is who reads: an organisation on a consent, or one of the market's people
// through a broken glass.
type reader struct {
	auth.Principal
	named members.Named
}

// by is the person who reads, or the key.
func (r reader) by() string {
	if r.Role == auth.Operator {
		return r.Person()
	}
	return cmp.Or(r.Human, r.Key, r.Subject)
}

// Open lists what somebody may see of a dossier on one consent, and writes down
// that it looked.
func (s *Service) Open(ctx context.Context, in DossierInput) (v DossierView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		r := reader{Principal: auth.From(ctx)}
		var grounds []Ground
		if err := pg.Together(ctx, tx, s.Members.Naming(r.Subject, &r.named), groundsOf(r, in.Org, in.Consent, &grounds)); err != nil {
			return err
		}
		if len(grounds) == 0 {
			return s.none(ctx, tx, r, in.Org)
		}
		g := grounds[0]
		items, err := itemsOn(ctx, tx, in.Org, g)
		if err != nil {
			return err
		}
		v = DossierView{Owner: in.Org, On: g.view(), Items: []SeenView{}}
		for _, i := range items {
			v.Items = append(v.Items, i.seen())
		}
		return s.write(ctx, tx, r, g, Consultation{Owner: in.Org, Action: "list"})
	})
	if err != nil {
		return DossierView{}, err
	}
	return v, nil
}

// See shows an item to whom a consent lets see it, and writes down that it was
// seen.
func (s *Service) See(ctx context.Context, in SeeInput) (v SeenView, err error) {
	f, _, err := s.read(ctx, in, "view")
	if err != nil {
		return v, err
	}
	v = f.seenWith(f.Edition)
	v.Form, v.On = f.Edition.Form, f.Ground.view()
	return v, nil
}

// Download gives an item's file to whom a consent lets see it, with a mark that
// says who took it, when and on which consent; it is written down before.
func (s *Service) Download(ctx context.Context, in SeeInput) (rest.Blob, error) {
	f, r, err := s.read(ctx, in, "download")
	if err != nil {
		return rest.Blob{}, err
	}
	b, err := s.Files.Content(ctx, f.Edition.File)
	if err != nil {
		return rest.Blob{}, err
	}
	if b, err = mark(b, f.Edition.Type, stamp(f, r)); err != nil {
		return rest.Blob{}, err
	}
	return rest.Blob{ContentType: f.Edition.Type, FileName: f.ID + extensions[f.Edition.Type], Foreign: true, Bytes: b}, nil
}

// read decides whether the caller may read an item, and writes down that it does,
// in one unit of work.
func (s *Service) read(ctx context.Context, in SeeInput, action string) (f found, r reader, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		r = reader{Principal: auth.From(ctx)}
		var all []found
		if err := pg.Together(ctx, tx, s.Members.Naming(r.Subject, &r.named), itemOn(r, in.Org, in.Item, &all)); err != nil {
			return err
		}
		if len(all) == 0 {
			return s.none(ctx, tx, r, in.Org)
		}
		f = all[0]
		if action == "download" && f.Edition.File == "" {
			return ErrInvalid.At("/item", "This is a form: it is read as it is shown.")
		}
		return s.write(ctx, tx, r, f.Ground, Consultation{
			Owner: f.Owner, Item: &f.ID, Version: &f.Version, Section: f.Section, Sensitive: f.Sensitive, Title: f.Title, Action: action, Bytes: f.Edition.Size,
		})
	})
	if err != nil {
		return found{}, r, err
	}
	return f, r, nil
}

// none is the answer to whom nothing lets in: whoever was let in once hears that
// this has ended, and for everybody else there is nothing there.
func (s *Service) none(ctx context.Context, tx *pg.Tx, r reader, owner string) error {
	if r.Role == auth.Operator {
		return ErrNotFound
	}
	had, err := hadConsent(ctx, tx, owner, r.Subject)
	if err != nil {
		return err
	}
	if had {
		return ErrWithdrawn
	}
	return ErrNotFound
}

// write adds to the log what somebody is about to read. The database looks at the
// consent once more, under its lock.
func (s *Service) write(ctx context.Context, tx *pg.Tx, r reader, g Ground, c Consultation) error {
	if g.Glass == nil && !r.named.Active {
		return ErrBarred
	}
	c.At, c.Consent, c.Glass, c.Purpose = tx.Now(), g.Consent, g.Glass, g.Purpose
	c.Organisation, c.By, c.Policy = r.Subject, r.by(), authz.Policy(ctx)
	insertConsultation(tx, c)
	if g.Known || g.Glass != nil {
		return nil
	}
	return tx.Publish(ctx, Looked{
		Owner: c.Owner, Consent: *g.Consent, Organisation: c.Organisation, By: c.By, Name: name(r.named.Names, "fr"), Title: c.Title, Purpose: c.Purpose, At: c.At,
	})
}
