package directory

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/search"
)

// Routes is the HTTP face of the directory.
func Routes(s *Service) []rest.Route {
	const fields = "/v1/organisations/{org}/directory-fields"
	ok := http.StatusOK
	const about = "Who calls without a key sees what is shown to everybody; a member besides what is shown to its kind, or to it by name."
	return []rest.Route{
		rest.Handle("GET", "/v1/directory", "directory.list", "Find members by region, kind, trade, label and words", ok, s.List, rest.Public(), rest.About(about)),
		rest.Handle("GET", "/v1/directory/{org}", "directory.show", "Read a member's profile", ok, s.Show, rest.Public(), rest.About(about)),
		rest.Handle("GET", fields, "directory.fields", "List what one shows in the directory, and to whom", ok, s.Fields),
		rest.Handle("PUT", fields+"/{code}", "directory.set", "Show something in the directory, to everybody, to some or to nobody", ok, s.Set),
		rest.Handle("DELETE", fields+"/{code}", "directory.clear", "Show something no more", ok, s.Clear),
	}
}

// ListInput is what somebody looks for.
type ListInput struct {
	Q      string       `query:"q" maxLength:"100" description:"Words of its name, place, trade or story; the beginning of a word is enough."`
	Region string       `query:"region" enum:"MA-01,MA-02,MA-03,MA-04,MA-05,MA-06,MA-07,MA-08,MA-09,MA-10,MA-11,MA-12"`
	Kind   members.Kind `query:"kind" enum:"beneficiary_coop,auto_entrepreneur,institutional,service_provider,operational_bank,insurer,e_payment"`
	Trade  string       `query:"trade" maxLength:"40" description:"A category that it has something on offer in, as GET /v1/categories names it."`
	Label  string       `query:"label" maxLength:"60" description:"The code of a label that it has, verified and in date."`
	rest.Paging
}

// BadgeView is a label that is verified and in date.
type BadgeView struct {
	Code      string `json:"code" required:"true"`
	Issuer    string `json:"issuer" required:"true"`
	Number    string `json:"number" required:"true"`
	ValidFrom string `json:"valid_from,omitempty" format:"date"`
	ValidTo   string `json:"valid_to,omitempty" format:"date"`
}

// EntryView is a member as its reader may see it.
type EntryView struct {
	Organisation string            `json:"organisation" required:"true"`
	Kind         members.Kind      `json:"kind" required:"true"`
	Names        members.Texts     `json:"names" required:"true"`
	Region       string            `json:"region" required:"true"`
	Commune      string            `json:"commune" required:"true"`
	Point        members.Point     `json:"point" required:"true"`
	Trades       []string          `json:"trades" required:"true"`
	Labels       []BadgeView       `json:"labels" required:"true" description:"Verified and in date."`
	Fields       map[string]string `json:"fields" required:"true" description:"What it shows to this reader: phone, email, contact, capacity, certificates, website, hours."`
}

// ProfileView is a member's profile.
type ProfileView struct {
	EntryView
	Story  members.Texts `json:"story" required:"true"`
	Offers string        `json:"offers,omitempty" description:"Where what it offers is listed; left out when it sells nothing now."`
}

func (e Entry) view(badges []catalog.Badge, fields map[string]string) EntryView {
	v := EntryView{e.Organisation, e.Kind, e.Names, e.Region, e.Commune, members.Point{Lat: e.Lat, Lng: e.Lng}, e.Trades, []BadgeView{}, fields}
	for _, b := range badges {
		v.Labels = append(v.Labels, BadgeView{b.Code, b.Issuer, b.Number, b.ValidFrom, b.ValidTo})
	}
	if v.Fields == nil {
		v.Fields = map[string]string{}
	}
	return v
}

// show makes the views of entries: labels as they are now, and what the reader may
// see. It costs two reads, whatever the number of entries.
func (s *Service) show(ctx context.Context, all []Entry, r Reader) (map[string]EntryView, error) {
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.Organisation
	}
	badges, err := s.catalogue.BadgesOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	shown, err := visible(ctx, s.db, ids, r)
	if err != nil {
		return nil, err
	}
	fields := map[string]map[string]string{}
	for _, f := range shown {
		if fields[f.Organisation] == nil {
			fields[f.Organisation] = map[string]string{}
		}
		fields[f.Organisation][f.Code] = f.Value
	}
	out := map[string]EntryView{}
	for _, e := range all {
		out[e.Organisation] = e.view(badges[e.Organisation], fields[e.Organisation])
	}
	return out, nil
}

// mostWords is how many words of a question count.
const mostWords = 8

