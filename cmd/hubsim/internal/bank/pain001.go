package bank

import (
	"fmt"
	"strconv"
	"strings"

	"tiwiza/pkg/money"
)

// An instruction is a file of credit transfers as the bank read it.
type instruction struct {
	MsgID    string
	Version  string
	Count    string
	CtrlSum  string
	Payments []payment
}

// A payment is one debtor account with its transfers.
type payment struct {
	ID        string
	Debtor    string
	Transfers []transfer
}

// A transfer is one credit transfer. Reason is set when it cannot be right.
type transfer struct {
	InstrID, EndToEnd string
	Amount            int64
	Name, RIB, Text   string
	Reason, Why       string
}

// reject marks a transfer as not to be executed, unless it is already.
func (t *transfer) reject(reason, why string) {
	if t.Reason == "" {
		t.Reason, t.Why = reason, why
	}
}

// readInstruction reads pain.001.001.03 or .09. An error is about the whole
// file; the instruction then holds what could be read, for the answer.
func readInstruction(b []byte) (in instruction, err error) {
	root, space, err := parse(b)
	if err != nil {
		return in, err
	}
	_, in.Version, _ = strings.Cut(space, "xsd:")
	if in.Version != "pain.001.001.03" && in.Version != "pain.001.001.09" {
		return in, fmt.Errorf("namespace %q: only pain.001.001.03 and .09", space)
	}
	body := root.at("CstmrCdtTrfInitn")
	if root.name != "Document" || body == nil {
		return in, fmt.Errorf("Document/CstmrCdtTrfInitn is needed")
	}
	if in.MsgID, err = body.need("GrpHdr/MsgId", 35); err != nil {
		return in, err
	}
	for _, path := range []string{"GrpHdr/CreDtTm", "GrpHdr/NbOfTxs"} {
		if _, err = body.need(path, 35); err != nil {
			return in, err
		}
	}
	in.Count, in.CtrlSum = body.value("GrpHdr/NbOfTxs"), body.value("GrpHdr/CtrlSum")
	for _, p := range body.all("PmtInf") {
		pay, err := readPayment(p)
		if err != nil {
			return in, err
		}
		in.Payments = append(in.Payments, pay)
	}
	return in, in.add()
}

// add checks the count and the sum of the header against the transfers.
func (in instruction) add() error {
	count, sum := 0, int64(0)
	for _, p := range in.Payments {
		count += len(p.Transfers)
		for _, t := range p.Transfers {
			sum += t.Amount
		}
	}
	if count == 0 || in.Count != strconv.Itoa(count) {
		return fmt.Errorf("NbOfTxs is %s, there are %d", in.Count, count)
	}
	if in.CtrlSum == "" {
		return nil
	}
	want, err := money.Parse(in.CtrlSum, money.MAD)
	if err != nil || want.Centimes() != sum {
		return fmt.Errorf("CtrlSum is %s, the transfers add up to %s", in.CtrlSum, money.Dirhams(sum).Amount())
	}
	return nil
}

func readPayment(n *node) (payment, error) {
	id, err := n.need("PmtInfId", 35)
	if err != nil {
		return payment{}, err
	}
	if m := n.value("PmtMtd"); m != "TRF" {
		return payment{}, fmt.Errorf("PmtMtd %q: only TRF", m)
	}
	date := n.at("ReqdExctnDt")
	if date == nil || (strings.TrimSpace(date.text) == "" && len(date.kids) != 1) {
		return payment{}, fmt.Errorf("PmtInf %s: ReqdExctnDt is needed", id)
	}
	p := payment{ID: id, Debtor: accountOf(n, "DbtrAcct")}
	for _, t := range n.all("CdtTrfTxInf") {
		tr, err := readTransfer(t)
		if err != nil {
			return payment{}, err
		}
		p.Transfers = append(p.Transfers, tr)
	}
	return p, nil
}

func readTransfer(n *node) (transfer, error) {
	ref, err := n.need("PmtId/EndToEndId", 35)
	if err != nil {
		return transfer{}, err
	}
	t := transfer{
		InstrID: n.value("PmtId/InstrId"), EndToEnd: ref, Name: n.value("Cdtr/Nm"), Text: n.value("RmtInf/Ustrd"),
	}
	amount := n.at("Amt/InstdAmt")
	if amount == nil {
		return t, fmt.Errorf("transfer %s: one Amt/InstdAmt is needed", ref)
	}
	m, err := money.Parse(strings.TrimSpace(amount.text), money.MAD)
	if err != nil {
		return t, fmt.Errorf("transfer %s: %w", ref, err)
	}
	t.Amount = m.Centimes()
	var right bool
	t.RIB, right = RIBOf(accountOf(n, "CdtrAcct"))
	switch {
	case amount.ccy != money.MAD:
		t.reject("AM03", "Devise non admise")
	case t.Amount <= 0:
		t.reject("AM01", "Montant nul")
	case t.Name == "":
		t.reject("BE22", "Nom du beneficiaire manquant")
	case !right:
		t.reject("AC01", "RIB invalide")
	case closed(t.RIB):
		t.reject("AC04", "Compte cloture")
	}
	return t, nil
}

// accountOf is the IBAN or the bare number of an account element.
func accountOf(n *node, path string) string {
	if v := n.value(path + "/Id/IBAN"); v != "" {
		return v
	}
	return n.value(path + "/Id/Othr/Id")
}
