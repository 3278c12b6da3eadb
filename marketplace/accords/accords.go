// Package accords is the ledger of what people and organisations agreed to, refused
// or took back: to be written to, to show a dossier, to be told something, to have
// files before their time to withdraw is over. Rows are only ever added, and sealed. A
// room writes its row in the unit of work that changes what it allows; the database
// refuses one without the other.
package accords

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/seal"
)

// ErrNotFound says that the caller has nothing like this here.
var ErrNotFound = fault.New(fault.NotFound, "accords.not_found", "There is nothing like this of yours.")

// Chain seals the ledger.
var Chain = seal.Chain{Row: "accord", View: "accords.sealable", Blocks: "accords.block"}

// A Subject is what can be agreed to.
type Subject string

// The subjects.
const (
	Marketing Subject = "marketing"             // to be written to about goods; its data go to the CRM for that
	AtOnce    Subject = "immediate_performance" // files and codes before the time to withdraw is over; about: the order group
	Notices   Subject = "notices"               // to be told; about: a channel, or a kind of notice
	Dossier   Subject = "dossier"               // to show a dossier; about: the consent
	Insurance Subject = "insurance"             // to take an insurance; about: the policy
)

// Subjects are all of them.
var Subjects = []Subject{Marketing, AtOnce, Notices, Dossier, Insurance}

// A Word is what somebody said.
type Word string

// The words.
const (
	Given     Word = "given"
	Refused   Word = "refused"
	Withdrawn Word = "withdrawn" // of what was given before
)

// A Channel is where it was said.
type Channel string

// The channels.
const (
	Page    Channel = "page"
	API     Channel = "api"
	Agent   Channel = "agent"   // on behalf of a member, who agreed with a code
	Paper   Channel = "paper"   // of which a scan is kept
	Partner Channel = "partner" // at a system outside; it only takes back
	ByHub   Channel = "hub"     // of an erasure or an objection; it only takes back
)

// ChannelOf is where the caller says something.
func ChannelOf(ctx context.Context) Channel {
	who := auth.From(ctx)
	switch {
	case who.For != "" || who.Proof.Agent:
		return Agent
	case who.Role == auth.System:
		return ByHub
	case auth.OnPage(ctx):
		return Page
	}
	return API
}

// A Text is one that is agreed to, in a language. Version is 0 for words that were made
// for one agreement: their room keeps them, and Lang is "" when the hash is of all languages.
type Text struct {
	Subject Subject
	Version int
	Lang    string
	Says    string
	Hash    []byte // SHA-256 of Says, in UTF-8
}

// Hex is the hash as people compare it.
func (t Text) Hex() string { return hex.EncodeToString(t.Hash) }

// Made is a text that was made for one agreement, by its hash.
func Made(lang string, hash []byte) *Text { return &Text{Lang: lang, Hash: hash} }

// An Accord is what somebody said once. About tells one of a subject from another, and
// is "" where there is one. Text is what was read, and needed to agree; nil: none was
// shown. Until is when it ends by itself; nil: never.
type Accord struct {
	Who     string // per_… or org_…
	Subject Subject
	About   string
	Word    Word
	Text    *Text
	Until   *time.Time
	Channel Channel
}

//go:embed texts.json
var textsJSON []byte

// A version is a text in its languages. What was published once stays as it is: who
// agreed to it agreed to that.
type version struct {
	Version int               `json:"version"`
	Since   string            `json:"since"`
	Says    map[string]string `json:"says"`
}

// texts are the versions of each subject, the newest last.
var texts = func() map[Subject][]version {
	var all map[Subject][]version
	d := json.NewDecoder(strings.NewReader(string(textsJSON)))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		panic("accords: texts.json: " + err.Error())
	}
	return all
}()

// Langs are the languages of texts.
var Langs = []string{"fr", "ar", "en"}

func (v version) text(s Subject, lang string) Text {
	sum := sha256.Sum256([]byte(v.Says[lang]))
	return Text{s, v.Version, lang, v.Says[lang], sum[:]}
}

// Current is the text in force of a subject, in one of its languages; French for any
// other.
func Current(s Subject, lang string) Text {
	all := texts[s]
	last := all[len(all)-1]
	if last.Says[lang] == "" {
		lang = "fr"
	}
	return last.text(s, lang)
}

// Shown is the text in force that has a hash, whichever language it is in.
func Shown(s Subject, hash string) (Text, bool) {
	for _, lang := range Langs {
		if t := Current(s, lang); t.Hex() == hash {
			return t, true
		}
	}
	return Text{}, false
}

// TextAt is a version of a subject's text; false when there is none.
func TextAt(s Subject, at int, lang string) (Text, bool) {
	for _, v := range texts[s] {
		if v.Version == at && v.Says[lang] != "" {
			return v.text(s, lang), true
		}
	}
	return Text{}, false
}

// names are what a subject is, in people's words: «Vous avez accepté : …»
var names = map[Subject]map[string]string{
	Marketing: {"fr": "qu’on vous écrive au sujet de produits", "ar": "مراسلتكم بشأن المنتجات", "en": "to be written to about goods"},
	AtOnce:    {"fr": "avoir vos fichiers et codes dès le paiement", "ar": "الحصول على ملفاتكم ورموزكم فور الأداء", "en": "to have your files and codes as soon as they are paid"},
	Notices:   {"fr": "qu’on vous prévienne", "ar": "إشعاركم", "en": "to be told"},
	Dossier:   {"fr": "qu’on voie votre dossier", "ar": "الاطلاع على ملفكم", "en": "that your dossier is seen"},
	Insurance: {"fr": "prendre une assurance", "ar": "أخذ تأمين", "en": "to take an insurance"},
}

// abouts are what there is several of, in people's words.
var abouts = map[string]map[string]string{
	"sms":      {"fr": "par SMS", "ar": "برسالة قصيرة", "en": "by SMS"},
	"whatsapp": {"fr": "par WhatsApp", "ar": "عبر واتساب", "en": "by WhatsApp"},
	"email":    {"fr": "par courriel", "ar": "بالبريد الإلكتروني", "en": "by e-mail"},
}

var verbs = map[Word]map[string]string{
	Given:     {"fr": "Vous avez accepté : ", "ar": "قبلتم: ", "en": "You agreed: "},
	Refused:   {"fr": "Vous avez refusé : ", "ar": "رفضتم: ", "en": "You refused: "},
	Withdrawn: {"fr": "Vous avez retiré votre accord : ", "ar": "سحبتم موافقتكم: ", "en": "You took back your agreement: "},
}

// said is a row in plain words, by language.
func (r row) said() map[string]string {
	all := make(map[string]string, len(Langs))
	for _, lang := range Langs {
		all[lang] = verbs[r.Word][lang] + names[r.Subject][lang]
		if x := abouts[r.About][lang]; x != "" {
			all[lang] += " " + x
		} else if r.Subject == Notices {
			all[lang] += " (" + r.About + ")"
		}
		all[lang] += "."
	}
	return all
}
