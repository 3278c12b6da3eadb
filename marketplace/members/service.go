package members

import (
	"context"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Service is what others may ask of members.
type Service struct {
	db        *pg.Store
	judge     Judge
	approvals Approvals
	courier   Courier
	gates     []Gate             // none: whoever asks in due form is admitted
	bought    Bought             // nil: guests are found by their secrets alone
	passkeys  *webauthn.WebAuthn // nil: the hub's public address is not known
}

// New makes the service. Keys that need a second person are made once Approve
// was called.
func New(db *pg.Store, judge Judge) *Service { return &Service{db: db, judge: judge} }

// Authenticate says whose key, or session's token, this is. A key that is not known, was revoked or
// has another secret is auth.ErrUnknown; one that waits for a second person is
// ErrWaits. The keys of a suspended organisation
// still open the door: it must be able to see its orders, and to finish them.
// What it may not do until it is reactivated, each domain refuses.
func (s *Service) Authenticate(ctx context.Context, k auth.Key) (auth.Principal, error) {
	return s.Holder(ctx, s.db, k)
}

// Holder is Authenticate in the caller's unit of work.
func (s *Service) Holder(ctx context.Context, db pg.DB, k auth.Key) (auth.Principal, error) {
	if k.Session() {
		v, err := s.visit(ctx, db, k)
		return v.As, err
	}
	c, err := loadHeld(ctx, db, k.ID)
	if err != nil {
		return auth.Nobody, err
	}
	if !k.Matches(c.Hash) || c.RevokedAt != nil {
		return auth.Nobody, auth.ErrUnknown
	}
	if c.waits() {
		return auth.Nobody, ErrWaits
	}
	return auth.Principal{Key: c.ID, Subject: c.Subject, Role: c.Role, Behind: c.Behind, Charter: c.Charter}, nil
}

// Sellers says who these are and whether they may sell now. Ids that are no
// organisation's are left out.
func (s *Service) Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]Seller, error) {
	out := map[string]Seller{}
	if err := pg.Together(ctx, db, s.Facing(ids, out)); err != nil {
		return nil, err
	}
	return out, nil
}

// Facing is Sellers as a part of a caller's round trip; it adds to out.
func (s *Service) Facing(ids []string, out map[string]Seller) pg.Read {
	return faces(ids, func(all []face) {
		for _, f := range all {
			out[f.ID] = Organisation{ID: f.ID, Kind: f.Kind, Names: f.Names, State: f.State, Restricted: f.Restricted}.Seller()
		}
	})
}

// Working reads in which of some organisations a person works.
func (s *Service) Working(person string, among []string, out *[]string) pg.Read {
	return working(person, among, out)
}

// Suspended says which of some organisations are suspended, or were ended.
func (s *Service) Suspended(ctx context.Context, db pg.DB, ids ...string) (map[string]bool, error) {
	all, err := suspended(ctx, db, ids)
	out := make(map[string]bool, len(all))
	for _, id := range all {
		out[id] = true
	}
	return out, err
}

// Imprints say how organisations stand on their invoices.
func (s *Service) Imprints(ctx context.Context, db pg.DB, ids []string) (map[string]Imprint, error) {
	all, err := imprints(ctx, db, ids)
	out := make(map[string]Imprint, len(all))
	for _, i := range all {
		out[i.ID] = i
	}
	return out, err
}

// An Enrolment is what an organisation says of itself.
type Enrolment struct {
	Kind    Kind   `json:"kind" required:"true" enum:"beneficiary_coop,auto_entrepreneur,institutional,service_provider,operational_bank,insurer,e_payment"`
	Names   Texts  `json:"names" required:"true" description:"By language; French at least."`
	Legal   *Legal `json:"legal,omitempty"`
	Story   Texts  `json:"story,omitempty" description:"Who they are, by language."`
	Region  string `json:"region" required:"true" enum:"MA-01,MA-02,MA-03,MA-04,MA-05,MA-06,MA-07,MA-08,MA-09,MA-10,MA-11,MA-12"`
	Commune string `json:"commune" required:"true" minLength:"1" maxLength:"100"`
	Point   *Point `json:"point,omitempty" description:"Where it is; the commune's own place when left out."`
}

