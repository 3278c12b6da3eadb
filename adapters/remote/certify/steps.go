package certify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tiwiza/adapters/card"
	"tiwiza/adapters/insurance"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// wrongToken is one that nobody gave us.
const wrongToken = "certify-a-token-that-nobody-gave"

// step does one step.
func (r *runner) step(ctx context.Context, s Step) error {
	switch {
	case s.Manifest != nil:
		return r.readManifest(ctx)
	case s.Get != nil:
		return r.get(ctx, *s.Get)
	case s.Batch != nil:
		return r.batch(*s.Batch)
	case s.Submit != nil:
		return r.submit(ctx, *s.Submit)
	case s.Show != nil:
		return r.show(ctx, *s.Show)
	case s.Half != nil:
		return r.half(ctx, r.batches[s.Half.Batch])
	case s.Hub != nil:
		return r.through(ctx, r.batches[s.Hub.Batch])
	case s.DayEnd != nil, s.Settle != nil:
		return r.dayEnd(ctx)
	case s.Post != nil:
		return r.raw(ctx, *s.Post)
	case s.Again != nil:
		d, err := r.dealt(s.Again.Of)
		if err != nil {
			return err
		}
		return r.send(ctx, d, s.Again.how)
	case s.Statement != nil:
		return r.stated(ctx)
	case s.Read != nil:
		return r.read(ctx, *s.Read)
	case s.Wrongly != nil:
		return r.wrongly(ctx, *s.Wrongly)
	case s.Report != nil:
		return r.report(*s.Report)
	case s.Paid != nil:
		return r.paid(*s.Paid)
	case s.Random != nil:
		return r.many(ctx, *s.Random)
	case s.Reconcile != nil:
		return r.reconcile()
	case s.Event != nil:
		return r.event(ctx)
	case s.Quiet != nil:
		return r.quiet()
	case s.TLS != nil:
		return r.tls()
	case s.Apply != nil:
		return r.apply(ctx, *s.Apply)
	case s.Progress != nil:
		return r.progress(ctx, *s.Progress)
	case s.Tell != nil:
		return r.tell(ctx, *s.Tell)
	}
	if done, err := r.charge(ctx, s.cardSteps); done {
		return err
	}
	if done, err := r.relate(ctx, s.crmSteps); done {
		return err
	}
	if done, err := r.bring(ctx, s.notifySteps); done {
		return err
	}
	if done, err := r.insure(ctx, s); done {
		return err
	}
	if done, err := r.moving(ctx, s); done {
		return err
	}
	return errors.New("the case does not say what to do")
}

// call makes a request as the hub makes it, with another token if one is named.
func (r *runner) call(ctx context.Context, method, path, key, token string, body []byte) (outbound.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var text io.Reader
	if method == http.MethodPost {
		text = strings.NewReader(string(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.o.URL, "/")+path, text)
	if err != nil {
		return outbound.Answer{}, err
	}
	if err := r.sign(ctx, req, token); err != nil {
		return outbound.Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", `"`+key+`"`)
	}
	return r.answered(r.client, req)
}

// answered sends a request, no oftener than the manifest allows, and remembers what it
// was answered.
func (r *runner) answered(c *http.Client, req *http.Request) (outbound.Answer, error) {
	if err := r.pace.Wait(req.Context()); err != nil {
		return outbound.Answer{}, err
	}
	a, res, ok := outbound.Send(c, req)
	r.mu.Lock()
	r.answers = append(r.answers, fmt.Sprint(a.Header), string(a.Body))
	r.mu.Unlock()
	if !ok && a.Status == 0 {
		return a, fmt.Errorf("%s %s is not answered: %w", req.Method, req.URL.Path, res.Err)
	}
	return a, nil
}

// sign signs a request in.
func (r *runner) sign(ctx context.Context, req *http.Request, token string) error {
	switch token {
	case "none":
	case "wrong":
		req.Header.Set("Authorization", "Bearer "+wrongToken)
	default:
		own, err := r.line.Bearer(ctx)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+own)
	}
	return nil
}

// is says what is wrong with an answer.
func is(what string, a outbound.Answer, status []int, code string) error {
	if !slices.Contains(status, a.Status) {
		return fmt.Errorf("%s is answered %d %s, want %v", what, a.Status, short(a.Body), status)
	}
	if code == "" {
		return nil
	}
	if p := remote.ProblemOf(a); p.Code != code {
		return fmt.Errorf("%s is answered %d with %s (%s), want problem+json with the code %q", what, a.Status, short(a.Body), a.Header.Get("Content-Type"), code)
	}
	return nil
}

func short(b []byte) string {
	if len(b) > 200 {
		b = b[:200]
	}
	return fmt.Sprintf("%q", b)
}

