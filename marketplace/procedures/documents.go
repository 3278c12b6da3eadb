package procedures

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// A Document is what a granted case gave. Days are written as 2026-01-31; without
// a last day it stays until it is revoked.
type Document struct {
	ID          string
	CaseFile    string
	Procedure   string
	Edition     int
	Institution string
	Holder      string
	Year        int
	N           int
	Number      string
	Token       string
	Texts       members.Texts
	Shown       map[string]any // what whoever verifies it sees
	From        string
	To          string
	State       DocumentState
	Reason      string
	Note        string
	Label       string
	RevokedBy   string
	SecondBy    string
	RevokedAt   *time.Time
	MadeAt      time.Time
	Version     int
}

// A DocumentState is where a document stands, beside its last day.
type DocumentState string

// The states of a document.
const (
	Valid    DocumentState = "valid"
	Revoking DocumentState = "revoking" // one person has revoked it, another must
	Revoked  DocumentState = "revoked"
)

// Standing says how a document stands at a moment: valid, expired or revoked.
func (x Document) Standing(at time.Time) string {
	switch {
	case x.State == Revoked:
		return "revoked"
	case x.To != "" && at.In(clock.Morocco).Format(time.DateOnly) > x.To:
		return "expired"
	}
	return "valid"
}

// tokenSigns is how long a document's token is: 132 random bits.
const tokenSigns = 22

// issue makes a granted case's document, with the institution's next number, and
// what follows from it in the market.
func (s *Service) issue(ctx context.Context, tx *pg.Tx, c Case, d Definition) (x Document, err error) {
	today := tx.Now().In(clock.Morocco)
	n, err := nextNumber(ctx, tx, c.Institution, today.Year())
	if err != nil {
		return x, err
	}
	x = Document{
		ID: id.New(id.Document), CaseFile: c.ID, Procedure: c.Procedure, Edition: c.Edition, Institution: c.Institution, Holder: c.Applicant,
		Year: today.Year(), N: n, Number: number(d.Document.Prefix, today.Year(), n), Token: auth.Secret()[:tokenSigns],
		From: today.Format(time.DateOnly), State: Valid, MadeAt: tx.Now(), Version: 1,
	}
	if d.Document.Months > 0 {
		x.To = lastDay(today, d.Document.Months)
	}
	who, err := s.Members.Sellers(ctx, tx, []string{c.Applicant, c.Institution})
	if err != nil {
		return x, err
	}
	x.Shown, x.Texts = shown(c, d, who[c.Applicant].Names), said(d, x, who[c.Applicant].Names)
	insertDocument(tx, x)
	if d.Effect == nil {
		return x, nil
	}
	if d.Effect.Kind == "accreditation" {
		return x, s.accredit(tx, c, d, x)
	}
	if err := s.issues(ctx, tx, c.Institution, d); err != nil {
		return x, err
	}
	x.Label, err = s.Labels.Award(ctx, tx, catalog.Award{
		Seller: c.Applicant, Code: d.Effect.Label, Issuer: who[c.Institution].Names["fr"], Number: x.Number, From: x.From, To: x.To, By: c.Institution,
		Evidence: fmt.Sprintf("%s, %s", x.Number, x.ID),
	})
	if err == nil {
		x.Version++
		saveDocument(tx, x)
	}
	return x, err
}

