package berlin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

const (
	accounts  = "/v1/accounts/"
	windowKey = "window/" // what of an account was fetched and is not taken in yet
	cursorKey = "cursor/" // up to where an account was taken in

	// reports and statements are the folders, so to speak, that news stand in.
	reports    = "reports"
	statements = "statements"

	mostPages  = 50
	mostOrders = 200
	// again is how many days before the last that was taken in are read once more:
	// banks book for days that are past.
	again = 10
)

// A page of transactions, as it was read and as it came.
type fetched struct {
	raw  json.RawMessage
	read page
}

// transactions fetches all pages of an account from a day on.
func (d *Driver) transactions(ctx context.Context, a Account, status string, from time.Time) (all []fetched, r outbound.Result, ok bool) {
	path := accounts + url.PathEscape(a.Resource) + "/transactions?" +
		url.Values{"bookingStatus": {status}, "dateFrom": {from.Format(time.DateOnly)}, "withBalance": {"true"}}.Encode()
	for seen := map[string]bool{}; path != ""; {
		if seen[path] || len(all) == mostPages {
			err := errors.New("the pages of transactions do not end")
			return nil, outbound.Result{Outcome: outbound.Unknown, Err: err}, false
		}
		seen[path] = true
		answer, r, ok := d.call(ctx, request{method: http.MethodGet, path: path})
		if !ok {
			return nil, r, false
		}
		f := fetched{raw: answer.Body}
		if f.read, r.Err = readPage(answer.Body, a.RIB); r.Err == nil {
			path, r.Err = d.next(f.read)
		}
		if r.Err != nil {
			return nil, outbound.Result{Outcome: outbound.Unknown, Evidence: answer.Body, Err: r.Err}, false
		}
		all = append(all, f)
	}
	return all, outbound.Result{}, true
}

// next is where the next page is, "" after the last. No page is fetched from
// anywhere but the bank's own API.
func (d *Driver) next(p page) (string, error) {
	link := p.Transactions.Links["next"].Href
	if link == "" {
		return "", nil
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the next page: %w", err)
	}
	path := strings.TrimPrefix(u.EscapedPath(), d.base.EscapedPath())
	if u.Host != "" && (u.Host != d.base.Host || u.Scheme != d.base.Scheme) || u.User != nil || !strings.HasPrefix(path, accounts) {
		return "", fmt.Errorf("the next page %q is not of the bank's API", cut(link, 200))
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, nil
}

// cursor is up to where an account's transactions were taken in.
type cursor struct {
	Sequence int64    `json:"sequence"`
	Last     string   `json:"last"`    // the latest day that was booked
	Closing  *amount  `json:"closing"` // the balance after all of them
	Known    []string `json:"known"`   // what was taken in of the last days
	// Bad is the hash of what could not be read and was set aside: the same is not
	// told again.
	Bad string `json:"bad,omitempty"`
}

// window is what was fetched of an account, whole: the bytes of a statement.
type window struct {
	Kind     string            `json:"kind"` // transactions
	Account  string            `json:"account"`
	Sequence int64             `json:"sequence"`
	Opening  *amount           `json:"opening"` // the balance after what was taken in before; none at first
	Known    []string          `json:"known"`   // what of the pages was taken in before
	Pages    []json.RawMessage `json:"pages"`
}

// said is the bank's word on an order: the bytes of a report.
type said struct {
	Kind    string          `json:"kind"` // status
	Batch   string          `json:"batch"`
	Payment string          `json:"payment"`
	Answer  json.RawMessage `json:"answer"`
}

// Waiting asks how far each order has come, and what was booked on each account.
// What it has told is told again, in the same bytes, until it is archived.
func (d *Driver) Waiting(ctx context.Context) ([]bank.Received, error) {
	d.mu.Lock()
	soon := d.cfg.Now().Sub(d.asked) < d.cfg.Every
	d.mu.Unlock()
	var out []bank.Received
	if !soon {
		news, err := d.standings(ctx)
		if err != nil {
			return nil, err
		}
		out = news
	}
	for _, a := range d.cfg.Accounts {
		r, ok, err := d.booked(ctx, a, soon)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, r)
		}
	}
	if !soon {
		d.mu.Lock()
		d.asked = d.cfg.Now()
		d.mu.Unlock()
	}
	return out, nil
}

