package notices

import (
	"context"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// What members are told of their insurance.
const (
	PolicyBound   Kind = "policy.bound"
	PolicyRefused Kind = "policy.refused"
	PolicyEnded   Kind = "policy.ended"
	PolicyEnding  Kind = "policy.ending"
	PremiumDue    Kind = "premium.due"
	PremiumShort  Kind = "premium.short"
	ClaimAsked    Kind = "claim.asked"
	ClaimAccepted Kind = "claim.accepted"
	ClaimRefused  Kind = "claim.refused"
	ClaimPaid     Kind = "claim.paid"
)

var policyKinds = map[Kind]spec{
	PolicyBound: {
		Required: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Votre assurance est active", "ar": "تأمينكم ساري المفعول", "en": "Your insurance is active"},
		text: texts{
			"fr": "Tiwiza : votre assurance est active, prime {amount}. Le contrat : {link}",
			"ar": "تيويزا: تأمينكم ساري، القسط {amount}. العقد: {link}",
			"en": "Tiwiza: your insurance is active, premium {amount}. The policy: {link}",
		},
	},
	PolicyRefused: {
		Required: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "L'assureur a refusé", "ar": "رفض المؤمِّن", "en": "The insurer has refused"},
		text: texts{
			"fr": "Tiwiza : l'assureur a refusé. Votre prime de {amount} est revenue sur votre solde : {link}",
			"ar": "تيويزا: رفض المؤمِّن. عاد القسط {amount} إلى رصيدكم: {link}",
			"en": "Tiwiza: the insurer has refused. Your premium of {amount} is back in your balance: {link}",
		},
	},
	PolicyEnded: {
		Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Votre assurance est finie", "ar": "انتهى تأمينكم", "en": "Your insurance has ended"},
		text: texts{
			"fr": "Tiwiza : votre assurance est finie, plus rien n'est couvert. Lisez pourquoi : {link}",
			"ar": "تيويزا: انتهى تأمينكم ولم يعد شيء مغطى. اقرؤوا السبب: {link}",
			"en": "Tiwiza: your insurance has ended, nothing is covered any more. Read why: {link}",
		},
	},
	PolicyEnding: {
		Valid: soon, params: p("date", "link"),
		subject: texts{"fr": "Votre assurance finit bientôt", "ar": "تأمينكم ينتهي قريبا", "en": "Your insurance ends soon"},
		text: texts{
			"fr": "Tiwiza : votre assurance finit le {date}. Pour la suite : {link}",
			"ar": "تيويزا: ينتهي تأمينكم يوم {date}. للتجديد: {link}",
			"en": "Tiwiza: your insurance ends on {date}. What next: {link}",
		},
	},
	PremiumDue: {
		Required: true, Valid: soon, params: p("amount", "date", "link"),
		subject: texts{"fr": "Une prime arrive", "ar": "قسط قريب", "en": "A premium is due soon"},
		text: texts{
			"fr": "Tiwiza : une prime de {amount} sera prise sur votre solde le {date} : {link}",
			"ar": "تيويزا: قسط {amount} يؤخذ من رصيدكم يوم {date}: {link}",
			"en": "Tiwiza: a premium of {amount} will be taken out of your balance on {date}: {link}",
		},
	},
	PremiumShort: {
		Required: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Votre solde ne couvre pas la prime", "ar": "رصيدكم لا يكفي للقسط", "en": "Your balance is short of the premium"},
		text: texts{
			"fr": "Tiwiza : votre solde ne suffit pas pour la prime de {amount}. Sans elle, l'assurance finit : {link}",
			"ar": "تيويزا: رصيدكم لا يكفي للقسط {amount}. بدونه ينتهي التأمين: {link}",
			"en": "Tiwiza: your balance is short of the premium of {amount}. Without it the insurance ends: {link}",
		},
	},
	ClaimAsked: {
		Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "L'assureur demande un papier", "ar": "المؤمِّن يطلب وثيقة", "en": "The insurer asks for a paper"},
		text: texts{
			"fr": "Tiwiza : l'assureur demande un papier pour votre sinistre : {link}",
			"ar": "تيويزا: المؤمِّن يطلب وثيقة لملف الضرر: {link}",
			"en": "Tiwiza: the insurer asks for a paper for your claim: {link}",
		},
	},
	ClaimAccepted: {
		Required: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Votre sinistre est accepté", "ar": "قُبل ملف الضرر", "en": "Your claim is accepted"},
		text: texts{
			"fr": "Tiwiza : l'assureur accepte de payer {amount}. Nous vous disons quand c'est sur votre solde : {link}",
			"ar": "تيويزا: المؤمِّن يقبل أداء {amount}. نخبركم عند وصولها: {link}",
			"en": "Tiwiza: the insurer will pay {amount}. We tell you when it is in your balance: {link}",
		},
	},
	ClaimRefused: {
		Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Votre sinistre est refusé", "ar": "رُفض ملف الضرر", "en": "Your claim is refused"},
		text: texts{
			"fr": "Tiwiza : l'assureur refuse votre sinistre. Lisez pourquoi : {link}",
			"ar": "تيويزا: المؤمِّن يرفض ملف الضرر. اقرؤوا السبب: {link}",
			"en": "Tiwiza: the insurer refuses your claim. Read why: {link}",
		},
	},
	ClaimPaid: {
		Required: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Votre indemnité est là", "ar": "وصل تعويضكم", "en": "Your indemnity has come"},
		text: texts{
			"fr": "Tiwiza : {amount} de l'assureur sont sur votre solde : {link}",
			"ar": "تيويزا: {amount} من المؤمِّن في رصيدكم: {link}",
			"en": "Tiwiza: {amount} of the insurer's are in your balance: {link}",
		},
	},
}

