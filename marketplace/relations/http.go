package relations

import (
	"net/http"
	"time"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of relations.
func Routes(s *Service) []rest.Route {
	const wishes, erasures, systems, ok = "/v1/wishes", "/v1/erasures", "/v1/crm", http.StatusOK
	return []rest.Route{
		rest.Handle("GET", wishes, "wishes.list", "List what you said about being written to, the newest first", ok, s.Wishes),
		rest.Handle("GET", wishes+"/marketing", "wishes.show", "Show whether you agreed to be written to about goods, and to what text", ok, s.Stance),
		rest.Commit("POST", wishes+"/marketing", "wishes.say", "Agree to be written to about goods, or take that back", ok, s.Say,
			rest.About("Who takes it back is not written to any more; each system outside hears of it. Who refused at such a system has refused here.")),
		rest.Handle("GET", erasures, "erasures.list", "List who was to be forgotten at which system, and what shows that it was", ok, s.Erasures),
		rest.Commit("POST", erasures, "erasures.ask", "Have all systems outside forget somebody", http.StatusCreated, s.Erase,
			rest.About("What the law has the market keep, such as orders and their money, stays with the market.")),
		rest.Handle("GET", systems, "crm.list", "Show how the systems that know who agreed are kept up to date", ok, s.Partners),
		rest.Commit("POST", systems+"/{partner}", "crm.change", "Have a system rest or go on, or data leave the country for it", ok, s.Change),
		rest.Handle("GET", systems+"/{partner}/links", "crm.links", "List what is kept at a system, or is not and why", ok, s.Links),
		rest.Commit("POST", systems+"/{partner}/redo", "crm.redo", "Have a system be told again what it was told", ok, s.Redo),
	}
}

// StanceView is what somebody agreed to, and what there is to agree to.
type StanceView struct {
	Purpose  string     `json:"purpose" required:"true" enum:"marketing"`
	Granted  bool       `json:"granted" required:"true"`
	Source   Source     `json:"source,omitempty" enum:"person,crm,erasure" description:"Who said it last."`
	At       *time.Time `json:"at,omitempty"`
	Lang     string     `json:"lang" required:"true" enum:"fr,ar,en"`
	Text     string     `json:"text" required:"true" description:"That is agreed to."`
	TextHash string     `json:"text_hash" required:"true"`
	Outdated bool       `json:"outdated" required:"true" description:"Another text was agreed to."`
}

func (s standing) view(lang string) StanceView {
	v := StanceView{Purpose: Marketing, Granted: s.Granted, Source: s.Source}
	v.Lang, v.Text, v.TextHash = Text(lang)
	if s.Version > 0 {
		v.At = rest.UTC(&s.At)
	}
	if _, known := langOf(s.TextHash); s.Granted && !known {
		v.Outdated = true
	}
	return v
}

// WishView is what somebody said once.
type WishView struct {
	ID       string    `json:"id" required:"true"`
	Purpose  string    `json:"purpose" required:"true" enum:"marketing"`
	Granted  bool      `json:"granted" required:"true"`
	Source   Source    `json:"source" required:"true" enum:"person,crm,erasure"`
	Partner  string    `json:"partner,omitempty" description:"The system where it was said."`
	TextHash string    `json:"text_hash,omitempty" description:"Of the text that was agreed to."`
	Lang     string    `json:"lang,omitempty" enum:"fr,ar,en"`
	At       time.Time `json:"at" required:"true"`
}

func (w Wish) view() WishView {
	return WishView{w.ID, w.Purpose, w.Granted, w.Source, w.Partner, w.TextHash, w.Lang, w.At.UTC()}
}

// ErasureView is that somebody is to be forgotten at a system.
type ErasureView struct {
	ID      string     `json:"id" required:"true"`
	Person  string     `json:"person" required:"true"`
	Partner string     `json:"partner" required:"true"`
	State   State      `json:"state" required:"true" enum:"asked,done,failed"`
	AskedAt time.Time  `json:"asked_at" required:"true"`
	DoneAt  *time.Time `json:"done_at,omitempty"`
	Code    string     `json:"code,omitempty" description:"Why it is not done."`
	Proof   *ProofView `json:"proof,omitempty"`
}

// ProofView is what shows that somebody was forgotten.
type ProofView struct {
	Forgot  []string `json:"forgot" required:"true" description:"The system's own names of whom it forgot; none: it knew nobody."`
	Answer  string   `json:"answer" required:"true"`
	Checked string   `json:"checked" required:"true" description:"What it said when asked again."`
}

func (e Erasure) view() ErasureView {
	v := ErasureView{ID: e.ID, Person: e.Person, Partner: e.Partner, State: e.State, AskedAt: e.AskedAt.UTC(), DoneAt: rest.UTC(e.DoneAt)}
	if e.State != Done {
		v.Code = e.Code
	}
	if e.Proof != nil {
		v.Proof = &ProofView{e.Proof.RemoteIDs, e.Proof.Answer, e.Proof.Checked}
	}
	return v
}

// ErasuresView are the erasures that are asked for.
type ErasuresView struct {
	Data []ErasureView `json:"data" required:"true"`
}

// PartnerView is how the hub stands with a system.
type PartnerView struct {
	Partner  string     `json:"partner" required:"true"`
	Driver   string     `json:"driver" required:"true"`
	Abroad   bool       `json:"abroad" required:"true" description:"What it is told leaves the country."`
	Transfer string     `json:"transfer" required:"true" description:"The authorisation for that; without one only what takes back is said."`
	Paused   bool       `json:"paused" required:"true"`
	Waiting  int64      `json:"waiting" required:"true" description:"What is to be said; 1000 stands for more."`
	Oldest   *time.Time `json:"oldest,omitempty" description:"Since when something is to be said."`
	Erasing  int64      `json:"erasing" required:"true"`
	Failures int        `json:"failures" required:"true" description:"In a row."`
	Reason   string     `json:"reason,omitempty" description:"Why it failed last."`
	Code     string     `json:"code,omitempty"`
	RetryAt  *time.Time `json:"retry_at,omitempty" description:"Until when it is left alone."`
	SyncedAt *time.Time `json:"synced_at,omitempty" description:"When it had heard all."`
	LookedAt *time.Time `json:"looked_at,omitempty" description:"When it was asked who refuses there."`
}

func (p Partner) view(x System, b backlog) PartnerView {
	return PartnerView{
		Partner: p.Partner, Driver: x.Driver, Abroad: x.Abroad, Transfer: p.Transfer, Paused: p.Paused, Waiting: b.Waiting, Oldest: rest.UTC(b.Oldest), Erasing: b.Erasing,
		Failures: p.Failures, Reason: p.Reason, Code: p.Code, RetryAt: rest.UTC(p.RetryAt), SyncedAt: rest.UTC(p.SyncedAt), LookedAt: rest.UTC(p.LookedAt),
	}
}

// PartnersView are all systems.
type PartnersView struct {
	Data []PartnerView `json:"data" required:"true"`
}

// RedoView says how much is told again.
type RedoView struct {
	Links int64 `json:"links" required:"true"`
}

// LinkView is one thing of ours at a system.
type LinkView struct {
	Entity   Entity     `json:"entity" required:"true" enum:"contact,consent,points,deal"`
	ID       string     `json:"id" required:"true" description:"The person's, or the order's."`
	Person   string     `json:"person" required:"true"`
	RemoteID string     `json:"remote_id,omitempty" description:"The system's own name."`
	Version  int64      `json:"version" required:"true" description:"How often the system was told."`
	Waiting  bool       `json:"waiting" required:"true" description:"There is something to say."`
	Held     string     `json:"held,omitempty" enum:"consent,address,transfer,contact,refused,gone" description:"Why nothing is said."`
	Code     string     `json:"code,omitempty" description:"By which the system refused it."`
	SentAt   *time.Time `json:"sent_at,omitempty"`
}

func (l Link) view() LinkView {
	v := LinkView{Entity: l.Entity, ID: l.LocalID, Person: l.Person, RemoteID: l.RemoteID, Version: l.Version, Waiting: l.Wanted > l.Done, Held: l.Held, Code: l.Code, SentAt: rest.UTC(l.SentAt)}
	if l.Entity == Consent {
		v.RemoteID = ""
	}
	return v
}
