package notices

import (
	"context"

	"tiwiza/marketplace/finance"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// What members and banks are told of applications for accounts and loans.
const (
	FinanceAsked   Kind = "finance.papers_asked"
	FinanceOffered Kind = "finance.offered"
	FinanceRefused Kind = "finance.refused"
	FinanceDone    Kind = "finance.done"
	FinanceExpired Kind = "finance.expired"
	FinanceNew     Kind = "finance.new"
	FinanceAnswer  Kind = "finance.answered"
)

// financeKinds are their texts.
var financeKinds = map[Kind]spec{
	FinanceAsked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "La banque vous demande quelque chose", "ar": "البنك يطلب منكم شيئا", "en": "The bank asks you for something"},
		text: texts{
			"fr": "Tiwiza : {who} a besoin d'un papier ou d'une réponse pour votre demande : {link}",
			"ar": "تيويزا: {who} تحتاج وثيقة أو جوابا لطلبكم: {link}",
			"en": "Tiwiza: {who} needs a paper or an answer for your application: {link}",
		},
	},
	FinanceOffered: {
		Required: true, WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "Une offre pour vous", "ar": "عرض لكم", "en": "An offer for you"},
		text: texts{
			"fr": "Tiwiza : {who} a répondu à votre demande par une offre. Lisez-la avant de choisir : {link}",
			"ar": "تيويزا: {who} أجابت على طلبكم بعرض. اقرؤوه قبل الاختيار: {link}",
			"en": "Tiwiza: {who} has answered your application with an offer. Read it before you choose: {link}",
		},
	},
	FinanceRefused: {
		Required: true, WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "La banque a répondu non", "ar": "البنك رفض الطلب", "en": "The bank has said no"},
		text: texts{
			"fr": "Tiwiza : {who} n'accepte pas votre demande. Lisez pourquoi : {link}",
			"ar": "تيويزا: {who} لم تقبل طلبكم. اقرؤوا السبب: {link}",
			"en": "Tiwiza: {who} does not accept your application. Read why: {link}",
		},
	},
	FinanceDone: {
		Required: true, WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "C'est fait à la banque", "ar": "تم الأمر في البنك", "en": "It is done at the bank"},
		text: texts{
			"fr": "Tiwiza : {who} a fait ce que vous aviez accepté. Voyez votre demande : {link}",
			"ar": "تيويزا: {who} أنجزت ما وافقتم عليه. انظروا طلبكم: {link}",
			"en": "Tiwiza: {who} has done what you accepted. See your application: {link}",
		},
	},
	FinanceExpired: {
		WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "Une demande est finie", "ar": "انتهى طلب", "en": "An application has ended"},
		text: texts{
			"fr": "Tiwiza : votre demande à {who} est finie, son délai est passé : {link}",
			"ar": "تيويزا: انتهى أجل طلبكم لدى {who}: {link}",
			"en": "Tiwiza: your application at {who} has ended, its time is over: {link}",
		},
	},
	FinanceNew: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Une demande à étudier", "ar": "طلب جديد للدراسة", "en": "An application to look at"},
		text: texts{
			"fr": "Tiwiza : un membre vous a adressé une demande : {link}",
			"ar": "تيويزا: وجه إليكم عضو طلبا: {link}",
			"en": "Tiwiza: a member has put an application to you: {link}",
		},
	},
	FinanceAnswer: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Un membre a répondu", "ar": "أجاب عضو", "en": "A member has answered"},
		text: texts{
			"fr": "Tiwiza : il y a du nouveau dans un dossier que vous étudiez : {link}",
			"ar": "تيويزا: جديد في ملف تدرسونه: {link}",
			"en": "Tiwiza: there is news in a file that you look at: {link}",
		},
	},
}

// financeTold are whom a move of an application is told to, and how.
var financeTold = map[finance.State]Kind{
	finance.PapersAsked: FinanceAsked, finance.Offered: FinanceOffered, finance.Refused: FinanceRefused, finance.Opened: FinanceDone, finance.Granted: FinanceDone, finance.Expired: FinanceExpired,
}

// subscribeFinance has notices hear of applications: members of what banks did, and
// banks of what members did.
func subscribeFinance(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "notices", func(ctx context.Context, tx *pg.Tx, e finance.ApplicationMoved) error {
		if e.By == "member" {
			k := FinanceAnswer
			if e.State == finance.Submitted {
				k = FinanceNew
			}
			return s.tellMember(ctx, tx, e.Bank, k, map[string]string{"link": s.URL + "/b/d/" + e.Application}, "")
		}
		k, ok := financeTold[e.State]
		if !ok {
			return nil
		}
		return s.tellMember(ctx, tx, e.Member, k, map[string]string{"who": short(e.BankName), "link": s.URL + "/v/services/" + e.Application}, "")
	})
}
