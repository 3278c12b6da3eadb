package telemetry

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// hidden are the parts of attribute names whose values never reach a log.
var hidden = []string{"secret", "password", "authorization", "api_key", "apikey", "token", "cookie", "credential", "private_key", "pan", "cvv", "otp"}

var (
	// An API key keeps its id and loses its secret.
	apiKey = regexp.MustCompile(`(key_[0-9a-z]{26})\.[A-Za-z0-9_-]{43}`)
	bearer = regexp.MustCompile(`(?i)(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)
	// An address of a database or partner keeps its user and loses its password.
	inURL = regexp.MustCompile(`(://[^/\s:@]+):[^/\s@]+@`)
	// A RIB has 24 digits, an IBAN of Morocco MA and 26; both may be grouped.
	rib = regexp.MustCompile(`\b(?:MA[0-9]{2}[ -]?)?[0-9](?:[ -]?[0-9]){22,23}\b`)
	// A card number has 13 to 19 digits.
	pan = regexp.MustCompile(`\b[0-9]{4}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}\b`)
)

// Redact masks what must not be kept in a text: the secrets of API keys,
// credentials in headers and addresses, and all but the last four digits of
// account and card numbers.
func Redact(s string) string {
	if len(s) < 12 {
		return s
	}
	if strings.Contains(s, "key_") {
		s = apiKey.ReplaceAllString(s, "$1.***")
	}
	s = bearer.ReplaceAllString(s, "$1 ***")
	if strings.Contains(s, "://") {
		s = inURL.ReplaceAllString(s, "$1:***@")
	}
	s = rib.ReplaceAllStringFunc(s, lastFour)
	return pan.ReplaceAllStringFunc(s, lastFour)
}

func lastFour(s string) string {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(s)
	return "***" + digits[len(digits)-4:]
}

// mask is slog's ReplaceAttr: it hides whole values by name and redacts the
// rest.
func mask(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return a
	}
	if secret(a.Key) {
		return slog.String(a.Key, "***")
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(v.String()))
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			a.Value = slog.StringValue(Redact(x.Error()))
		default:
			a.Value = slog.StringValue(Redact(fmt.Sprintf("%+v", x)))
		}
	}
	return a
}

// secret says whether a name's value is hidden. Short words count only when
// they are the whole name or a part between underscores.
func secret(name string) bool {
	name = strings.ToLower(name)
	for _, h := range hidden {
		if len(h) > 3 && strings.Contains(name, h) {
			return true
		}
		if len(h) <= 3 && strings.Contains("_"+name+"_", "_"+h+"_") {
			return true
		}
	}
	return false
}
