package finance

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// An Errand is something that a bank's system is to be told about an application.
type Errand struct {
	Application string
	N           int
	Kind        string // apply, papers, accept, decline or withdraw
	Text        string
	State       ErrandState
	Tries       int
	Said        string
	MadeAt      time.Time
	TriedAt     *time.Time
}

// An ErrandState is what is known of an errand.
type ErrandState string

// The states of an errand.
const (
	Intended ErrandState = "intent"  // nothing has left us
	Sending  ErrandState = "sending" // a job is at it, or was lost at it
	Unsure   ErrandState = "unknown" // it may have been heard: ask first
	Heard    ErrandState = "done"
	Rejected ErrandState = "refused" // for good; a person must look
)

// lease is how long a job may speak with a system until another takes over.
const lease = 2 * time.Minute

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration {
	return min(5*time.Second<<min(max(tries-1, 0), 10), 15*time.Minute)
}

// send writes down what a bank's system is to be told; a job tells it once this has
// committed.
func (s *Service) send(tx *pg.Tx, a Application, e Errand) {
	e.Application, e.State, e.MadeAt = a.ID, Intended, tx.Now()
	insertErrand(tx, e)
	job.Set(tx, timerTell, a.ID, tx.Now())
}

// sendNext is send after what was said before.
func (s *Service) sendNext(ctx context.Context, tx *pg.Tx, a Application, kind, text string) error {
	n, err := lastErrand(ctx, tx, a.ID)
	if err == nil {
		s.send(tx, a, Errand{N: n + 1, Kind: kind, Text: text})
	}
	return err
}

// Talk tells a bank's system what it is to be told of an application, in order, and
// then asks how that stands there. Nothing is held while it speaks: the intent is
// committed before, the outcome after.
func (s *Service) Talk(ctx context.Context, application string) error {
	ctx = auth.With(ctx, auth.Hub)
	for {
		a, e, err := s.begin(ctx, application)
		if err != nil || a.Partner == "" {
			return err
		}
		system, err := s.system(ctx, a.Partner)
		if err != nil {
			slog.WarnContext(ctx, "a bank's system takes no applications", "partner", a.Partner, "error", err)
			return s.finish(ctx, a, e, outbound.Result{Outcome: outbound.NotSent, Text: err.Error()})
		}
		if e == nil {
			return s.inquire(ctx, system, a)
		}
		r := s.deliver(ctx, system, a, *e)
		if err := s.finish(ctx, a, e, r); err != nil || r.Outcome != outbound.Succeeded && r.Outcome != outbound.Accepted {
			return err
		}
	}
}

func (s *Service) system(ctx context.Context, partner string) (bank.Applicants, error) {
	if s.Banks == nil {
		return nil, fmt.Errorf("no bank's system is plugged in here")
	}
	return s.Banks.Applicants(ctx, s.db, partner)
}

// begin takes the next errand; nil when nothing is to be said. The partner of the
// application is empty when nobody is to be spoken to now.
func (s *Service) begin(ctx context.Context, application string) (a Application, e *Errand, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if a, err = lockApplication(ctx, tx, application); err != nil {
			return err
		}
		all, err := undone(ctx, tx, a.ID)
		if err != nil || a.Partner == "" {
			return err
		}
		if len(all) == 0 {
			e = nil
			return nil
		}
		next := all[0]
		if next.State == Sending && next.TriedAt != nil && tx.Now().Before(next.TriedAt.Add(lease)) {
			a.Partner = "" // another job is at it
			return nil
		}
		if next.State == Sending {
			next.State = Unsure // that job was lost
		}
		found := next
		e = &found
		at := tx.Now()
		next.State, next.Tries, next.TriedAt = Sending, next.Tries+1, &at
		e.Tries, e.TriedAt = next.Tries, next.TriedAt
		saveErrand(tx, next)
		job.Set(tx, timerTell, a.ID, at.Add(lease))
		return nil
	})
	return a, e, err
}

