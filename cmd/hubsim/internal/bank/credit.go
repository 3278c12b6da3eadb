package bank

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// Routes adds the control by which others pay the shop: a buyer's transfer, or a
// courier's remittance.
func (b *Bank) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /bank/credits", b.postCredit)
}

// creditInput is a transfer to the shop's safeguard account.
type creditInput struct {
	Amount   string `json:"amount"`
	Text     string `json:"text"`       // the purpose, as the payer wrote it
	EndToEnd string `json:"end_to_end"` // the payer's own reference
	Name     string `json:"name"`
	RIB      string `json:"rib"`
	Notify   bool   `json:"notify"` // by camt.054 too, before the statement
}

var errCredit = errors.New("give amount above 0.00, and name, rib, text, end_to_end, notify as they are")

// payerRIB is where a payer's money comes from when nothing else is said. Bank
// code 999 belongs to no bank.
const payerRIB = "999780000000000000030369"

// notProvided stands where a payer gave no reference of its own.
const notProvided = "NOTPROVIDED"

func (b *Bank) postCredit(rw http.ResponseWriter, r *http.Request) {
	var in creditInput
	if !world.Read(rw, r, &in) {
		return
	}
	e, err := in.entry()
	if err != nil {
		world.Problem(rw, http.StatusUnprocessableEntity, "sim.credit", err.Error())
		return
	}
	err = b.world.Journal.Update(func(tx *journal.Tx) error {
		e = b.book(tx, e)
		ref := e.EndToEnd
		if ref == notProvided {
			ref = e.Ref
		}
		b.did(tx, ref, world.Credit, e.Amount)
		if in.Notify {
			b.put(tx, "out/CAMT054_"+e.Account+"_"+e.Ref+".xml", e.notification(), e.At)
		}
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	world.Answer(rw, http.StatusCreated, map[string]string{"ref": e.Ref, "end_to_end": e.EndToEnd})
}

// Pays has the insurer transfer to the safeguard account, under a reference of its
// own.
func (b *Bank) Pays(tx *journal.Tx, endToEnd, text string, centimes int64) {
	b.book(tx, entry{Account: SafeguardRIB, Amount: centimes, Kind: world.Credit, EndToEnd: endToEnd, Name: InsurerName, RIB: InsurerRIB, Text: text})
	b.did(tx, endToEnd, world.Credit, centimes)
}

// entry is the credit as it is booked; a payer who gives no reference of its own
// gets that of the bank.
func (in creditInput) entry() (entry, error) {
	m, err := money.Parse(in.Amount, money.MAD)
	if err != nil || m.Sign() <= 0 {
		return entry{}, errCredit
	}
	e := entry{Account: SafeguardRIB, Amount: m.Centimes(), Kind: world.Credit, EndToEnd: in.EndToEnd, Name: in.Name, RIB: in.RIB, Text: in.Text}
	if e.Name == "" {
		e.Name = "CLIENT EXEMPLE"
	}
	if e.RIB == "" {
		e.RIB = payerRIB
	}
	if e.EndToEnd == "" {
		e.EndToEnd = notProvided
	}
	if len(e.RIB) != 24 || strings.Trim(e.RIB, "0123456789") != "" {
		return entry{}, errCredit
	}
	return e, nil
}

// notification tells of one credit on the day it comes, as camt.054.001.08; the
// statement tells it again.
func (e entry) notification() string {
	id := fmt.Sprintf("NTFY-%s", e.Ref)
	head := el("GrpHdr", text("MsgId", id), moment("CreDtTm", e.At))
	return message("camt.054.001.08", el("BkToCstmrDbtCdtNtfctn", head, el("Ntfctn",
		text("Id", id), moment("CreDtTm", e.At),
		el("Acct", bban(e.Account), text("Ccy", "MAD"), text("Nm", cut(SafeguardName, 70)), el("Svcr", el("FinInstnId", text("BICFI", BIC)))),
		e.render(),
	)))
}
