package orders

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/fault"
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
var atOnce = consent("immediate_performance", map[string]string{
	"fr": "Je demande que les fichiers et les codes soient à ma disposition dès le paiement, avant la fin du délai de rétractation de sept jours (loi 31-08). Je reconnais perdre ce droit, pour chacun d’eux, dès que je l’ouvre.",
	"ar": "أطلب أن توضع الملفات والرموز رهن إشارتي فور الأداء، قبل انتهاء أجل التراجع المحدد في سبعة أيام (القانون 31.08). وأقر بأنني أفقد هذا الحق، بالنسبة لكل واحد منها، بمجرد فتحه.",
	"en": "I ask to have the files and codes as soon as they are paid, before the seven days in which I may withdraw are over (law 31-08). I accept that I lose that right, for each of them, once I open it.",
})

func consent(kind string, texts map[string]string) Consent {
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