func (r *runner) readManifest(ctx context.Context) error {
	a, err := r.call(ctx, http.MethodGet, remote.ManifestPath, "", "none", nil)
	if err != nil {
		return err
	}
	if err := is("the manifest", a, []int{200}, ""); err != nil {
		return err
	}
	m, err := remote.ReadManifest(a.Body)
	if err != nil {
		return fmt.Errorf("the manifest: %w", explained(err))
	}
	name, version := capability(r.protocol)
	c, ok := m.Speaks(name, version)
	if !ok {
		return fmt.Errorf("the manifest declares no capability %s, version %s", name, version)
	}
	if !m.Sandbox {
		return errors.New("this is no sandbox; certify pays and invents people, and must not pay real money nor reach real people")
	}
	r.manifest = m
	r.pace.SetLimit(rate.Limit(m.Rate.PerSecond) * 4 / 5) // what comes late counts with what comes after it
	r.pace.SetBurst(max(m.Rate.Burst*4/5, 1))
	switch name {
	case "crm":
		r.related(c)
	case "notify":
		return r.gated(c, m.WebhookKeys)
	case "wallet":
		r.wallet = wallet.New("certified", remote.NewWallet(r.line, m.ID, c.Features), wallet.Options{Pay: patient, Query: patient})
	case "card":
		r.acquirer = card.New("certified", remote.NewCard(r.line, m.ID, c.Features), card.Options{Pay: patient, Query: patient})
	case "insurance":
		r.insurer = insurance.New("certified", remote.NewInsurance(r.line, c.Features, m.WebhookKeys), insurance.Options{Pay: patient, Query: patient, Now: r.o.Now})
	}
	return nil
}

func (r *runner) get(ctx context.Context, s getStep) error {
	a, err := r.call(ctx, http.MethodGet, s.Path, "", s.Token, nil)
	if err != nil {
		return err
	}
	return is("GET "+s.Path, a, []int{s.Status}, s.Code)
}

