package nestpay_test

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/card"
	"tiwiza/adapters/card/cardconform"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// platform is a small NestPay: enough of the server API to hold the driver to
// the contract.
type platform struct {
	mu     sync.Mutex
	orders map[string]*standing
	garble []garbled
	done   map[string]int
}

type standing struct {
	stat                       string
	amount, captured, refunded int64
}

type garbled struct {
	status int
	body   string
}

// request is a CC5Request, read independently of the driver.
type request struct {
	XMLName                        xml.Name `xml:"CC5Request"`
	Name, Password, ClientId, Type string
	OrderId, Total, Currency       string
	Extra                          struct{ ORDERSTATUS string }
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q request
	if err := xml.Unmarshal([]byte(r.PostFormValue("DATA")), &q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := p.execute(q)
	if len(p.garble) > 0 {
		g := p.garble[0]
		p.garble = p.garble[1:]
		w.WriteHeader(g.status)
		fmt.Fprint(w, g.body)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprint(w, `<?xml version="1.0" encoding="ISO-8859-9"?>`+"\n<CC5Response>"+answer+"</CC5Response>")
}

func (p *platform) execute(q request) string {
	if q.Name != config.APIUser || q.Password != config.APIPassword || q.ClientId != config.ClientID {
		return "<OrderId>" + q.OrderId + "</OrderId><Response>Error</Response><ProcReturnCode>99</ProcReturnCode><ErrMsg>Authentication failed</ErrMsg>"
	}
	o := p.orders[q.OrderId]
	if o == nil {
		return "<OrderId>" + q.OrderId + "</OrderId><Response>Error</Response><ProcReturnCode>99</ProcReturnCode><ErrMsg>No record found for " + q.OrderId + "</ErrMsg>"
	}
	total := int64(0)
	if m, err := money.Parse(q.Total, money.MAD); err == nil {
		total = m.Centimes()
	}
	code, kind := "99", ""
	switch {
	case q.Extra.ORDERSTATUS == "QUERY":
		return fmt.Sprintf(`<OrderId>%s</OrderId><Response>Approved</Response><ProcReturnCode>00</ProcReturnCode><TransId>T-%[1]s</TransId><ErrMsg>Kay%st</ErrMsg>`+
			`<Extra><TRANS_STAT>%s</TRANS_STAT><ORIG_TRANS_AMT>%d</ORIG_TRANS_AMT><CAPTURE_AMT>%d</CAPTURE_AMT><CREDIT_AMT>%d</CREDIT_AMT></Extra>`, q.OrderId, "\xfd", o.stat, o.amount, o.captured, o.refunded)
	case q.Type == "PostAuth" && o.stat == "A" && total > 0 && total <= o.amount && q.Currency == "504":
		o.stat, o.captured, kind = "C", total, "capture"
	case q.Type == "Void" && (o.stat == "A" || o.stat == "C"):
		o.stat, o.captured, kind = "V", 0, "void"
	case q.Type == "Credit" && o.stat == "S" && o.refunded+total <= o.captured:
		o.refunded, kind = o.refunded+total, "refund"
	case q.Type == "Credit":
		code = "05"
	}
	response := "Declined"
	if kind != "" {
		p.done[kind+" "+q.OrderId]++
		response, code = "Approved", "00"
	}
	return fmt.Sprintf("<OrderId>%s</OrderId><Response>%s</Response><ProcReturnCode>%s</ProcReturnCode><TransId>T1</TransId><ErrMsg></ErrMsg><Extra></Extra>", q.OrderId, response, code)
}

// stand starts a platform for one test.
func stand(t *testing.T) (*platform, string) {
	p := &platform{orders: map[string]*standing{}, done: map[string]int{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, s.Listener.Addr().String()
}

func (p *platform) set(ref, stat string, m money.Money) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.orders[ref] = &standing{stat: stat, amount: m.Centimes()}
}

func at(t *testing.T, addr, password string) card.Driver {
	cfg := config
	cfg.APIURL, cfg.APIPassword = "http://"+addr+"/fim/api", password
	return open(t, cfg)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	cardconform.Run(t, func(t *testing.T) cardconform.Fixture {
		p, addr := stand(t)
		return cardconform.Fixture{
			Addr:      addr,
			Dial:      func(addr string) card.Driver { return at(t, addr, config.APIPassword) },
			Intruder:  func(addr string) card.Driver { return at(t, addr, "wrong") },
			Authorize: func(ref string, m money.Money) { p.set(ref, "A", m) },
			Decline:   func(ref string, m money.Money) { p.set(ref, "D", m) },
			Settle: func(ref string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.orders[ref].stat = "S"
			},
			Executed: func(kind, ref string) int {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.done[kind+" "+ref]
			},
			Garble: func(status int, body string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.garble = append(p.garble, garbled{status, body})
			},
			Notice: func(ref string, m money.Money, approved bool) []byte {
				f := maps.Clone(notice())
				f["oid"], f["ReturnOid"], f["amount"] = ref, ref, m.Amount()
				if !approved {
					f["Response"], f["ProcReturnCode"], f["ErrMsg"] = "Declined", "51", "Provision insuffisante"
				}
				return body(f, config.StoreKey)
			},
			Case: func(c card.Case) []byte {
				f := caseMessage()
				f["caseId"], f["oid"], f["amount"], f["caseFee"] = c.ID, c.Ref, c.Amount.Amount(), c.Fee.Amount()
				f["caseState"] = strings.ToUpper(string(c.State))
				return body(f, config.StoreKey)
			},
		}
	})
}

func TestAnswersAreClassed(t *testing.T) {
	t.Parallel()
	const ours = "<OrderId>chg_1</OrderId>"
	for _, c := range []struct{ answer, move, query string }{
		{ours + "<Response>Approved</Response><ProcReturnCode>00</ProcReturnCode>", "succeeded", "unknown none"},
		{ours + "<Response>Approved</Response><ProcReturnCode>05</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Declined</Response><ProcReturnCode>51</ProcReturnCode>", "declined", "unknown none"},
		{ours + "<Response>Declined</Response><ProcReturnCode>91</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Declined</Response><ProcReturnCode>99</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Declined</Response><ProcReturnCode>00</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Error</Response><ProcReturnCode>51</ProcReturnCode>", "unknown", "unknown none"},
		{"<OrderId>chg_2</OrderId><Response>Approved</Response><ProcReturnCode>00</ProcReturnCode>", "unknown", "unknown none"},
		{"<Response>Approved</Response><ProcReturnCode>00</ProcReturnCode>", "unknown", "unknown none"},
		{"<Response>Declined</Response><ProcReturnCode>51</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Declined</Response><Response>Approved</Response><ProcReturnCode>00</ProcReturnCode>", "unknown", "unknown none"},
		{ours + "<Response>Error</Response><ProcReturnCode>99</ProcReturnCode><ErrMsg>No such order</ErrMsg>", "unknown", "not_found none"},
		{"<Response>Error</Response><ProcReturnCode>99</ProcReturnCode><ErrMsg>No such order</ErrMsg>", "unknown", "not_found none"},
		{"<OrderId>chg_2</OrderId><Response>Error</Response><ProcReturnCode>99</ProcReturnCode><ErrMsg>No such order</ErrMsg>", "unknown", "unknown none"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>C</TRANS_STAT><ORIG_TRANS_AMT>1060</ORIG_TRANS_AMT><CAPTURE_AMT>1060</CAPTURE_AMT></Extra>", "unknown", "succeeded captured"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>S</TRANS_STAT><ORIG_TRANS_AMT>1060</ORIG_TRANS_AMT><CAPTURE_AMT>1060</CAPTURE_AMT></Extra>", "unknown", "succeeded settled"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>C</TRANS_STAT><ORIG_TRANS_AMT>1060</ORIG_TRANS_AMT></Extra>", "unknown", "unknown none"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>C</TRANS_STAT><ORIG_TRANS_AMT>10.60</ORIG_TRANS_AMT><CAPTURE_AMT>10.60</CAPTURE_AMT></Extra>", "unknown", "unknown none"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>PN</TRANS_STAT></Extra>", "unknown", "unknown none"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>V</TRANS_STAT></Extra>", "unknown", "declined voided"},
		{ours + "<Response>Approved</Response><Extra><TRANS_STAT>R</TRANS_STAT><CAPTURE_AMT>5</CAPTURE_AMT></Extra>", "unknown", "succeeded refunded"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<CC5Response>"+c.answer+"</CC5Response>") }))
		d := at(t, s.Listener.Addr().String(), config.APIPassword)
		if r := d.(card.Capturer).Capture(t.Context(), card.Order{Ref: "chg_1-C", Of: "chg_1", Amount: money.Dirhams(1060)}); string(r.Outcome) != c.move {
			t.Errorf("capture answered %s is %s, want %s", c.answer, r.Outcome, c.move)
		}
		q := d.Query(t.Context(), "chg_1")
		if got := string(q.Outcome) + " " + string(q.State); got != c.query {
			t.Errorf("query answered %s is %s, want %s", c.answer, got, c.query)
		}
		s.Close()
	}
}

// Every code there can be is answered once: only those listed here are final, and
// no code decides anything in an answer of another kind or about another order.
func TestEveryCodeIsClassedAsReviewed(t *testing.T) {
	t.Parallel()
	final := strings.Fields("01 02 03 04 05 07 12 13 14 15 33 36 38 41 43 51 54 55 57 58 61 62 63 65 75")
	answer := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
	defer s.Close()
	d := at(t, s.Listener.Addr().String(), config.APIPassword).(card.Capturer)
	said := func(order, response, code string) outbound.Result {
		answer = "<CC5Response><OrderId>" + order + "</OrderId><Response>" + response + "</Response><ProcReturnCode>" + code + "</ProcReturnCode></CC5Response>"
		return d.Capture(t.Context(), card.Order{Ref: "chg_1-C", Of: "chg_1", Amount: money.Dirhams(1060)})
	}
	codes := []string{"", "0", "000", "A1", "5 1", "CORE-2002"}
	for n := range 100 {
		codes = append(codes, fmt.Sprintf("%02d", n))
	}
	for _, code := range codes {
		want := outbound.Unknown
		if slices.Contains(final, code) {
			want = outbound.Declined
		}
		if r := said("chg_1", "Declined", code); r.Outcome != want {
			t.Errorf("a decline with %q is %s, want %s", code, r.Outcome, want)
		}
		want = outbound.Unknown
		if code == "00" {
			want = outbound.Succeeded
		}
		if r := said("chg_1", "Approved", code); r.Outcome != want {
			t.Errorf("an approval with %q is %s, want %s", code, r.Outcome, want)
		}
		for _, r := range []outbound.Result{said("chg_1", "Error", code), said("chg_2", "Declined", code), said("chg_2", "Approved", code), said("", "Approved", code)} {
			if r.Outcome != outbound.Unknown {
				t.Errorf("an error, or an answer about another order, with %q is %s, want unknown", code, r.Outcome)
			}
		}
	}
}

func TestSecretsStayOutOfEvidence(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PostFormValue("DATA")) }))
	defer s.Close()
	q := at(t, s.Listener.Addr().String(), config.APIPassword).Query(t.Context(), "chg_1")
	if e := string(q.Evidence); !strings.Contains(e, "chg_1") || strings.Contains(e, config.APIPassword) {
		t.Errorf("evidence = %s", e)
	}
}
