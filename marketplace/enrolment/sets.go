package enrolment

import (
	"context"
	"fmt"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// SetInput is what organisations of a kind shall show.
type SetInput struct {
	Kind         members.Kind  `json:"kind" required:"true" enum:"beneficiary_coop,auto_entrepreneur,institutional,service_provider,operational_bank,insurer,e_payment"`
	Since        *time.Time    `json:"since,omitempty" description:"From when on; now when left out, and never before. Who was written down earlier keeps what was asked then."`
	Requirements []Requirement `json:"requirements" required:"true" maxItems:"40" description:"None: nothing is asked any more."`
}

// Publish makes the next version of what organisations of a kind show. Earlier
// versions stay, for those who were written down under them.
func (s *Service) Publish(ctx context.Context, tx *pg.Tx, in SetInput) (v SetView, err error) {
	now := tx.Now()
	set := Set{Kind: in.Kind, Since: now, MadeBy: auth.From(ctx).Person(), MadeAt: now, Requirements: in.Requirements}
	if in.Since != nil {
		set.Since = *in.Since
	}
	wrong := check(in)
	if set.Since.Before(now) {
		wrong = also(wrong, "/since", "A set holds from now on, or from a day to come.")
	}
	if wrong != nil {
		return v, wrong
	}
	last, err := lastVersion(ctx, tx, in.Kind)
	if err != nil {
		return v, err
	}
	set.Version = last + 1
	insertSet(tx, set)
	audit.Record(tx, "requirements.publish", string(in.Kind), authz.Policy(ctx), map[string]any{"version": set.Version, "since": set.Since, "requirements": len(set.Requirements)})
	return set.view(), nil
}

// check says what is wrong with requirements; nil if nothing is.
func check(in SetInput) (wrong *fault.Error) {
	seen := map[string]bool{}
	for i, r := range in.Requirements {
		at := fmt.Sprintf("/requirements/%d", i)
		if seen[r.Code] {
			wrong = also(wrong, at+"/code", "This is asked already.")
		}
		seen[r.Code] = true
		if r.Names["fr"] == "" {
			wrong = also(wrong, at+"/names/fr", "Give the name in French.")
		}
		for lang, name := range r.Names {
			if n := len([]rune(name)); n == 0 || n > 120 || lang != "fr" && lang != "ar" && lang != "zgh" && lang != "en" {
				wrong = also(wrong, at+"/names", "Give names of at most 120 signs in fr, ar, zgh or en.")
				break
			}
		}
		if (r.Type == Field) != (r.Rule != "") {
			wrong = also(wrong, at+"/rule", "A field has a rule, and nothing else has.")
		}
		if r.Type == Field && r.Expires {
			wrong = also(wrong, at+"/expires", "A field has no last day.")
		}
	}
	return wrong
}

func also(wrong *fault.Error, pointer, detail string) *fault.Error {
	if wrong == nil {
		wrong = ErrInvalid
	}
	return wrong.At(pointer, detail)
}
