package messages

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// news is what the customer is told of a message.
type news struct {
	ID    string `json:"id"`
	Ref   string `json:"ref"`
	State string `json:"status,omitempty"`
	V1    string `json:"state,omitempty"` // at the second door
	Code  string `json:"code,omitempty"`
}

// reportFaults are the faults that a report can play, first come first.
var reportFaults = []string{"callback_missing", "bad_signature", "callbacks_shuffled", "answer_twice", "replayed_callback"}

// sendFaults are those that handing a message in can play.
var sendFaults = []string{"drop_request", "rate_limited", "execute_then_drop", "execute_then_500", "execute_then_garbage", "callback_before_answer", "contradicts_itself", "slow_body"}

var number = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)

func ending(to string) string { return to[max(0, len(to)-2):] }

func name(channel string, n int64) string {
	return fmt.Sprintf("%s-%08d", strings.ToUpper(channel), n)
}

// postSMS takes one message in. Numbers that end in 44 do not exist; to those that
// end in 55 nothing arrives.
func (m *Messages) postSMS(rw http.ResponseWriter, r *http.Request) {
	if !provider.Same(r.Header.Get("Authorization"), "Bearer "+m.Secrets.APIKey) {
		world.Problem(rw, http.StatusUnauthorized, "sms.key", "this key is not known")
		return
	}
	var in struct {
		To       string `json:"to"`
		From     string `json:"from"`
		Text     string `json:"text"`
		Ref      string `json:"ref"`
		Report   string `json:"report"`
		Validity string `json:"validity"`
	}
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, provider.MaxBody))
	if err := d.Decode(&in); err != nil || in.Text == "" {
		world.Problem(rw, http.StatusBadRequest, "sms.request", "give to and text")
		return
	}
	m.hand(rw, r, world.SMS, message{Ref: in.Ref, Channel: "sms", From: in.From, To: in.To, Text: in.Text, Report: provider.WebAddress(in.Report)}, answers{
		taken: func(id string) (int, any) {
			return http.StatusAccepted, map[string]string{"id": id, "status": accepted}
		},
		refused: func() (int, any) {
			return http.StatusUnprocessableEntity, map[string]any{"error": map[string]string{"code": "invalid_number"}}
		},
	})
}

// answers are how a gateway says things.
type answers struct {
	taken   func(id string) (status int, body any)
	refused func() (status int, body any)
}

// hand takes a message in, or plays a fault of the gateway.
func (m *Messages) hand(rw http.ResponseWriter, r *http.Request, gateway string, in message, says answers) {
	fault, err := m.World.TakeNow(gateway, sendFaults...)
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	switch {
	case fault == "drop_request":
		provider.Drop(rw)
		return
	case fault == "rate_limited":
		rw.Header().Set("Retry-After", "2")
		world.Problem(rw, http.StatusTooManyRequests, "messages.rate", "too many messages")
		return
	case !number.MatchString(in.To), ending(in.To) == "44":
		status, body := says.refused()
		say(rw, status, body, false)
		return
	}
	var took message
	err = m.World.Journal.Update(func(tx *journal.Tx) error {
		took = m.take(tx, in)
		if fault == "callback_before_answer" {
			m.bring(tx, took)
		}
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	status, body := says.taken(took.ID)
	switch fault {
	case "execute_then_drop":
		provider.Drop(rw)
		return
	case "execute_then_500":
		world.Problem(rw, http.StatusInternalServerError, "messages.error", "something went wrong")
		return
	case "execute_then_garbage":
		provider.Reply(rw, "application/json", status, []byte(`{"id": "SM`), false)
		return
	case "contradicts_itself":
		status, body = says.refused()
	case "callback_before_answer":
		m.TellFirst(r.Context(), took.ID)
	}
	say(rw, status, body, fault == "slow_body")
}

func say(rw http.ResponseWriter, status int, v any, slowly bool) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("messages: " + err.Error()) // of our own making
	}
	provider.Reply(rw, "application/json", status, b, slowly)
}

// tell puts down what the customer is told of a message that ended.
func (m *Messages) tell(tx *journal.Tx, in message) {
	says, to := news{ID: in.ID, Ref: in.Ref, State: in.State}, in.Report
	if in.Door {
		says, to = newsOf(in), m.Connector.Told(tx)
	}
	if to == "" {
		return
	}
	fault := m.World.Take(tx, world.SMS, reportFaults...)
	if fault == "callback_missing" {
		return
	}
	m.Tell(tx, in.ID, to, says, fault)
}

// Request posts the news, signed.
func (m *Messages) Request(ctx context.Context, cb provider.Callback[news]) (*http.Request, error) {
	if cb.Says.V1 != "" {
		return m.receipt(ctx, cb)
	}
	body, err := json.Marshal(cb.Says)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, []byte(m.Secrets.ReportKey))
	_, _ = h.Write(body)
	sum := h.Sum(nil)
	if cb.Spoilt() {
		sum[0] ^= 1
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cb.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Signature", hex.EncodeToString(sum))
	return req, nil
}

// receipt posts what the second door's clients hear, signed by Standard Webhooks.
func (m *Messages) receipt(ctx context.Context, cb provider.Callback[news]) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{"type": "message.updated", "timestamp": m.World.Now().UTC(), "data": cb.Says})
	if err != nil {
		return nil, err
	}
	return m.Connector.Sign(ctx, cb.URL, "msg_"+cb.ID, body, cb.Spoilt())
}

// Understood says whether the customer took the news in.
func (m *Messages) Understood(_ *journal.Tx, _ provider.Callback[news], status int, _ string) bool {
	return status >= 200 && status < 300
}

// Older makes news of a failure.
func (m *Messages) Older(says news) news {
	if says.V1 != "" {
		return news{ID: says.ID, Ref: says.Ref, V1: "failed", Code: "undeliverable"}
	}
	return news{ID: says.ID, Ref: says.Ref, State: failed}
}
