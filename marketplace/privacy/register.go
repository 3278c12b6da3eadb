package privacy

import (
	"context"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/pkg/rest"
)

//go:embed register.json
var registerJSON []byte

// Texts are by language: fr, ar, en.
type Texts map[string]string

// A Table is one that a processing keeps, and what becomes of it when somebody is
// forgotten: deleted, emptied of what says who it was, or kept and why.
type Table struct {
	Name  string `json:"name"`
	After string `json:"after"`
	Why   string `json:"why,omitempty"`
}

// Retention is how long something is kept.
type Retention struct {
	From     string `json:"from" required:"true" description:"What the time counts from."`
	Days     int    `json:"days,omitempty"`
	Books    bool   `json:"books,omitempty" description:"As long as the books."`
	Says     Texts  `json:"says" required:"true"`
	ByItself bool   `json:"by_itself" required:"true" description:"The hub deletes it when its time is over; else it goes when it is asked for."`
}

// Abroad is what leaves the country.
type Abroad struct {
	To     Texts `json:"to" required:"true"`
	Ground Texts `json:"ground" required:"true"`
}

// A Processing is one thing that the market does with people's data.
type Processing struct {
	Code       string    `json:"code"`
	Purpose    Texts     `json:"purpose"`
	Ground     string    `json:"ground"`
	People     Texts     `json:"people"`
	Data       Texts     `json:"data"`
	Recipients Texts     `json:"recipients"`
	Retention  Retention `json:"retention"`
	Measures   []string  `json:"measures"`
	Prior      bool      `json:"prior_authorisation"`
	Objection  bool      `json:"objection"` // it stops at once for who objects
	Abroad     *Abroad   `json:"abroad"`
	Tables     []Table   `json:"tables"`
}

// A Register is all that the market does with people's data. A change makes another
// version.
type Register struct {
	Version        int              `json:"version"`
	Since          string           `json:"since"`
	ExportDays     int              `json:"export_days"`      // how long a copy can be fetched
	AnswerDays     int              `json:"answer_days"`      // in which a request is answered
	CoolingOffDays int              `json:"cooling_off_days"` // in which an erasure can be taken back
	Grounds        map[string]Texts `json:"grounds"`
	Measures       map[string]Texts `json:"measures"`
	Kept           map[string]Texts `json:"kept"`
	Processings    []Processing     `json:"processings"`
	Periods        []Period         `json:"periods"` // of what goes by itself
}

