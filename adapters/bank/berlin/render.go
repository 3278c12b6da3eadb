package berlin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/outbound"
)

// The parts of a bulk payment (bulkPaymentInitiation_json), in this order of
// fields.
type (
	amount struct {
		Currency string `json:"currency"`
		Amount   string `json:"amount"`
	}
	reference struct {
		IBAN     string `json:"iban,omitempty"`
		BBAN     string `json:"bban,omitempty"`
		Currency string `json:"currency,omitempty"`
	}
	transfer struct {
		EndToEnd string    `json:"endToEndIdentification"`
		Amount   amount    `json:"instructedAmount"`
		To       reference `json:"creditorAccount"`
		Agent    string    `json:"creditorAgent,omitempty"`
		Name     string    `json:"creditorName"`
		Info     string    `json:"remittanceInformationUnstructured,omitempty"`
	}
	bulk struct {
		Separately bool       `json:"batchBookingPreferred"`
		From       reference  `json:"debtorAccount"`
		On         string     `json:"requestedExecutionDate"`
		Payments   []transfer `json:"payments"`
	}
)

// Render makes the body of a bulk payment; the same batch always makes the same
// bytes. Each transfer is to be booked by itself, so that the statement names it.
func (d *Driver) Render(b bank.Batch) (bank.File, error) {
	out := bulk{From: d.reference(b.From.RIB), On: b.Execute.Format(time.DateOnly), Payments: make([]transfer, len(b.Transfers))}
	for i, t := range b.Transfers {
		out.Payments[i] = transfer{
			EndToEnd: t.Ref, Amount: amount{t.Amount.Currency(), t.Amount.Amount()}, To: d.reference(t.To.RIB), Agent: t.To.BIC,
			Name: latin.Keep(t.To.Name, written, 70), Info: latin.Keep(t.Info, written, 140),
		}
	}
	body, err := json.Marshal(out)
	if err == nil && len(body) > outbound.MaxAnswer {
		err = bank.ErrInvalid.At("/transfers", "A bulk payment has at most 1 MiB.")
	}
	return bank.File{Name: "BULK_" + b.ID + ".json", Bytes: body, SHA256: digest(body)}, err
}

// written are the signs beside letters and digits that banks' systems carry
// (EPC217-08).
const written = " /-?:().,'+"

func (d *Driver) reference(rib string) reference {
	if d.cfg.Profile.IBAN {
		return reference{IBAN: bank.IBAN(rib)}
	}
	return reference{BBAN: rib}
}

// rib is the account number in a reference, or "".
func (r reference) rib() string {
	if rib, err := bank.RIBOf(r.IBAN); err == nil {
		return rib
	}
	if bank.CheckRIB(r.BBAN) == nil {
		return r.BBAN
	}
	return ""
}

var fileName = regexp.MustCompile(`^BULK_([A-Za-z0-9][A-Za-z0-9_-]{0,34})\.json$`)

// batchOf is the id of the batch in a file that may be sent.
func batchOf(f bank.File) (string, outbound.Result, bool) {
	m := fileName.FindStringSubmatch(f.Name)
	if m == nil {
		return "", unfit("the name " + f.Name + " is no bulk payment's"), false
	}
	return m[1], outbound.Result{}, true
}

func unfit(why string) outbound.Result {
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: why, Err: errors.New(why)}
}

// requestOf is the X-Request-ID of an order: always the same for the same bytes
// under the same name (RFC 9562, version 8: what it is made of is ours to say).
func requestOf(id, sum string) string {
	h := sha256.Sum256([]byte("nextgenpsd2|" + id + "|" + sum))
	return uuid([16]byte(h[:16]))
}

// newRequest is an X-Request-ID of its own.
func newRequest() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return uuid(b)
}

func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
