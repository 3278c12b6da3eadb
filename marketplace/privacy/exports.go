package privacy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"tiwiza/marketplace/notices"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/vault"
)

// AskExport has a copy made of all that the hub holds of the caller. Only one is made
// at a time: ErrThere.
func (s *Service) AskExport(ctx context.Context, tx *pg.Tx, _ rest.None) (v ExportView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	if _, err := s.People.Subject(ctx, tx, person); err != nil {
		return v, err
	}
	if n, err := copiesSince(ctx, tx, person, tx.Now().Add(-copiesWithin)); err != nil || n >= mostCopies {
		return v, tooMany(err, "", "At most %d copies are made for you in %d days; take away one of those that there are, or come back later.", mostCopies, int(copiesWithin.Hours()/24))
	}
	e := Export{ID: id.New(id.PersonalExport), Person: person, State: Making, Rooms: len(s.Holders), MadeAt: tx.Now(), Version: 1}
	key := make([]byte, vault.KeySize)
	_, _ = rand.Read(key) // never fails
	if e.Key, err = s.seal(e.ID, hex.EncodeToString(key)); err != nil {
		return v, err
	}
	insertExport(tx, e)
	job.Set(tx, timerCollect, e.ID, tx.Now())
	audit.Record(tx, "personal_data.export", e.ID, authz.Policy(ctx), map[string]string{"person": person})
	return e.view(), tx.Flush(ctx)
}

// tooMany is err, or that somebody asked too often and when it may again.
func tooMany(err error, at, say string, args ...any) error {
	if err != nil {
		return err
	}
	return ErrTooMany.At(at, fmt.Sprintf(say, args...))
}

// box opens the key of a copy.
func (s *Service) box(e Export) (*vault.Vault, error) {
	var text string
	if err := s.unseal(e.ID, e.Key, &text); err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read the key of %s: %w", e.ID, err)
	}
	return vault.New(key, "privacy.export")
}

// collect asks one more room for what it holds of a copy's person. Whoever is killed
// in the middle leaves nothing of this room, and all of those before.
func (s *Service) collect(ctx context.Context, tx *pg.Tx, export string) error {
	e, err := lockExport(ctx, tx, export)
	if err != nil || e.State != Making {
		return err
	}
	who, err := s.People.Subject(ctx, tx, e.Person)
	if err != nil {
		return err
	}
	box, err := s.box(e)
	if err != nil {
		return err
	}
	did, err := collectedFrom(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	left := s.left(did)
	if len(left) > 0 {
		h, n := left[0], len(did)
		part, err := h.Collect(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("collect what %s holds of %s: %w", h.Name(), e.Person, err)
		}
		b, err := json.Marshal(part)
		if err != nil {
			return err
		}
		insertPart(tx, e.ID, n, h.Name(), box.Seal(at(e.ID, n), string(b)))
		left = left[1:]
	}
	e = e.collected(len(left), tx.Now(), days(register.ExportDays))
	saveExport(tx, e)
	if e.State == Making {
		job.Set(tx, timerCollect, e.ID, tx.Now())
		return nil
	}
	job.Set(tx, timerGone, e.ID, *e.Until)
	return s.tell(ctx, tx, e.Person, notices.PersonalCopy, e.ID, nil)
}

// at is where a part of a copy lies, which it is bound to.
func at(export string, n int) string { return export + "/" + strconv.Itoa(n) }

// goes takes a copy away whose time is over: its parts, and the key that opens them
// wherever they may have been kept besides.
func (s *Service) goes(ctx context.Context, tx *pg.Tx, export string) error {
	e, err := lockExport(ctx, tx, export)
	if err != nil || e.State != Ready {
		return err
	}
	if tx.Now().Before(*e.Until) {
		job.Set(tx, timerGone, e.ID, *e.Until)
		return nil
	}
	dropParts(tx, e.ID)
	e.State, e.Key = Gone, nil
	saveExport(tx, e)
	return nil
}

// A Document is a copy as its person takes it away.
type Document struct {
	Schema   string          `json:"schema" required:"true" enum:"tiwiza.personal_data.v1"`
	Export   string          `json:"export" required:"true"`
	Person   string          `json:"person" required:"true"`
	MadeAt   time.Time       `json:"made_at" required:"true"`
	Register int             `json:"register_version" required:"true" description:"Of GET /v1/processings, which says what each table is for."`
	Rooms    []personal.Part `json:"rooms" required:"true"`
}

// OneExport names a copy.
type OneExport struct {
	Export string `path:"export"`
}

// Exports lists the caller's copies, the newest first.
func (s *Service) Exports(ctx context.Context, in rest.Paging) (p rest.Page[ExportView], err error) {
	person, err := me(ctx)
	if err != nil {
		return p, err
	}
	below, err := in.After(id.PersonalExport)
	if err != nil {
		return p, err
	}
	rows, err := listExports(ctx, s.db, person, below, in.Limit+1)
	return rest.View(rows, in.Limit, Export.view, func(v ExportView) any { return v.ID }), err
}

// ShowExport is a copy of the caller's, and how far it is.
func (s *Service) ShowExport(ctx context.Context, in OneExport) (v ExportView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	e, err := loadExport(ctx, s.db, in.Export)
	if err != nil || e.Person != person {
		return v, ErrNotFound.With(err)
	}
	return e.view(), nil
}

// fetch opens a copy of the caller's. That it was fetched is written down in the same
// unit of work: no trace, no copy.
func (s *Service) fetch(ctx context.Context, export, form string) (d Document, err error) {
	person, err := me(ctx)
	if err != nil {
		return d, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		e, err := lockExport(ctx, tx, export)
		if err != nil || e.Person != person {
			return ErrNotFound.With(err)
		}
		if err := e.open(tx.Now()); err != nil {
			return err
		}
		box, err := s.box(e)
		if err != nil {
			return err
		}
		sealed, err := partsOf(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		d = Document{"tiwiza.personal_data.v1", e.ID, e.Person, e.MadeAt.UTC(), register.Version, make([]personal.Part, len(sealed))}
		for i, b := range sealed {
			text, err := box.Open(at(e.ID, i), b)
			if err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(text), &d.Rooms[i]); err != nil {
				return fmt.Errorf("read a part of %s: %w", e.ID, err)
			}
		}
		e.Fetched++
		saveExport(tx, e)
		audit.Record(tx, "personal_data.fetch", e.ID, authz.Policy(ctx), map[string]string{"person": person, "form": form})
		return nil
	})
	return d, err
}

// Fetch is a copy as JSON.
func (s *Service) Fetch(ctx context.Context, in OneExport) (Document, error) {
	return s.fetch(ctx, in.Export, "json")
}

// tell tells a person something about its data, with the way to its page.
func (s *Service) tell(ctx context.Context, tx *pg.Tx, person string, k notices.Kind, about string, params map[string]string) error {
	all := map[string]string{"link": s.URL + "/moi"}
	for name, v := range params {
		all[name] = v
	}
	return s.Courier.TellOwner(ctx, tx, notices.Telling{Owner: person, Kind: k, Params: all, Key: string(k) + ":" + about})
}

// by is who answers, as it is written down.
func by(ctx context.Context) string { return auth.From(ctx).Person() }
