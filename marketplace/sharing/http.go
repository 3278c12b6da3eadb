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

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const mine, item, theirs, consent = "/v1/organisations/{org}/dossier", "/v1/dossier-items/{item}", "/v1/dossiers/{org}", "/v1/consents/{consent}"
	ok, made := http.StatusOK, http.StatusCreated
	return append([]rest.Route{
		rest.Handle("GET", mine, "dossiers.mine", "List what is in one's own dossier", ok, s.Mine),
		rest.Commit("POST", mine, "dossiers.add", "Put a document or a form into one's dossier", made, s.Add),
		rest.Handle("GET", item, "dossiers.item", "Show an item of one's own dossier", ok, s.ShowItem),
		rest.Commit("POST", item+"/versions", "dossiers.replace", "Put a new version in the place of an item's content", made, s.Replace),
		rest.Commit("POST", item+"/retire", "dossiers.retire", "Take an item out of one's dossier", ok, s.Retire),
		rest.Handle("GET", "/v1/organisations/{org}/consultations", "consultations.list", "Read who looked into one's dossier, the newest first", ok, s.Looks),

		rest.Handle("GET", theirs, "dossiers.show", "List what one may see of a member's dossier; that one looked is written down", ok, s.Open),
		rest.Handle("GET", theirs+"/items/{item}", "dossiers.view", "See an item of a member's dossier; that one saw it is written down", ok, s.See),
		rest.Handle("GET", theirs+"/items/{item}/content", "dossiers.download", "Download a document of a member's dossier, with a mark of who took it; that is written down", ok, s.Download,
			rest.Gives("application/pdf", "image/jpeg"), rest.AtOnce(8, 2)),
		rest.Commit("POST", theirs+"/break-glass", "dossiers.break_glass", "Ask a second person to open a dossier without consent, for a day", made, s.Break),

		rest.Handle("GET", "/v1/broken-glasses", "dossiers.glasses", "List dossiers that are opened without consent, or shall be, the newest first", ok, s.Glasses),

		rest.Handle("GET", "/v1/consents", "consents.list", "List consents that one gave, or was given", ok, s.ListConsents),
		rest.Commit("POST", "/v1/consents", "consents.give", "Let an organisation or a programme see one's dossier", made, s.Give),
		rest.Commit("POST", "/v1/consent-requests", "consents.ask", "Ask a member for consent to see its dossier", made, s.Ask),
		rest.Handle("GET", "/v1/consents/wording", "consents.wording", "Say what one would agree to; nothing is recorded", ok, s.WordConsent),
		rest.Handle("GET", consent, "consents.show", "Show a consent with its text", ok, s.ShowConsent),
		rest.Commit("POST", consent+"/answer", "consents.answer", "Grant or refuse what one was asked for", ok, s.Answer),
		rest.Commit("POST", consent+"/withdraw", "consents.withdraw", "Take a consent back, with effect on the next request", ok, s.Withdraw),
	}, programmeRoutes(s)...)
}

// Content is a document or a form.
type Content struct {
	File string         `json:"file,omitempty" maxLength:"40" description:"A proof that was uploaded."`
	Form map[string]any `json:"form,omitempty" description:"Or what was filled in."`
}

// ItemInput is something that goes into a dossier.
type ItemInput struct {
	Org       string `path:"org"`
	Section   string `json:"section" required:"true" enum:"identity,financial,production,social,project"`
	Title     string `json:"title" required:"true" minLength:"1" maxLength:"120"`
	Sensitive bool   `json:"sensitive,omitempty" description:"Only a consent that says so shows it."`
	Content
}

// VersionInput is a new version of an item.
type VersionInput struct {
	Item string `path:"item"`
	Content
}

// OneItem names an item.
type OneItem struct {
	Item string `path:"item"`
}

// ItemView is an item as its owner sees it.
type ItemView struct {
	ID        string         `json:"id" required:"true"`
	Section   string         `json:"section" required:"true"`
	Title     string         `json:"title" required:"true"`
	Sensitive bool           `json:"sensitive" required:"true"`
	Version   int            `json:"version" required:"true"`
	Type      string         `json:"type" required:"true"`
	Size      int            `json:"size" required:"true"`
	SHA256    string         `json:"sha256" required:"true"`
	File      string         `json:"file,omitempty"`
	Form      map[string]any `json:"form,omitempty" description:"Left out in lists."`
	AddedAt   time.Time      `json:"added_at" required:"true"`
	RetiredAt *time.Time     `json:"retired_at,omitempty"`
}

func (i Item) view(e Edition) ItemView {
	return ItemView{i.ID, i.Section, i.Title, i.Sensitive, i.Version, e.Type, e.Size, hex.EncodeToString(e.Digest), e.File, e.Form, e.AddedAt.UTC(), rest.UTC(i.RetiredAt)}
}

func (l listed) edition() Edition {
	return Edition{File: l.File, Type: l.Type, Size: l.Size, Digest: l.Digest, AddedAt: l.AddedAt}
}

// OfOrganisation asks for a list of an organisation's.
type OfOrganisation struct {
	Org string `path:"org"`
	rest.Paging
}

// Mine lists what is in the caller's dossier, the oldest first.
func (s *Service) Mine(ctx context.Context, in OfOrganisation) (p rest.Page[ItemView], err error) {
	if err := own(ctx, in.Org); err != nil {
		return p, err
	}
	above, err := in.After(id.Item)
	if err != nil {
		return p, err
	}
	all, err := dossier(ctx, s.db.Asking(), in.Org, above, in.Limit+1)
	return rest.View(all, in.Limit, func(l listed) ItemView { return l.view(l.edition()) }, func(v ItemView) any { return v.ID }), err
}

