package sharing

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

// programmeRoutes are those of programmes.
func programmeRoutes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Commit("POST", "/v1/programmes", "programmes.make", "Make a programme", http.StatusCreated, s.MakeProgramme),
		rest.Handle("GET", "/v1/programmes", "programmes.list", "List programmes with who takes part, the newest first", http.StatusOK, s.ListProgrammes),
		rest.Commit("POST", "/v1/programmes/{programme}/participants", "programmes.enlist", "Have an organisation take part in a programme, or no more", http.StatusOK, s.Enlist),
	}
}

// Terms is what a consent is about.
type Terms struct {
	Purpose   string   `json:"purpose" required:"true" enum:"credit,account,insurance,support,label,programme,audit"`
	Sections  []string `json:"sections" required:"true" minItems:"1" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project"`
	Sensitive bool     `json:"sensitive,omitempty" description:"What is sensitive too."`
	Days      int      `json:"days" required:"true" minimum:"1" maximum:"730" description:"How many, from the answer on."`
}

// GiveInput lets somebody see the caller's dossier.
type GiveInput struct {
	Grantee   string `json:"grantee,omitempty" maxLength:"40" description:"An organisation."`
	Programme string `json:"programme,omitempty" maxLength:"40" description:"Or whoever takes part in a programme, as long as it does."`
	Digest    string `json:"digest,omitempty" maxLength:"64" description:"Of the text that was shown, as GET /v1/consents/wording gives it; when it is said, nothing is given on another text."`
	Terms
}

// WordingInput is a consent that its owner thinks of giving.
type WordingInput struct {
	Grantee   string   `query:"grantee" maxLength:"40" description:"An organisation."`
	Programme string   `query:"programme" maxLength:"40" description:"Or a programme."`
	Purpose   string   `query:"purpose" required:"true" enum:"credit,account,insurance,support,label,programme,audit"`
	Sections  []string `query:"sections" required:"true" minItems:"1" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project"`
	Sensitive bool     `query:"sensitive"`
	Days      int      `query:"days" required:"true" minimum:"1" maximum:"730"`
}

// WordingView is the text that would be agreed to.
type WordingView struct {
	Text   map[string]string `json:"text" required:"true" description:"By language."`
	Digest string            `json:"digest" required:"true" description:"SHA-256 of the French, Arabic and English text, each behind its length in four bytes."`
}

// WordConsent says what the caller would agree to, and records nothing. It is for
// members.
func (s *Service) WordConsent(ctx context.Context, in WordingInput) (v WordingView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return v, ErrNotFound
	}
	c, err := s.meant(who.Subject, GiveInput{Grantee: in.Grantee, Programme: in.Programme, Terms: Terms{in.Purpose, in.Sections, in.Sensitive, in.Days}})
	if err == nil {
		err = s.word(ctx, s.db, &c)
	}
	return WordingView{c.Text, hex.EncodeToString(c.Digest)}, err
}

// AskInput asks a member for consent.
type AskInput struct {
	Owner string `json:"owner" required:"true" maxLength:"40"`
	Why   string `json:"why,omitempty" maxLength:"500" description:"In your own words; the member reads it."`
	Terms
}

// OneConsent names a consent.
type OneConsent struct {
	Consent string `path:"consent"`
}

// AnswerInput is an owner's answer.
type AnswerInput struct {
	Consent  string `path:"consent"`
	Decision string `json:"decision" required:"true" enum:"grant,refuse"`
	Digest   string `json:"digest,omitempty" maxLength:"64" description:"Of the text that was shown, to grant it."`
}