// deliver tells the system, or first asks it whether it has heard when that is not
// known.
func (s *Service) deliver(ctx context.Context, system bank.Applicants, a Application, e Errand) outbound.Result {
	if e.State == Unsure {
		st, r := system.Progress(ctx, a.ID)
		switch {
		case r.Outcome == outbound.Succeeded && (e.Kind == "apply" || slices.Contains(st.Answers, e.N)):
			return outbound.Result{Outcome: outbound.Succeeded, Text: "found by our reference"}
		case r.Outcome == outbound.Succeeded || r.Outcome == outbound.NotFound && e.Kind == "apply":
			// it has not heard: the same is said again, under the same reference
		default:
			return outbound.Result{Outcome: outbound.Unknown, Reason: r.Reason, Text: r.Say(), RetryAfter: r.RetryAfter, Err: r.Err}
		}
	}
	if e.Kind != "apply" {
		return system.Tell(ctx, a.ID, bank.Answer{N: e.N, Kind: e.Kind, Text: e.Text, At: e.MadeAt})
	}
	out, err := s.outgoing(ctx, a)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Text: "the application cannot be put together", Err: err}
	}
	return system.Apply(ctx, out)
}

// outgoing is an application as a bank's system takes it. What the papers say is not
// in it: the bank reads them here, on the consent.
func (s *Service) outgoing(ctx context.Context, a Application) (out bank.Application, err error) {
	m, err := s.Members.Of(ctx, s.db, a.Member)
	if err != nil {
		return out, err
	}
	grounds, err := groundsOf(ctx, s.db, a.ID)
	if err != nil || len(grounds) == 0 {
		return out, fmt.Errorf("application %s has no consent: %w", a.ID, err)
	}
	out = bank.Application{
		Ref: a.ID, Product: a.Product, Version: a.ProductVersion, Kind: string(a.Kind), Purpose: a.Purpose, Made: a.MovedAt,
		Applicant: bank.Applicant{ID: m.ID, Name: said(m.Names), Kind: string(m.Kind), ICE: m.Legal.ICE, Region: m.Region, Commune: m.Commune},
		Consent:   grounds[0].Consent, Sections: grounds[0].Sections, Until: grounds[0].Until, Dossier: "/v1/dossiers/" + m.ID + "?consent=" + grounds[0].Consent,
	}
	if a.Amount != nil {
		m := money.Dirhams(*a.Amount)
		out.Amount, out.Months = &m, *a.Months
	}
	return out, nil
}

// finish writes down what came of an errand, and when it is tried again.
func (s *Service) finish(ctx context.Context, a Application, e *Errand, r outbound.Result) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		a, err := lockApplication(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if e == nil {
			job.Set(tx, timerAsk, a.ID, tx.Now().Add(s.Every))
			return nil
		}
		now, err := oneErrand(ctx, tx, a.ID, e.N)
		if err != nil || now.State != Sending || now.Tries != e.Tries {
			return err // another job took over
		}
		now.Said = short(r.Say())
		switch r.Outcome {
		case outbound.Succeeded, outbound.Accepted:
			now.State = Heard
			job.Set(tx, timerTell, a.ID, tx.Now())
		case outbound.Declined:
			now.State = Rejected
			saveErrand(tx, now)
			return s.rejected(ctx, tx, a, now, r)
		case outbound.NotSent:
			now.State = e.State // what was unsure before stays so
			job.Set(tx, timerTell, a.ID, tx.Now().Add(max(r.RetryAfter, pause(now.Tries))))
		default:
			now.State = Unsure
			job.Set(tx, timerTell, a.ID, tx.Now().Add(max(r.RetryAfter, pause(now.Tries))))
		}
		saveErrand(tx, now)
		audit.Record(tx, "finance.told", a.ID, "", map[string]any{"errand": now.Kind, "n": now.N, "outcome": r.Outcome, "said": now.Said})
		return nil
	})
}

// rejected is what follows when a bank's system refuses to hear something for good.
// An application that it does not take is refused.
func (s *Service) rejected(ctx context.Context, tx *pg.Tx, a Application, e Errand, r outbound.Result) error {
	audit.Record(tx, "finance.told", a.ID, "", map[string]any{"errand": e.Kind, "n": e.N, "outcome": r.Outcome, "said": e.Said})
	if e.Kind != "apply" || a.State != Submitted {
		job.Set(tx, timerTell, a.ID, tx.Now())
		return nil
	}
	a, err := s.refuses(tx, a, short(r.Say()))
	if err != nil {
		return err
	}
	_, err = s.moved(ctx, tx, a, "finance.refuse", "bank", a.Reason, nil)
	return err
}

func short(s string) string {
	if r := []rune(words(s)); len(r) > 300 {
		return string(r[:300])
	}
	return words(s)
}