// subscribePolicies has notices hear of members' insurance.
func subscribePolicies(bus *event.Bus, s *Service) {
	const who = "notices"
	tell := func(ctx context.Context, tx *pg.Tx, member string, k Kind, params map[string]string, key string) error {
		return s.tellMember(ctx, tx, member, k, merged(map[string]string{"link": s.URL + "/v/services"}, params), key)
	}
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e policies.PolicyMoved) error {
		switch e.State {
		case insurance.PolicyActive:
			if e.Why != "" { // it goes on: the insurer did not cancel it
				return nil
			}
			return tell(ctx, tx, e.Member, PolicyBound, map[string]string{"amount": e.Premium.Amount()}, e.Policy)
		case insurance.PolicyRefused:
			return tell(ctx, tx, e.Member, PolicyRefused, map[string]string{"amount": e.Premium.Amount()}, e.Policy)
		case insurance.PolicyLapsed, insurance.PolicyCancelled, insurance.PolicyExpired:
			return tell(ctx, tx, e.Member, PolicyEnded, nil, e.Policy)
		}
		return nil
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e policies.PolicyTold) error {
		day, amount := e.At.In(clock.Morocco).Format("02/01/2006"), e.Premium.Amount()
		switch e.What {
		case "premium_due":
			return tell(ctx, tx, e.Member, PremiumDue, map[string]string{"amount": amount, "date": day}, e.Policy+":"+day)
		case "premium_short": // once a period, not each day that it is tried
			return tell(ctx, tx, e.Member, PremiumShort, map[string]string{"amount": amount}, e.Policy+":"+day)
		case "ending":
			return tell(ctx, tx, e.Member, PolicyEnding, map[string]string{"date": day}, e.Policy+":"+day)
		}
		return nil
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e policies.ClaimMoved) error {
		sum := map[string]string{}
		if e.Accepted != nil {
			sum["amount"] = e.Accepted.Amount()
		}
		switch {
		case e.State == insurance.ClaimReview && len(e.Asks) > 0:
			return tell(ctx, tx, e.Member, ClaimAsked, nil, "")
		case e.State == insurance.ClaimAccepted:
			return tell(ctx, tx, e.Member, ClaimAccepted, sum, e.Claim)
		case e.State == insurance.ClaimRejected:
			return tell(ctx, tx, e.Member, ClaimRefused, nil, e.Claim)
		case e.State == insurance.ClaimPaid:
			return tell(ctx, tx, e.Member, ClaimPaid, sum, e.Claim)
		}
		return nil
	})
}
