package certify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// movedStep looks where something stands: a wallet's request, a card's payment.
type movedStep struct {
	Of     string   `yaml:"of"`
	State  []string `yaml:"state"`
	Reason string   `yaml:"reason"`
	Absent bool     `yaml:"absent"`
}

// moved looks where a request or a payment stands, for ten seconds at most while it is
// pending.
func (r *runner) moved(ctx context.Context, s movedStep) error {
	d, err := r.dealt(s.Of)
	if err != nil {
		return err
	}
	if s.Absent {
		a, err := r.call(ctx, http.MethodGet, d.at, "", "", nil)
		if err != nil {
			return err
		}
		return is("a "+d.noun+" that was not made", a, []int{404}, d.noun+"_not_found")
	}
	well := func() bool { return slices.Contains(s.State, d.state) && (s.Reason == "" || d.reason == s.Reason) }
	if err := r.until(ctx, d, func() bool { return well() || d.state != "pending" }); err != nil || well() {
		return err
	}
	return fmt.Errorf("the %s of %s is %q %q, want one of %v %q", d.kind, d.amount, d.state, d.reason, s.State, s.Reason)
}

// until asks how what was done stands by now, for ten seconds at most until it stands
// well.
func (r *runner) until(ctx context.Context, d *deal, well func() bool) error {
	for deadline := r.o.Now().Add(10 * time.Second); ; {
		a, err := r.call(ctx, http.MethodGet, d.at, "", "", nil)
		if err == nil {
			err = is("a "+d.noun+" that was made", a, []int{200}, "")
		}
		if err == nil {
			d.counts = true
			err = d.hear(d, a.Body)
		}
		if err != nil || well() || r.o.Now().After(deadline) {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// pause lets a sandbox take its time.
func pause(ctx context.Context) error { return sleep(ctx, 200*time.Millisecond) }

// sleep waits, unless the run is over before.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// stated compares all that was ever done with the partner's own statement.
func (r *runner) stated(ctx context.Context) error {
	if name, _ := capability(r.protocol); name == "insurance" {
		return r.statement(ctx)
	}
	for _, d := range r.dealings { // how each stands is asked first
		if !d.counts || d.at == "" {
			continue
		}
		if err := r.until(ctx, d, func() bool { return d.state != "pending" }); err != nil {
			return err
		}
	}
	shown, err := r.lines(ctx)
	if err != nil {
		return err
	}
	return r.compare(shown)
}

// A line is one movement of a statement.
type line struct {
	Ref    string      `json:"ref"`
	Kind   string      `json:"kind"`
	Amount money.Money `json:"amount"`
	Fee    money.Money `json:"fee"`
}

// mostPages is how many pages a statement has at most.
const mostPages = 1000

// lines are the lines of the statements of all days since the run began, whose sums
// are those of their lines.
func (r *runner) lines(ctx context.Context) (map[string][]line, error) {
	out := map[string][]line{}
	name, version := capability(r.protocol)
	for day := r.began; !day.After(r.o.Now().UTC()); day = day.AddDate(0, 0, 1) {
		on, cursor := day.Format(time.DateOnly), ""
		sum, fees := money.Dirhams(0), money.Dirhams(0)
		for n := 0; ; n++ {
			a, err := r.call(ctx, http.MethodGet, "/"+name+"/v"+version+"/statements?day="+on+cursor, "", "", nil)
			if err == nil {
				err = is("the statement of "+on, a, []int{200}, "")
			}
			if err != nil {
				return nil, err
			}
			var page struct {
				Day   string       `json:"day"`
				Rows  *[]line      `json:"rows"`
				Total *money.Money `json:"total"`
				Fees  *money.Money `json:"fees"`
				Net   *money.Money `json:"net"`
				Next  string       `json:"next"`
			}
			if err := strict.Object(a.Body, &page); err != nil {
				return nil, fmt.Errorf("the statement of %s: %w", on, err)
			}
			if page.Day != on || page.Rows == nil || page.Total == nil || page.Fees == nil || page.Net == nil || n == mostPages {
				return nil, fmt.Errorf("the statement of %s lacks its day, rows, total, fees or net, or does not end", on)
			}
			for _, l := range *page.Rows {
				out[l.Ref] = append(out[l.Ref], l)
				sum, fees = sum.Add(l.Amount), fees.Add(l.Fee)
			}
			if page.Next == "" {
				if !page.Total.Equal(sum) || !page.Fees.Equal(fees) || !page.Net.Equal(sum.Sub(fees)) {
					return nil, fmt.Errorf("the statement of %s has the total %s, the fees %s and the net %s, and its lines make %s, %s and %s", on, page.Total, page.Fees, page.Net, sum, fees, sum.Sub(fees))
				}
				break
			}
			cursor = "&cursor=" + url.QueryEscape(page.Next)
		}
	}
	return out, nil
}

// compare holds a statement to what was done.
func (r *runner) compare(shown map[string][]line) error {
	for _, d := range r.dealings {
		amount, want := d.line(d)
		want = want && d.counts
		got := shown[d.ref]
		switch {
		case !want && len(got) > 0:
			return fmt.Errorf("the statement shows the %s %s of %s, which was not done", d.kind, d.ref, got[0].Amount)
		case want && len(got) == 0:
			return fmt.Errorf("the statement does not show the %s %s of %s", d.kind, d.ref, d.amount)
		case want && len(got) > 1:
			return fmt.Errorf("the statement shows the %s %s %d times: it was done more than once", d.kind, d.ref, len(got))
		case want && d.fee != nil && !got[0].Fee.Equal(*d.fee):
			return fmt.Errorf("the statement shows the %s %s with the fee %s, and it was told with %s", d.kind, d.ref, got[0].Fee, *d.fee)
		case want && (got[0].Kind != d.kind || !got[0].Amount.Equal(amount)):
			return fmt.Errorf("the statement shows %s as a %s of %s, want a %s of %s", d.ref, got[0].Kind, got[0].Amount, d.kind, amount)
		}
		delete(shown, d.ref)
	}
	for ref := range shown {
		if len(ref) > len("CERT"+r.run) && ref[:len("CERT"+r.run)] == "CERT"+r.run {
			return errors.New("the statement shows " + ref + ", which we never sent")
		}
	}
	return nil
}
