package charter

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the charter.
func Routes(s *Service) []rest.Route {
	const drafts, org, paper = "/v1/charter-drafts", "/v1/organisations/{org}", "/v1/charter-papers"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", "/v1/charter", "charter.in_force", "Read the charter in force", ok, s.InForce, rest.Public()),
		rest.Handle("GET", "/v1/charters", "charter.versions", "List the charter's versions, the newest first", ok, s.Versions, rest.Public()),
		rest.Handle("GET", "/v1/charters/{version}", "charter.version", "Read a version of the charter, with its rules", ok, s.Show, rest.Public()),
		rest.Handle("GET", "/v1/charters/{version}/unsigned", "charter.unsigned", "List members who have not signed a version, who signed nothing first", ok, s.Unsigned),

		rest.Handle("GET", drafts, "charter.drafts", "List drafts of the charter, the newest first", ok, s.Drafts),
		rest.Commit("POST", drafts, "charter.draft", "Write a new charter, which is not published yet", made, s.Draft),
		rest.Handle("GET", drafts+"/{draft}", "charter.drafted", "Show a draft of the charter", ok, s.Drafted),
		rest.Handle("PUT", drafts+"/{draft}", "charter.write", "Put another text in the place of a draft's", ok, s.Write),
		rest.Commit("POST", drafts+"/{draft}/publish", "charter.publish", "Ask a second person to publish a draft as it stands", ok, s.Publish,
			rest.About("The second person answers POST /v1/approvals/{id}. A version is never changed. From then on every member is asked to sign it by its last day, is reminded 30, 7 and 1 days before, and sells nothing new afterwards until it signs.")),

		rest.Commit("POST", drafts+"/{draft}/discard", "charter.discard", "Discard a draft that is not published", ok, s.Discard),

		rest.Handle("GET", org+"/charter", "charter.mine", "Show which charter an organisation has signed, and which it is to sign", ok, s.Mine),
		rest.Handle("GET", org+"/charter/signatures", "charter.signatures", "List an organisation's signatures, the newest version first", ok, s.Signatures),
		rest.Handle("POST", org+"/charter/codes", "charter.ask_code", "Ask for the code with which one signs this text, and nothing else", http.StatusAccepted,
			func(ctx context.Context, in AskInput) (members.CodeView, error) {
				return s.AskCode(ctx, in, origin(ctx))
			}),
		rest.Handle("POST", org+"/charter/passkeys/options", "charter.ask_passkey", "Ask for one of one's passkeys, to sign this text and nothing else", made, s.AskPasskey),
		rest.Handle("POST", org+"/sign-charter", "charter.sign", "Sign a version of the charter for one's organisation", ok,
			func(ctx context.Context, in SignInput) (SignatureView, error) { return s.Sign(ctx, in, origin(ctx)) },
			rest.About("The code or passkey is bound to this organisation, version and digest. An agent who acts for a member signs with the code that the member was sent. Signing again answers the signature that is there.")),

		rest.Handle("GET", paper, "charter.papers", "List charters signed on paper that somebody must compare, who waits longest first", ok, s.Papers),
		rest.Commit("POST", org+"/charter-papers", "charter.hand_in", "Enter a charter that was signed on paper", made, s.HandIn),
		rest.Commit("POST", paper+"/{paper}/accept", "charter.accept", "Take a paper for a signature", ok, s.Accept),
		rest.Commit("POST", paper+"/{paper}/refuse", "charter.refuse", "Send a paper back, and say why", ok, s.Refuse),
	}
}

func origin(ctx context.Context) members.Origin {
	address, device := rest.Origin(ctx)
	return members.Origin{Address: address, Device: device}
}

// DraftInput is a charter as somebody writes it.
type DraftInput struct {
	Since   string          `json:"since" required:"true" format:"date" description:"The day from which it holds."`
	LastDay string          `json:"last_day" required:"true" format:"date" description:"The last day on which members may sign it and go on selling."`
	Texts   map[string]Text `json:"texts" required:"true" description:"By language: fr and ar, and en and zgh if there are."`
	Policy  string          `json:"policy,omitempty" maxLength:"50000" description:"What it forbids its signers, in Cedar: each rule is a forbid with an @id that begins with «charter.», for one role of members and for actions of the market's policies. Left out, it forbids nothing."`
}

// WriteInput is another text for a draft.
type WriteInput struct {
	Draft    string `path:"draft"`
	Revision int    `json:"revision" required:"true" minimum:"1" description:"Of the draft that this takes the place of."`
	DraftInput
}

