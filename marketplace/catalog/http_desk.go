package catalog

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/rest"
)

// deskRoutes are what sellers and the operator's moderators do besides offers.
func deskRoutes(s *Service) []rest.Route {
	const label, change, closure = "/v1/labels/{label}", "/v1/changes/{change}", "/v1/closures/{closure}"
	return []rest.Route{
		rest.Handle("POST", "/v1/labels", "labels.claim", "Claim a label for offers or the whole organisation", http.StatusCreated, s.ClaimLabel),
		rest.Handle("GET", "/v1/labels", "labels.list", "List labels and where they stand", http.StatusOK, s.ListLabels),
		rest.Handle("POST", label+"/verify", "labels.verify", "Vouch for a label: it becomes a badge", http.StatusOK, s.VerifyLabel),
		rest.Handle("POST", label+"/refuse", "labels.refuse", "Refuse a claim", http.StatusOK, s.RefuseLabel),
		rest.Handle("POST", label+"/revoke", "labels.revoke", "Take a verified label away", http.StatusOK, s.RevokeLabel),
		rest.Handle("POST", label+"/withdraw", "labels.withdraw", "Take a claim or a label back", http.StatusOK, s.WithdrawLabel),
		rest.Handle("GET", "/v1/changes", "changes.list", "List what sellers ask to say of their offers", http.StatusOK, s.ListChanges),
		rest.Handle("POST", change+"/approve", "changes.approve", "Let buyers read what was asked for", http.StatusOK, s.ApproveChange),
		rest.Handle("POST", change+"/reject", "changes.reject", "Leave the offer as it is", http.StatusOK, s.RejectChange),
		rest.Handle("POST", change+"/withdraw", "changes.withdraw", "Take a request back", http.StatusOK, s.WithdrawChange),
		rest.Handle("POST", "/v1/places", "places.create", "Add a place where stock lies", http.StatusCreated, s.CreatePlace),
		rest.Handle("GET", "/v1/places", "places.list", "List where stock lies", http.StatusOK, s.ListPlaces),
		rest.Handle("POST", "/v1/variants/{variant}/moves", "variants.move", "Bring stock from one place to another", http.StatusOK, s.MoveStock),
		rest.Handle("POST", "/v1/closures", "closures.create", "Say when a seller is away", http.StatusCreated, s.Close),
		rest.Handle("GET", "/v1/closures", "closures.list", "List when a seller is away", http.StatusOK, s.ListClosures),
		rest.Handle("POST", closure+"/reopen", "closures.reopen", "Sell again from today on", http.StatusOK, s.Reopen),
	}
}

// A KindView is a category with what may be said of its goods.
type KindView struct {
	Code       string            `json:"code" required:"true"`
	Names      map[string]string `json:"names" required:"true"`
	Attributes []Attribute       `json:"attributes" required:"true"`
}

// KindsView are all categories, and what a seller may claim.
type KindsView struct {
	Data   []KindView `json:"data" required:"true"`
	Claims []Term     `json:"claims" required:"true"`
}

// Kinds tells what goods there are and what may be said of them.
func (s *Service) Kinds(context.Context, rest.None) (KindsView, error) {
	out := KindsView{Claims: Claims}
	for _, k := range Categories {
		v := KindView{k.Code, k.Names, []Attribute{}}
		for _, a := range Attributes {
			if _, has := byCategory[k.Code][a.Code]; has {
				v.Attributes = append(v.Attributes, a)
			}
		}
		out.Data = append(out.Data, v)
	}
	return out, nil
}

// ClaimInput claims a label.
type ClaimInput struct {
	Seller    string   `json:"seller,omitempty" maxLength:"40" description:"Whose label it is; for operators."`
	Code      string   `json:"code" required:"true" minLength:"1" maxLength:"100" description:"The label's name."`
	Issuer    string   `json:"issuer" required:"true" maxLength:"200"`
	Number    string   `json:"number" required:"true" maxLength:"64" description:"Of the certificate."`
	Scope     Scope    `json:"scope" required:"true" enum:"offers,organisation"`
	Offers    []string `json:"offers,omitempty" maxItems:"100"`
	Proof     string   `json:"proof,omitempty" maxLength:"40" description:"The id of a file that shows the certificate."`
	ValidFrom string   `json:"valid_from" required:"true" format:"date"`
	ValidTo   string   `json:"valid_to,omitempty" format:"date" description:"Its last day."`
}

// LabelsInput says which labels are listed.
type LabelsInput struct {
	Seller string `query:"seller" maxLength:"40" description:"For operators."`
	State  string `query:"state" enum:"claimed,verified,refused,expired,revoked,withdrawn"`
	rest.Paging
}

// LabelID names a label.
type LabelID struct {
	Label string `path:"label"`
}

// VerifyInput vouches for a label.
type VerifyInput struct {
	Label    string `path:"label"`
	Evidence string `json:"evidence" required:"true" minLength:"3" maxLength:"500" description:"What was looked at: the issuer's register, the certificate."`
}

// LabelReasonInput says why a label is refused or revoked.
type LabelReasonInput struct {
	Label  string `path:"label"`
	Reason string `json:"reason" required:"true" minLength:"3" maxLength:"500" description:"Its seller reads it."`
}

