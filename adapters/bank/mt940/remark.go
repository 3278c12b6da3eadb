package mt940

import (
	"regexp"
	"strings"

	"tiwiza/adapters/bank"
)

// A note is what :86: says, whatever dialect it says it in.
type note map[string]string

// Names of what a note may hold, as the dialect with slashes has them.
const (
	endToEnd = "EREF"
	batch    = "PREF"
	customer = "KREF"
	text86   = "REMI"
	name     = "NAME"
	iban     = "IBAN"
	returned = "RTRN"
	gross    = "OCMT"
	taken    = "CHGS"
)

// remark reads :86: into the line before it. Three dialects are common: numbered
// subfields («166?20…?32…»), words between slashes («/EREF/…/REMI/…»), and
// words with a plus («EREF+…SVWZ+…»), which also stand inside the first. What is
// none of them is kept as text.
func remark(e *bank.Entry, lines []string) {
	n, code := numbered(lines)
	if n == nil {
		n = slashed(lines)
	}
	if n == nil {
		n = plus(strings.Join(lines, ""))
	}
	if n == nil {
		n = note{text86: strings.Join(lines, " ")}
	}
	if code != "" {
		e.Code = strings.Trim(e.Code+" "+code, " ")
		// Business transaction code 808 of the German banks' list: charges.
		e.Charge = e.Charge || code == "808"
	}
	d := bank.Detail{
		Ref: reference(n[endToEnd]), BankRef: e.BankRef, InstructionID: reference(n[customer]), Info: squeeze(n[text86]),
		Counterparty: squeeze(n[name]), CounterpartyAccount: number25(n[iban]), ReturnReason: n[returned],
	}
	e.Batch = reference(n[batch])
	d.Gross, d.Fee = e.Amount, e.Amount.Sub(e.Amount)
	if g, f, ok := charged(e, n); ok {
		d.Gross, d.Fee = g, f
	}
	d.Amount = e.Amount
	e.Details = append(e.Details, d)
}

// whole gives a line without a remark its own reference as the only detail, and
// a returned item its reason.
func whole(e *bank.Entry) {
	if len(e.Details) == 0 && (e.Ref != "" || e.Info != "") {
		e.Details = []bank.Detail{{BankRef: e.BankRef, Amount: e.Amount, Gross: e.Amount, Fee: e.Amount.Sub(e.Amount)}}
	}
	for i := range e.Details {
		d := &e.Details[i]
		if d.Ref == "" {
			d.Ref = e.Ref
		}
		if d.Info == "" {
			d.Info = e.Info
		}
		if d.ReturnReason == "" && strings.HasPrefix(e.Code, "NRTI") { // «returned item»
			d.ReturnReason = "RTI"
		}
	}
	if e.Batch != "" && len(e.Details) == 1 && e.Details[0].Ref == "" {
		e.Details = nil // the line is of a whole file
	}
	e.Ref = "" // it was ours, not the bank's
}

var numberedShape = regexp.MustCompile(`^(\d{3})([?+<>&@^%])(\d{2})`)

// numbered reads «GGG?00…?20…»: three digits, then subfields of two digits after
// a sign of the bank's choice. 20 to 29 and 60 to 63 are the purpose, 32 and 33
// the other side's name, 31 its account.
func numbered(lines []string) (note, string) {
	all := strings.Join(lines, "")
	p := numberedShape.FindStringSubmatch(all)
	if p == nil {
		return nil, ""
	}
	n, purpose := note{}, ""
	for _, part := range strings.Split(all[len(p[1]):], p[2])[1:] {
		if len(part) < 2 {
			continue
		}
		switch id, value := part[:2], part[2:]; {
		case id >= "20" && id <= "29" || id >= "60" && id <= "63":
			purpose += value
		case id == "31":
			n[iban] = value
		case id == "32" || id == "33":
			n[name] += value
		case id == "34" && strings.Trim(value, "0") != "":
			n[returned] = value
		}
	}
	words := plus(purpose)
	if words == nil {
		words = note{text86: purpose}
	}
	for k, v := range words {
		if k != name || n[name] == "" {
			n[k] = v
		}
	}
	return n, p[1]
}

var slashWord = regexp.MustCompile(`/([A-Z]{4})/`)

// slashed reads «/EREF/…/ORDP//NAME/…/REMI/…». A word stands until the next one
// that is known; others are part of the text.
func slashed(lines []string) note {
	all := strings.Join(lines, "")
	known := map[string]string{
		"EREF": endToEnd, "PREF": batch, "KREF": customer, "REMI": text86, "NAME": name, "IBAN": iban, "RTRN": returned,
		"OCMT": gross, "CHGS": taken, "ORDP": "", "BENM": "", "BIC": "", "MARF": "", "CSID": "", "TRTP": "", "PURP": "", "ISDT": "", "ULTD": "", "ULTB": "", "ADDR": "",
	}
	var n note
	at := slashWord.FindAllStringSubmatchIndex(all, -1)
	for i, m := range at {
		word := all[m[2]:m[3]]
		key, ok := known[word]
		if !ok {
			continue
		}
		if n == nil {
			n = note{}
		}
		end := len(all)
		for _, next := range at[i+1:] {
			if _, ok := known[all[next[2]:next[3]]]; ok {
				end = next[0]
				break
			}
		}
		value := strings.Trim(strings.ReplaceAll(all[m[1]:end], "USTD//", ""), "/ ")
		if key != "" && n[key] == "" {
			n[key] = value
		}
	}
	return n
}

var plusWord = regexp.MustCompile(`(EREF|KREF|PREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC|RREF|OAMT|COAM)\+`)

// plus reads «EREF+…SVWZ+…».
func plus(all string) note {
	at := plusWord.FindAllStringSubmatchIndex(all, -1)
	if len(at) == 0 {
		return nil
	}
	keys := map[string]string{"EREF": endToEnd, "KREF": customer, "PREF": batch, "SVWZ": text86, "IBAN": iban}
	n := note{}
	if lead := squeeze(all[:at[0][0]]); lead != "" {
		n[text86] = lead
	}
	for i, m := range at {
		end := len(all)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		if key := keys[all[m[2]:m[3]]]; key != "" {
			n[key] = squeeze(all[m[1]:end])
		}
	}
	return n
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func number25(s string) string {
	rib, _ := account(s)
	return rib
}
