package acquirer

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// An attempt is one card tried on an order, with the result that the shop is
// told. Posting its page again shows the same result.
type attempt struct {
	ID       string `json:"id"`
	OID      string `json:"oid"`
	Approved bool   `json:"approved"`
	Fields   Fields `json:"fields"`
	Callback string `json:"callback,omitempty"`
	Fault    string `json:"fault,omitempty"`
	Code     string `json:"code,omitempty"`
}

// DeclineOTP is the one six-digit code that 3-D Secure declines; the page says
// so. Any other six digits pass.
const DeclineOTP = "999999"

var (
	errClosed = errors.New("the order takes no further card")
	otpText   = regexp.MustCompile(`^[0-9]{6}$`)
	texts     = map[string]string{
		"00": "", "14": "Invalid account number", blocked: "Lost card", "51": "Insufficient funds", "54": "Expired card", "99": "3-D Secure authentication failed",
	}
)

// decide authorises or declines an attempt, once.
func (a *Acquirer) decide(s session, otp string) (at attempt, err error) {
	err = a.World.Journal.Update(func(tx *journal.Tx) error {
		if was, ok := a.attempts.Get(tx, s.Attempt); ok {
			at = was
			return nil
		}
		o, _ := a.orders.Get(tx, s.Fields.Get("oid"))
		if o.closed() {
			return errClosed
		}
		if s.V1 && !time.Now().Before(s.Ends) {
			return errExpired
		}
		code, secure := s.Code, "1"
		if otp = strings.TrimSpace(otp); !otpText.MatchString(otp) || otp == DeclineOTP {
			code, secure = "99", "0"
		}
		o = a.tried(s.Fields.Get("oid"), s.Amount, code, s.Closed)
		if s.V1 {
			at = a.tryHere(tx, o, s.Attempt)
			return nil
		}
		o.Notify = notify(s.Fields.Get("callbackUrl"))
		at = attempt{ID: s.Attempt, OID: o.OID, Approved: code == "00", Fields: a.outcome(s, o, secure)}
		a.remember(tx, s, o, &at)
		return nil
	})
	return at, err
}

// tried is an order on which a card was tried, with the code that came of it.
func (a *Acquirer) tried(oid string, centimes int64, code string, closed bool) order {
	o := order{
		OID: oid, Amount: centimes, Code: code, State: Declined, Closed: closed,
		TransID: a.World.Now().Format("06002") + provider.Number(12), HostRef: provider.Number(12),
	}
	if code == "00" {
		o.State, o.AuthCode = Authorised, provider.Number(6)
	}
	return o
}

// remember writes an attempt with all that follows from it.
func (a *Acquirer) remember(tx *journal.Tx, s session, o order, at *attempt) {
	a.orders.Put(tx, o.OID, o)
	if at.Approved {
		a.Did(tx, o.OID, world.Charge, o.Amount)
		if strings.EqualFold(s.Fields.Get("trantype"), "Auth") {
			a.capture(tx, o.OID, o.Amount)
		}
	}
	if wanted := s.Fields.Get("CallbackResponse"); wanted == "" || strings.EqualFold(wanted, "true") {
		if at.Fault = a.takeCallbackFault(tx); at.Fault != "callback_missing" {
			at.Callback = a.queue(tx, at, provider.WebAddress(s.Fields.Get("callbackUrl")))
		}
	}
	a.attempts.Put(tx, at.ID, *at)
}

// outcome is what the shop is told: all it sent, and the result.
func (a *Acquirer) outcome(s session, o order, secure string) Fields {
	var out Fields
	for _, f := range s.Fields {
		if !strings.EqualFold(f.Name, "HASH") {
			out = append(out, Field{f.Name, strings.TrimSpace(f.Value)})
		}
	}
	response, mdError := "Approved", ""
	if o.Code != "00" {
		response = "Declined"
	}
	if secure == "0" {
		mdError = texts["99"]
	}
	now := a.World.Now()
	for _, f := range []Field{
		{"ReturnOid", o.OID},
		{"ProcReturnCode", o.Code},
		{"Response", response},
		{"mdStatus", secure},
		{"TransId", o.TransID},
		{"AuthCode", o.AuthCode},
		{"HostRefNum", o.HostRef},
		{"acqStan", provider.Number(6)},
		{"SettleId", now.Format("2006002")},
		{"MaskedPan", s.Pan},
		{"maskedCreditCard", s.Pan},
		{"EXTRA_CARDBRAND", s.Brand},
		{"EXTRA_CARDISSUER", "BANQUE EXEMPLE"},
		{"EXTRA_TRXDATE", trxDate(now)},
		{"ErrMsg", texts[o.Code]},
		{"mdErrorMsg", mdError},
		{"eci", "05"},
		{"xid", provider.Number(20)},
		{"md", provider.Number(24)},
		{"amount", money.Dirhams(o.Amount).Amount()},
		{"rnd", provider.Number(20)},
	} {
		out = out.With(f.Name, f.Value)
	}
	return out
}

func trxDate(t time.Time) string { return t.Format("20060102 15:04:05") }