// The register is part of the program: what it says and what the code does change
// together.
var register = func() Register {
	var r Register
	d := json.NewDecoder(strings.NewReader(string(registerJSON)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		panic("privacy: register.json: " + err.Error())
	}
	return r
}()

// TheRegister is the register in force.
func TheRegister() Register { return register }

// processing finds one by its code.
func (r Register) processing(code string) (Processing, bool) {
	i := slices.IndexFunc(r.Processings, func(p Processing) bool { return p.Code == code })
	if i < 0 {
		return Processing{}, false
	}
	return r.Processings[i], true
}

// table finds what becomes of a table.
func (r Register) table(name string) (t Table, p Processing, ok bool) {
	for _, p := range r.Processings {
		for _, t := range p.Tables {
			if t.Name == name {
				return t, p, true
			}
		}
	}
	return t, p, false
}

// Numbers are what the data protection commission (CNDP) gave the market: by the code
// of a processing, or under «all», the number of a receipt or an authorisation.
type Numbers map[string]string

// Check finds numbers of processings that there are not.
func (n Numbers) Check() error {
	for _, code := range slices.Sorted(maps.Keys(n)) {
		if _, ok := register.processing(code); !ok && code != "all" {
			return fmt.Errorf("there is no processing %q to have the number %q", code, n[code])
		}
	}
	return nil
}

// Missing are the processings without a number; those that need an authorisation
// before they begin do not take the general one.
func (n Numbers) Missing() (all []string) {
	for _, p := range register.Processings {
		if n.of(p) == "" {
			all = append(all, p.Code)
		}
	}
	return all
}

func (n Numbers) of(p Processing) string {
	if own := n[p.Code]; own != "" || p.Prior {
		return own
	}
	return n["all"]
}

// ProcessingView is a processing as anybody may read it.
type ProcessingView struct {
	Code       string      `json:"code" required:"true"`
	Purpose    Texts       `json:"purpose" required:"true" description:"By language, as all texts here: fr, ar, en."`
	Ground     string      `json:"ground" required:"true" enum:"contract,law,consent,interest"`
	GroundSays Texts       `json:"ground_says" required:"true"`
	People     Texts       `json:"people" required:"true" description:"Whose data."`
	Data       Texts       `json:"data" required:"true" description:"Which."`
	Recipients Texts       `json:"recipients" required:"true"`
	Retention  Retention   `json:"retention" required:"true"`
	Measures   []Texts     `json:"measures" required:"true"`
	Prior      bool        `json:"prior_authorisation" required:"true" description:"The commission authorises it before it begins."`
	Number     string      `json:"number" required:"true" description:"Of the commission's receipt or authorisation; empty: the declaration is under way."`
	Objection  bool        `json:"objection" required:"true" description:"Who objects to it is left out at once."`
	Abroad     *Abroad     `json:"abroad,omitempty"`
	Tables     []TableView `json:"tables" required:"true" description:"Where the data lies, and what becomes of it when somebody is forgotten."`
}

// TableView is one table of a processing.
type TableView struct {
	Name  string `json:"name" required:"true"`
	After string `json:"after" required:"true" enum:"deleted,emptied,kept" description:"What becomes of it when somebody is forgotten."`
	Why   Texts  `json:"why,omitempty" description:"Why it is kept."`
}

// RegisterView is the register.
type RegisterView struct {
	Version        int              `json:"version" required:"true"`
	Since          string           `json:"since" required:"true" format:"date"`
	AnswerDays     int              `json:"answer_days" required:"true"`
	ExportDays     int              `json:"export_days" required:"true"`
	CoolingOffDays int              `json:"cooling_off_days" required:"true"`
	Data           []ProcessingView `json:"data" required:"true"`
}

func (r Register) view(n Numbers) RegisterView {
	v := RegisterView{r.Version, r.Since, r.AnswerDays, r.ExportDays, r.CoolingOffDays, make([]ProcessingView, len(r.Processings))}
	for i, p := range r.Processings {
		x := ProcessingView{
			Code: p.Code, Purpose: p.Purpose, Ground: p.Ground, GroundSays: r.Grounds[p.Ground], People: p.People, Data: p.Data, Recipients: p.Recipients,
			Retention: p.Retention, Measures: []Texts{}, Prior: p.Prior, Number: n.of(p), Objection: p.Objection, Abroad: p.Abroad, Tables: []TableView{},
		}
		for _, m := range p.Measures {
			x.Measures = append(x.Measures, r.Measures[m])
		}
		for _, t := range p.Tables {
			x.Tables = append(x.Tables, TableView{t.Name, t.After, r.Kept[t.Why]})
		}
		v.Data[i] = x
	}
	return v
}

// Processings is the register, for anyone.
func (s *Service) Processings(context.Context, rest.None) (RegisterView, error) {
	return register.view(s.Numbers), nil
}

// Sheet is the register as one sheet in French, a processing in each line, for the
// operator to hand in.
func (s *Service) Sheet(context.Context, rest.None) (rest.Blob, error) {
	v := register.view(s.Numbers)
	return rest.Blob{ContentType: "text/csv; charset=utf-8", FileName: "registre-v" + strconv.Itoa(v.Version) + ".csv", Write: func(w io.Writer) error {
		out := csv.NewWriter(w)
		lines := [][]string{{"traitement", "finalité", "fondement", "personnes", "données", "destinataires", "transfert à l'étranger", "conservation", "mesures", "autorisation préalable", "numéro CNDP", "tables"}}
		for _, p := range v.Data {
			abroad, prior, number := "non", "non", p.Number
			if p.Abroad != nil {
				abroad = p.Abroad.To["fr"] + " : " + p.Abroad.Ground["fr"]
			}
			if p.Prior {
				prior = "oui"
			}
			if number == "" {
				number = "déclaration en cours"
			}
			var measures, tables []string
			for _, m := range p.Measures {
				measures = append(measures, m["fr"])
			}
			for _, t := range p.Tables {
				tables = append(tables, t.Name+" ("+t.After+")")
			}
			lines = append(lines, []string{p.Code, p.Purpose["fr"], p.GroundSays["fr"], p.People["fr"], p.Data["fr"], p.Recipients["fr"], abroad, p.Retention.Says["fr"], strings.Join(measures, " ; "), prior, number, strings.Join(tables, ", ")})
		}
		return out.WriteAll(lines)
	}}, nil
}

// days is a number of days as a time.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
