package wallet

import (
	"log/slog"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A problem is an error object of the API; its zero value is none.
type problem struct {
	Category string `json:"errorCategory"`
	Code     string `json:"errorCode"`
	Text     string `json:"errordescription"`
}

// The problems a request may meet.
var (
	noWallet   = problem{"identification", "identifierError", "No such account"}
	noSuch     = problem{"identification", "identifierError", "No such resource"}
	tooLittle  = problem{"businessRule", "insufficientFunds", "Insufficient funds"}
	overLimit  = problem{"businessRule", "greaterThanTransactionMaxValue", "Over the limit of the account's level"}
	full       = problem{"businessRule", "maxBalanceExceeded", "The receiving account is full"}
	tooLate    = problem{"businessRule", "incorrectState", "The payment can no longer be reversed"}
	declined   = problem{"authorisation", "requestDeclined", "Declined by the account holder"}
	wrongPIN   = problem{"authorisation", "requestingPartyAuthorisationError", "Wrong PIN"}
	unanswered = problem{"authorisation", "requestingPartyAuthorisationError", "Not approved in time"}
	duplicate  = problem{"businessRule", "duplicateRequest", "This correlation id was used for another request"}
	notLetIn   = problem{"authorisation", "clientAuthorisationError", "Wrong credentials"}
	unreadable = problem{"validation", "formatError", "The request cannot be read"}
	notInHere  = problem{"validation", "currencyNotSupported", "Only MAD"}
	otherParty = problem{"authorisation", "requestingPartyAuthorisationError", "Not the merchant's own account"}
)

// How long a phone may take to approve, and how soon one that answers by itself
// does.
const (
	patience = 10 * time.Minute
	prompt   = 200 * time.Millisecond
)

// A manner is how the owner of a number behaves, by its last two digits; owners
// of all others wait for POST /wallet/phone.
type manner struct {
	approves, declines bool
	poor               bool  // has nothing
	none               bool  // has no wallet
	most               int64 // what the level allows, when not 20,000.00
	stuck              bool  // takes nothing back by reversal
	closes             bool  // closes the wallet after paying
}

var manners = map[string]manner{
	"00": {approves: true},
	"11": {declines: true},
	"22": {approves: true, poor: true},
	"33": {approves: true, most: 200_00},
	"34": {approves: true, most: 5_000_00},
	"44": {none: true},
	"55": {}, // never looks: POST /wallet/phone works all the same
	"66": {approves: true, stuck: true},
	"77": {approves: true, stuck: true, closes: true},
}

// highest is what a wallet of the highest level may hold and pay at once.
const highest = 20_000_00

func mannerOf(phone string) manner {
	m := manners[phone[len(phone)-2:]]
	if m.most == 0 {
		m.most = highest
	}
	return m
}

// balance is what a wallet holds; one never used is full.
func (p *Wallet) balance(tx *journal.Tx, phone string) int64 {
	b, ok := p.balances.Get(tx, phone)
	if !ok && !mannerOf(phone).poor {
		b = mannerOf(phone).most
	}
	return b
}

// take keeps a new request as pending; what the phone will do comes with it.
func (p *Wallet) take(tx *journal.Tx, q request) request {
	q.Status, q.At = pending, p.World.Now()
	q.Expires = q.At.Add(patience)
	switch m := mannerOf(q.Phone); {
	case q.Kind != merchantPay, m.approves, m.declines:
		q.Acts = q.At.Add(prompt)
	}
	p.requests.Put(tx, q.ID, q)
	p.corrs.Put(tx, q.Corr, q.ID)
	p.open.Put(tx, q.ID, q.ID)
	return q
}

// Act does what is due by itself: phones answer, requests expire, what was put
// off is taken.
func (p *Wallet) Act() error {
	now := p.World.Now()
	return p.World.Journal.Update(func(tx *journal.Tx) error {
		for _, q := range p.late.All(tx) {
			if !q.At.After(now) {
				p.late.Delete(tx, q.ID)
				p.take(tx, q)
			}
		}
		for _, id := range p.open.All(tx) {
			q, _ := p.requests.Get(tx, id)
			switch {
			case !q.Acts.IsZero() && !q.Acts.After(now):
				why := problem{}
				if q.Kind == merchantPay && mannerOf(q.Phone).declines {
					why = declined
				}
				p.end(tx, q, why)
			case !q.Expires.After(now):
				p.end(tx, q, unanswered)
			}
		}
		return nil
	})
}

// end ends a pending request: by executing it, unless something is against it.
func (p *Wallet) end(tx *journal.Tx, q request, why problem) request {
	if why == (problem{}) {
		why = p.execute(tx, &q)
	}
	q.Status, q.Failure = completed, why
	if why != (problem{}) {
		q.Status = failed
	} else {
		q.Name, q.Done = "MP"+provider.Number(14), provider.Today()
		p.names.Put(tx, q.Name, q.ID)
	}
	p.requests.Put(tx, q.ID, q)
	p.open.Delete(tx, q.ID)
	slog.Info("wallet request", "kind", q.Kind, "ref", q.Ref, "status", q.Status, "why", why.Code)
	p.tell(tx, q)
	return q
}

// execute moves the money of a request, or says why it cannot.
func (p *Wallet) execute(tx *journal.Tx, q *request) problem {
	m, has := mannerOf(q.Phone), p.balance(tx, q.Phone)
	endless := q.Phone == nobody && strings.HasPrefix(q.Corr, ours)
	switch q.Kind {
	case merchantPay:
		if endless {
			return problem{}
		}
		if q.Amount > m.most {
			return overLimit
		}
		if q.Amount > has {
			return tooLittle
		}
		p.balances.Put(tx, q.Phone, has-q.Amount)
		p.Unsettled.Put(tx, q.ID, world.NetLine{Ref: q.Ref, Gross: q.Amount, Fee: money.Dirhams(q.Amount).Rate(FeePercent).Centimes()})
		p.Did(tx, q.Ref, world.Charge, q.Amount)
		return problem{}
	case reversal:
		of, _ := p.requests.Get(tx, q.Of)
		if m.stuck || q.Amount > of.Amount-of.Back {
			return tooLate
		}
		of.Back += q.Amount
		p.requests.Put(tx, of.ID, of)
	case disbursement:
		if endless {
			return problem{}
		}
		if m.closes {
			return noWallet
		}
		if has+q.Amount > m.most {
			return full
		}
	}
	if endless {
		return problem{}
	}
	p.balances.Put(tx, q.Phone, has+q.Amount)
	p.Unsettled.Put(tx, q.ID, world.NetLine{Ref: q.Ref, Gross: -q.Amount})
	p.Did(tx, q.Ref, world.Refund, q.Amount)
	return problem{}
}

// international brings a number to its international form, or "".
func international(s string) string {
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	if strings.HasPrefix(s, "0") {
		s = "+212" + s[1:]
	}
	if len(s) != 13 || !strings.HasPrefix(s, "+212") || strings.Trim(s[1:], "0123456789") != "" {
		return ""
	}
	return s
}
