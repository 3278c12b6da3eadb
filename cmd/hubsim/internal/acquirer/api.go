package acquirer

import (
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
)

type request struct {
	XMLName  xml.Name `xml:"CC5Request"`
	Name     string   `xml:"Name"`
	Password string   `xml:"Password"`
	ClientID string   `xml:"ClientId"`
	Type     string   `xml:"Type"`
	OrderID  string   `xml:"OrderId"`
	Total    string   `xml:"Total"`
	Currency string   `xml:"Currency"`
	Query    string   `xml:"Extra>ORDERSTATUS"`
}

type response struct {
	XMLName        xml.Name `xml:"CC5Response"`
	OrderID        string   `xml:"OrderId"`
	GroupID        string   `xml:"GroupId"`
	Response       string   `xml:"Response"`
	AuthCode       string   `xml:"AuthCode"`
	HostRefNum     string   `xml:"HostRefNum"`
	ProcReturnCode string   `xml:"ProcReturnCode"`
	TransID        string   `xml:"TransId"`
	ErrMsg         string   `xml:"ErrMsg"`
	Extra          *extra   `xml:"Extra,omitempty"`
}

// extra is the answer to a status query; amounts are centimes. CREDIT_AMT is
// the sum refunded so far, so that a refund whose answer was lost can be found.
type extra struct {
	ChargeType string `xml:"CHARGE_TYPE_CD"`
	TransStat  string `xml:"TRANS_STAT"`
	OrigAmount int64  `xml:"ORIG_TRANS_AMT"`
	Captured   int64  `xml:"CAPTURE_AMT"`
	Credited   int64  `xml:"CREDIT_AMT"`
	SettleID   string `xml:"SETTLEID,omitempty"`
}

// operations are the types that move money.
var operations = map[string]bool{"PostAuth": true, "Void": true, "Credit": true}

// apiFaults can meet any call; only an operation can be executed and then lost.
var (
	apiFaults       = []string{"rate_limited", "drop_request", "slow_body", "contradicts_itself"}
	operationFaults = append(append([]string(nil), answerFaults...), apiFaults...)
)

// api is the server API: capture, void, refund and the status query.
func (a *Acquirer) api(rw http.ResponseWriter, r *http.Request) {
	q, err := readRequest(rw, r)
	if err != nil {
		reply(rw, refused("", "CORE-2002 "+err.Error()), false)
		return
	}
	if !provider.Same(q.Name, a.Secrets.APIUser) || !provider.Same(q.Password, a.Secrets.APIPassword) || !provider.Same(q.ClientID, a.Secrets.ClientID) {
		reply(rw, refused(q.OrderID, "Authentication failed"), false)
		return
	}
	faults := apiFaults
	if operations[q.Type] {
		faults = operationFaults
	} else if q.Query == "QUERY" {
		faults = append([]string{"not_found_then_visible"}, faults...)
	}
	if q.Query == "QUERY" && !a.knows(q.OrderID) {
		faults = nil // who only asks whether anybody is there is answered
	}
	fault, err := a.World.TakeNow(a.name, faults...)
	if err != nil {
		slog.Error("acquirer api", "err", err)
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	a.serve(rw, r, q, fault)
}

// knows says whether there is such an order.
func (a *Acquirer) knows(oid string) (known bool) {
	a.World.Journal.View(func(tx *journal.Tx) { _, known = a.orders.Get(tx, oid) })
	return known
}

// serve executes a call and answers it, or misbehaves.
func (a *Acquirer) serve(rw http.ResponseWriter, r *http.Request, q request, fault string) {
	switch fault {
	case "rate_limited":
		rw.Header().Set("Retry-After", "2")
		http.Error(rw, "Too many requests", http.StatusTooManyRequests)
		return
	case "drop_request":
		provider.Drop(rw)
		return
	case "execute_late":
		a.serveLate(rw, r, q)
		return
	}
	out, err := a.execute(q, fault)
	if err != nil {
		slog.Error("acquirer api", "err", err)
		fault = "execute_then_500"
	}
	switch fault {
	case "execute_then_drop":
		provider.Drop(rw)
	case "execute_then_500":
		http.Error(rw, "Internal error", http.StatusInternalServerError)
	case "execute_then_garbage":
		_, _ = io.WriteString(rw, "<CC5Response><OrderId>\x00\xff<html>502 Bad gatew") // the caller may be gone
	default:
		if fault == "contradicts_itself" {
			out = contradict(out)
		}
		reply(rw, out, fault == "slow_body")
	}
}

// serveLate holds the caller until it gives up, and executes afterwards.
func (a *Acquirer) serveLate(rw http.ResponseWriter, r *http.Request, q request) {
	op, no := a.operation(q)
	if no == "" {
		err := a.World.Journal.Update(func(tx *journal.Tx) error {
			a.putOff(tx, op)
			return nil
		})
		if err != nil {
			slog.Error("acquirer api", "err", err)
		}
	}
	a.Hold(rw, r)
}

func readRequest(rw http.ResponseWriter, r *http.Request) (request, error) {
	var q request
	b, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, provider.MaxBody))
	if err != nil {
		return q, err
	}
	text := strings.TrimSpace(string(b))
	if !strings.HasPrefix(text, "<") {
		r.Body = io.NopCloser(strings.NewReader(text))
		if err := r.ParseForm(); err != nil {
			return q, err
		}
		text = r.PostForm.Get("DATA")
	}
	if err := xml.Unmarshal([]byte(text), &q); err != nil {
		return q, err
	}
	return q, nil
}

