package digital

import (
	"fmt"
	"net/http"
	"time"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service, for sellers.
func Routes(s *Service) []rest.Route {
	const of = "/v1/variants/{variant}"
	return []rest.Route{
		rest.Handle("GET", of+"/digital", "digital.show", "Show the files of a digital article, and how many codes it has", http.StatusOK, s.Show),
		rest.Commit("POST", of+"/files", "digital.add_ware", "Add a file to a digital article, or a new version of one", http.StatusCreated, s.AddWare),
		rest.Commit("POST", of+"/files/{ware}/retire", "digital.retire_ware", "Take a file out of a digital article; its buyers keep it", http.StatusOK, s.RetireWare),
		rest.Commit("POST", of+"/codes", "digital.add_codes", "Add codes to a digital article, each of which is given once", http.StatusCreated, s.AddCodes,
			rest.About("They are sealed, and shown to nobody but the buyer of each. They are the article's stock.")),
		rest.Commit("POST", of+"/codes/void", "digital.void_codes", "Take away the codes of a digital article that nobody has", http.StatusOK, s.VoidCodes),
	}
}

// OneVariant names an article.
type OneVariant struct {
	Variant string `path:"variant"`
}

// OneWare names a file of an article.
type OneWare struct {
	Variant string `path:"variant"`
	Ware    string `path:"ware"`
}

// WareInput adds a file.
type WareInput struct {
	Variant  string `path:"variant"`
	File     string `json:"file" required:"true" maxLength:"40" description:"That was uploaded as a ware."`
	Title    string `json:"title,omitempty" maxLength:"120" description:"What its buyers read; a new version keeps its own when left out."`
	Replaces string `json:"replaces,omitempty" maxLength:"40" description:"The file of which this is a new version. Who has bought it gets this one too."`
}

// CodesInput adds codes.
type CodesInput struct {
	Variant string   `path:"variant"`
	Codes   []string `json:"codes" required:"true" minItems:"1" maxItems:"1000"`
}

// CodesView says how many codes came, or went.
type CodesView struct {
	Added  int `json:"added" required:"true"`
	Known  int `json:"known" required:"true" description:"That the article had before, or that were given twice."`
	Voided int `json:"voided" required:"true"`
	Free   int `json:"free" required:"true" description:"That nobody has."`
}

// WareView is a file that is sold.
type WareView struct {
	ID      string    `json:"id" required:"true"`
	Title   string    `json:"title" required:"true"`
	Version int       `json:"version" required:"true"`
	Type    string    `json:"type" required:"true"`
	Size    int       `json:"size" required:"true" description:"In bytes."`
	File    string    `json:"file" required:"true" description:"Of this version."`
	Since   time.Time `json:"since" required:"true" description:"When this version came."`
	Retired bool      `json:"retired" required:"true"`
}

// ShelfView is what there is of an article.
type ShelfView struct {
	Files     []WareView `json:"files" required:"true"`
	FreeCodes int        `json:"free_codes" required:"true"`
}

// GrantView is what an order's buyer has of one article.
type GrantView struct {
	Variant  string      `json:"variant" required:"true"`
	Quantity int         `json:"quantity" required:"true"`
	State    string      `json:"state" required:"true" enum:"ready,opened,closed"`
	Until    time.Time   `json:"until" required:"true" description:"Until when it can be fetched."`
	OpenedAt *time.Time  `json:"opened_at,omitempty"`
	Files    []FetchView `json:"files" required:"true"`
	CodesDue int         `json:"codes_due" required:"true" description:"How many codes go with it."`
	Codes    []string    `json:"codes" required:"true" description:"For the buyer alone, once it was opened."`
}

// FetchView is a file that a buyer can fetch.
type FetchView struct {
	ID      string     `json:"id" required:"true"`
	Title   string     `json:"title" required:"true"`
	Version int        `json:"version" required:"true"`
	Type    string     `json:"type" required:"true"`
	Size    int        `json:"size" required:"true"`
	URL     string     `json:"url" required:"true" description:"For this order's buyer alone."`
	Times   int        `json:"times" required:"true" description:"How often it was fetched; at most 20 times."`
	LastAt  *time.Time `json:"last_at,omitempty"`
}

func (w Ware) view() WareView {
	return WareView{w.ID, w.Title, w.Version, w.Type, w.Size, w.File, w.AddedAt.UTC(), w.RetiredAt != nil}
}

func (g Grant) view(files []Ware, times []fetched) GrantView {
	v := GrantView{Variant: g.Variant, Quantity: g.Quantity, State: "ready", Until: g.Until.UTC(), OpenedAt: rest.UTC(g.OpenedAt), Files: []FetchView{}, CodesDue: g.Codes, Codes: []string{}}
	switch {
	case g.ClosedAt != nil:
		v.State = "closed"
	case g.OpenedAt != nil:
		v.State = "opened"
	}
	for _, w := range files {
		if w.Variant != g.Variant {
			continue
		}
		f := FetchView{ID: w.ID, Title: w.Title, Version: w.Version, Type: w.Type, Size: w.Size, URL: "/v1/orders/" + g.Order + "/digital/" + g.Variant + "/" + w.ID}
		for _, t := range times {
			if t.Variant == g.Variant && t.Ware == w.ID {
				f.Times, f.LastAt = t.Times, rest.UTC(&t.LastAt)
			}
		}
		v.Files = append(v.Files, f)
	}
	return v
}

// at is where the i-th of a list stands.
func at(list string, i int) string { return fmt.Sprintf("%s/%d", list, i) }