func received(dir, name string, body []byte) bank.Received {
	return bank.Received{Dir: dir, Name: name, Bytes: body, SHA256: digest(body)}
}

// silent are the answers that are about no order: the bank is not there, does not
// let us in, or was asked too often.
var silent = []int{0, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// standings are the orders of which the bank has something new to say. What it says
// of one that is not understood keeps neither the others waiting nor the
// statements, which tell in the end.
func (d *Driver) standings(ctx context.Context) (out []bank.Received, err error) {
	open, err := d.cfg.Notes.Open(ctx, batchKey, mostOrders)
	if err != nil {
		return nil, fmt.Errorf("list the orders under way: %w", err)
	}
	for _, n := range open {
		var o order
		if err := json.Unmarshal([]byte(n.Value), &o); err != nil {
			return nil, fmt.Errorf("read the note %s: %w", n.Key, err)
		}
		id := strings.TrimPrefix(n.Key, batchKey)
		old := d.cfg.Now().Sub(o.Left) > patience
		if o.Payment == "" { // its answer was lost: its transactions tell
			if old {
				if _, _, err := d.keep(ctx, id, n.Value, o, true); err != nil {
					return nil, err
				}
			}
			continue
		}
		a, status, r, ok := d.status(ctx, o.Payment)
		gone := r.Code == "RESOURCE_UNKNOWN" || r.Code == "RESOURCE_EXPIRED"
		switch {
		case ok && status != o.Status:
			body, err := json.Marshal(said{"status", id, o.Payment, a.Body})
			if err != nil {
				return nil, fmt.Errorf("the standing of %s: %w", id, err)
			}
			out = append(out, received(reports, "STATUS_"+id+"_"+status+".json", body))
		case !ok && !gone && slices.Contains(silent, a.Status):
			return nil, because(r)
		case !ok && !gone && !old:
			slog.WarnContext(ctx, "a bank's word on an order is not understood", "batch", id, "payment", o.Payment, "error", because(r))
		case gone || old: // statements tell the rest
			if _, _, err := d.keep(ctx, id, n.Value, o, true); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// booked is what was booked on an account since what was taken in: what was
// fetched before and is not taken in yet, else, unless the bank was asked just
// now, what it says.
func (d *Driver) booked(ctx context.Context, a Account, soon bool) (r bank.Received, ok bool, err error) {
	n, err := d.cfg.Notes.Recall(ctx, windowKey+a.RIB)
	if err != nil {
		return r, false, fmt.Errorf("recall what was fetched of %s: %w", a.RIB, err)
	}
	text := []byte(n.Value)
	if n.Value == "" {
		if soon {
			return r, false, nil
		}
		if text, err = d.fetch(ctx, a); err != nil || text == nil {
			return r, false, err
		}
		if ok, err = d.cfg.Notes.Swap(ctx, "", bank.Note{Key: windowKey + a.RIB, Value: string(text)}); err != nil || !ok {
			return r, false, err // another hub has fetched some
		}
	}
	var w window
	if err := json.Unmarshal(text, &w); err != nil {
		return r, false, fmt.Errorf("read what was fetched of %s: %w", a.RIB, err)
	}
	return received(statements, fmt.Sprintf("BOOKED_%s_%06d.json", a.RIB, w.Sequence), text), true, nil
}

// fetch is a new window of an account, nil when nothing new was booked. One that
// does not balance was perhaps fetched while the bank booked: it counts when the
// bank says the same twice.
func (d *Driver) fetch(ctx context.Context, a Account) ([]byte, error) {
	c, _, err := d.cursor(ctx, a.RIB)
	if err != nil {
		return nil, err
	}
	from := d.cfg.Since
	if last, err := time.Parse(time.DateOnly, c.Last); err == nil && last.AddDate(0, 0, -again).After(from) {
		from = last.AddDate(0, 0, -again)
	}
	var before []byte
	for range 2 {
		pages, r, ok := d.transactions(ctx, a, "booked", from)
		if !ok {
			return nil, because(r)
		}
		w := window{Kind: "transactions", Account: a.RIB, Sequence: c.Sequence + 1, Opening: c.Closing, Known: c.Known}
		for _, p := range pages {
			w.Pages = append(w.Pages, p.raw)
		}
		text, err := json.Marshal(w)
		if err != nil {
			return nil, err
		}
		s, err := readWindow(text)
		switch {
		case err != nil && digest(text) == c.Bad:
			return nil, nil
		case err != nil:
			return text, nil // people look at it, and nothing waits for them
		case len(s.Entries) == 0:
			return nil, nil
		case s.Check() == nil || bytes.Equal(text, before):
			return text, nil
		}
		before = text
	}
	return nil, nil
}

func (d *Driver) cursor(ctx context.Context, rib string) (c cursor, n bank.Note, err error) {
	n, err = d.cfg.Notes.Recall(ctx, cursorKey+rib)
	if err == nil && n.Value != "" {
		err = json.Unmarshal([]byte(n.Value), &c)
	}
	if err != nil {
		err = fmt.Errorf("recall up to where %s was taken in: %w", rib, err)
	}
	return c, n, err
}

// Archive keeps that a word of the bank was taken in; doing it again is harmless.
func (d *Driver) Archive(ctx context.Context, r bank.Received) error {
	if digest(r.Bytes) != r.SHA256 {
		return fmt.Errorf("%s: the bytes are not those of the hash", r.Name)
	}
	switch r.Dir {
	case reports:
		return d.heard(ctx, r)
	case statements:
		return d.stated(ctx, r)
	}
	return fmt.Errorf("%q in %q is no news of this bank", r.Name, r.Dir)
}

// heard keeps the last word on an order.
func (d *Driver) heard(ctx context.Context, r bank.Received) error {
	var s said
	if err := strict.Object(r.Bytes, &s); err != nil {
		return fmt.Errorf("archive %s: %w", r.Name, err)
	}
	status, err := statusIn(s.Answer)
	if err != nil {
		return fmt.Errorf("archive %s: %w", r.Name, err)
	}
	o, n, err := d.recall(ctx, s.Batch)
	switch {
	case err != nil:
		return err
	case o.Payment != s.Payment || r.Name != "STATUS_"+s.Batch+"_"+status+".json":
		return fmt.Errorf("archive %s: the order is not ours", r.Name)
	case n.Done || o.Status == status:
		return nil
	}
	o.Status = status
	_, _, err = d.keep(ctx, s.Batch, n.Value, o, slices.Contains(last, status))
	return err
}

// stated moves the cursor past a window, then lets the window go.
func (d *Driver) stated(ctx context.Context, r bank.Received) error {
	var w window
	if err := json.Unmarshal(r.Bytes, &w); err != nil {
		return fmt.Errorf("archive %s: %w", r.Name, err)
	}
	if r.Name != fmt.Sprintf("BOOKED_%s_%06d.json", w.Account, w.Sequence) {
		return fmt.Errorf("archive %s: it is no statement of this bank", r.Name)
	}
	c, n, err := d.cursor(ctx, w.Account)
	if err != nil {
		return err
	}
	if w.Sequence > c.Sequence && c.Bad != r.SHA256 {
		held, err := d.cfg.Notes.Recall(ctx, windowKey+w.Account)
		if err != nil {
			return err
		}
		if held.Value != string(r.Bytes) {
			return fmt.Errorf("archive %s: it is not what was fetched", r.Name)
		}
		to, err := w.after()
		if err != nil { // it could not be read: all of it is read again when the bank has put it right
			to = c
			to.Bad = r.SHA256
		}
		text, err := json.Marshal(to)
		if err != nil {
			return err
		}
		if ok, err := d.cfg.Notes.Swap(ctx, n.Value, bank.Note{Key: cursorKey + w.Account, Value: string(text)}); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("archive %s: another hub takes it in", r.Name))
		}
	}
	_, err = d.cfg.Notes.Swap(ctx, string(r.Bytes), bank.Note{Key: windowKey + w.Account})
	return err
}
