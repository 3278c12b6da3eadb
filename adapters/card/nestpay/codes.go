package nestpay

import "tiwiza/pkg/outbound"

// A code is what an acquirer's answer is taken for, and why. The table is
// reviewed data: what is not in it is Unknown, and an inquiry finds out.
type code struct {
	outcome   outbound.Outcome
	elsewhere bool // the refusal is the terminal's, not the card's: another acquirer may be asked
	why       string
}

// codes are the answers of ISO 8583 (field 39) as ProcReturnCode tells them.
// Declined is only what is final for an attempt. The rest may have happened all
// the same, and is listed to show that it was considered.
var codes = map[string]code{
	"00": {outcome: outbound.Succeeded, why: "approved"},

	"01": {outbound.Declined, false, "refer to issuer"},
	"02": {outbound.Declined, false, "refer to issuer, special"},
	"04": {outbound.Declined, false, "pick up"},
	"05": {outbound.Declined, false, "do not honour"},
	"07": {outbound.Declined, false, "pick up, special"},
	"12": {outbound.Declined, false, "not a valid transaction"},
	"13": {outbound.Declined, false, "not a valid amount"},
	"14": {outbound.Declined, false, "no such card"},
	"15": {outbound.Declined, false, "no such issuer"},
	"33": {outbound.Declined, false, "expired, pick up"},
	"36": {outbound.Declined, false, "restricted, pick up"},
	"38": {outbound.Declined, false, "too many PINs, pick up"},
	"41": {outbound.Declined, false, "lost"},
	"43": {outbound.Declined, false, "stolen"},
	"51": {outbound.Declined, false, "not enough money"},
	"54": {outbound.Declined, false, "expired"},
	"55": {outbound.Declined, false, "wrong PIN"},
	"57": {outbound.Declined, false, "not permitted to the cardholder"},
	"61": {outbound.Declined, false, "over the amount limit"},
	"62": {outbound.Declined, false, "restricted"},
	"63": {outbound.Declined, false, "security violation"},
	"65": {outbound.Declined, false, "over the count limit"},
	"75": {outbound.Declined, false, "too many PINs"},

	"03": {outbound.Declined, true, "no such merchant"},
	"58": {outbound.Declined, true, "not permitted to the terminal"},

	"06": {outbound.Unknown, false, "error"},
	"19": {outbound.Unknown, false, "enter again: the first may stand"},
	"25": {outbound.Unknown, false, "original not found"},
	"30": {outbound.Unknown, false, "format error, at whichever station"},
	"68": {outbound.Unknown, false, "answered too late"},
	"91": {outbound.Unknown, false, "issuer or switch away, after it may have passed it on"},
	"92": {outbound.Unknown, false, "no route, after it may have passed it on"},
	"94": {outbound.Unknown, false, "sent twice: the first may stand"},
	"96": {outbound.Unknown, false, "system trouble"},
	"99": {outbound.Unknown, false, "the gateway's own trouble, of any kind"},
}
