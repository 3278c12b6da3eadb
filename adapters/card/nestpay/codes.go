package nestpay

import "tiwiza/pkg/outbound"

// A code is what an acquirer's answer is taken for, and why. The table is
// reviewed data: what is not in it is Unknown, and an inquiry finds out.
type code struct {
	outcome outbound.Outcome
	why     string
}

// codes are the answers of ISO 8583 (field 39) as ProcReturnCode tells them.
// Declined is only what is final for an attempt. The rest may have happened all
// the same, and is listed to show that it was considered.
var codes = map[string]code{
	"00": {outcome: outbound.Succeeded, why: "approved"},

	"01": {outbound.Declined, "refer to issuer"},
	"02": {outbound.Declined, "refer to issuer, special"},
	"04": {outbound.Declined, "pick up"},
	"05": {outbound.Declined, "do not honour"},
	"07": {outbound.Declined, "pick up, special"},
	"12": {outbound.Declined, "not a valid transaction"},
	"13": {outbound.Declined, "not a valid amount"},
	"14": {outbound.Declined, "no such card"},
	"15": {outbound.Declined, "no such issuer"},
	"33": {outbound.Declined, "expired, pick up"},
	"36": {outbound.Declined, "restricted, pick up"},
	"38": {outbound.Declined, "too many PINs, pick up"},
	"41": {outbound.Declined, "lost"},
	"43": {outbound.Declined, "stolen"},
	"51": {outbound.Declined, "not enough money"},
	"54": {outbound.Declined, "expired"},
	"55": {outbound.Declined, "wrong PIN"},
	"57": {outbound.Declined, "not permitted to the cardholder"},
	"61": {outbound.Declined, "over the amount limit"},
	"62": {outbound.Declined, "restricted"},
	"63": {outbound.Declined, "security violation"},
	"65": {outbound.Declined, "over the count limit"},
	"75": {outbound.Declined, "too many PINs"},

	"03": {outbound.Declined, "no such merchant"},
	"58": {outbound.Declined, "not permitted to the terminal"},

	"06": {outbound.Unknown, "error"},
	"19": {outbound.Unknown, "enter again: the first may stand"},
	"25": {outbound.Unknown, "original not found"},
	"30": {outbound.Unknown, "format error, at whichever station"},
	"68": {outbound.Unknown, "answered too late"},
	"91": {outbound.Unknown, "issuer or switch away, after it may have passed it on"},
	"92": {outbound.Unknown, "no route, after it may have passed it on"},
	"94": {outbound.Unknown, "sent twice: the first may stand"},
	"96": {outbound.Unknown, "system trouble"},
	"99": {outbound.Unknown, "the gateway's own trouble, of any kind"},
}
