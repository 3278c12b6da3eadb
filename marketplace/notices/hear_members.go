package notices

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// signing is where a member reads the charter and signs it.
const signing = "/v/charte"

// subscribeMembers has notices hear of papers and dossiers.
func subscribeMembers(bus *event.Bus, s *Service) {
	const who = "notices"
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e enrolment.PaperExpiring) error {
		last, err := time.Parse(time.DateOnly, e.LastDay)
		if err != nil {
			return err
		}
		return s.tellTitled(ctx, tx, e.Organisation, PaperEnding, e.Names, map[string]string{"date": last.Format("02/01/2006")}, e.Paper+":"+e.LastDay+":"+strconv.Itoa(e.Days))
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e enrolment.PaperMoved) error {
		if e.State != enrolment.Rejected {
			return nil
		}
		return s.tellTitled(ctx, tx, e.Organisation, PaperRefused, e.Names, nil, e.Paper)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e members.Restricted) error {
		if e.Why != members.LacksPapers || e.Lifted != "" {
			return nil // of the charter its own event tells
		}
		return s.tellMember(ctx, tx, e.Organisation, SalesStopped, nil, "")
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e charter.SignatureDue) error {
		last, err := time.Parse(time.DateOnly, e.LastDay)
		if err != nil {
			return err
		}
		return s.tellMember(ctx, tx, e.Organisation, CharterAsked, map[string]string{"date": last.Format("02/01/2006"), "link": s.URL + signing}, strconv.Itoa(e.Version)+":"+string(e.Step)+":"+e.Organisation)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e charter.Overdue) error {
		return s.tellMember(ctx, tx, e.Organisation, CharterLate, map[string]string{"link": s.URL + signing}, "")
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e charter.PaperRefused) error {
		return s.tellMember(ctx, tx, e.Organisation, CharterAgain, map[string]string{"link": s.URL + signing}, e.Paper)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e sharing.ConsentMoved) error {
		if e.State != sharing.Requested {
			return nil
		}
		return s.tellMember(ctx, tx, e.Owner, ConsentAsked, map[string]string{"who": short(e.Name)}, e.Consent)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e sharing.Looked) error {
		title := cmp.Or(e.Title, "dossier")
		return s.tellMember(ctx, tx, e.Owner, DossierSeen, map[string]string{"who": short(e.Name), "title": short(title), "date": e.At.In(clock.Morocco).Format("02/01/2006")}, e.Consent+":"+e.By)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e sharing.GlassBroken) error {
		return s.tellMember(ctx, tx, e.Owner, DossierOpened, nil, e.Glass)
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e diagnosis.Due) error {
		return s.tellTitled(ctx, tx, e.Organisation, CheckUpAgain, e.Names, map[string]string{"link": s.URL + "/v/diagnostic"}, e.Diagnostic)
	})
}

// tellMember tells an organisation's people something; key tells apart what happens
// more than once, and without one it is told each time.
func (s *Service) tellMember(ctx context.Context, tx *pg.Tx, org string, k Kind, params map[string]string, key string) error {
	return s.tellTitled(ctx, tx, org, k, nil, params, key)
}

// tellTitled is tellMember of something that has a name in several languages.
func (s *Service) tellTitled(ctx context.Context, tx *pg.Tx, org string, k Kind, titles, params map[string]string, key string) error {
	t := Telling{Owner: org, Kind: k, Titles: titles, Params: about(k, merged(map[string]string{"link": s.URL + "/v"}, params))}
	if key != "" {
		t.Key = string(k) + ":" + key
	}
	return s.TellOwner(ctx, tx, t)
}

// short is a name in so few letters that its message stays one.
func short(name string) string {
	if r := []rune(name); len(r) > 24 {
		return string(r[:23]) + "."
	}
	return name
}
