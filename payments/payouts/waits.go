package payouts

import (
	"bytes"
	"fmt"
	"time"

	"tiwiza/payments/files"
	"tiwiza/pkg/money"
)

// Limits are what payouts are held to, in centimes.
type Limits struct {
	TwoAbove  int64 // to one member in a day; above it a second person decides
	MemberDay int64 // to one member in a day
	TotalDay  int64 // to all in a day
	DebtAbove int64 // who owes more is not paid
}

// A Wait is one reason why a payout does not go out yet.
type Wait struct {
	Code  string     `json:"code" required:"true"`
	Text  string     `json:"text" required:"true"`
	Until *time.Time `json:"until,omitempty" description:"When it ends by itself, if that is known."`
}

// Standing is what decides whether a draft may go out.
type Standing struct {
	Account   Account
	Refused   bool // the bank sent a payout to this account back
	Unsettled bool // not all the money it pays is in the safeguard account
	Hash      []byte
	Limits    Limits
	MemberDay int64 // approved for this member today
	TotalDay  int64 // approved for all today
	Owes      int64 // what the member owes
}

// two says whether a second person must approve an amount: above a limit, which
// as much in parts is too, and while the member is suspended.
func (s Standing) two(amount int64) bool {
	return s.MemberDay+amount > s.Limits.TwoAbove || s.Account.Suspended
}

// WaitsFor lists everything that a draft waits for; nothing means that it may
// go out now.
func (p Payout) WaitsFor(s Standing, at time.Time) (waits []Wait) {
	wait := func(code, text string, until time.Time) {
		w := Wait{Code: code, Text: text}
		if !until.IsZero() {
			u := until.UTC()
			w.Until = &u
		}
		waits = append(waits, w)
	}
	cooled := s.Account.Since.Add(Cooling)
	if !s.Account.Verified || s.Account.RIB != p.RIB {
		wait("account_unverified", "the bank account is not verified", time.Time{})
	}
	if s.Refused {
		wait("account_refused", "the bank sent a payout to this account back: give another RIB", time.Time{})
	}
	if !s.Account.Since.IsZero() && at.Before(cooled) {
		wait("account_cooling", "the bank account was changed less than 48 hours ago", cooled)
	}
	if s.Unsettled {
		wait("unsettled", "the buyers' money has not reached the safeguard account yet", time.Time{})
	}
	if p.NeedsTwo && (p.ApprovedBy == "" || !bytes.Equal(p.ApprovedHash, s.Hash)) {
		wait("second_person", "a second person must approve", time.Time{})
	}
	if s.Owes > s.Limits.DebtAbove {
		wait("debt", fmt.Sprintf("%s are owed to the platform, more than %s", money.FromCentimes(s.Owes, p.Currency), money.FromCentimes(s.Limits.DebtAbove, p.Currency)), time.Time{})
	}
	over := func(code, whose string, used, limit int64) {
		if p.Amount > limit {
			wait(code, fmt.Sprintf("it is more than the %s that may be paid %s in a day", money.FromCentimes(limit, p.Currency), whose), time.Time{})
		} else if used+p.Amount > limit {
			wait(code, fmt.Sprintf("%s of the %s that may be paid %s in a day are used", money.FromCentimes(used, p.Currency), money.FromCentimes(limit, p.Currency), whose), tomorrow(at))
		}
	}
	over("member_limit", "to one member", s.MemberDay, s.Limits.MemberDay)
	over("total_limit", "to all", s.TotalDay, s.Limits.TotalDay)
	return waits
}

// patience is how often a draft is looked at whose waits nobody can date.
const patience = time.Hour

// lookAgain is when a draft may be ready at the earliest.
func lookAgain(waits []Wait, at time.Time) time.Time {
	last := at
	for _, w := range waits {
		if w.Until == nil {
			return at.Add(patience)
		}
		if w.Until.After(last) {
			last = *w.Until
		}
	}
	return last
}

// day is the day of a time in Morocco, as limits count it.
func day(at time.Time) time.Time {
	y, m, d := at.In(files.Morocco).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// tomorrow is when the next day begins in Morocco.
func tomorrow(at time.Time) time.Time {
	y, m, d := at.In(files.Morocco).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, files.Morocco)
}
