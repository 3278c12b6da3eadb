package acquirer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"tiwiza/pkg/money"
)

// A session is what the pages carry in their signed hidden field between two
// posts: no cookie, nothing in the server. The card's number is never in it.
type session struct {
	Fields  Fields    `json:"fields"`
	Amount  int64     `json:"amount"`
	Expires time.Time `json:"expires"`
	Attempt string    `json:"attempt,omitempty"`
	Pan     string    `json:"pan,omitempty"`
	Brand   string    `json:"brand,omitempty"`
	Code    string    `json:"code,omitempty"`
	Closed  bool      `json:"closed,omitempty"`
	V1      bool      `json:"v1,omitempty"`  // of card.v1
	Ends    time.Time `json:"ends,omitzero"` // when its payment takes nothing any more, by the machine's clock
}

var errSession = errors.New("the page is too old or was changed on the way")

func (a *Acquirer) seal(s session) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("acquirer: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b) + "." + base64.RawURLEncoding.EncodeToString(a.mac(b))
}

func (a *Acquirer) unseal(text string) (session, error) {
	var s session
	body, mac, _ := strings.Cut(text, ".")
	b, err1 := base64.RawURLEncoding.DecodeString(body)
	m, err2 := base64.RawURLEncoding.DecodeString(mac)
	if err1 != nil || err2 != nil || !hmac.Equal(m, a.mac(b)) {
		return s, errSession
	}
	if err := json.Unmarshal(b, &s); err != nil || a.World.Now().After(s.Expires) {
		return s, errSession
	}
	return s, nil
}

func (a *Acquirer) mac(b []byte) []byte {
	h := hmac.New(sha256.New, []byte(a.Secrets.PageKey))
	h.Write(b)
	return h.Sum(nil)
}

// cardLife is how long a buyer may take over the pages.
const cardLife = 30 * time.Minute

var amountText = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$`)

func readAmount(s string) (int64, error) {
	if !amountText.MatchString(s) {
		return 0, fmt.Errorf("amount %q: digits, a dot and two places are needed", s)
	}
	m, err := money.Parse(s, money.MAD)
	if err != nil {
		return 0, err
	}
	if m.Sign() <= 0 {
		return 0, errors.New("amount: nothing to pay")
	}
	return m.Centimes(), nil
}

// A card is what was typed into the card page, checked for shape.
type card struct {
	pan, masked, brand, code string
	closed                   bool
}

// Cards that the demonstration declines, by number, with the code of ISO 8583.
var declines = map[string]string{"4000000000000002": "51", "4000000000000069": "54"}

// ClosedCard pays and is closed right after: it takes nothing back.
const ClosedCard = "4000000000000036"

var (
	errPan    = errors.New("pan")
	errExpiry = errors.New("expiry")
	errCVV    = errors.New("cvv")

	expiryText = regexp.MustCompile(`^(0[1-9]|1[0-2])[/ -]?(20)?([0-9]{2})$`)
	cvvText    = regexp.MustCompile(`^[0-9]{3,4}$`)
)

func readCard(pan, expiry, cvv string, now time.Time) (card, error) {
	pan = strings.NewReplacer(" ", "", "-", "").Replace(pan)
	if !luhn(pan) {
		return card{}, errPan
	}
	m := expiryText.FindStringSubmatch(strings.Join(strings.Fields(expiry), ""))
	if m == nil {
		return card{}, errExpiry
	}
	ends, err := time.Parse("0106", m[1]+m[3])
	if err != nil || !now.Before(ends.AddDate(0, 1, 0)) {
		return card{}, errExpiry
	}
	if !cvvText.MatchString(strings.TrimSpace(cvv)) {
		return card{}, errCVV
	}
	c := card{pan: pan, masked: pan[:6] + "***" + pan[len(pan)-4:], brand: brand(pan), code: "00"}
	c.closed = pan == ClosedCard
	if d, ok := declines[pan]; ok {
		c.code = d
	}
	return c, nil
}

// luhn says whether 12 to 19 digits carry their check digit.
func luhn(pan string) bool {
	if len(pan) < 12 || len(pan) > 19 {
		return false
	}
	sum := 0
	for i := range len(pan) {
		d := int(pan[len(pan)-1-i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func brand(pan string) string {
	switch pan[0] {
	case '4':
		return "VISA"
	case '2', '5':
		return "MASTERCARD"
	}
	return "OTHER"
}
