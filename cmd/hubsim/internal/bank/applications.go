package bank

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// An application is one for an account or a loan that was taken in over the
// connector, as it stands.
type application struct {
	ID       string    `json:"id"`
	SHA256   string    `json:"sha256"`
	State    string    `json:"state"`
	Seq      int       `json:"seq"`
	Reason   string    `json:"reason,omitempty"`
	Question *question `json:"question,omitempty"`
	Offer    *offer    `json:"offer,omitempty"`
	Account  *opened   `json:"account,omitempty"`
	Answers  []int     `json:"answers"`
}

type question struct {
	Text     string   `json:"text"`
	Sections []string `json:"sections"`
}

type offer struct {
	Amount *sum   `json:"amount,omitempty"`
	Rate   string `json:"rate,omitempty"`
	Months int    `json:"months,omitempty"`
	Fees   sum    `json:"fees"`
	Terms  string `json:"terms"`
	Until  string `json:"valid_until"`
}

type opened struct {
	RIB    string `json:"rib"`
	Holder string `json:"holder"`
}

// A file is an application with what was asked for.
type file struct {
	Application application `json:"application"`
	Amount      *sum        `json:"amount,omitempty"`
	Months      int         `json:"months,omitempty"`
	Holder      string      `json:"holder"`
}

// applicationBody is what POST /bank/v1/applications takes.
type applicationBody struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Amount    *sum   `json:"amount"`
	Months    int    `json:"months"`
	Applicant struct {
		Name string `json:"name"`
	} `json:"applicant"`
	Papers struct {
		Consent string `json:"consent"`
	} `json:"papers"`
}

func (b *Bank) routesApplications(mux *http.ServeMux) {
	mux.HandleFunc("POST /bank/v1/applications", b.signed(b.postApplication))
	mux.HandleFunc("GET /bank/v1/applications/{id}", b.signed(b.getApplication))
	mux.HandleFunc("POST /bank/v1/applications/{id}/answers/{n}", b.signed(b.hearAnswer))
}

// file checks what came and makes a file of it. The centimes of a loan choose what
// becomes of it: .01 is refused, .02 has papers asked first, .03 is taken in and its
// first answer is lost; all others, and accounts, are offered at once.
func (in applicationBody) file(body []byte, now time.Time) (f file, lost bool, p *problem1) {
	invalid := func(at, why string) (file, bool, *problem1) {
		return file{}, false, &problem1{http.StatusUnprocessableEntity, "invalid", "", at + ": " + why}
	}
	var centimes int64
	loan := in.Kind == "loan"
	if in.Amount != nil {
		var ok bool
		if centimes, ok = in.Amount.centimes(); !ok {
			return invalid("/amount", "give an amount above nothing, in MAD")
		}
	}
	switch {
	case !loan && in.Kind != "account":
		return invalid("/kind", "give account or loan")
	case loan != (in.Amount != nil) || loan != (in.Months > 0):
		return invalid("/amount", "a loan has an amount and months, an account neither")
	case in.Papers.Consent == "" || in.Applicant.Name == "":
		return invalid("/papers", "name who applies, and the consent to see its papers")
	}
	f = file{Application: application{ID: in.ID, SHA256: digest1(body), State: "received", Seq: 1, Answers: []int{}}, Amount: in.Amount, Months: in.Months, Holder: in.Applicant.Name}
	switch a := &f.Application; centimes % 100 {
	case 1:
		a.State, a.Reason = "refused", "Le projet ne correspond pas aux critères de la banque (exemple)."
	case 2:
		a.State, a.Question = "papers_asked", &question{"Envoyez vos ventes de l'an dernier.", []string{}}
	default:
		f.offers(now)
	}
	return f, centimes%100 == 3, nil
}

// offers has the bank make its offer.
func (f *file) offers(now time.Time) {
	a := &f.Application
	a.State, a.Question = "offered", nil
	a.Offer = &offer{Amount: f.Amount, Months: f.Months, Fees: sumIn(150_00), Terms: "Offre de démonstration (exemple).", Until: now.AddDate(0, 1, 0).UTC().Format(time.RFC3339)}
	if f.Amount != nil {
		a.Offer.Rate = "7.25"
	}
}

