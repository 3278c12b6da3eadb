package notices

import (
	"context"
	"time"

	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// What members and institutions are told of cases.
const (
	CaseAsked     Kind = "procedures.asked"
	CaseGranted   Kind = "procedures.granted"
	CaseRefused   Kind = "procedures.refused"
	CaseWaits     Kind = "procedures.waits"
	CaseNew       Kind = "procedures.new"
	CaseAnswered  Kind = "procedures.answered"
	CaseLate      Kind = "procedures.late"
	CaseRevoked   Kind = "procedures.revoked"
	CaseSilent    Kind = "procedures.silent"
	CaseSecond    Kind = "procedures.second"
	CaseStranded  Kind = "procedures.stranded"
	CaseEntrusted Kind = "procedures.entrusted"
)

// procedureKinds are their texts.
var procedureKinds = map[Kind]spec{
	CaseAsked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Une question sur votre démarche", "ar": "سؤال حول طلبكم الإداري", "en": "A question about your case"},
		text: texts{
			"fr": "Tiwiza : on vous demande quelque chose pour «{title}» : {link}",
			"ar": "تيويزا: يطلب منكم شيء بخصوص «{title}»: {link}",
			"en": "Tiwiza: you are asked for something about «{title}»: {link}",
		},
	},
	CaseGranted: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Votre démarche est acceptée", "ar": "تمت الموافقة على طلبكم", "en": "Your case is granted"},
		text: texts{
			"fr": "Tiwiza : «{title}» est accepté. Votre document est là : {link}",
			"ar": "تيويزا: تمت الموافقة على «{title}». وثيقتكم هنا: {link}",
			"en": "Tiwiza: «{title}» is granted. Your document is here: {link}",
		},
	},
	CaseRefused: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Votre démarche est refusée", "ar": "تم رفض طلبكم", "en": "Your case is refused"},
		text: texts{
			"fr": "Tiwiza : «{title}» est refusé. Lisez pourquoi, et comment contester : {link}",
			"ar": "تيويزا: رفض «{title}». اقرؤوا السبب وكيفية الاعتراض: {link}",
			"en": "Tiwiza: «{title}» is refused. Read why, and how to object: {link}",
		},
	},
	CaseWaits: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Votre démarche vous attend", "ar": "طلبكم في انتظاركم", "en": "Your case waits for you"},
		text: texts{
			"fr": "Tiwiza : «{title}» attend quelque chose de vous : {link}",
			"ar": "تيويزا: «{title}» في انتظار شيء منكم: {link}",
			"en": "Tiwiza: «{title}» waits for something from you: {link}",
		},
	},
	CaseRevoked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un document est retiré", "ar": "تم سحب وثيقة", "en": "A document is revoked"},
		text: texts{
			"fr": "Tiwiza : le document de «{title}» n'est plus valable. Lisez pourquoi : {link}",
			"ar": "تيويزا: وثيقة «{title}» لم تعد صالحة. اقرؤوا السبب: {link}",
			"en": "Tiwiza: the document of «{title}» is no longer valid. Read why: {link}",
		},
	},
	CaseNew: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un dossier à traiter", "ar": "ملف للمعالجة", "en": "A case to work on"},
		text: texts{
			"fr": "Tiwiza : un dossier «{title}» est arrivé chez vous : {link}",
			"ar": "تيويزا: وصل إليكم ملف «{title}»: {link}",
			"en": "Tiwiza: a case «{title}» has come to you: {link}",
		},
	},
	CaseAnswered: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un membre a répondu", "ar": "أجاب عضو", "en": "A member has answered"},
		text: texts{
			"fr": "Tiwiza : le membre a répondu pour «{title}» : {link}",
			"ar": "تيويزا: أجاب العضو بخصوص «{title}»: {link}",
			"en": "Tiwiza: the member has answered about «{title}»: {link}",
		},
	},
	CaseStranded: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Votre démarche est en pause", "ar": "طلبكم متوقف مؤقتا", "en": "Your case stands still"},
		text: texts{
			"fr": "Tiwiza : «{title}» change d'organisme. Votre dossier est gardé : {link}",
			"ar": "تيويزا: هيئة «{title}» لم تعد تعمل هنا. ملفكم محفوظ: {link}",
			"en": "Tiwiza: «{title}» goes to another institution. Your case is kept: {link}",
		},
	},
	CaseEntrusted: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un autre organisme a votre démarche", "ar": "هيئة أخرى تتولى طلبكم", "en": "Another institution has your case"},
		text: texts{
			"fr": "Tiwiza : un autre organisme s'occupe de «{title}» : {link}",
			"ar": "تيويزا: هيئة أخرى تتولى «{title}»: {link}",
			"en": "Tiwiza: another institution takes care of «{title}»: {link}",
		},
	},
	CaseSilent: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un membre n'a pas répondu", "ar": "عضو لم يجب", "en": "A member has not answered"},
		text: texts{
			"fr": "Tiwiza : pas de réponse dans le délai pour «{title}». Le dossier est de nouveau chez vous : {link}",
			"ar": "تيويزا: لا جواب داخل الأجل بخصوص «{title}». عاد الملف إليكم: {link}",
			"en": "Tiwiza: no answer in time about «{title}». The case is with you again: {link}",
		},
	},
	CaseSecond: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Une décision attend une deuxième personne", "ar": "قرار في انتظار شخص ثان", "en": "A decision waits for a second person"},
		text: texts{
			"fr": "Tiwiza : la décision sur «{title}» attend une deuxième personne : {link}",
			"ar": "تيويزا: القرار بشأن «{title}» في انتظار شخص ثان: {link}",
			"en": "Tiwiza: the decision on «{title}» waits for a second person: {link}",
		},
	},
	CaseLate: {
		WhatsApp: true, Valid: soon, params: p("title", "date", "link"),
		subject: texts{"fr": "Un délai approche ou est passé", "ar": "أجل يقترب أو انقضى", "en": "A term draws near or is over"},
		text: texts{
			"fr": "Tiwiza : le dossier «{title}» est à traiter pour le {date} : {link}",
			"ar": "تيويزا: ينبغي معالجة ملف «{title}» قبل {date}: {link}",
			"en": "Tiwiza: the case «{title}» is due on {date}: {link}",
		},
	},
}