// A LabelDeskView is a label as its owner and the operator see it.
type LabelDeskView struct {
	ID         string     `json:"id" required:"true"`
	Seller     string     `json:"seller" required:"true"`
	Code       string     `json:"code" required:"true"`
	Issuer     string     `json:"issuer" required:"true"`
	Number     string     `json:"number" required:"true"`
	Scope      Scope      `json:"scope" required:"true" enum:"offers,organisation"`
	Offers     []string   `json:"offers,omitempty" description:"The first hundred it is for."`
	Proof      string     `json:"proof,omitempty"`
	ValidFrom  string     `json:"valid_from" required:"true" format:"date"`
	ValidTo    *string    `json:"valid_to" required:"true"`
	State      LabelState `json:"state" required:"true" enum:"claimed,verified,refused,expired,revoked,withdrawn"`
	Evidence   string     `json:"evidence,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	ClaimedAt  time.Time  `json:"claimed_at" required:"true"`
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
}

func deskView(l Label, offers []string) LabelDeskView {
	v := LabelDeskView{
		ID: l.ID, Seller: l.Seller, Code: l.Code, Issuer: l.Issuer, Number: l.Number, Scope: l.Scope, Offers: offers, Proof: l.Proof,
		ValidFrom: l.From, State: l.State, Evidence: l.Evidence, Reason: l.Reason, ClaimedAt: l.ClaimedAt.UTC(), VerifiedAt: l.VerifiedAt, EndedAt: l.EndedAt,
	}
	if l.To != "" {
		v.ValidTo = &l.To
	}
	return v
}

// ChangesInput says which requests are listed.
type ChangesInput struct {
	Seller string `query:"seller" maxLength:"40" description:"For operators."`
	State  string `query:"state" enum:"open,approved,rejected,withdrawn"`
	rest.Paging
}

// ChangeID names a request.
type ChangeID struct {
	Change string `path:"change"`
}

// ChangeReasonInput says why a request is rejected.
type ChangeReasonInput struct {
	Change string `path:"change"`
	Reason string `json:"reason" required:"true" minLength:"3" maxLength:"500" description:"Its seller reads it."`
}

// A ChangeView is what a seller asked to say of an offer.
type ChangeView struct {
	ID        string      `json:"id" required:"true"`
	Offer     string      `json:"offer" required:"true"`
	Seller    string      `json:"seller" required:"true"`
	State     ChangeState `json:"state" required:"true" enum:"open,approved,rejected,withdrawn"`
	Claims    []string    `json:"claims,omitempty" description:"All that it would claim."`
	Origin    *OriginView `json:"origin,omitempty" description:"Where it would come from."`
	Reason    string      `json:"reason,omitempty"`
	AskedAt   time.Time   `json:"asked_at" required:"true"`
	DecidedAt *time.Time  `json:"decided_at,omitempty"`
}

// An OriginView is where goods come from.
type OriginView struct {
	Region  string     `json:"region" required:"true"`
	Commune string     `json:"commune" required:"true"`
	Point   *PointView `json:"point,omitempty"`
}

func (c Change) view() ChangeView {
	v := ChangeView{
		ID: c.ID, Offer: c.Offer, Seller: c.Seller, State: c.State, Claims: c.Claims, Reason: c.Reason,
		AskedAt: c.AskedAt.UTC(), DecidedAt: c.DecidedAt,
	}
	if c.Origin != nil {
		v.Origin = &OriginView{Region: c.Origin.Region, Commune: c.Origin.Commune}
		if c.Origin.Lat != nil {
			v.Origin.Point = &PointView{*c.Origin.Lat, *c.Origin.Lng}
		}
	}
	return v
}

// PlaceInput is a new place.
type PlaceInput struct {
	Seller  string     `json:"seller,omitempty" maxLength:"40" description:"Whose place it is; for operators."`
	Name    string     `json:"name" required:"true" minLength:"1" maxLength:"200"`
	Commune string     `json:"commune" required:"true" maxLength:"100"`
	Point   *PointView `json:"point,omitempty" description:"That of the commune when left out."`
}

// OfSeller says whose things are listed.
type OfSeller struct {
	Seller string `query:"seller" maxLength:"40" description:"For operators."`
}

// PlacesView are a seller's places.
type PlacesView struct {
	Data []Place `json:"data" required:"true"`
}

// MoveInput brings stock from a place to another.
type MoveInput struct {
	Variant  string `path:"variant"`
	From     string `json:"from" required:"true" maxLength:"40" description:"A place; empty is where the seller is."`
	To       string `json:"to" required:"true" maxLength:"40" description:"A place; empty is where the seller is."`
	Quantity int    `json:"quantity" required:"true" minimum:"1" maximum:"1000000"`
}

// ClosureInput says when a seller is away.
type ClosureInput struct {
	Seller string `json:"seller,omitempty" maxLength:"40" description:"Who is away; for operators."`
	From   string `json:"from" required:"true" format:"date" description:"The first day in Morocco."`
	To     string `json:"to" required:"true" format:"date" description:"The last day."`
	Reason string `json:"reason,omitempty" maxLength:"200"`
}

// ClosureID names a closure.
type ClosureID struct {
	Closure string `path:"closure"`
}

// ClosuresView are a seller's closures, the next first.
type ClosuresView struct {
	Data []Closure `json:"data" required:"true"`
}
