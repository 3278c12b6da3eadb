package iso20022

import (
	"errors"

	"tiwiza/adapters/bank"
)

// standings are what the codes of pain.002 mean to a payer. None of them
// proves that money moved.
var standings = map[string]bank.Standing{
	"RCVD": bank.Taken, "PDNG": bank.Pending, "PATC": bank.Pending, "PART": bank.Partial,
	"ACTC": bank.Accepted, "ACCP": bank.Accepted, "ACSP": bank.Accepted, "ACWC": bank.Accepted, "ACFC": bank.Accepted,
	"ACWP": bank.Accepted, "ACSC": bank.Settled, "ACCC": bank.Settled, "RJCT": bank.Rejected, "CANC": bank.Rejected,
}

// duplicates are the reasons for refusing what was handed in before (ISO
// external codes). A file goes out again when its first fate is not known, so
// such a refusal must not be taken for that of the first.
var duplicates = map[string]bool{"AM05": true, "DU01": true, "DU02": true, "DU03": true, "DU04": true, "DU05": true}

func refusal(s bank.Standing, reason string) bank.Standing {
	if s == bank.Rejected && duplicates[reason] {
		return bank.Again
	}
	return s
}

// standing reads a code; none inherits, an unlisted one decides nothing.
func standing(code string, inherited bank.Standing) bank.Standing {
	if code == "" {
		return inherited
	}
	if s, ok := standings[code]; ok {
		return s
	}
	return bank.Pending
}

// report reads pain.002: three levels, each inheriting from the one above.
func report(n *node, m *bank.Message) error {
	group := n.kid("OrgnlGrpInfAndSts")
	r := bank.Report{ID: m.ID, OriginalID: group.str("OrgnlMsgId"), Group: standing(group.str("GrpSts"), "")}
	if r.OriginalID == "" {
		return errors.New("OrgnlGrpInfAndSts/OrgnlMsgId is missing")
	}
	r.Reason, r.Text = why(group)
	payments := n.all("OrgnlPmtInfAndSts")
	for _, p := range payments {
		inherited := standing(p.str("PmtInfSts"), r.Group)
		reason, text := why(p)
		if reason == "" && text == "" {
			reason, text = r.Reason, r.Text
		}
		if r.Group == "" && len(payments) == 1 { // our files hold one payment: its word is the group's
			r.Group, r.Reason, r.Text = inherited, reason, text
		}
		for _, t := range p.all("TxInfAndSts") {
			r.Items = append(r.Items, item(t, inherited, reason, text))
		}
	}
	for _, t := range group.all("TxInfAndSts") {
		r.Items = append(r.Items, item(t, r.Group, r.Reason, r.Text))
	}
	r.Group = refusal(r.Group, r.Reason)
	for i := range r.Items {
		r.Items[i].Standing = refusal(r.Items[i].Standing, r.Items[i].Reason)
	}
	m.Report = &r
	return nil
}

func item(t *node, inherited bank.Standing, reason, text string) bank.Item {
	i := bank.Item{Ref: t.str("OrgnlEndToEndId", "OrgnlInstrId"), Standing: standing(t.str("TxSts"), inherited)}
	if i.Standing == bank.Partial || i.Standing == "" { // a group's word says nothing about one of it
		i.Standing = bank.Pending
	}
	if i.Reason, i.Text = why(t); i.Reason == "" && i.Text == "" && i.Standing == inherited {
		i.Reason, i.Text = reason, text
	}
	return i
}

// why is the first reason given at a level.
func why(n *node) (reason, text string) {
	for _, s := range n.all("StsRsnInf") {
		if reason, text = s.str("Rsn/Cd", "Rsn/Prtry"), s.str("AddtlInf"); reason != "" || text != "" {
			return reason, text
		}
	}
	return "", ""
}