// casesTold are the moves that the other side is told of, and how.
var casesTold = map[procedures.Move]Kind{
	procedures.Ask: CaseAsked, procedures.Grant: CaseGranted, procedures.Refuse: CaseRefused,
	procedures.Submit: CaseNew, procedures.Pay: CaseNew, procedures.Appeal: CaseNew, procedures.HandOver: CaseNew, procedures.Return: CaseNew, procedures.Answer: CaseAnswered,
	procedures.Resume: CaseSilent, procedures.Propose: CaseSecond, procedures.Entrust: CaseNew,
}

// toApplicants are the moves that the applicant is told of whosever turn it is.
var toApplicants = map[procedures.Move]Kind{procedures.Strand: CaseStranded, procedures.Entrust: CaseEntrusted}

// subscribeProcedures has notices hear of cases: members of what institutions did,
// and institutions of what comes to them.
func subscribeProcedures(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "notices", func(ctx context.Context, tx *pg.Tx, e procedures.CaseMoved) error {
		if k, ok := toApplicants[e.Move]; ok {
			if err := s.tellTitled(ctx, tx, e.Applicant, k, e.Names, map[string]string{"link": s.caseLink(e.Case)}, ""); err != nil {
				return err
			}
		}
		k, ok := casesTold[e.Move]
		if e.Move == procedures.Entrust && e.Desk == "" { // its applicant's turn, who was told
			return nil
		}
		if !ok {
			return nil
		}
		to, link := e.Desk, s.institutionLink(e.Case)
		if to == "" {
			to, link = e.Applicant, s.caseLink(e.Case)
		}
		return s.tellTitled(ctx, tx, to, k, e.Names, map[string]string{"link": link}, "")
	})
	event.Subscribe(bus, "notices", func(ctx context.Context, tx *pg.Tx, e procedures.CaseDue) error {
		params := map[string]string{"link": s.caseLink(e.Case)}
		if e.Desk == "" {
			return s.tellTitled(ctx, tx, e.Applicant, CaseWaits, e.Names, params, "")
		}
		params["date"], params["link"] = lastDayBefore(e.Due), s.institutionLink(e.Case)
		return s.tellTitled(ctx, tx, e.Desk, CaseLate, e.Names, params, "")
	})
	event.Subscribe(bus, "notices", func(ctx context.Context, tx *pg.Tx, e procedures.DocumentRevoked) error {
		return s.tellTitled(ctx, tx, e.Holder, CaseRevoked, e.Names, map[string]string{"link": s.caseLink(e.Case)}, e.Document)
	})
}

// caseLink is where a member sees its case, and institutionLink where an
// institution does.
func (s *Service) caseLink(c string) string        { return s.URL + "/v/demarches/" + c }
func (s *Service) institutionLink(c string) string { return s.URL + "/i/" + c }

// lastDayBefore is the last day of a term that ends at a midnight in Morocco.
func lastDayBefore(end time.Time) string {
	return end.Add(-time.Second).In(clock.Morocco).Format("02/01/2006")
}
