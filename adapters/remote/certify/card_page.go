package certify

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// form is what the hub's own driver has a buyer's browser post.
func (r *runner) form(d *deal, amount money.Money, until time.Time) (card.Form, error) {
	if r.acquirer == nil {
		return card.Form{}, errUnread
	}
	r.serial++
	return r.acquirer.Form(card.Payment{
		Ref: d.ref, Amount: amount, Lang: "fr", Nonce: fmt.Sprintf("%s-%08d", r.run, r.serial), ExpiresAt: until,
		Buyer: card.Buyer{Name: "Acheteuse (exemple) مشترية", Email: "acheteuse@exemple.ma", Phone: sandboxPhone},
		OKURL: backHome, FailURL: "https://exemple.ma/non", CallbackURL: "https://exemple.ma/suite", ShopURL: "https://exemple.ma/panier",
	})
}

// page posts the form of a payment, as the buyer's browser does.
func (r *runner) page(ctx context.Context, s pageStep) (err error) {
	amount, err := money.Parse(s.Amount, money.MAD)
	if err != nil {
		return err
	}
	d := r.deals[s.Of]
	if s.Of == "" {
		d = r.newPayment(amount)
		r.deals[s.As] = d
	}
	if d == nil {
		return fmt.Errorf("the case makes no %q", s.Of)
	}
	until := r.o.Now().Add(time.Hour)
	switch s.Wrong {
	case "expired":
		until = r.o.Now().Add(-time.Minute)
	case "soon":
		until = r.o.Now().Add(2 * time.Second)
	}
	d.until = until
	f, err := r.form(d, amount, until)
	if err != nil {
		return err
	}
	r.spoil(f.Fields, s.Wrong)
	a, err := r.browse(ctx, f)
	if err != nil {
		return err
	}
	switch err := is("a page's form", a, s.Status, s.Code); {
	case err != nil:
		return err
	case a.Status == 200 && !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"):
		return fmt.Errorf("the page is %q, want text/html", a.Header.Get("Content-Type"))
	case a.Status == 303:
		return sentOn(f.URL, a.Header.Get("Location"))
	}
	return nil
}

// backHome is where a buyer's browser goes when it is done.
const backHome = "https://exemple.ma/merci?a=1&b=2"

// sentOn says what is wrong with where a browser that posted a form is sent on to. The
// policy of the hub's page lets the form go to the page's origin and back, and some
// browsers hold each address that it is sent on to to that.
func sentOn(from, location string) error {
	at, err := url.Parse(from)
	if err != nil {
		return err
	}
	to, err := at.Parse(location)
	switch {
	case location == "" || err != nil:
		return fmt.Errorf("the browser is sent on by a 303 to %q", location)
	case to.Scheme+to.Host != at.Scheme+at.Host && !strings.HasPrefix(location, "https://exemple.ma/"):
		return fmt.Errorf("the browser is sent on to %s, and some go no further than %s: show the page there", to.Host, at.Host)
	}
	return nil
}

// spoil makes something wrong with a form. What only its reading can find is signed as
// it should be; the signature of what is forged is told to nobody.
func (r *runner) spoil(fields map[string]string, wrong string) {
	secret, text := cmp.Or(r.o.Credentials.Token, r.o.Credentials.ClientSecret), fields["payment"]
	spoilt := map[string]string{
		"amount": swap(text, `"amount":{"amount":"`, `"amount":{"amount":"-`), "ref": swap(text, `"ref":"`, `"ref":"a b`),
		"return_url": swap(text, `"return_url":"https://exemple.ma`, `"return_url":"`), "text": text[:len(text)-1],
	}
	switch to, ok := spoilt[wrong]; {
	case ok:
		fields["payment"], fields["signature"] = to, remote.SignPayment(secret, []byte(to))
	case wrong == "secret":
		r.unsaid = append(r.unsaid, fields["signature"])
		fields["signature"] = remote.SignPayment(wrongToken, []byte(text))
	case wrong == "altered":
		fields["payment"] = swap(text, `"lang":"fr"`, `"lang":"en"`)
		r.unsaid = append(r.unsaid, remote.SignPayment(secret, []byte(fields["payment"])))
	case wrong == "unsigned":
		r.unsaid = append(r.unsaid, fields["signature"])
		delete(fields, "signature")
	}
}

func swap(text, old, now string) string { return strings.Replace(text, old, now, 1) }

// browse posts a form as a browser does: without any credentials, a client certificate
// among them.
func (r *runner) browse(ctx context.Context, f card.Form) (outbound.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	v := url.Values{}
	for name, text := range f.Fields {
		v.Set(name, text)
	}
	req, err := http.NewRequestWithContext(ctx, f.Method, f.URL, strings.NewReader(v.Encode()))
	if err != nil {
		return outbound.Answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.answered(r.line.Browser(), req)
}