// OneDraft names a draft.
type OneDraft struct {
	Draft string `path:"draft"`
}

// DraftView is a draft.
type DraftView struct {
	ID        string          `json:"id" required:"true"`
	State     State           `json:"state" required:"true" enum:"open,asked,published,discarded"`
	Revision  int             `json:"revision" required:"true"`
	Since     string          `json:"since" required:"true" format:"date"`
	LastDay   string          `json:"last_day" required:"true" format:"date"`
	Texts     map[string]Text `json:"texts" required:"true"`
	Policy    string          `json:"policy" required:"true"`
	Approval  string          `json:"approval,omitempty" description:"Where a second person publishes it: POST /v1/approvals/{id}."`
	ChangedAt time.Time       `json:"changed_at" required:"true"`
}

func (d Draft) view(approval string) DraftView {
	return DraftView{d.ID, d.State, d.Version, d.Since.Format(time.DateOnly), d.LastDay.Format(time.DateOnly), d.Texts, d.Policy, approval, d.ChangedAt.UTC()}
}

// TextView is a version in one language.
type TextView struct {
	Title  string `json:"title" required:"true"`
	Body   string `json:"body" required:"true"`
	Sound  string `json:"sound,omitempty" description:"Where the recording of it is."`
	SHA256 string `json:"sound_sha256,omitempty" description:"Of the recording."`
}

// VersionView is a version of the charter. What is signed, and the rules, are each
// named by their digest.
type VersionView struct {
	Version     int                 `json:"version" required:"true"`
	Since       string              `json:"since" required:"true" format:"date"`
	LastDay     string              `json:"last_day" required:"true" format:"date" description:"The last day on which members may sign it and go on selling."`
	Texts       map[string]TextView `json:"texts" required:"true"`
	SHA256      string              `json:"sha256" required:"true" description:"Of number, days, texts, recordings and rules: what is signed."`
	Policy      string              `json:"policy" required:"true" description:"What it forbids its signers, in Cedar."`
	Rules       string              `json:"policy_sha256" required:"true"`
	PublishedAt time.Time           `json:"published_at" required:"true"`
}

func (v Version) view() VersionView {
	out := VersionView{
		v.Number, v.Since.Format(time.DateOnly), v.LastDay.Format(time.DateOnly), map[string]TextView{}, v.Hex(), v.Policy, hex.EncodeToString(v.Rules), v.PublishedAt.UTC(),
	}
	for lang, body := range v.Bodies {
		t := TextView{Title: v.Titles[lang], Body: body, SHA256: v.Recordings[lang]}
		if f := v.Sounds[lang]; f != "" {
			t.Sound = media.SoundAddress(f)
		}
		out.Texts[lang] = t
	}
	return out
}

// InForce is the charter that holds today, for anyone; ErrNone when there is none.
func (s *Service) InForce(ctx context.Context, _ rest.None) (VersionView, error) {
	day, err := s.today(ctx)
	if err != nil {
		return VersionView{}, err
	}
	v, err := inForce(ctx, s.db, day)
	return v.view(), err
}

// behind is the version that a list goes on behind, 0 at its beginning.
func behind(in rest.Paging) (version int, err error) {
	err = rest.DecodeCursor(in.Cursor, &version)
	if err == nil && in.Cursor != "" && !numbers(version) {
		err = rest.ErrCursor
	}
	return version, err
}

// numbers says whether a version can have this number, or 0 for none.
func numbers(version int) bool { return version >= 0 && version <= 10000 }

// Versions lists what was published, for anyone.
func (s *Service) Versions(ctx context.Context, in rest.Paging) (p rest.Page[VersionView], err error) {
	below, err := behind(in)
	if err != nil {
		return p, err
	}
	all, err := versionsOf(ctx, s.db, below, in.Limit+1)
	return rest.View(all, in.Limit, Version.view, func(v VersionView) any { return v.Version }), err
}

// OneVersion names a version.
type OneVersion struct {
	Version int `path:"version" minimum:"1" maximum:"10000"`
}

// Show is a version, for anyone.
func (s *Service) Show(ctx context.Context, in OneVersion) (VersionView, error) {
	v, err := loadVersion(ctx, s.db, in.Version)
	return v.view(), err
}

// UnsignedInput asks who has not signed a version.
type UnsignedInput struct {
	OneVersion
	Region string `query:"region" enum:"MA-01,MA-02,MA-03,MA-04,MA-05,MA-06,MA-07,MA-08,MA-09,MA-10,MA-11,MA-12"`
	rest.Paging
}

