package main

import (
	"context"
	"errors"
	"fmt"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/pg"
)

// An office is an institution of the demonstration, plainly invented, with the
// procedures that it publishes, by their codes.
type office struct {
	Organisation string            `json:"organisation"`
	Procedures   map[string]string `json:"procedures"`
}

// offices are the institutions: the registrar, who gives labels and accreditations,
// who inspects for it, and who affiliates.
var offices = []struct {
	fr, ar, region, commune string
	procedures              []string
}{
	{"Office de l’enregistrement (exemple)", "مكتب التسجيل (مثال)", "MA-04", "Rabat", []string{"registration"}},
	{"Office des labels (exemple)", "مكتب العلامات (مثال)", "MA-04", "Rabat", []string{"label", "accreditation"}},
	{"Agence d’inspection (exemple)", "وكالة التفتيش (مثال)", "MA-09", "Agadir", nil},
	{"Caisse de couverture (exemple)", "صندوق التغطية (مثال)", "MA-06", "Casablanca", []string{"social_cover"}},
}

// phoneOffice is the number of who works for the n-th institution, from 0.
func phoneOffice(n int) string { return fmt.Sprintf("+2126000000%02d", 30+n) }

// institutions founds the demonstration's, once, each with somebody who works there
// and its procedures.
func (h *house) institutions(ctx context.Context) (all []office, err error) {
	shipped, err := procedures.Shipped()
	if err != nil {
		return nil, err
	}
	err = h.store.InTx(ctx, func(tx *pg.Tx) error {
		if all, err = loadNote[[]office](ctx, tx, "demo.institutions"); err == nil || !errors.Is(err, errNoNote) {
			return err
		}
		all = nil
		for n, of := range offices {
			o, err := h.members.Found(ctx, tx, members.Enrolment{Kind: members.Institution, Names: members.Texts{"fr": of.fr, "ar": of.ar}, Region: of.region, Commune: of.commune})
			if err != nil {
				return err
			}
			person, err := h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": "Agent public de démonstration", "ar": "موظف تجريبي"}, Phone: phoneOffice(n)})
			if err != nil {
				return err
			}
			if err := h.members.Join(ctx, tx, person, o.ID, "manager"); err != nil {
				return err
			}
			made := office{o.ID, map[string]string{}}
			for _, code := range of.procedures {
				if e := shipped[code].Effect; e != nil && e.Kind == "label" {
					if _, err := h.cases.Issues(ctx, tx, e.Label, o.ID); err != nil {
						return err
					}
				}
				e, err := h.cases.PublishFor(ctx, tx, o.ID, shipped[code])
				if err != nil {
					return fmt.Errorf("publish %s: %w", code, err)
				}
				made.Procedures[code] = e.Procedure
			}
			all = append(all, made)
		}
		return saveNote(tx, "demo.institutions", all)
	})
	return all, err
}
