package sim_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/acquirer"
)

// form is what a shop would send a buyer with.
func (r *rig) form(oid, amount string) acquirer.Fields {
	f := acquirer.Fields{
		{Name: "clientid", Value: r.config.Acquirer.ClientID},
		{Name: "storetype", Value: "3D_PAY_HOSTING"},
		{Name: "trantype", Value: "PreAuth"},
		{Name: "amount", Value: amount},
		{Name: "currency", Value: "504"},
		{Name: "oid", Value: oid},
		{Name: "okUrl", Value: "http://shop.example/ok"},
		{Name: "failUrl", Value: "http://shop.example/fail"},
		{Name: "callbackUrl", Value: r.shop.URL + "/callback"},
		{Name: "CallbackResponse", Value: "true"},
		{Name: "shopurl", Value: "http://shop.example"},
		{Name: "lang", Value: "fr"},
		{Name: "hashAlgorithm", Value: "ver3"},
		{Name: "rnd", Value: "0.5 170"},
		{Name: "encoding", Value: "UTF-8"},
		{Name: "BillToName", Value: "L'Argane & Fils | <Exemple>"},
		{Name: "email", Value: "acheteuse@shop.example"},
	}
	return r.sign(f)
}

func (r *rig) sign(f acquirer.Fields) acquirer.Fields {
	return f.With("HASH", acquirer.Hash(f, acquirer.Request, r.config.Acquirer.StoreKey))
}

func values(f acquirer.Fields) url.Values {
	v := url.Values{}
	for _, x := range f {
		v.Set(x.Name, x.Value)
	}
	return v
}

// submit posts a form as a browser would.
func (r *rig) submit(address string, v url.Values) (int, string) {
	r.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = r.url + address
	}
	res, err := http.PostForm(address, v)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// firstForm reads the first form of a page, without the fields a buyer types.
func (r *rig) firstForm(page string) (string, url.Values) {
	r.t.Helper()
	m := formAction.FindStringSubmatchIndex(page)
	if m == nil {
		r.t.Fatalf("no form on the page: %s", page)
	}
	part, _, _ := strings.Cut(page[m[0]:], "</form>")
	v := url.Values{}
	for _, h := range hidden.FindAllStringSubmatch(part, -1) {
		v.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
	}
	return html.UnescapeString(page[m[2]:m[3]]), v
}

// good is a card that is approved.
const good = "4000 0000 0000 0010"

// pay walks through the pages; it gives the last.
func (r *rig) pay(oid, amount, pan, otp string) (int, string) {
	r.t.Helper()
	status, page := r.submit(r.config.Acquirer.GateURL, values(r.form(oid, amount)))
	if status != http.StatusOK {
		r.t.Fatalf("the gate answers %d: %s", status, page)
	}
	action, v := r.firstForm(page)
	v.Set("pan", pan)
	v.Set("expiry", time.Now().AddDate(5, 0, 0).Format("01/06"))
	v.Set("cvv", "000")
	status, page = r.submit(action, v)
	if status != http.StatusOK {
		return status, page
	}
	action, v = r.firstForm(page)
	v.Set("otp", otp)
	return r.submit(action, v)
}

// api calls the server API; the error is the connection's.
func (r *rig) api(body string) (int, string, error) {
	a := r.config.Acquirer
	text := fmt.Sprintf("<CC5Request><Name>%s</Name><Password>%s</Password><ClientId>%s</ClientId>%s</CC5Request>", a.APIUser, a.APIPassword, a.ClientID, body)
	c := &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Post(a.APIURL, "text/xml", strings.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func operation(kind, oid, total string) string {
	s := "<Type>" + kind + "</Type><OrderId>" + oid + "</OrderId>"
	if total != "" {
		s += "<Total>" + total + "</Total><Currency>504</Currency>"
	}
	return s
}

func query(oid string) string {
	return "<OrderId>" + oid + "</OrderId><Extra><ORDERSTATUS>QUERY</ORDERSTATUS></Extra>"
}

// field is the text of an element in a flat answer.
func field(text, name string) string {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	v, _, _ := strings.Cut(rest, "</"+name+">")
	return v
}