// LateView is a member that has not signed a version.
type LateView struct {
	Organisation string        `json:"organisation" required:"true"`
	Kind         members.Kind  `json:"kind" required:"true"`
	Names        members.Texts `json:"names" required:"true"`
	Region       string        `json:"region" required:"true"`
	Commune      string        `json:"commune" required:"true"`
	State        members.State `json:"state" required:"true" enum:"active,suspended"`
	Signed       int           `json:"signed,omitempty" description:"The version that it signed last, if it has signed one."`
	Restricted   []string      `json:"restricted,omitempty" enum:"papers,charter"`
}

// Unsigned lists members at work who have not signed a version, for the market's
// people.
func (s *Service) Unsigned(ctx context.Context, in UnsignedInput) (p rest.Page[LateView], err error) {
	var behind members.Bound
	if err := rest.DecodeCursor(in.Cursor, &behind); err != nil {
		return p, err
	}
	if behind.ID != "" && !id.Is(id.Organisation, behind.ID) || !numbers(behind.Charter) {
		return p, rest.ErrCursor
	}
	if _, err := rulesOf(ctx, s.db, in.Version); err != nil {
		return p, err
	}
	all, err := s.Members.Unbound(ctx, s.db, members.Unsigned{Version: in.Version, Region: in.Region, Behind: behind, Limit: in.Limit + 1})
	return rest.View(all, in.Limit, func(o members.Organisation) LateView {
		return LateView{o.ID, o.Kind, o.Names, o.Region, o.Commune, o.State, o.Charter, o.Restricted}
	}, func(v LateView) any { return members.Bound{Charter: v.Signed, ID: v.Organisation} }), err
}

// Drafts lists drafts, for the market's people.
func (s *Service) Drafts(ctx context.Context, in rest.Paging) (p rest.Page[DraftView], err error) {
	below, err := in.After(id.CharterDraft)
	if err != nil {
		return p, err
	}
	all, err := draftsOf(ctx, s.db, below, in.Limit+1)
	return rest.View(all, in.Limit, func(d Draft) DraftView { return d.view("") }, func(v DraftView) any { return v.ID }), err
}

// Drafted is a draft, for the market's people.
func (s *Service) Drafted(ctx context.Context, in OneDraft) (DraftView, error) {
	d, err := loadDraft(ctx, s.db, in.Draft)
	return d.view(""), err
}

// OneOrganisation names an organisation.
type OneOrganisation struct {
	Org string `path:"org"`
}

// DueView is a version that an organisation is to sign.
type DueView struct {
	Version int    `json:"version" required:"true"`
	Since   string `json:"since" required:"true" format:"date"`
	LastDay string `json:"last_day" required:"true" format:"date"`
	SHA256  string `json:"sha256" required:"true"`
}

// MineView is how an organisation stands with the charter.
type MineView struct {
	Organisation string   `json:"organisation" required:"true"`
	Signed       int      `json:"signed,omitempty" description:"The version that binds it: what it signed last."`
	InForce      int      `json:"in_force,omitempty" description:"The version that holds; none: this market has no charter."`
	ToSign       *DueView `json:"to_sign,omitempty" description:"The newest version, when it has not signed it."`
	Late         bool     `json:"late,omitempty" description:"It has not signed in time, and sells nothing new until it does."`
}

// Mine is how an organisation stands with the charter, for itself and the market's
// people.
func (s *Service) Mine(ctx context.Context, in OneOrganisation) (v MineView, err error) {
	if !mine(auth.From(ctx), in.Org) {
		return v, ErrNotFound
	}
	o, err := s.Members.Of(ctx, s.db, in.Org)
	if err != nil {
		return v, ErrNotFound.With(err)
	}
	day, err := s.today(ctx)
	if err != nil {
		return v, err
	}
	v = MineView{Organisation: o.ID, Signed: o.Charter}
	for _, r := range o.Restricted {
		v.Late = v.Late || r == members.LacksCharter
	}
	last, err := versionsOf(ctx, s.db, 0, 10)
	for _, ver := range last {
		if v.InForce == 0 && !ver.Since.After(day) {
			v.InForce = ver.Number
		}
	}
	if len(last) > 0 && last[0].Number > o.Charter && o.Kind != members.Operator {
		n := last[0]
		v.ToSign = &DueView{n.Number, n.Since.Format(time.DateOnly), n.LastDay.Format(time.DateOnly), n.Hex()}
	}
	return v, err
}

// SignaturesInput asks for an organisation's signatures.
type SignaturesInput struct {
	Org string `path:"org"`
	rest.Paging
}

