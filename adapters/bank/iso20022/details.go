package iso20022

import (
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

// part is one transaction of an entry before its sign and its fee are settled.
type part struct {
	detail bank.Detail
	mark   string      // its own CdtDbtInd, if any
	stated money.Money // Amt
	gross  money.Money // AmtDtls/InstdAmt, or no money
	fee    money.Money
}

// details reads the transactions of an entry. Banks differ in two ways that a
// file does not declare: whether a transaction's mark is its own or that of
// the other side, and whether its amount is before or after charges. The
// reading whose shares add up to the entry is taken; where none does, the
// entry's own mark and the amounts as stated stand, and Explained says so.
func details(e bank.Entry, nodes []*node) ([]bank.Detail, error) {
	parts := make([]part, len(nodes))
	for i, n := range nodes {
		p, err := transaction(e, n, len(nodes) == 1)
		if err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i+1, err)
		}
		parts[i] = p
	}
	for _, own := range []bool{true, false} {
		for _, before := range []bool{true, false} {
			out := settle(e, parts, own, before)
			if (bank.Entry{Amount: e.Amount, Details: out}).Explained() {
				return out, nil
			}
		}
	}
	for i := range parts {
		parts[i].gross, parts[i].fee = money.Money{}, money.Money{}
	}
	return settle(e, parts, false, false), nil
}

func settle(e bank.Entry, parts []part, own, before bool) []bank.Detail {
	out := make([]bank.Detail, len(parts))
	for i, p := range parts {
		d := p.detail
		d.Fee, d.Gross = p.fee, p.stated
		switch {
		case p.gross.Currency() == p.stated.Currency() && !p.gross.IsZero():
			d.Gross = p.gross
		case !before && e.Amount.Sign() > 0: // a credit is stated after its fee
			d.Gross = p.stated.Add(p.fee)
		case !before: // a debit is stated with it
			d.Gross = p.stated.Sub(p.fee)
		}
		if debit := own && p.mark == "DBIT" || (!own || p.mark == "") && e.Amount.Sign() < 0; debit {
			d.Gross = d.Gross.Neg()
		}
		d.Amount = d.Gross.Sub(d.Fee)
		out[i] = d
	}
	return out
}

func transaction(e bank.Entry, n *node, alone bool) (p part, err error) {
	ref := n.str("Refs/EndToEndId")
	if ref == "NOTPROVIDED" {
		ref = ""
	}
	p.mark = n.str("CdtDbtInd")
	if p.mark != "" && p.mark != "CRDT" && p.mark != "DBIT" {
		return p, fmt.Errorf("CdtDbtInd is %q", p.mark)
	}
	p.detail = bank.Detail{
		Ref: ref, InstructionID: n.str("Refs/InstrId"), BankRef: n.str("Refs/AcctSvcrRef"),
		ReturnReason: n.str("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"), ReturnText: n.str("RtrInf/AddtlInf"), Info: info(n),
	}
	counterparty(&p.detail, n.kid("RltdPties"), e.Amount.Sign() > 0)
	if p.stated, err = stated(e, n, alone); err != nil {
		return p, err
	}
	if g := n.at("AmtDtls/InstdAmt/Amt"); g != nil {
		if p.gross, err = value(g); err != nil {
			return p, err
		}
	}
	p.fee, err = charges(n, p.stated.Currency())
	return p, err
}

// stated is the transaction's amount; an entry's only transaction may leave it
// to the entry.
func stated(e bank.Entry, n *node, alone bool) (money.Money, error) {
	for _, path := range []string{"Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"} {
		if a := n.at(path); a != nil {
			return value(a)
		}
	}
	if !alone {
		return money.Money{}, fmt.Errorf("its amount is missing")
	}
	if e.Amount.Sign() < 0 {
		return e.Amount.Neg(), nil
	}
	return e.Amount, nil
}

// charges add up what was taken; a charge given back is taken away. Older
// versions list charges, newer ones records of one.
func charges(n *node, currency string) (money.Money, error) {
	sum := money.FromCentimes(0, currency)
	for _, c := range n.all("Chrgs") {
		records := c.all("Rcrd")
		if len(records) == 0 {
			records = []*node{c}
		}
		for _, r := range records {
			a := r.kid("Amt")
			if a == nil {
				a = r.kid("TtlChrgsAndTaxAmt")
			}
			v, err := value(a)
			if err != nil {
				return sum, fmt.Errorf("charges: %w", err)
			}
			if v.Currency() != currency {
				continue // not to be added up; Explained says whether it mattered
			}
			if r.str("CdtDbtInd") == "CRDT" {
				v = v.Neg()
			}
			sum = sum.Add(v)
		}
	}
	return sum, nil
}

// info is what the payer wrote: free text, else structured references.
func info(n *node) string {
	var lines []string
	r := n.kid("RmtInf")
	for _, u := range r.all("Ustrd") {
		lines = append(lines, strings.Join(strings.Fields(string(u.text)), " "))
	}
	for i := 0; len(lines) == 0 && i < len(r.all("Strd")); i++ {
		if ref := r.all("Strd")[i].str("CdtrRefInf/Ref"); ref != "" {
			lines = append(lines, ref)
		}
	}
	if len(lines) == 0 {
		return n.str("AddtlTxInf")
	}
	return strings.Join(lines, " ")
}

// counterparty is the other side: who paid a credit, who got a debit; where
// that is not named, whoever is.
func counterparty(d *bank.Detail, parties *node, credit bool) {
	sides := []string{"Cdtr", "Dbtr"}
	if credit {
		sides = []string{"Dbtr", "Cdtr"}
	}
	for _, side := range sides {
		d.Counterparty = parties.str(side+"/Nm", side+"/Pty/Nm")
		d.CounterpartyAccount = number(parties.kid(side + "Acct"))
		if d.Counterparty != "" || d.CounterpartyAccount != "" {
			return
		}
	}
}
