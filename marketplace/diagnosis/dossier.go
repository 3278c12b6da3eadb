package diagnosis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
)

// A Shared is a result that stands in its owner's dossier.
type Shared struct {
	Run          string
	Organisation string
	Code         string
	FinishedAt   time.Time
	Item         string
	Version      int
	SharedBy     string
	SharedAt     time.Time
}

// Share puts a finished result into its owner's dossier: the first of a questionnaire
// as a new item, each later one as that item's next version. Who sees it there is
// decided by consents alone, and who looked stands in the dossier's log. An item that
// the owner has taken out meanwhile is not brought back: a new one is put there.
func (s *Service) Share(ctx context.Context, tx *pg.Tx, in OneDiagnostic) (v RunView, err error) {
	r, err := lockMine(ctx, tx, in.Diagnostic, 0)
	if err != nil {
		return v, err
	}
	if r.State != Finished {
		return v, ErrState.Say("Only a finished diagnostic is put into a dossier.").At("/state", string(r.State))
	}
	last, err := lastShared(ctx, tx, r.Organisation, r.Code)
	if err != nil {
		return v, err
	}
	stands := false
	if len(last) > 0 {
		if stands, err = s.Dossiers.Stands(ctx, tx, last[0].Item); err != nil {
			return v, err
		}
	}
	if stands && last[0].Run == r.ID {
		return v, ErrShared
	}
	if stands && last[0].FinishedAt.After(*r.FinishedAt) {
		return v, ErrOlder
	}
	content := sharing.Content{Form: r.form()}
	var item sharing.ItemView
	if stands {
		item, err = s.Dossiers.Replace(ctx, tx, sharing.VersionInput{Item: last[0].Item, Content: content})
	}
	if !stands || errors.Is(err, sharing.ErrRetired) {
		item, err = s.Dossiers.Add(ctx, tx, sharing.ItemInput{Org: r.Organisation, Section: r.Questionnaire.Section, Title: r.Questionnaire.Names["fr"], Content: content})
	}
	if err != nil {
		return v, err
	}
	insertShared(tx, Shared{r.ID, r.Organisation, r.Code, *r.FinishedAt, item.ID, item.Version, by(ctx), tx.Now()})
	audit.Record(tx, "diagnostics.share", r.ID, authz.Policy(ctx), map[string]any{"owner": auth.From(ctx).Subject, "item": item.ID, "version": item.Version})
	if err := tx.Flush(ctx); err != nil {
		return v, err
	}
	return s.whole(ctx, tx, r)
}

// form is the result as a form of the dossier, in words: what somebody reads who was
// let in, in French and Arabic, and at its end what programs find it by.
func (r ran) form() map[string]any {
	say := func(t members.Texts) string { return t["fr"] + " · " + t["ar"] }
	level := map[string]members.Texts{}
	for _, l := range r.Questionnaire.Levels {
		level[l.Code] = l.Names
	}
	out := map[string]any{
		"00. Date":    r.FinishedAt.In(clock.Morocco).Format("02/01/2006"),
		"00. Niveau":  fmt.Sprintf("%s (%d / 100)", say(level[r.Level]), *r.Score),
		"diagnostic":  r.ID,
		"score":       *r.Score,
		"version":     fmt.Sprintf("%s %d", r.Code, r.Edition),
		"finished_at": r.FinishedAt.UTC().Format(time.RFC3339),
	}
	for i, d := range r.Questionnaire.Dimensions {
		text := "—"
		for _, x := range r.Dimensions {
			if x.Code == d.Code && x.Score != nil {
				text = fmt.Sprintf("%d / 100, %s", *x.Score, say(level[x.Level]))
			}
		}
		out[fmt.Sprintf("%02d. %s", i+1, say(d.Names))] = text
	}
	return out
}