// lastDay is the day before the same date so many months on; in a month that is too
// short, its last.
func lastDay(from time.Time, months int) string {
	first := time.Date(from.Year(), from.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	long := first.AddDate(0, 1, -1).Day()
	if from.Day() > long {
		return first.AddDate(0, 0, long-1).Format(time.DateOnly)
	}
	return first.AddDate(0, 0, from.Day()-2).Format(time.DateOnly)
}

// shown is what of a case its procedure declares public.
func shown(c Case, d Definition, names members.Texts) map[string]any {
	out := map[string]any{}
	for _, p := range d.Document.Public {
		switch p {
		case "holder":
			out[p] = names
		case "region":
			out[p] = c.Region
		default:
			if a, ok := c.Answers[p]; ok {
				out[p] = a
			}
		}
	}
	return out
}

// said is a document's text by language.
func said(d Definition, x Document, names members.Texts) members.Texts {
	out := members.Texts{}
	for lang, text := range d.Document.Texts {
		name := names[lang]
		if name == "" {
			name = names["fr"]
		}
		to := x.To
		if to == "" {
			to = "—"
		}
		out[lang] = strings.NewReplacer("{holder}", name, "{number}", x.Number, "{from}", x.From, "{to}", to).Replace(text)
	}
	return out
}

// accredit writes down for what, and where, a provider is accredited.
func (s *Service) accredit(tx *pg.Tx, c Case, d Definition, x Document) error {
	domains, regions := listed(c.Answers[d.Effect.Domains]), listed(c.Answers[d.Effect.Regions])
	regions = slices.DeleteFunc(regions, func(r string) bool {
		return !slices.ContainsFunc(geo.Regions(), func(g geo.Region) bool { return g.Code == r })
	})
	if len(domains) == 0 || len(regions) == 0 {
		return ErrInvalid.At("/answers", "The case names no domain, or no region of Morocco, to be accredited for.")
	}
	insertAccreditations(tx, x.ID, c.Applicant, domains, regions)
	return nil
}

// listed are the texts of an answer that is a list, or one.
func listed(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok && s != "" {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Revoke takes a document back before its time, with a reason; where two people
// decide that, the second says the same again.
func (s *Service) Revoke(ctx context.Context, tx *pg.Tx, in RevokeInput) (v DocumentView, err error) {
	x, d, err := lockDocument(ctx, tx, in.Document)
	if err != nil {
		return v, err
	}
	who := auth.From(ctx)
	if who.Role != auth.Institution || who.Subject != x.Institution {
		return v, ErrNotFound
	}
	if x.State == Revoked {
		return v, ErrEnded.Say("This document is revoked already.")
	}
	if _, ok := d.reason(in.Reason, "revoke"); !ok {
		return v, ErrInvalid.At("/reason", "Give one of the procedure's reasons: "+d.reasons("revoke")+".")
	}
	note := words(in.Text)
	if note == "" {
		return v, ErrInvalid.At("/text", "Say why in plain words; the holder reads it.")
	}
	if x, err = x.revoke(ctx, d.two("revoke"), in.Reason, note, tx.Now()); err != nil {
		return v, err
	}
	saveDocument(tx, x)
	audit.Record(tx, "documents.revoke", x.ID, authz.Policy(ctx), map[string]any{"state": x.State, "reason": x.Reason})
	if x.State == Revoked {
		if x.Label != "" {
			if err := s.Labels.TakeAway(ctx, tx, x.Label, note); err != nil {
				return v, err
			}
		}
		if err := tx.Publish(ctx, DocumentRevoked{Document: x.ID, Number: x.Number, Case: x.CaseFile, Institution: x.Institution, Holder: x.Holder, Names: d.Names, Reason: x.Reason}); err != nil {
			return v, err
		}
	}
	return s.documentView(x, tx.Now()), nil
}

// revoke revokes the document on a person's word, or waits for a second one.
func (x Document) revoke(ctx context.Context, two bool, reason, note string, at time.Time) (Document, error) {
	who := by(ctx)
	switch {
	case two && auth.From(ctx).Human == "":
		return x, ErrPeople
	case two && x.State == Revoking && who == x.RevokedBy:
		return x, ErrSelf
	}
	x.Version++
	if two && x.State == Revoking {
		x.SecondBy = who
	} else {
		x.Reason, x.Note, x.RevokedBy = reason, note, who
	}
	if two && x.State == Valid {
		x.State = Revoking
		return x, nil
	}
	x.State, x.RevokedAt = Revoked, &at
	return x, nil
}

// Verify says how the document behind a token stands, to anybody: no more of it
// than its procedure declares public. A token that is none is unknown.
func (s *Service) Verify(ctx context.Context, in TokenInput) (v VerifiedView, err error) {
	v.State = "unknown"
	if len(in.Token) != tokenSigns {
		return v, nil
	}
	at, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	x, d, found, err := documentBehind(ctx, s.db, in.Token)
	if err != nil || !found {
		return v, err
	}
	who, err := s.Members.Sellers(ctx, s.db, []string{x.Institution})
	if err != nil {
		return v, err
	}
	return VerifiedView{
		State: x.Standing(at), Number: x.Number, Procedure: d.Names, Institution: who[x.Institution].Names, ValidFrom: x.From, ValidTo: x.To, RevokedAt: dayOf(x.RevokedAt), Shown: x.Shown, Titles: d.titles(x.Shown),
	}, nil
}

func dayOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.In(clock.Morocco).Format(time.DateOnly)
}

// Accredited says whether an organisation is accredited for a domain in a region at
// this moment, for other domains.
func (s *Service) Accredited(ctx context.Context, db pg.DB, org, domain, region string) (bool, error) {
	return accredited(ctx, db, org, domain, region)
}