// operation reads the amount that a call names; without one it is the whole.
func (a *Acquirer) operation(q request) (lateOp, refusal) {
	op := lateOp{Type: q.Type, OID: q.OrderID}
	if q.Total == "" {
		a.World.Journal.View(func(tx *journal.Tx) {
			o, _ := a.orders.Get(tx, q.OrderID)
			op.Total = o.Amount
			if q.Type == "Credit" {
				op.Total = o.Captured - o.Refunded
			}
		})
		return op, done
	}
	c, err := readAmount(q.Total)
	if err != nil {
		return op, refusal(err.Error())
	}
	if q.Currency != "" && q.Currency != "504" {
		return op, "Currency is not 504"
	}
	op.Total = c
	return op, done
}

func (a *Acquirer) operate(tx *journal.Tx, op lateOp) refusal {
	switch op.Type {
	case "PostAuth":
		return a.capture(tx, op.OID, op.Total)
	case "Void":
		return a.void(tx, op.OID)
	case "Credit":
		return a.refund(tx, op.OID, op.Total, "")
	}
	return "Type is not supported"
}

// execute does what a call asks, and makes its answer.
func (a *Acquirer) execute(q request, fault string) (response, error) {
	if q.Query == "QUERY" {
		return a.status(q.OrderID, fault == "not_found_then_visible")
	}
	op, no := a.operation(q)
	if no != done {
		return refused(q.OrderID, string(no)), nil
	}
	var out response
	err := a.World.Journal.Update(func(tx *journal.Tx) error {
		no := a.operate(tx, op)
		o, _ := a.orders.Get(tx, q.OrderID)
		switch no {
		case done:
		case cardClosed:
			out = answer(o, "Declined", "14", texts["14"])
			return nil
		default:
			out = refused(q.OrderID, string(no))
			return nil
		}
		out = answer(o, "Approved", "00", "")
		return nil
	})
	return out, err
}

// status answers a status query; hide makes the order unknown for a while.
func (a *Acquirer) status(oid string, hide bool) (response, error) {
	var out response
	err := a.World.Journal.Update(func(tx *journal.Tx) error {
		o, ok := a.orders.Get(tx, oid)
		if ok && hide {
			o.HiddenUntil = a.World.Now().Add(provider.HideFor)
			a.orders.Put(tx, oid, o)
		}
		if !ok || a.World.Now().Before(o.HiddenUntil) {
			out = refused(oid, string(noSuchOrder))
			return nil
		}
		out = answer(o, "Approved", "00", "Record(s) found for "+oid)
		if o.State == Declined {
			out = answer(o, "Declined", o.Code, texts[o.Code])
		}
		out.Extra = &extra{"S", o.State, o.Amount, o.Captured, o.Refunded, o.Settlement}
		return nil
	})
	return out, err
}

func answer(o order, verdict, code, text string) response {
	return response{
		OrderID: o.OID, GroupID: o.OID, Response: verdict, ProcReturnCode: code, ErrMsg: text,
		AuthCode: o.AuthCode, HostRefNum: o.HostRef, TransID: o.TransID,
	}
}

func refused(oid, why string) response {
	return response{OrderID: oid, GroupID: oid, Response: "Error", ProcReturnCode: "99", ErrMsg: why}
}

// contradict turns an answer into its opposite; what was executed stays.
func contradict(r response) response {
	if r.Response == "Approved" {
		r.Response, r.ProcReturnCode, r.ErrMsg = "Declined", "05", "Do not honour"
	}
	if r.Extra != nil {
		r.Extra.TransStat, r.Extra.Captured = Declined, 0
	}
	return r
}

// reply writes the XML; slowly, it takes several seconds over it.
func reply(rw http.ResponseWriter, out response, slowly bool) {
	b, err := xml.Marshal(out)
	if err != nil {
		panic("acquirer: " + err.Error())
	}
	provider.Reply(rw, "text/xml; charset=UTF-8", http.StatusOK, append([]byte(xml.Header), b...), slowly)
}