// ConsentView is a consent as both sides see it.
type ConsentView struct {
	ID        string            `json:"id" required:"true"`
	Owner     string            `json:"owner" required:"true"`
	Grantee   string            `json:"grantee,omitempty"`
	Programme string            `json:"programme,omitempty"`
	Names     map[string]string `json:"names,omitempty" description:"Of the organisation or the programme that it is for, by language, when it is read."`
	OwnerName map[string]string `json:"owner_names,omitempty" description:"Of the dossier's owner, by language, when it is read."`
	Purpose   string            `json:"purpose" required:"true"`
	Sections  []string          `json:"sections" required:"true"`
	Sensitive bool              `json:"sensitive" required:"true"`
	Days      int               `json:"days" required:"true"`
	Why       string            `json:"why,omitempty"`
	State     State             `json:"state" required:"true" enum:"requested,granted,refused,withdrawn,expired"`
	Text      map[string]string `json:"text" required:"true" description:"What is agreed to, by language."`
	Digest    string            `json:"digest" required:"true" description:"SHA-256 of the French, Arabic and English text, each behind its length in four bytes."`
	Evidence  string            `json:"evidence,omitempty" enum:"passkey,code,key" description:"How the owner showed who it is."`
	AskedAt   time.Time         `json:"asked_at" required:"true"`
	Since     *time.Time        `json:"since,omitempty"`
	Until     *time.Time        `json:"until,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
}

func (c Consent) view() ConsentView {
	v := ConsentView{
		ID: c.ID, Owner: c.Owner, Grantee: c.Grantee, Purpose: c.Purpose, Sections: c.Sections, Sensitive: c.Sensitive, Days: c.Days, Why: c.Why, State: c.State,
		Text: c.Text, Digest: hex.EncodeToString(c.Digest), Evidence: c.Evidence, AskedAt: c.AskedAt.UTC(), Since: rest.UTC(c.Since), Until: rest.UTC(c.Until), EndedAt: rest.UTC(c.EndedAt),
	}
	if c.Programme != nil {
		v.Programme = *c.Programme
	}
	return v
}

// ConsentsInput asks for consents.
type ConsentsInput struct {
	State State `query:"state" enum:"requested,granted,refused,withdrawn,expired,ended" description:"ended: refused, withdrawn or expired."`
	rest.Paging
}

// ListConsents lists those that the caller gave or was asked for; of a bank, an
// insurer or an institution those that it was given or asked for, and what was given
// to a programme in which it takes part.
func (s *Service) ListConsents(ctx context.Context, in ConsentsInput) (p rest.Page[ConsentView], err error) {
	below, err := in.After(id.Consent)
	if err != nil {
		return p, err
	}
	owner, grantee := role(ctx)
	all, err := consentsOf(ctx, s.db.Asking(), owner, grantee, string(in.State), below, in.Limit+1)
	if err != nil {
		return p, err
	}
	views, err := s.called(ctx, all)
	return rest.Cut(views, in.Limit, func(v ConsentView) any { return v.ID }), err
}

// called are consents with the names of both sides.
func (s *Service) called(ctx context.Context, all []Consent) (out []ConsentView, err error) {
	var orgs, of []string
	for _, c := range all {
		orgs = append(orgs, c.Owner)
		if c.Programme != nil {
			of = append(of, *c.Programme)
		} else {
			orgs = append(orgs, c.Grantee)
		}
	}
	who, err := s.Members.Sellers(ctx, s.db, orgs)
	if err != nil {
		return nil, err
	}
	names := map[string]texts{}
	if len(of) > 0 {
		found, err := programmesBy(ctx, s.db, of)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			names[p.ID] = p.Names
		}
	}
	for _, c := range all {
		v := c.view()
		if v.OwnerName, v.Names = who[c.Owner].Names, who[c.Grantee].Names; c.Programme != nil {
			v.Names = names[*c.Programme]
		}
		out = append(out, v)
	}
	return out, nil
}

// ShowConsent is a consent of the caller's, or of a programme in which it takes part.
func (s *Service) ShowConsent(ctx context.Context, in OneConsent) (v ConsentView, err error) {
	c, err := loadConsent(ctx, s.db.Asking(), in.Consent)
	if err != nil {
		return v, err
	}
	owner, grantee := role(ctx)
	mine := owner != "" && owner == c.Owner || grantee != "" && grantee == c.Grantee
	if !mine && grantee != "" && c.Programme != nil {
		if mine, err = takesPart(ctx, s.db.Asking(), *c.Programme, grantee); err != nil {
			return v, err
		}
	}
	if !mine {
		return v, ErrNotFound
	}
	all, err := s.called(ctx, []Consent{c})
	if err != nil {
		return v, err
	}
	return all[0], nil
}

// ProgrammeInput makes a programme.
type ProgrammeInput struct {
	Names map[string]string `json:"names" required:"true" description:"By language; French at least."`
}

// EnlistInput has an organisation take part in a programme.
type EnlistInput struct {
	Programme    string `path:"programme"`
	Organisation string `json:"organisation" required:"true" maxLength:"40"`
	Ends         bool   `json:"ends,omitempty" description:"It takes part no more, from the next request on."`
}

// ProgrammeView is a programme with who takes part.
type ProgrammeView struct {
	ID           string            `json:"id" required:"true"`
	Names        map[string]string `json:"names" required:"true"`
	Participants []string          `json:"participants" required:"true"`
	MadeAt       time.Time         `json:"made_at" required:"true"`
}

func (p Programme) view(all []participant) ProgrammeView {
	v := ProgrammeView{p.ID, p.Names, []string{}, p.MadeAt.UTC()}
	for _, o := range all {
		if o.Programme == p.ID {
			v.Participants = append(v.Participants, o.Organisation)
		}
	}
	return v
}

// ListProgrammes lists programmes.
func (s *Service) ListProgrammes(ctx context.Context, in rest.Paging) (p rest.Page[ProgrammeView], err error) {
	below, err := in.After(id.Programme)
	if err != nil {
		return p, err
	}
	all, err := programmes(ctx, s.db, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	ids := make([]string, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	who, err := participants(ctx, s.db, ids)
	return rest.View(all, in.Limit, func(p Programme) ProgrammeView { return p.view(who) }, func(v ProgrammeView) any { return v.ID }), err
}