// submit posts a batch, or whatever the step says.
func (r *runner) submit(ctx context.Context, s submitStep) error {
	if s.Text != "" {
		a, err := r.call(ctx, http.MethodPost, "/bank/v1/batches", "CERTIFY", s.Token, []byte(s.Text))
		if err != nil {
			return err
		}
		return is("a batch that is no JSON", a, s.Status, s.Code)
	}
	b := r.batches[s.Batch]
	if b == nil {
		return fmt.Errorf("the case makes no batch %q", s.Batch)
	}
	body := b.file.Bytes
	if s.Altered {
		body = []byte(strings.Replace(string(body), `"info":"certify"`, `"info":"altered"`, 1))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range max(s.Times, s.AtOnce, 1) {
		one := func() {
			if err := r.post(ctx, b, s, body); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		}
		if all.Go(one); s.AtOnce == 0 {
			all.Wait()
		}
	}
	all.Wait()
	return failed
}

func (r *runner) post(ctx context.Context, b *sent, s submitStep, body []byte) error {
	a, err := r.call(ctx, http.MethodPost, "/bank/v1/batches", b.id, s.Token, body)
	switch {
	case s.Lost && err != nil:
		r.mu.Lock()
		b.counts = true
		r.mu.Unlock()
		return nil
	case s.Lost:
		return fmt.Errorf("the sandbox answers %d to an amount that ends in .03; it shall execute it and lose its answer", a.Status)
	case err != nil:
		return err
	}
	if err := is("batch "+s.Batch, a, s.Status, s.Code); err != nil {
		return err
	}
	if a.Status == 200 || a.Status == 201 {
		r.mu.Lock()
		b.counts = true
		r.mu.Unlock()
		return b.answered(a.Body)
	}
	return nil
}

func (r *runner) show(ctx context.Context, s showStep) error {
	b := r.batches[s.Batch]
	if b == nil {
		return fmt.Errorf("the case makes no batch %q", s.Batch)
	}
	a, err := r.call(ctx, http.MethodGet, "/bank/v1/batches/"+b.id, "", "", nil)
	if err != nil {
		return err
	}
	if s.Absent {
		return is("a batch that was not taken in", a, []int{404}, "batch_not_found")
	}
	if err := is("a batch that was taken in", a, []int{200}, ""); err != nil {
		return err
	}
	return b.answered(a.Body)
}

// through pays through the hub's own driver.
func (r *runner) through(ctx context.Context, b *sent) error {
	if found := r.hub.Find(ctx, b.file); found.Outcome != outbound.NotFound {
		return fmt.Errorf("before it is sent the hub finds the batch %s: %w", found.Outcome, errors.Join(found.Err, errors.New(found.Text)))
	}
	for range 2 {
		if got := r.hub.Publish(ctx, b.file); got.Outcome != outbound.Accepted {
			return fmt.Errorf("the hub takes the answer for %s %s: %w", got.Outcome, got.Code, errors.Join(got.Err, errors.New(got.Text)))
		}
	}
	b.counts = true
	if found := r.hub.Find(ctx, b.file); found.Outcome != outbound.Accepted {
		return fmt.Errorf("after it was sent the hub finds the batch %s: %w", found.Outcome, errors.Join(found.Err, errors.New(found.Text)))
	}
	return nil
}

// half sends the half of a batch and hangs up.
func (r *runner) half(ctx context.Context, b *sent) error {
	if b == nil {
		return errors.New("the case makes no such batch")
	}
	return r.halfOf(ctx, "/bank/v1/batches", b.id, b.file.Bytes)
}

// halfOf sends the half of a body and hangs up. Blanks behind it push it out of the
// client's buffer; what the other side makes of it, it makes within a second.
func (r *runner) halfOf(ctx context.Context, path, key string, body []byte) error {
	pipe, w := io.Pipe()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(r.o.URL, "/")+path, pipe)
	if err != nil {
		return err
	}
	if err := r.sign(ctx, req, ""); err != nil {
		return err
	}
	blanks := bytes.Repeat([]byte(" "), 16<<10)
	req.ContentLength = int64(len(body) + len(blanks))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", `"`+key+`"`)
	go func() {
		_, _ = w.Write(append(bytes.Clone(body[:len(body)/2]), blanks...))
		_ = w.CloseWithError(errors.New("hung up on purpose"))
	}()
	res, err := r.client.Do(req)
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode < 400 {
			return fmt.Errorf("half a body is answered %d", res.StatusCode)
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

func (r *runner) dayEnd(ctx context.Context) error {
	name, version := capability(r.protocol)
	a, err := r.call(ctx, http.MethodPost, "/"+name+"/v"+version+"/sandbox/day-end", "", "", []byte("{}"))
	if err != nil {
		return err
	}
	return is("the end of the sandbox's day", a, []int{200}, "")
}

// wrongly acknowledges a message by a hash that is not its own.
func (r *runner) wrongly(ctx context.Context, s getStep) error {
	waiting, err := r.hub.Waiting(ctx)
	if err != nil {
		return err
	}
	if len(waiting) == 0 {
		return errors.New("no message waits")
	}
	a, err := r.call(ctx, http.MethodPost, "/bank/v1/messages/"+url.PathEscape(waiting[0].Name)+"/acknowledge", "", "", []byte(`{"sha256":"`+strings.Repeat("0", 64)+`"}`))
	if err != nil {
		return err
	}
	return is("another message's hash", a, []int{s.Status}, s.Code)
}

// quiet looks for secrets in all answers.
func (r *runner) quiet() error {
	for _, secret := range r.secrets() {
		for _, a := range r.answers {
			if strings.Contains(a, secret) {
				return errors.New("an answer repeats a secret that was sent")
			}
		}
	}
	return nil
}

// tls wants an encrypted way, but for a connector on this machine.
func (r *runner) tls() error {
	u, err := url.Parse(r.o.URL)
	if err != nil {
		return err
	}
	if u.Scheme != "https" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" && u.Hostname() != "::1" {
		return fmt.Errorf("%s is reached in the open", u.Host)
	}
	return nil
}

// heard is an event, and when it came.
type heard struct {
	webhook.Signed
	at time.Time
}

// hear takes in an event; of many the latest are kept.
func (r *runner) hear(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 64<<10))
	if err != nil {
		return
	}
	s := webhook.Signed{ID: req.Header.Get("webhook-id"), Timestamp: req.Header.Get("webhook-timestamp"), Signature: req.Header.Get("webhook-signature"), Body: body}
	for kept := false; !kept; {
		select {
		case r.events <- heard{s, r.o.Now()}:
			kept = true
		default:
			select {
			case <-r.events:
			default:
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// event waits for one that is signed as it should be, and refuses any other.
func (r *runner) event(ctx context.Context) error {
	_, err := r.next(ctx, 10*time.Second)
	return err
}

// next is the next event, which is signed as it should be.
func (r *runner) next(ctx context.Context, within time.Duration) (e heard, err error) {
	if r.o.Listen == "" {
		return e, errSkip("the connector was not told where to send its events: give --events")
	}
	select {
	case <-ctx.Done():
		return e, ctx.Err()
	case <-time.After(within):
		return e, fmt.Errorf("no event came within %s", within.Round(time.Second))
	case e = <-r.events:
	}
	if !e.By(e.at, r.manifest.WebhookKeys...) {
		return e, errors.New("an event is not signed by a key of the manifest, or not lately")
	}
	return e, nil
}