// hears takes the member's word n, once.
func (f *file) hears(n int, kind string, now time.Time) {
	a := &f.Application
	if slices.Contains(a.Answers, n) {
		return
	}
	a.Seq++
	a.Answers = append(slices.Clone(a.Answers), n)
	switch {
	case kind == "papers" && a.State == "papers_asked":
		f.offers(now)
	case kind == "accept" && a.State == "offered":
		a.State, a.Account = "opened", &opened{ribFor(a.ID), f.Holder}
		if f.Amount != nil {
			a.State = "granted"
		}
	case kind == "decline" && a.State == "offered":
		a.State = "declined"
	case kind == "withdraw" && !slices.Contains([]string{"opened", "granted", "refused", "declined"}, a.State):
		a.State = "withdrawn"
	}
}

// ribFor is an account number of the bank's own whose key fits.
func ribFor(id string) string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, id) // a hash takes everything
	head := fmt.Sprintf("%s%016d", ConnectorRIB[:6], h.Sum64()%1e16)
	return head + fmt.Sprintf("%02d", 97-mod97(head+"00"))
}

// postApplication takes an application in, once.
func (b *Bank) postApplication(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return // half an application is none
	}
	var in applicationBody
	switch {
	case json.Unmarshal(body, &in) != nil || !refText.MatchString(in.ID):
		world.Problem(rw, http.StatusBadRequest, "malformed", "This is no application.")
		return
	case r.Header.Get("Idempotency-Key") != strconv.Quote(in.ID):
		world.Problem(rw, http.StatusBadRequest, "idempotency_key", "Idempotency-Key must be the id of the application, in quotes.")
		return
	}
	status, lost := http.StatusCreated, false
	var f file
	var wrong *problem1
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		var ok bool
		if f, ok = b.files.Get(tx, in.ID); ok {
			if status = http.StatusOK; f.Application.SHA256 != digest1(body) {
				wrong = &problem1{http.StatusUnprocessableEntity, "idempotency_conflict", "", "This id has been used for another content."}
			}
			return nil
		}
		if f, lost, wrong = in.file(body, b.world.Now()); wrong == nil {
			b.files.Put(tx, in.ID, f)
		}
		return nil
	})
	switch {
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
	case wrong != nil:
		wrong.write(rw)
	case lost:
		panic(http.ErrAbortHandler) // it is taken in, and nobody hears of it
	default:
		world.Answer(rw, status, f.Application)
	}
}

func (b *Bank) getApplication(rw http.ResponseWriter, r *http.Request) {
	var f file
	var ok bool
	b.world.Journal.View(func(tx *journal.Tx) { f, ok = b.files.Get(tx, r.PathValue("id")) })
	if !ok {
		world.Problem(rw, http.StatusNotFound, "application_not_found", "There is no such application.")
		return
	}
	world.Answer(rw, http.StatusOK, f.Application)
}

// hearAnswer takes the member's word in.
func (b *Bank) hearAnswer(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return // half a word is none
	}
	var in struct {
		Kind string `json:"kind"`
	}
	n, wrong := strconv.Atoi(r.PathValue("n"))
	if wrong != nil || n < 1 || n > 100 || json.Unmarshal(body, &in) != nil || !slices.Contains([]string{"papers", "accept", "decline", "withdraw"}, in.Kind) {
		world.Problem(rw, http.StatusUnprocessableEntity, "invalid", "Give a number and papers, accept, decline or withdraw.")
		return
	}
	var f file
	var ok bool
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		if f, ok = b.files.Get(tx, r.PathValue("id")); !ok {
			return nil
		}
		f.hears(n, in.Kind, b.world.Now())
		b.files.Put(tx, f.Application.ID, f)
		return nil
	})
	switch {
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
	case !ok:
		world.Problem(rw, http.StatusNotFound, "application_not_found", "There is no such application.")
	default:
		select {
		case b.news <- f.Application.ID:
		default: // one that is told already
		}
		world.Answer(rw, http.StatusOK, f.Application)
	}
}
