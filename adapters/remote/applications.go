package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

var _ bank.Applicants = (*Bank)(nil)

// applications is where a connector with the feature applications takes them.
const applications = "/bank/v1/applications"

// applicant is who applies, as the protocol writes it.
type applicant struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	ICE     string `json:"ice,omitempty"`
	Region  string `json:"region"`
	Commune string `json:"commune"`
}

// papers are where the bank reads what the applicant lets it see.
type papers struct {
	Consent  string   `json:"consent"`
	Sections []string `json:"sections"`
	Until    string   `json:"until"`
	Path     string   `json:"path"`
}

// application is the body of POST /bank/v1/applications, in this order of fields:
// the same application always makes the same bytes.
type application struct {
	ID        string       `json:"id"`
	Created   string       `json:"created_at"`
	Product   string       `json:"product"`
	Version   int          `json:"version"`
	Kind      string       `json:"kind"`
	Amount    *money.Money `json:"amount,omitempty"`
	Months    int          `json:"months,omitempty"`
	Purpose   string       `json:"purpose,omitempty"`
	Applicant applicant    `json:"applicant"`
	Papers    papers       `json:"papers"`
}

// progress is how an application stands, as the protocol writes it.
type progress struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Seq      int64  `json:"seq"`
	SHA256   string `json:"sha256"`
	Reason   string `json:"reason"`
	Question *struct {
		Text     string   `json:"text"`
		Sections []string `json:"sections"`
	} `json:"question"`
	Offer *struct {
		Amount *money.Money `json:"amount"`
		Rate   string       `json:"rate"`
		Months int          `json:"months"`
		Fees   *money.Money `json:"fees"`
		Terms  string       `json:"terms"`
		Until  time.Time    `json:"valid_until"`
	} `json:"offer"`
	Account *struct {
		RIB    string `json:"rib"`
		Holder string `json:"holder"`
	} `json:"account"`
	Answers []int `json:"answers"`
}

// RenderApplication makes the body of an application.
func RenderApplication(a bank.Application) ([]byte, error) {
	return json.Marshal(application{
		ID: a.Ref, Created: a.Made.UTC().Format(time.RFC3339), Product: a.Product, Version: a.Version, Kind: a.Kind, Amount: a.Amount, Months: a.Months, Purpose: cut(a.Purpose, 2000),
		Applicant: applicant{a.Applicant.ID, a.Applicant.Name, a.Applicant.Kind, a.Applicant.ICE, a.Applicant.Region, a.Applicant.Commune},
		Papers:    papers{a.Consent, a.Sections, a.Until.UTC().Format(time.RFC3339), a.Dossier},
	})
}

// Apply posts an application under its own id as the key. Accepted is only an answer
// that repeats the id and the hash of what was sent; refused for good only the codes
// refused and invalid.
func (d *Bank) Apply(ctx context.Context, a bank.Application) outbound.Result {
	body, err := RenderApplication(a)
	if err != nil {
		return unfit(err.Error())
	}
	got, r, ok := d.n.call(ctx, request{http.MethodPost, applications, a.Ref, body})
	if !ok {
		return final(got, r)
	}
	var p progress
	if err := strict.Object(got.Body, &p); err != nil || p.ID != a.Ref || p.SHA256 != digest(body) {
		return outbound.Result{Outcome: outbound.Unknown, Evidence: r.Evidence, Err: fmt.Errorf("the connector speaks of another application than %s: %w", a.Ref, errors.Join(err, errors.New("its id and sha256 must be ours")))}
	}
	return outbound.Result{Outcome: outbound.Accepted, PartnerID: p.ID, Text: cut(p.State, 40), Evidence: r.Evidence}
}

// final is what an answer means that is no success: refused for good only by the
// codes that are listed as final.
func final(a outbound.Answer, r outbound.Result) outbound.Result {
	p := problem(a)
	r.Text = p.Detail
	if a.Status == http.StatusUnprocessableEntity && (p.Code == "refused" || p.Code == "invalid") {
		return outbound.Result{Outcome: outbound.Declined, Code: refusal(p), Text: p.Detail, Evidence: r.Evidence}
	}
	if p.Code != "" {
		r.Code = p.Code
	}
	return r
}

// Progress asks for an application by our reference. NotFound is only the code
// application_not_found.
func (d *Bank) Progress(ctx context.Context, ref string) (bank.Progress, outbound.Result) {
	a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: applications + "/" + ref})
	if !ok {
		if a.Status == http.StatusNotFound && problem(a).Code == "application_not_found" {
			return bank.Progress{}, outbound.Result{Outcome: outbound.NotFound}
		}
		if r.Outcome == outbound.NotFound || r.Outcome == outbound.Accepted || r.Outcome == outbound.Declined {
			r.Outcome = outbound.Unknown
		}
		return bank.Progress{}, r
	}
	var p progress
	if err := strict.Object(a.Body, &p); err != nil {
		return bank.Progress{}, outbound.Result{Outcome: outbound.Unknown, Evidence: r.Evidence, Err: fmt.Errorf("read application %s: %w", ref, err)}
	}
	return p.standing(), outbound.Result{Outcome: outbound.Succeeded, Evidence: r.Evidence}
}

// standing is what the port takes; the port looks whether it can be.
func (p progress) standing() bank.Progress {
	out := bank.Progress{Ref: p.ID, State: p.State, Seq: p.Seq, Reason: cut(p.Reason, 500), Answers: p.Answers}
	if q := p.Question; q != nil {
		out.Question = &bank.Question{Text: q.Text, Sections: q.Sections}
	}
	if o := p.Offer; o != nil {
		out.Offer = &bank.Offer{Amount: o.Amount, Rate: o.Rate, Months: o.Months, Fees: money.Dirhams(0), Terms: o.Terms, Until: o.Until}
		if o.Fees != nil {
			out.Offer.Fees = *o.Fees
		}
	}
	if p.Account != nil {
		out.RIB, out.Holder = p.Account.RIB, cut(p.Account.Holder, 140)
	}
	return out
}

// Tell puts a member's word under its number; the same number again is the same
// word. Accepted is only an answer that lists the number.
func (d *Bank) Tell(ctx context.Context, ref string, w bank.Answer) outbound.Result {
	body, err := json.Marshal(struct {
		Kind string `json:"kind"`
		Text string `json:"text,omitempty"`
		At   string `json:"at"`
	}{w.Kind, w.Text, w.At.UTC().Format(time.RFC3339)})
	if err != nil {
		return unfit(err.Error())
	}
	n := strconv.Itoa(w.N)
	a, r, ok := d.n.call(ctx, request{http.MethodPost, applications + "/" + ref + "/answers/" + n, ref + "-" + n, body})
	if !ok {
		return final(a, r)
	}
	var p progress
	if err := strict.Object(a.Body, &p); err != nil || p.ID != ref || !slices.Contains(p.Answers, w.N) {
		return outbound.Result{Outcome: outbound.Unknown, Evidence: r.Evidence, Err: fmt.Errorf("the connector does not say that it heard word %d on %s: %w", w.N, ref, errors.Join(err, errors.New("answers must list it")))}
	}
	return outbound.Result{Outcome: outbound.Accepted, Text: cut(p.State, 40), Evidence: r.Evidence}
}
