package smsgateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"tiwiza/adapters/notify"
)

// maxReports bounds how many messages one report speaks of.
const maxReports = 1000

// Reports reads what the gateway says of messages.
func (d *Driver) Reports(c notify.Callback) ([]notify.Report, error) {
	r := d.c.Reports
	if r.Key == "" || !Signed([]byte(r.Key), c.Body, c.Signature) {
		return nil, notify.ErrForged
	}
	body, err := decode(c.Body)
	if err != nil {
		return nil, notify.ErrUnreadable.With(err)
	}
	rows := []any{body}
	if r.List != "" {
		list, ok := value(body, r.List).([]any)
		if !ok || len(list) > maxReports {
			return nil, notify.ErrUnreadable
		}
		rows = list
	}
	out := make([]notify.Report, 0, len(rows))
	for _, row := range rows {
		n := notify.Report{Ref: at(row, r.Ref), PartnerID: at(row, r.ID), State: notify.Underway, Code: at(row, r.Code)}
		state := at(row, r.State)
		switch {
		case state == "" || n.Ref == "" && n.PartnerID == "":
			return nil, notify.ErrUnreadable
		case slices.Contains(r.Delivered, state):
			n.State = notify.Delivered
		case slices.Contains(r.Failed, state):
			n.State, n.Code = notify.Failed, first(n.Code, state)
		}
		out = append(out, n)
	}
	return out, nil
}

// Signed says whether a body has this signature: HMAC-SHA-256 in hex, with or
// without sha256= before it.
func Signed(key, body []byte, signature string) bool {
	sent, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(body)
	return hmac.Equal(sent, h.Sum(nil))
}

// decode reads one JSON value.
func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the JSON value")
	}
	return v, nil
}

// value is what a JSON pointer finds, or nil.
func value(v any, pointer string) any {
	if pointer == "" {
		return nil
	}
	for step := range strings.SplitSeq(pointer[1:], "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// at is the text or the number that a JSON pointer finds, or "".
func at(v any, pointer string) string {
	switch found := value(v, pointer).(type) {
	case string:
		return found
	case json.Number:
		return found.String()
	case bool:
		return strconv.FormatBool(found)
	}
	return ""
}
