// Package id makes the hub's public names: a prefix that says the kind and a
// ULID (sortable by time, 80 random bits), as in "ord_01JD…".
package id

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// A Kind is the prefix of an id.
type Kind string

// The kinds of API.md.
const (
	Organisation Kind = "org"
	Person       Kind = "per"
	Offer        Kind = "off"
	Variant      Kind = "var"
	Basket       Kind = "bsk"
	Quote        Kind = "quo"
	Group        Kind = "grp"
	Order        Kind = "ord"
	Escrow       Kind = "esc"
	Charge       Kind = "chg"
	Refund       Kind = "rfd"
	Payout       Kind = "pay"
	Operation    Kind = "op"
	Statement    Kind = "stm"
	Line         Kind = "lin"
	Dispute      Kind = "dsp"
	Return       Kind = "ret"
	Shipment     Kind = "shp"
	Invoice      Kind = "inv"
	Review       Kind = "rev"
	Message      Kind = "msg"
	Chargeback   Kind = "cbk"
	Event        Kind = "evt"
	Key          Kind = "key"
	Session      Kind = "ses"
	Membership   Kind = "mbr"
	Invitation   Kind = "ivt"
	Passkey      Kind = "psk"
	Import       Kind = "imp"
	Account      Kind = "acc"
	Release      Kind = "rel"
	File         Kind = "fil"
	Approval     Kind = "apr"
	Remittance   Kind = "rem"
	Limits       Kind = "lim"
	TopUp        Kind = "top"
	Sweep        Kind = "swp"
	Halt         Kind = "hlt"
	Media        Kind = "med"
	Label        Kind = "lbl"
	Place        Kind = "plc"
	Change       Kind = "chn"
	Closure      Kind = "clo"
	Way          Kind = "way"
	Promotion    Kind = "prm"
	Agreement    Kind = "agr"

	CustomerGroup Kind = "cgr"
	PriceList     Kind = "pls"

	QuotationRequest Kind = "rfq"
	QuotationOffer   Kind = "qof"

	GroupBuy Kind = "gbu"
	Seat     Kind = "sea"
	Pool     Kind = "pol"
	Pledge   Kind = "plg"
	Deal     Kind = "dea"

	Wish    Kind = "wsh"
	Erasure Kind = "era"
	Notice  Kind = "ntc"
	Attempt Kind = "nat"

	Points   Kind = "pts"
	EarnRule Kind = "erl"

	Ware Kind = "war"

	Paper     Kind = "pap"
	Item      Kind = "itm"
	Consent   Kind = "cns"
	Programme Kind = "pgm"
	Glass     Kind = "brk"

	CharterDraft Kind = "cdr"
	CharterPaper Kind = "cpa"
	Signature    Kind = "sig"

	Product            Kind = "prd"
	Application        Kind = "apl"
	Premium            Kind = "pmi"
	Due                Kind = "due"
	InsuranceProduct   Kind = "ipr"
	InsuranceQuote     Kind = "iqt"
	Policy             Kind = "ply"
	Claim              Kind = "clm"
	Observation        Kind = "obs"
	InsuranceStatement Kind = "ist"
	InsuranceGap       Kind = "igp"

	Procedure Kind = "prc"
	Case      Kind = "cas"
	Transit   Kind = "trn"
	Document  Kind = "doc"
	Fee       Kind = "fee"

	Diagnostic         Kind = "dgn"
	QuestionnaireDraft Kind = "qsd"

	PersonalExport Kind = "pex"
	DataRequest    Kind = "drq"
	Forgetting     Kind = "fgt"
)

var (
	mu      sync.Mutex
	entropy = ulid.Monotonic(rand.Reader, 0)
)

// New makes an id of a kind. Ids made by one process sort in the order they
// were made. It is safe for use by many goroutines.
func New(k Kind) string {
	mu.Lock()
	u := ulid.MustNew(ulid.Timestamp(time.Now()), entropy)
	mu.Unlock()
	return string(k) + "_" + strings.ToLower(u.String())
}

// Is says whether s has the shape of an id of kind k. It does not say that
// such a thing exists.
func Is(k Kind, s string) bool {
	rest, ok := strings.CutPrefix(s, string(k)+"_")
	if !ok || len(rest) != ulid.EncodedSize || rest != strings.ToLower(rest) {
		return false
	}
	_, err := ulid.ParseStrict(strings.ToUpper(rest))
	return err == nil
}