// SignatureView is a signature.
type SignatureView struct {
	ID           string    `json:"id" required:"true"`
	Organisation string    `json:"organisation" required:"true"`
	Version      int       `json:"version" required:"true"`
	SHA256       string    `json:"sha256" required:"true" description:"Of what was signed."`
	Lang         string    `json:"lang" required:"true" description:"In which it was read."`
	Method       Method    `json:"method" required:"true" enum:"code,paper,agent"`
	Proof        string    `json:"proof,omitempty" enum:"code,passkey"`
	Person       string    `json:"person,omitempty" description:"Whose hand it is."`
	Agent        string    `json:"agent,omitempty" description:"Who brought it the charter."`
	Signer       string    `json:"signer,omitempty" description:"The name on a paper."`
	At           time.Time `json:"at" required:"true"`
}

func (g Signature) view() SignatureView {
	return SignatureView{g.ID, g.Organisation, g.Version, hex.EncodeToString(g.Digest), g.Lang, g.Method, g.Proof, g.Person, g.Agent, g.Signer, g.At.UTC()}
}

// Signatures lists an organisation's signatures, for itself and the market's people.
func (s *Service) Signatures(ctx context.Context, in SignaturesInput) (p rest.Page[SignatureView], err error) {
	if !mine(auth.From(ctx), in.Org) {
		return p, ErrNotFound
	}
	below, err := behind(in.Paging)
	if err != nil {
		return p, err
	}
	if _, err := s.Members.Of(ctx, s.db, in.Org); err != nil {
		return p, ErrNotFound.With(err)
	}
	all, err := signaturesOf(ctx, s.db, in.Org, below, in.Limit+1)
	return rest.View(all, in.Limit, Signature.view, func(v SignatureView) any { return v.Version }), err
}

// AskInput says what somebody wants to sign.
type AskInput struct {
	Org     string `path:"org"`
	Version int    `json:"version" required:"true" minimum:"1" maximum:"10000"`
	SHA256  string `json:"sha256" required:"true" pattern:"^[0-9a-f]{64}$" description:"Of what was shown."`
}

// SignInput is somebody's word, with the code or passkey that was asked for.
type SignInput struct {
	AskInput
	Lang string `json:"lang" required:"true" enum:"fr,ar,en,zgh" description:"In which it was read."`
	members.Hand
}

// PaperInput is a charter that was signed on paper.
type PaperInput struct {
	AskInput
	Lang     string `json:"lang" required:"true" enum:"fr,ar,en,zgh"`
	Signer   string `json:"signer" required:"true" minLength:"2" maxLength:"200" description:"The name under the text."`
	SignedOn string `json:"signed_on" required:"true" format:"date"`
	File     string `json:"file" required:"true" maxLength:"40" description:"The scan, uploaded as a proof of the organisation."`
}

// OnePaper names a paper.
type OnePaper struct {
	Paper string `path:"paper"`
}

// RefuseInput sends a paper back.
type RefuseInput struct {
	Paper string `path:"paper"`
	Note  string `json:"note" required:"true" minLength:"3" maxLength:"500" description:"Why; the organisation is told."`
}

// PaperView is a charter that was signed on paper.
type PaperView struct {
	ID           string     `json:"id" required:"true"`
	Organisation string     `json:"organisation" required:"true"`
	Version      int        `json:"version" required:"true"`
	SHA256       string     `json:"sha256" required:"true"`
	Lang         string     `json:"lang" required:"true"`
	Signer       string     `json:"signer" required:"true"`
	SignedOn     string     `json:"signed_on" required:"true" format:"date"`
	File         string     `json:"file" required:"true"`
	State        PaperState `json:"state" required:"true" enum:"waiting,accepted,refused"`
	Note         string     `json:"note,omitempty"`
	EnteredAt    time.Time  `json:"entered_at" required:"true"`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
}

func (p Paper) view() PaperView {
	return PaperView{
		p.ID, p.Organisation, p.Version, hex.EncodeToString(p.Digest), p.Lang, p.Signer, p.SignedOn.Format(time.DateOnly), p.File, p.State, p.Note,
		p.EnteredAt.UTC(), rest.UTC(p.DecidedAt),
	}
}

// Papers lists papers that wait, for the market's people.
func (s *Service) Papers(ctx context.Context, in rest.Paging) (p rest.Page[PaperView], err error) {
	above, err := in.After(id.CharterPaper)
	if err != nil {
		return p, err
	}
	all, err := waitingPapers(ctx, s.db, above, in.Limit+1)
	return rest.View(all, in.Limit, Paper.view, func(v PaperView) any { return v.ID }), err
}
