package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrConsent says that a buyer has not agreed to what must be agreed to.
var ErrConsent = fault.New(fault.Invalid, "orders.consent_needed", "Agree to what the quote asks, by its hash in consents, or take these goods out of the basket.")

// A Consent is a text that a buyer agrees to. Its hash stands for the text in all
// languages.
type Consent struct {
	Kind  string            `json:"kind" required:"true"`
	Hash  string            `json:"hash" required:"true"`
	Texts map[string]string `json:"texts" required:"true"`
}

// atOnce is what buyers of files and codes agree to: law 31-08, article 38, knows
// no withdrawal from a service that began with the consumer's agreement before the
// seven days were over, nor from recordings and programs that were unsealed.
var atOnce = consent(accords.AtOnce)

func consent(of accords.Subject) Consent {
	kind, texts := string(of), map[string]string{}
	for _, lang := range accords.Langs {
		texts[lang] = accords.Current(of, lang).Says
	}
	b := fmt.Appendf(nil, "consent 1\n%q\n", kind)
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		b = fmt.Appendf(b, "%q %q\n", lang, texts[lang])
	}
	sum := sha256.Sum256(b)
	return Consent{kind, hex.EncodeToString(sum[:]), texts}
}

// consents are what the buyer of a quote must agree to.
func (q Quote) consents() []Consent {
	if slices.ContainsFunc(q.Lines, func(l QuoteLine) bool { return l.Kind == catalog.Digital }) {
		return []Consent{atOnce}
	}
	return []Consent{}
}

// consented refuses a checkout that does not agree to all of it.
func (q Quote) consented(given []string) error {
	for i, c := range q.Consents {
		if !slices.Contains(given, c.Hash) {
			return ErrConsent.At(fmt.Sprintf("/consents/%d", i), c.Texts["fr"])
		}
	}
	return nil
}

// agree writes down what the buyer of a group agreed to, as it was shown.
func agree(ctx context.Context, tx *pg.Tx, g group, all []Consent, lang string) {
	insertConsents(tx, g, all, lang)
	for _, c := range all {
		t := accords.Current(accords.Subject(c.Kind), lang)
		accords.Record(tx, accords.Accord{Who: g.Buyer, Subject: t.Subject, About: g.ID, Word: accords.Given, Text: &t, Channel: accords.ChannelOf(ctx)})
	}
}
