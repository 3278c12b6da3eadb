package acquirer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
)

var oidText = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// readForm reads a posted form in the order of its bytes, each name once.
func readForm(rw http.ResponseWriter, r *http.Request) (Fields, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, provider.MaxBody)
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	var out Fields
	seen := map[string]bool{}
	for name, values := range r.PostForm {
		low := strings.ToLower(name)
		if seen[low] || len(values) != 1 {
			return nil, fmt.Errorf("field %q came twice", name)
		}
		seen[low] = true
		out = append(out, Field{name, values[0]})
	}
	return out, nil
}

// check says what is wrong with a shop's form; it gives the amount.
func (a *Acquirer) check(f Fields) (int64, error) {
	if f.Get("clientid") != a.Secrets.ClientID {
		return 0, errors.New("clientid: no such shop")
	}
	if !strings.EqualFold(f.Get("hashAlgorithm"), "ver3") || !genuine(f, Request, a.Secrets.StoreKey) {
		return 0, errors.New("HASH: the signature of the form is wrong")
	}
	if !oidText.MatchString(f.Get("oid")) {
		return 0, errors.New("oid: 1 to 64 letters, digits, dots, dashes or underscores")
	}
	if c := f.Get("currency"); c != "504" {
		return 0, fmt.Errorf("currency %q: only 504 (MAD)", c)
	}
	if s := f.Get("storetype"); !strings.EqualFold(s, "3D_PAY_HOSTING") {
		return 0, fmt.Errorf("storetype %q: only 3D_PAY_HOSTING", s)
	}
	if t := f.Get("trantype"); !strings.EqualFold(t, "PreAuth") && !strings.EqualFold(t, "Auth") {
		return 0, fmt.Errorf("trantype %q: PreAuth or Auth", t)
	}
	for _, name := range []string{"okUrl", "failUrl"} {
		if provider.WebAddress(f.Get(name)) == "" {
			return 0, fmt.Errorf("%s: a http or https address is needed", name)
		}
	}
	if c := f.Get("callbackUrl"); c != "" && provider.WebAddress(c) == "" {
		return 0, errors.New("callbackUrl: a http or https address is needed")
	}
	return readAmount(f.Get("amount"))
}

// gate takes the form that a shop sent its buyer with, and shows the card page.
func (a *Acquirer) gate(rw http.ResponseWriter, r *http.Request) {
	f, err := readForm(rw, r)
	var centimes int64
	if err == nil {
		centimes, err = a.check(f)
	}
	p := a.newPage(f)
	if err != nil {
		slog.Warn("acquirer refused a form", "oid", f.Get("oid"), "why", err)
		p.fail(rw, http.StatusBadRequest, p.T.BadForm, err.Error())
		return
	}
	if a.closed(f.Get("oid")) {
		p.fail(rw, http.StatusConflict, p.T.AlreadyPaid, "")
		return
	}
	p.State = a.seal(session{Fields: f, Amount: centimes, Expires: a.World.Now().Add(cardLife)})
	p.show(rw, http.StatusOK, "card")
}

func (a *Acquirer) closed(oid string) (closed bool) {
	a.World.Journal.View(func(tx *journal.Tx) {
		o, _ := a.orders.Get(tx, oid)
		closed = o.closed()
	})
	return closed
}

// open reads the session out of a posted page, or answers why it cannot.
func (a *Acquirer) open(rw http.ResponseWriter, r *http.Request) (session, page, bool) {
	f, err := readForm(rw, r)
	var s session
	if err == nil {
		s, err = a.unseal(f.Get("state"))
	}
	p := a.newPage(s.Fields)
	if err != nil {
		p.fail(rw, http.StatusBadRequest, p.T.BadForm, err.Error())
		return s, p, false
	}
	return s, p, true
}

// card takes the card's figures, and shows the 3-D Secure page. A figure that
// cannot be right shows the card page again.
func (a *Acquirer) card(rw http.ResponseWriter, r *http.Request) {
	s, p, ok := a.open(rw, r)
	if !ok {
		return
	}
	c, err := readCard(r.PostForm.Get("pan"), r.PostForm.Get("expiry"), r.PostForm.Get("cvv"), a.World.Now())
	if err != nil {
		p.State, p.Error = a.seal(s), p.T.Wrong[err.Error()]
		p.show(rw, http.StatusUnprocessableEntity, "card")
		return
	}
	s.Attempt, s.Pan, s.Brand, s.Code, s.Closed = provider.Number(18), c.masked, c.brand, c.code, c.closed
	p.State = a.seal(s)
	p.show(rw, http.StatusOK, "secure")
}

// secure takes the 3-D Secure code, decides, tells the shop, and shows the
// result with the way back.
func (a *Acquirer) secure(rw http.ResponseWriter, r *http.Request) {
	s, p, ok := a.open(rw, r)
	if !ok {
		return
	}
	if s.Attempt == "" {
		p.fail(rw, http.StatusBadRequest, p.T.BadForm, errSession.Error())
		return
	}
	at, err := a.decide(s, r.PostForm.Get("otp"))
	if s.V1 && err != nil {
		p.Back = provider.WebAddress(s.Fields.Get("okUrl")) // the hub knows how it stands
	}
	switch {
	case errors.Is(err, errClosed):
		p.fail(rw, http.StatusConflict, p.T.AlreadyPaid, "")
		return
	case errors.Is(err, errExpired):
		p.fail(rw, http.StatusGone, p.T.Over, "")
		return
	case err != nil:
		slog.Error("acquirer cannot decide", "oid", s.Fields.Get("oid"), "err", err)
		p.fail(rw, http.StatusInternalServerError, p.T.BadForm, "journal")
		return
	}
	a.announce(r.Context(), at)
	if s.V1 {
		a.goBack(rw, r, s, p, at)
		return
	}
	p.result(rw, a.Secrets.StoreKey, at)
}

// announce gives the first callback up to five seconds before the buyer sees
// the result.
func (a *Acquirer) announce(ctx context.Context, at attempt) {
	if at.Fault == "callback_missing" || at.Callback == "" {
		return
	}
	a.TellFirst(ctx, at.Callback)
	if at.Fault == "callback_before_answer" {
		held := time.NewTimer(2 * time.Second)
		defer held.Stop()
		select {
		case <-held.C:
		case <-ctx.Done():
		}
	}
}

// callbackFaults are the faults that a callback can play, first come first.
var callbackFaults = []string{
	"callback_missing", "bad_signature", "same_ref_other_amount", "callbacks_shuffled", "answer_twice",
	"callback_before_answer", "replayed_callback",
}

// answerFaults are those played when the callback's answer asks for capture.
var answerFaults = []string{"execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late"}

func (a *Acquirer) takeCallbackFault(tx *journal.Tx) string {
	return a.World.Take(tx, a.name, callbackFaults...)
}
