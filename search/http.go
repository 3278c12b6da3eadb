package search

import (
	"net/http"
	"time"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the desk; the operator's people use it.
func Routes(d *Desk) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/search/synonyms", "search.synonyms.show", "Show the words that mean the same to the search", http.StatusOK, d.Synonyms),
		rest.Handle("PUT", "/v1/search/synonyms", "search.synonyms.put", "Replace the words that mean the same to the search", http.StatusOK, d.SetSynonyms),
		rest.Handle("GET", "/v1/search/asked", "search.asked", "Report what people looked for, and what found nothing", http.StatusOK, d.Asked),
	}
}

// SynonymsInput replaces the table.
type SynonymsInput struct {
	Version int        `json:"version" minimum:"0" description:"The version that was read; 0 the first time."`
	Groups  [][]string `json:"groups" required:"true" minItems:"1" maxItems:"2000" description:"Each a list of words or phrases, in any script, that mean the same."`
}

// SynonymsView is the table as it stands.
type SynonymsView struct {
	Version int        `json:"version" required:"true" description:"0: the market's own, which nobody has changed."`
	Groups  [][]string `json:"groups" required:"true"`
	SetBy   string     `json:"set_by,omitempty"`
	SetAt   *time.Time `json:"set_at,omitempty"`
}

func (k Kept) view() SynonymsView { return SynonymsView(k) }

// AskedInput says which days to report.
type AskedInput struct {
	Days    int  `query:"days" minimum:"1" maximum:"90" description:"How many days back; 30 unless said."`
	Nothing bool `query:"nothing" description:"Only what found nothing, the most asked first."`
}

// AskedRow is one query.
type AskedRow struct {
	Query   string `json:"query" required:"true"`
	Lang    string `json:"lang" required:"true"`
	Times   int    `json:"times" required:"true"`
	Nothing int    `json:"nothing" required:"true" description:"How often it found nothing."`
	Last    string `json:"last" required:"true" description:"The last day it was asked."`
}

// AskedView is what people looked for. Nobody is named.
type AskedView struct {
	Days    int        `json:"days" required:"true"`
	Times   int        `json:"times" required:"true" description:"All searches."`
	Nothing int        `json:"nothing" required:"true" description:"Those that found nothing."`
	Data    []AskedRow `json:"data" required:"true" description:"A hundred at most."`
}
