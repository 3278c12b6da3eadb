package bank

import "time"

// A report is the bank's answer to one instruction.
type report struct {
	ID       string
	At       time.Time
	In       instruction
	Reason   string // of the whole file; "" when its transfers speak for themselves
	Why      string
	AllWrong bool // contradicts_itself: every transfer is said to be rejected
}

// The statuses that the bank gives.
const (
	accepted = "ACSP"
	rejected = "RJCT"
	partly   = "PART"
)

// render writes pain.002.001.10.
func (r report) render() string {
	group := el("OrgnlGrpInfAndSts",
		text("OrgnlMsgId", or(r.In.MsgID, "NOTPROVIDED")),
		text("OrgnlMsgNmId", cut(or(r.In.Version, "pain.001.001.03"), 35)),
		text("GrpSts", r.standing()),
		reasons(r.Reason, r.Why),
	)
	var payments []element
	if r.Reason == "" {
		for _, p := range r.In.Payments {
			payments = append(payments, r.payment(p))
		}
	}
	head := el("GrpHdr", text("MsgId", r.ID), moment("CreDtTm", r.At))
	return message("pain.002.001.10", el("CstmrPmtStsRpt", append([]element{head, group}, payments...)...))
}

func (r report) payment(p payment) element {
	kids := []element{text("OrgnlPmtInfId", p.ID), text("PmtInfSts", standing(r.statuses(p)))}
	for i, t := range p.Transfers {
		reason, why := t.Reason, t.Why
		if r.AllWrong {
			reason, why = "AC01", "RIB invalide"
		}
		kids = append(kids, el("TxInfAndSts",
			text("OrgnlInstrId", cut(t.InstrID, 35)),
			text("OrgnlEndToEndId", t.EndToEnd),
			text("TxSts", r.statuses(p)[i]),
			reasons(reason, why),
		))
	}
	return el("OrgnlPmtInfAndSts", kids...)
}

func (r report) standing() string {
	if r.Reason != "" {
		return rejected
	}
	var all []string
	for _, p := range r.In.Payments {
		all = append(all, r.statuses(p)...)
	}
	return standing(all)
}

func (r report) statuses(p payment) []string {
	out := make([]string, len(p.Transfers))
	for i, t := range p.Transfers {
		out[i] = accepted
		if t.Reason != "" || r.AllWrong {
			out[i] = rejected
		}
	}
	return out
}

// standing is what some statuses are together.
func standing(all []string) string {
	for _, s := range all {
		if s != all[0] {
			return partly
		}
	}
	return all[0]
}

func reasons(code, why string) element {
	if code == "" {
		return ""
	}
	return el("StsRsnInf", el("Rsn", text("Cd", code)), text("AddtlInf", cut(why, 105)))
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
