package sharing

import (
	"fmt"
	"strings"
	"time"

	"tiwiza/pkg/clock"
)

// purposes and parts are what consents are for and about, in people's words.
var purposes = map[string]texts{
	"credit":    {"fr": "étudier un crédit", "ar": "دراسة قرض", "en": "look into a credit"},
	"account":   {"fr": "ouvrir un compte", "ar": "فتح حساب", "en": "open an account"},
	"insurance": {"fr": "étudier une assurance", "ar": "دراسة تأمين", "en": "look into an insurance"},
	"support":   {"fr": "vous accompagner", "ar": "مواكبتكم", "en": "support you"},
	"label":     {"fr": "étudier un label", "ar": "دراسة علامة جودة", "en": "look into a label"},
	"programme": {"fr": "suivre un programme", "ar": "تتبع برنامج", "en": "follow a programme"},
	"audit":     {"fr": "contrôler vos comptes", "ar": "مراقبة حساباتكم", "en": "audit your accounts"},
}

var parts = map[string]texts{
	"identity":   {"fr": "identité", "ar": "الهوية", "en": "identity"},
	"financial":  {"fr": "finances", "ar": "المالية", "en": "finances"},
	"production": {"fr": "production", "ar": "الإنتاج", "en": "production"},
	"social":     {"fr": "social", "ar": "الجانب الاجتماعي", "en": "social"},
	"project":    {"fr": "projet", "ar": "المشروع", "en": "project"},
}

type texts = map[string]string

// languages are those in which the hub itself writes.
var languages = []string{"fr", "ar", "en"}

// name is an organisation's in a language, or as it has one.
func name(names texts, lang string) string {
	for _, l := range []string{lang, "fr", "ar", "en"} {
		if names[l] != "" {
			return names[l]
		}
	}
	return "?"
}

// terms is what the owner of a dossier agrees to, in each language.
func terms(c Consent, who texts) texts {
	out := texts{}
	for _, lang := range languages {
		var all []string
		for _, s := range Sections {
			for _, of := range c.Sections {
				if s == of {
					all = append(all, parts[s][lang])
				}
			}
		}
		form := map[bool]texts{
			false: {
				"fr": "%s pourra voir votre dossier (%s) pendant %d jours, pour %s. Rien de sensible. Chaque lecture vous est montrée. Vous pouvez retirer votre accord à tout moment.",
				"ar": "يمكن لـ %s الاطلاع على ملفكم (%s) لمدة %d يوما، من أجل %s. لا شيء حساس. كل اطلاع يظهر لكم. يمكنكم سحب موافقتكم في أي وقت.",
				"en": "%s may see your dossier (%s) for %d days, to %s. Nothing sensitive. Each reading is shown to you. You may withdraw your consent at any time.",
			},
			true: {
				"fr": "%s pourra voir votre dossier (%s), y compris ce qui est sensible, pendant %d jours, pour %s. Chaque lecture vous est montrée. Vous pouvez retirer votre accord à tout moment.",
				"ar": "يمكن لـ %s الاطلاع على ملفكم (%s)، بما فيه ما هو حساس، لمدة %d يوما، من أجل %s. كل اطلاع يظهر لكم. يمكنكم سحب موافقتكم في أي وقت.",
				"en": "%s may see your dossier (%s), what is sensitive included, for %d days, to %s. Each reading is shown to you. You may withdraw your consent at any time.",
			},
		}[c.Sensitive][lang]
		out[lang] = fmt.Sprintf(form, name(who, lang), strings.Join(all, map[string]string{"ar": "، "}[lang]+map[bool]string{true: ", "}[lang != "ar"]), c.Days, purposes[c.Purpose][lang])
	}
	return out
}

// said are who looked, at what and when, as the owner reads it.
var said = map[string]texts{
	"list":     {"fr": "%s a ouvert votre dossier le %s.", "ar": "فتحت %s ملفكم يوم %s.", "en": "%s opened your dossier on %s."},
	"view":     {"fr": "%s a vu votre «%s» le %s.", "ar": "اطلعت %s على «%s» يوم %s.", "en": "%s saw your «%s» on %s."},
	"download": {"fr": "%s a téléchargé votre «%s» le %s.", "ar": "حمّلت %s «%s» يوم %s.", "en": "%s downloaded your «%s» on %s."},
}

// market is how those who broke the glass are called.
var market = texts{"fr": "L'équipe de Tiwiza", "ar": "فريق تيويزا", "en": "The Tiwiza team"}

// Said is a consultation in plain words, by language.
func (c Consultation) Said(who texts) texts {
	if c.Glass != nil {
		who = market
	}
	out := texts{}
	for _, lang := range languages {
		args := []any{name(who, lang)}
		if c.Action != "list" {
			args = append(args, c.Title)
		}
		out[lang] = fmt.Sprintf(said[c.Action][lang], append(args, date(c.At))...)
	}
	return out
}

// date is a day as people in Morocco write it.
func date(t time.Time) string { return t.In(clock.Morocco).Format("02/01/2006") }
