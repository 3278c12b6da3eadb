package nestpay

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
)

// usual are the names that notices of the platform carry. The hash covers the
// values and their order but not the names, so a notice with a name that
// nobody knows could be a signed one whose fields were renamed: it is refused.
var usual = []string{
	"clientid", "storetype", "trantype", "amount", "currency", "oid", "okUrl", "failUrl", "shopurl", "callbackUrl",
	"CallbackURL", "CallbackResponse", "callbackCall", "lang", "hashAlgorithm", "rnd", "encoding", "refreshtime",
	"AutoRedirect", "amountCur", "symbolCur", "BillToName", "BillToCompany", "BillToStreet1", "BillToStreet12",
	"BillToCity", "BillToStateProv", "BillToPostalCode", "BillToCountry", "email", "tel", "description", "HASH",
	"ReturnOid", "ProcReturnCode", "Response", "mdStatus", "TransId", "TRANID", "AuthCode", "HostRefNum", "acqStan",
	"SettleId", "MaskedPan", "maskedCreditCard", "EXTRA_CARDBRAND", "EXTRA_CARDISSUER", "EXTRA_TRXDATE",
	"EXTRA_HOSTMSG", "cardHolderName", "ErrMsg", "ErrCode", "mdErrorMsg", "eci", "cavv", "cavvAlgorithm", "xid", "md",
	"ACQBIN", "PAResSyntaxOK", "PAResVerified", "merchantID", "merchantName", "clientIp", "version", "txstatus",
	"sID", "dsId", "payResults_dsId", "digest", "iReqCode", "iReqDetail", "vendorCode", "veresEnrolledStatus",
	"instalment", "signature", "protocol", "tranDate", "Ecom_Payment_Card_ExpDate_Month",
	"Ecom_Payment_Card_ExpDate_Year", "TDS2_transStatus", "TDS2_dsTransID", "TDS2_threeDSServerTransID",
}

// MaxNotice bounds a callback body.
const MaxNotice = 64 << 10

// Notice reads a callback, x-www-form-urlencoded, and proves its hash. What
// is signed by another key, altered, cut or padded is ErrForged.
func (d *Driver) Notice(body []byte) (card.Notice, error) {
	fields, err := parse(body)
	if err != nil {
		return card.Notice{}, err
	}
	if subtle.ConstantTimeCompare([]byte(fields["HASH"]), []byte(hash(fields, d.cfg.StoreKey, callback))) != 1 {
		return card.Notice{}, card.ErrForged.With(errors.New("the hash does not fit"))
	}
	for name, v := range fields {
		if !d.known[name] {
			return card.Notice{}, card.ErrForged.With(fmt.Errorf("the field %q is not one this acquirer is known to send", name))
		}
		fields[name] = normal(v, callback)
	}
	if subtle.ConstantTimeCompare([]byte(fields["clientid"]), []byte(d.cfg.ClientID)) != 1 {
		return card.Notice{}, card.ErrForged.With(errors.New("the notice is for another merchant"))
	}
	return read(fields, body)
}

// parse takes the body apart; each name may come once, whatever its case.
func parse(body []byte) (map[string]string, error) {
	if len(body) > MaxNotice {
		return nil, card.ErrUnreadable.With(fmt.Errorf("%d bytes are too many", len(body)))
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, card.ErrUnreadable.With(err)
	}
	fields, seen := make(map[string]string, len(values)), make(map[string]bool, len(values))
	for name, v := range values {
		folded := strings.ToLower(name)
		if len(v) != 1 || seen[folded] {
			return nil, card.ErrForged.With(fmt.Errorf("the field %q comes twice", name))
		}
		if !utf8.ValidString(v[0]) || !utf8.ValidString(name) {
			return nil, card.ErrUnreadable.With(errors.New("the text is not UTF-8"))
		}
		fields[name], seen[folded] = v[0], true
	}
	if _, ok := fields["HASH"]; !ok {
		return nil, card.ErrForged.With(errors.New("there is no HASH"))
	}
	return fields, nil
}

var amountShape = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,2})?$`)

// currencies are those the platform names by number.
var currencies = map[string]string{dirham: money.MAD, "978": "EUR", "840": "USD", "826": "GBP"}

// read gives an authentic notice its meaning.
func read(f map[string]string, body []byte) (card.Notice, error) {
	n := card.Notice{
		Ref: f["oid"], Merchant: f["clientid"], Code: f["ProcReturnCode"], PartnerID: f["TransId"],
		Text: strings.TrimSpace(f["ErrMsg"] + " " + f["mdErrorMsg"]), EventID: eventID(f), Raw: slices.Clone(body),
	}
	if f["hashAlgorithm"] != "ver3" || f["encoding"] != "" && f["encoding"] != "UTF-8" {
		return n, card.ErrUnreadable.With(errors.New("the notice is not ver3 in UTF-8"))
	}
	if n.Ref == "" || f["ReturnOid"] != "" && f["ReturnOid"] != n.Ref {
		return n, card.ErrUnreadable.With(errors.New("the notice names no order, or two"))
	}
	var err error
	if !amountShape.MatchString(f["amount"]) {
		return n, card.ErrUnreadable.With(fmt.Errorf("the amount is %q", f["amount"]))
	}
	if n.Amount, err = money.Parse(f["amount"], currencies[f["currency"]]); err != nil {
		return n, card.ErrUnreadable.With(err)
	}
	secure := f["mdStatus"] == "" || slices.Contains([]string{"1", "2", "3", "4"}, f["mdStatus"])
	n.Approved = f["ProcReturnCode"] == "00" && f["Response"] == "Approved" && secure
	return n, nil
}

// eventID names the content: what a repeated notice may change is left out.
func eventID(f map[string]string) string {
	h := sha256.New()
	names := make([]string, 0, len(f))
	for n := range f {
		if n != "HASH" && n != "rnd" && n != "encoding" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(h, "%d:%s=%d:%s;", len(n), n, len(f[n]), f[n])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reply is the plain text the platform waits for.
func (d *Driver) Reply(v card.Verdict) string {
	switch v {
	case card.Capture:
		return "ACTION=POSTAUTH"
	case card.Acknowledge:
		return "APPROVED"
	}
	return "FAILURE"
}