// inquire asks the bank's system how an application stands, and follows it there.
func (s *Service) inquire(ctx context.Context, system bank.Applicants, a Application) error {
	st, r := system.Progress(ctx, a.ID)
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		a, err := lockApplication(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if r.Outcome == outbound.Succeeded {
			if a, err = s.follow(ctx, tx, a, st); err != nil {
				return err
			}
		}
		if a.State.Open() {
			job.Set(tx, timerAsk, a.ID, tx.Now().Add(max(s.Every, r.RetryAfter)))
		} else {
			job.Clear(tx, timerAsk, a.ID)
		}
		return nil
	})
}

// follow brings an application to where its bank says that it stands, as far as the
// member's own decisions let it; what was heard before changes nothing.
func (s *Service) follow(ctx context.Context, tx *pg.Tx, a Application, st bank.Progress) (Application, error) {
	if st.Seq <= a.Standing || !a.State.Open() {
		return a, nil
	}
	a.Standing = st.Seq
	steps := toward(a.State, State(st.State))
	if len(steps) == 0 {
		saveApplication(tx, a)
		return a, nil
	}
	for _, m := range steps {
		next, err := s.step(ctx, tx, a, m, st)
		if err != nil {
			slog.WarnContext(ctx, "a bank's word on an application cannot be", "application", a.ID, "partner", a.Partner, "says", st.State, "error", err)
			audit.Record(tx, "finance.odd", a.ID, "", map[string]any{"says": st.State, "seq": st.Seq, "error": err.Error()})
			saveApplication(tx, a)
			return a, nil
		}
		a = next
		note := map[Move]string{Refuse: a.Reason, Ask: question(st)}[m]
		if _, err := s.moved(ctx, tx, a, "finance."+string(m), moves[m].side, note, nil); err != nil {
			return a, err
		}
	}
	return a, nil
}

func question(st bank.Progress) string {
	if st.Question == nil {
		return ""
	}
	return words(st.Question.Text)
}

// step makes one move that a bank's system says.
func (s *Service) step(ctx context.Context, tx *pg.Tx, a Application, m Move, st bank.Progress) (Application, error) {
	switch m {
	case Ask:
		if st.Question == nil {
			return a, ErrInvalid.At("/question", "There is none.")
		}
		return s.asks(ctx, tx, a, words(st.Question.Text), st.Question.Sections, a.Bank)
	case Offer:
		if st.Offer == nil {
			return a, ErrInvalid.At("/offer", "There is none.")
		}
		t := Terms{Months: st.Offer.Months, Text: words(st.Offer.Terms), Until: st.Offer.Until, Fees: st.Offer.Fees.Centimes()}
		if st.Offer.Amount != nil {
			c := st.Offer.Amount.Centimes()
			t.Amount = &c
		}
		if st.Offer.Rate != "" {
			rate, err := ParsePercent(st.Offer.Rate)
			if err != nil {
				return a, err
			}
			t.Rate = rate
		}
		return s.offers(ctx, tx, a, t)
	case Refuse:
		return s.refuses(tx, a, short(st.Reason))
	case OpenIt, GrantIt:
		return s.completes(ctx, tx, a, st.RIB, words(st.Holder))
	}
	a, err := a.Do(m, tx.Now())
	if err == nil {
		saveApplication(tx, a)
	}
	return a, err
}

// toward are the moves that lead from a state of ours to one that the bank says;
// none when the member's word stands against it, or it is the bank's echo of ours.
func toward(ours, theirs State) []Move {
	first := map[State]Move{Received: Receive, InReview: Review, PapersAsked: Ask, Offered: Offer, Refused: Refuse, Opened: OpenIt, Granted: GrantIt, Expired: Expire}
	m, ok := first[theirs]
	if !ok || ours == Draft || ours == theirs {
		return nil
	}
	if slices.Contains(moves[m].from, ours) {
		return []Move{m}
	}
	if ours == Submitted && (m == Ask || m == Offer) {
		return []Move{Review, m}
	}
	return nil
}

// Wake has the system of a partner be asked at once about all that is under way
// there: it said that something has changed.
func (s *Service) Wake(ctx context.Context, partner string) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		all, err := underWay(ctx, tx, partner)
		if err != nil || len(all) == 0 {
			return err
		}
		job.SetAll(tx, timerAsk, timesOf(all, tx.Now()))
		return nil
	})
}

func timesOf(all []string, at time.Time) (t job.Times) {
	for _, x := range all {
		t.Add(x, at)
	}
	return t
}