// List finds members for anyone, by their names.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[EntryView], err error) {
	var behind place
	if err := rest.DecodeCursor(in.Cursor, &behind); err != nil {
		return p, err
	}
	if behind.ID != "" && !id.Is(id.Organisation, behind.ID) {
		return p, rest.ErrCursor
	}
	words := search.Fold(in.Q)
	if in.Q != "" && len(words) == 0 {
		return rest.Cut([]EntryView{}, in.Limit, func(EntryView) any { return nil }), nil
	}
	r, err := s.reader(ctx)
	if err != nil {
		return p, err
	}
	found, err := entries(ctx, s.db, query{
		Region: in.Region, Kind: string(in.Kind), Trade: in.Trade, Label: in.Label, Words: words[:min(len(words), mostWords)], Behind: behind, Limit: in.Limit + 1,
	})
	if err != nil {
		return p, err
	}
	views, err := s.show(ctx, found, r)
	if err != nil {
		return p, err
	}
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.Organisation
	}
	there, err := s.members.AllAtWork(ctx, s.db, ids)
	if err != nil {
		return p, err
	}
	last := rest.View(found, in.Limit, func(e Entry) Entry { return e }, func(e Entry) any { return place{e.Sort, e.Organisation} })
	p = rest.Page[EntryView]{Data: []EntryView{}, Next: last.Next}
	for _, e := range last.Data {
		v := views[e.Organisation]
		if !slices.Contains(there, e.Organisation) {
			continue // it was suspended, or left, a moment ago
		}
		if in.Label != "" && !slices.ContainsFunc(v.Labels, func(b BadgeView) bool { return b.Code == in.Label }) {
			continue // it ended a moment ago
		}
		p.Data = append(p.Data, v)
	}
	return p, nil
}

// OneMember names a member.
type OneMember struct {
	Org string `path:"org"`
}

// Show is a member's profile, for anyone.
func (s *Service) Show(ctx context.Context, in OneMember) (v ProfileView, err error) {
	e, err := loadEntry(ctx, s.db, in.Org)
	if err != nil {
		return v, err
	}
	o, err := s.members.Of(ctx, s.db, e.Organisation)
	switch {
	case errors.Is(err, members.ErrNotFound):
		return v, ErrNotFound.With(err)
	case err != nil:
		return v, err
	case o.State != members.Active:
		return v, ErrNotFound
	}
	r, err := s.reader(ctx)
	if err != nil {
		return v, err
	}
	views, err := s.show(ctx, []Entry{e}, r)
	if err != nil {
		return v, err
	}
	v = ProfileView{EntryView: views[e.Organisation], Story: o.Story}
	if o.Seller().Active {
		v.Offers = "/v1/offers?seller=" + o.ID
	}
	return v, nil
}

// FieldView is something that a member shows, as it sees that itself.
type FieldView struct {
	Code          string         `json:"code" required:"true"`
	Value         string         `json:"value" required:"true"`
	Shown         Shown          `json:"shown" required:"true" enum:"public,some,nobody"`
	Kinds         []members.Kind `json:"kinds" required:"true"`
	Organisations []string       `json:"organisations" required:"true"`
	ChangedAt     time.Time      `json:"changed_at" required:"true"`
}

func (f Field) view() FieldView {
	return FieldView{f.Code, f.Value, f.Shown, f.Kinds, f.Organisations, f.ChangedAt.UTC()}
}

// FieldsView are all that a member shows: at most one of each kind.
type FieldsView struct {
	Data  []FieldView              `json:"data" required:"true"`
	Names map[string]members.Texts `json:"names" required:"true" description:"What the organisations that fields name are called; those at work no more are left out."`
}

// Fields lists what the caller shows, and to whom.
func (s *Service) Fields(ctx context.Context, in OneMember) (v FieldsView, err error) {
	if err := own(ctx, in.Org); err != nil {
		return v, err
	}
	all, err := fieldsOf(ctx, s.db, in.Org)
	if err != nil {
		return v, err
	}
	v.Data = make([]FieldView, len(all))
	var named []string
	for i, f := range all {
		v.Data[i] = f.view()
		named = append(named, f.Organisations...)
	}
	v.Names, err = namesOf(ctx, s.db, unique(named))
	return v, err
}

// OneField names a field of a member.
type OneField struct {
	Org  string `path:"org"`
	Code string `path:"code" enum:"phone,email,contact,capacity,certificates,website,hours"`
}

// SetInput is something to show.
type SetInput struct {
	OneField
	Value         string         `json:"value" required:"true" minLength:"1" maxLength:"400"`
	Shown         Shown          `json:"shown" required:"true" enum:"public,some,nobody"`
	Kinds         []members.Kind `json:"kinds,omitempty" maxItems:"7" enum:"beneficiary_coop,auto_entrepreneur,institutional,service_provider,operational_bank,insurer,e_payment" description:"For «some»: which kinds of organisations see it."`
	Organisations []string       `json:"organisations,omitempty" maxItems:"50" description:"For «some»: which organisations see it by name."`
}

// ClearedView names what is shown no more.
type ClearedView struct {
	Code string `json:"code" required:"true"`
}
