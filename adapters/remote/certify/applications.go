package certify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

type (
	applyStep struct {
		As      string `yaml:"as"`
		Again   string `yaml:"again"` // that one once more, instead of a new one
		Kind    string `yaml:"kind"`
		Amount  string `yaml:"amount"`
		Months  int    `yaml:"months"`
		Status  []int  `yaml:"status"`
		Code    string `yaml:"code"`
		Times   int    `yaml:"times"`
		AtOnce  int    `yaml:"at_once"`
		Altered bool   `yaml:"altered"`
		Lost    bool   `yaml:"lost"`
		Token   string `yaml:"token"`
	}
	progressStep struct {
		Of      string `yaml:"of"`
		State   string `yaml:"state"`
		Absent  bool   `yaml:"absent"`
		Answers []int  `yaml:"answers"`
	}
	tellStep struct {
		Of    string `yaml:"of"`
		N     int    `yaml:"n"`
		Kind  string `yaml:"kind"`
		Text  string `yaml:"text"`
		Times int    `yaml:"times"`
	}
)

// newApplication makes an application as the hub makes one.
func (r *runner) newApplication(s applyStep) (a bank.Application, err error) {
	r.serial++
	now := r.o.Now().UTC().Truncate(time.Second)
	a = bank.Application{
		Ref: fmt.Sprintf("APL%s%04d", r.run, r.serial), Product: "prd_certify", Version: 1, Kind: s.Kind, Months: s.Months, Purpose: "Certification", Made: now,
		Applicant: bank.Applicant{ID: "org_certify", Name: "Coopérative (exemple)", Kind: "beneficiary_coop", Region: "MA-09", Commune: "Taroudant"},
		Consent:   "cns_certify", Sections: []string{"identity", "financial"}, Until: now.AddDate(0, 0, 90), Dossier: "/v1/dossiers/org_certify?consent=cns_certify",
	}
	if s.Amount != "" {
		m, err := money.Parse(s.Amount, money.MAD)
		if err != nil {
			return a, err
		}
		a.Amount = &m
	}
	return a, nil
}

// apply posts an application, or one that was posted again.
func (r *runner) apply(ctx context.Context, s applyStep) error {
	a, ok := r.applied[s.Again]
	if !ok {
		var err error
		if a, err = r.newApplication(s); err != nil {
			return err
		}
		r.applied[s.As] = a
	}
	body, err := remote.RenderApplication(a)
	if err != nil {
		return err
	}
	if s.Altered {
		body = []byte(strings.Replace(string(body), `"purpose":"Certification"`, `"purpose":"Anything else"`, 1))
	}
	one := func() error {
		got, err := r.call(ctx, http.MethodPost, "/bank/v1/applications", a.Ref, s.Token, body)
		switch {
		case s.Lost && err != nil:
			return nil
		case s.Lost:
			return fmt.Errorf("the sandbox answers %d to an application for an amount that ends in .03; it shall take it in and lose its answer", got.Status)
		case err != nil:
			return err
		}
		return is("application "+a.Ref, got, s.Status, s.Code)
	}
	var mu sync.Mutex
	var failed error
	for range max(s.Times, 1) {
		var all sync.WaitGroup
		for range max(s.AtOnce, 1) {
			all.Go(func() {
				if err := one(); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			})
		}
		all.Wait()
	}
	return failed
}

// progress asks how an application stands, through the hub's own driver and port.
func (r *runner) progress(ctx context.Context, s progressStep) error {
	a, ok := r.applied[s.Of]
	if !ok {
		return fmt.Errorf("the case has no application %q", s.Of)
	}
	st, res := r.hub.Progress(ctx, a.Ref)
	switch {
	case s.Absent && res.Outcome == outbound.NotFound:
		return nil
	case s.Absent:
		return fmt.Errorf("application %s, which was never taken in, is %s %s; want 404 application_not_found", a.Ref, res.Outcome, res.Say())
	case res.Outcome != outbound.Succeeded:
		return fmt.Errorf("the hub's driver says of application %s: %s %w", a.Ref, res.Outcome, errors.Join(res.Err, errors.New(res.Say())))
	case st.State != s.State:
		return fmt.Errorf("application %s is %s, want %s", a.Ref, st.State, s.State)
	}
	for _, n := range s.Answers {
		if !slices.Contains(st.Answers, n) {
			return fmt.Errorf("application %s does not list the member's word %d among its answers", a.Ref, n)
		}
	}
	if last, ok := r.seqs[a.Ref]; ok && st.Seq < last {
		return fmt.Errorf("the seq of application %s goes back from %d to %d", a.Ref, last, st.Seq)
	}
	r.seqs[a.Ref] = st.Seq
	return nil
}

// tell passes a member's word on, through the hub's own driver.
func (r *runner) tell(ctx context.Context, s tellStep) error {
	a, ok := r.applied[s.Of]
	if !ok {
		return fmt.Errorf("the case has no application %q", s.Of)
	}
	for range max(s.Times, 1) {
		if res := r.hub.Tell(ctx, a.Ref, bank.Answer{N: s.N, Kind: s.Kind, Text: s.Text, At: a.Made}); res.Outcome != outbound.Accepted {
			return fmt.Errorf("the member's word %d on application %s is %s %w", s.N, a.Ref, res.Outcome, errors.Join(res.Err, errors.New(res.Say())))
		}
	}
	return nil
}