// A Point is a place on the map, in degrees.
type Point struct {
	Lat float64 `json:"lat" required:"true" minimum:"20" maximum:"36.5"`
	Lng float64 `json:"lng" required:"true" minimum:"-17.5" maximum:"-0.5"`
}

// place finds the commune in the region.
func (e Enrolment) place() (geo.Place, *fault.Error) {
	p, ok := geo.FindIn(e.Commune, e.Region)
	if ok {
		return p, nil
	}
	if p, ok = geo.Find(e.Commune); ok {
		return p, ErrInvalid.At("/commune", p.Name+" is in region "+p.Region+", not "+e.Region+".")
	}
	return p, ErrInvalid.At("/commune", "This commune is not known; write its name as on the map, in French or Arabic.")
}

// Enrol writes down a new organisation as a draft, in the caller's unit of
// work.
func (s *Service) Enrol(_ context.Context, tx *pg.Tx, in Enrolment) (Organisation, error) {
	o, err := in.draft(tx.Now())
	if err == nil {
		insert(tx, o)
	}
	return o, err
}

// draft is the organisation that an enrolment describes.
func (in Enrolment) draft(at time.Time) (Organisation, error) {
	in.Names = tidied(in.Names)
	place, wrong := in.place()
	if in.Names["fr"] == "" {
		wrong = alsoAt(wrong, "/names/fr", "Give the name in French.")
	}
	wrong = checkNames(checkTexts(wrong, "/names", in.Names, 200), in.Names)
	wrong = checkTexts(wrong, "/story", in.Story, 4000)
	o := Organisation{
		ID: id.New(id.Organisation), Kind: in.Kind, Names: in.Names, Story: in.Story,
		Region: in.Region, Commune: place.Name, Lat: place.Lat, Lng: place.Lng,
		State: Draft, Version: 1, CreatedAt: at,
	}
	if in.Legal != nil {
		o.Legal = *in.Legal
	}
	if o.Legal.ICE != "" {
		if err := CheckICE(o.Legal.ICE); err != nil {
			wrong = alsoAt(wrong, "/legal/ice", sentence(err))
		}
	}
	if wrong != nil {
		return Organisation{}, wrong
	}
	if in.Point != nil {
		o.Lat, o.Lng = in.Point.Lat, in.Point.Lng
	}
	if o.Story == nil {
		o.Story = Texts{}
	}
	return o, nil
}

// Found writes down an organisation that is at work from the start. It is for
// setting a hub up.
func (s *Service) Found(_ context.Context, tx *pg.Tx, in Enrolment) (Organisation, error) {
	o, err := in.draft(tx.Now())
	if err != nil {
		return o, err
	}
	o.State = Active
	insert(tx, o)
	return o, nil
}

// Move moves an organisation on behalf of whoever is asking, who must be
// allowed to.
func (s *Service) Move(ctx context.Context, tx *pg.Tx, org string, m Move, note string) (Organisation, error) {
	o, err := lock(ctx, tx, org)
	if err != nil {
		return o, err
	}
	action := "organisations." + string(m)
	policy, err := s.may(ctx, action, org)
	if err != nil {
		return o, err
	}
	return s.step(ctx, tx, o, m, note, action, policy)
}

// step is Move of an organisation that is locked, by a policy that allows it.
func (s *Service) step(ctx context.Context, tx *pg.Tx, o Organisation, m Move, note, action, policy string) (Organisation, error) {
	from := o.State
	next, err := o.Do(m, note, auth.From(ctx).Person(), tx.Now())
	if err != nil {
		return o, err
	}
	for _, g := range s.gates {
		if err := g.Passes(ctx, tx, o, m); err != nil {
			return o, err
		}
	}
	o = next
	save(tx, o)
	if m == Terminate {
		shut(tx, o.ID)
	}
	if m == Terminate || m == Approve {
		endApplication(tx, o.ID)
	}
	audit.Record(tx, action, o.ID, policy, map[string]any{"from": from, "to": o.State, "note": note})
	return o, tx.Publish(ctx, Moved{o.ID, o.State})
}

// may asks the judge about something of an organisation. To those who may not,
// it is as if it did not exist.
func (s *Service) may(ctx context.Context, action, org string) (policy string, err error) {
	policy, err = s.judge.May(auth.From(ctx), action, authz.Resource{Seller: org})
	if errors.Is(err, authz.ErrDenied) {
		return "", ErrNotFound.With(err)
	}
	return policy, err
}