// ShowItem is an item of the caller's dossier.
func (s *Service) ShowItem(ctx context.Context, in OneItem) (v ItemView, err error) {
	i, err := loadItem(ctx, s.db.Asking(), in.Item)
	if err == nil {
		err = own(ctx, i.Owner)
	}
	if err != nil {
		return v, err
	}
	e, err := editionOf(ctx, s.db.Asking(), i.ID, i.Version)
	return i.view(e), err
}

// DossierInput names the dossier that somebody wants to see.
type DossierInput struct {
	Org     string `path:"org"`
	Consent string `query:"consent" maxLength:"40" description:"On which consent; the newest when left out."`
}

// SeeInput names an item of somebody's dossier.
type SeeInput struct {
	Org  string `path:"org"`
	Item string `path:"item"`
}

// GroundView is what lets somebody see something.
type GroundView struct {
	Consent string    `json:"consent,omitempty"`
	Glass   string    `json:"glass,omitempty"`
	Purpose string    `json:"purpose,omitempty"`
	Until   time.Time `json:"until" required:"true"`
}

func (g Ground) view() GroundView {
	v := GroundView{Purpose: g.Purpose, Until: g.Until.UTC()}
	if g.Consent != nil {
		v.Consent = *g.Consent
	}
	if g.Glass != nil {
		v.Glass = *g.Glass
	}
	return v
}

// SeenView is an item as those see it who may.
type SeenView struct {
	ID        string         `json:"id" required:"true"`
	Section   string         `json:"section" required:"true"`
	Title     string         `json:"title" required:"true"`
	Sensitive bool           `json:"sensitive" required:"true"`
	Version   int            `json:"version" required:"true"`
	Type      string         `json:"type" required:"true"`
	Size      int            `json:"size" required:"true"`
	SHA256    string         `json:"sha256" required:"true" description:"Of what its owner put in; a download carries a mark besides."`
	AddedAt   time.Time      `json:"added_at" required:"true"`
	Form      map[string]any `json:"form,omitempty"`
	On        GroundView     `json:"on,omitzero" description:"What lets you see it. This view was written down, and the owner sees that."`
}

func (i Item) seenWith(e Edition) SeenView {
	return SeenView{ID: i.ID, Section: i.Section, Title: i.Title, Sensitive: i.Sensitive, Version: i.Version, Type: e.Type, Size: e.Size, SHA256: hex.EncodeToString(e.Digest), AddedAt: e.AddedAt.UTC()}
}

func (l listed) seen() SeenView { return l.seenWith(l.edition()) }

// DossierView is what somebody may see of a dossier.
type DossierView struct {
	Owner string     `json:"owner" required:"true"`
	On    GroundView `json:"on" required:"true"`
	Items []SeenView `json:"items" required:"true"`
}

// LookView is one time that somebody looked into a dossier.
type LookView struct {
	Seq          int64             `json:"seq" required:"true"`
	At           time.Time         `json:"at" required:"true"`
	Organisation string            `json:"organisation" required:"true"`
	By           string            `json:"by" required:"true" description:"The person, or the key."`
	Action       string            `json:"action" required:"true" enum:"list,view,download"`
	Item         string            `json:"item,omitempty"`
	Version      int               `json:"version,omitempty"`
	Title        string            `json:"title,omitempty"`
	Purpose      string            `json:"purpose,omitempty"`
	Consent      string            `json:"consent,omitempty" description:"What allowed it."`
	Glass        string            `json:"glass,omitempty" description:"Two of the market's people opened the dossier without consent."`
	Why          string            `json:"why,omitempty" description:"The reason for which it was opened without consent."`
	Policy       string            `json:"policy" required:"true"`
	Said         map[string]string `json:"said" required:"true" description:"In plain words, by language."`
}

// Looks lists who looked into the caller's dossier.
func (s *Service) Looks(ctx context.Context, in OfOrganisation) (p rest.Page[LookView], err error) {
	if err := own(ctx, in.Org); err != nil {
		return p, err
	}
	var below int64
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	all, err := looks(ctx, s.db.Asking(), in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	var orgs []string
	for _, c := range all {
		orgs = append(orgs, c.Organisation)
	}
	who, err := s.Members.Sellers(ctx, s.db, orgs)
	return rest.View(all, in.Limit, func(c look) LookView {
		v := c.view(who[c.Organisation].Names)
		v.Why = c.Why
		return v
	}, func(v LookView) any { return v.Seq }), err
}

func (c Consultation) view(who map[string]string) LookView {
	v := LookView{Seq: c.Seq, At: c.At.UTC(), Organisation: c.Organisation, By: c.By, Action: c.Action, Title: c.Title, Purpose: c.Purpose, Policy: c.Policy, Said: c.Said(who)}
	for _, f := range []struct {
		to   *string
		from *string
	}{{&v.Item, c.Item}, {&v.Consent, c.Consent}, {&v.Glass, c.Glass}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.Version != nil {
		v.Version = *c.Version
	}
	return v
}

// BreakInput asks to open a dossier without consent.
type BreakInput struct {
	Org      string   `path:"org"`
	Reason   string   `json:"reason" required:"true" minLength:"20" maxLength:"500" description:"The owner reads it."`
	Sections []string `json:"sections" required:"true" minItems:"1" maxItems:"5" uniqueItems:"true" enum:"identity,financial,production,social,project"`
}

// role is what the caller is in a consent: its owner, or who was given it.
func role(ctx context.Context) (owner, grantee string) {
	who := auth.From(ctx)
	if who.Role == auth.Seller {
		return who.Subject, ""
	}
	return "", who.Subject
}
