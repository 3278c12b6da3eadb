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

// A Dialect is how a bank writes :86:. Payers write into :86: too, so which one
// it is can never be told from a line: it is known of the bank.
type Dialect string

// The dialects.
const (
	Text     Dialect = "text"     // nothing in it is a code: what is not said otherwise
	Slashes  Dialect = "slashes"  // words between slashes: «/EREF/…/REMI/…»
	Numbered Dialect = "numbered" // subfields: «166?20…?32…», with words with a plus inside
	Plus     Dialect = "plus"     // words with a plus: «EREF+…SVWZ+…»
)

// remark reads :86: into the line before it, in the bank's dialect. Codes stand
// at its start; from the payer's own words on all is text, and a code that comes
// again says nothing.
func remark(e *bank.Entry, lines []string, in Dialect) {
	var n note
	var code string
	switch in {
	case Numbered:
		n, code = numbered(lines)
	case Slashes:
		n = slashed(lines)
	case Plus:
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
	n, purpose, seen31 := note{}, "", false
	for _, part := range strings.Split(all[len(p[1]):], p[2])[1:] {
		if len(part) < 2 {
			continue
		}
		switch id, value := part[:2], part[2:]; {
		case id >= "20" && id <= "29" || id >= "60" && id <= "63":
			purpose += value
		case id == "31" && seen31 && n[iban] != value: // the sign stood in what the payer wrote
			n[iban] = ""
		case id == "31":
			n[iban], seen31 = value, true
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
		if k != iban && n[k] == "" { // the account has a subfield of its own
			n[k] = v
		}
	}
	return n, p[1]
}

var slashWord = regexp.MustCompile(`/([A-Z]{4})/`)

// slashWords are the words that banks write between slashes, with what they are
// here; "" for what is passed over.
var slashWords = map[string]string{
	"EREF": endToEnd, "PREF": batch, "KREF": customer, "REMI": text86, "NAME": name, "IBAN": iban, "RTRN": returned, "OCMT": gross, "CHGS": taken,
	"ORDP": "", "BENM": "", "BIC": "", "MARF": "", "CSID": "", "TRTP": "", "PURP": "", "ISDT": "", "ULTD": "", "ULTB": "", "ADDR": "",
}

// slashed reads «/EREF/…/ORDP//NAME/…/REMI/…», or nothing where no known word
// stands first. A word stands until the next one that is known; others are part
// of the text. What follows REMI is the payer's, to the end.
func slashed(lines []string) note {
	all := strings.Join(lines, "")
	var at [][]int
	for _, m := range slashWord.FindAllStringSubmatchIndex(all, -1) {
		if _, ok := slashWords[all[m[2]:m[3]]]; !ok {
			continue
		}
		at = append(at, m)
		if all[m[2]:m[3]] == text86 {
			break
		}
	}
	if len(at) == 0 || at[0][0] != 0 {
		return nil
	}
	n, seen := note{}, map[string]bool{}
	for i, m := range at {
		end := len(all)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		key := slashWords[all[m[2]:m[3]]]
		value := strings.Trim(strings.ReplaceAll(all[m[1]:end], "USTD//", ""), "/ ")
		switch {
		case key == "":
		case key == iban && seen[iban] && n[iban] != value: // one of them stood in what the payer wrote
			n[iban] = ""
		case !seen[key]:
			n[key], seen[key] = value, true
		}
	}
	return n
}

var plusWord = regexp.MustCompile(`(EREF|KREF|PREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC|RREF|OAMT|COAM)\+`)

// plus reads «EREF+…SVWZ+…», or nothing where no such word stands first. What
// follows SVWZ is the payer's, to the end.
func plus(all string) note {
	at := plusWord.FindAllStringSubmatchIndex(all, -1)
	if len(at) == 0 || strings.TrimSpace(all[:at[0][0]]) != "" {
		return nil
	}
	keys := map[string]string{"EREF": endToEnd, "KREF": customer, "PREF": batch, "SVWZ": text86, "IBAN": iban}
	n, seen := note{}, map[string]bool{}
	for i, m := range at {
		key := keys[all[m[2]:m[3]]]
		end := len(all)
		if i+1 < len(at) && key != text86 {
			end = at[i+1][0]
		}
		if key != "" && !seen[key] {
			n[key], seen[key] = squeeze(all[m[1]:end]), true
		}
		if key == text86 {
			break
		}
	}
	return n
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func number25(s string) string {
	rib, _ := account(s)
	return rib
}
