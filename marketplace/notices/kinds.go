package notices

import (
	"maps"
	"slices"
	"time"
)

// A Kind says what a notice is about.
type Kind string

// A Class says how a notice is brought.
type Class int

// The classes.
const (
	News   Class = iota // not at night, bounded, and together once a day for who wishes that
	Safety              // at once, whatever the hour
	Urgent              // a code that somebody waits for
)

// A Type is what a parameter is, and so how it is written in a language.
type Type int

// The types of parameters.
const (
	Text   Type = iota
	Amount      // "275.00"
	Link
	Secret  // never kept in clear, nor shown again
	Summary // written by the hub
)

// A param is one thing that a text of a kind says.
type param struct {
	name string
	Type
}

// A spec is all there is to say of a kind. Texts are by language; a place {name}
// stands for a parameter. Each text says each parameter.
type spec struct {
	Class
	Required bool          // the law or safety asks for it: it cannot be switched off
	WhatsApp bool          // there is a template of this name
	Valid    time.Duration // how long it is worth bringing
	params   []param
	subject  texts
	text     texts
	tail     string // an SMS's last line, which browsers read
	tally    texts  // what a day's notices of the kind are together; none: they come one by one
}

type texts map[string]string

func p(names ...string) (all []param) {
	for _, n := range names {
		t := Text
		switch n {
		case "amount":
			t = Amount
		case "link":
			t = Link
		case "code", "token":
			t = Secret
		case "summary":
			t = Summary
		}
		all = append(all, param{n, t})
	}
	return all
}

// The kinds. Sellers are told of orders and money, buyers of what they wait for.
const (
	SignInCode     Kind = "sign_in.code"
	NewDevice      Kind = "sign_in.new_device"
	Invitation     Kind = "members.invitation"
	AddressChanged Kind = "address.changed"
	AccountChanged Kind = "account.changed"
	PersonalCopy   Kind = "personal_data.copy"
	PersonalAnswer Kind = "personal_data.answer"
	ErasureAsked   Kind = "personal_data.erasure_asked"
	ErasureBarred  Kind = "personal_data.erasure_barred"
	Digest         Kind = "digest"

	PaperEnding   Kind = "paper.ending"
	PaperRefused  Kind = "paper.refused"
	SalesStopped  Kind = "sales.stopped"
	CharterAsked  Kind = "charter.asked"
	CharterLate   Kind = "charter.late"
	CharterAgain  Kind = "charter.again"
	ConsentAsked  Kind = "consent.asked"
	DossierSeen   Kind = "dossier.seen"
	DossierOpened Kind = "dossier.opened"
	CheckUpAgain  Kind = "diagnosis.again"

	LabelEnding    Kind = "label.ending"
	LabelShown     Kind = "label.shown"
	LabelRefused   Kind = "label.refused"
	LabelEnded     Kind = "label.ended"
	MentionShown   Kind = "mention.shown"
	MentionRefused Kind = "mention.refused"
	SoldOut        Kind = "article.sold_out"
	ReviewCame     Kind = "review.came"
	ReviewReplied  Kind = "review.replied"
	QuotationAsked Kind = "quotation.asked"
	QuotationCame  Kind = "quotation.came"
	QuotationTaken Kind = "quotation.taken"
	PoolWon        Kind = "pool.won"
	GroupAsked     Kind = "group.asked"
	GroupDecided   Kind = "group.decided"
	PointsEnding   Kind = "points.ending"

	ToPack          Kind = "order.to_pack"
	CancelledSeller Kind = "order.cancelled_seller"
	MoneyReleased   Kind = "money.released"
	MoneyPaidOut    Kind = "money.paid_out"
	PayoutFailed    Kind = "money.payout_failed"
	DisputeOpened   Kind = "dispute.opened"
	RuledSeller     Kind = "dispute.ruled_seller"
	ReturnAsked     Kind = "return.asked"
	ReturnSent      Kind = "return.sent"

	CashConfirm     Kind = "order.confirm"
	OrderPaid       Kind = "order.paid"
	OrderAccepted   Kind = "order.accepted"
	OrderShipped    Kind = "order.shipped"
	OrderDelivered  Kind = "order.delivered"
	OrderCancelled  Kind = "order.cancelled"
	OrderLate       Kind = "order.late"
	RefundMade      Kind = "refund.made"
	RefundLate      Kind = "refund.late"
	RefundDone      Kind = "refund.done"
	RefundAccount   Kind = "refund.account"
	DisputeAnswered Kind = "dispute.answered"
	DisputeRuled    Kind = "dispute.ruled"
	ReturnAnswered  Kind = "return.answered"
	ReturnReceived  Kind = "return.received"
	MessageNew      Kind = "message.new"
)

const (
	day  = 24 * time.Hour
	soon = 2 * day
)

// peopleKinds are what everybody is told.
var peopleKinds = map[Kind]spec{
	SignInCode: { // WhatsApp wants codes in templates of their own, with a button
		Class: Urgent, Required: true, Valid: 5 * time.Minute, params: p("code", "host"), tail: "\n\n@{host} #{code}",
		subject: texts{"fr": "Votre code", "ar": "رمز الدخول", "en": "Your code"},
		text: texts{
			"fr": "{code} est votre code Tiwiza. Ne le donnez à personne, même à nous.",
			"ar": "{code} رمز تيويزا. لا تعطه لأحد.",
			"en": "{code} is your Tiwiza code. Give it to nobody, not even us.",
		},
	},
	NewDevice: {
		Class: Safety, Required: true, WhatsApp: true, Valid: soon, params: p("device", "link"),
		subject: texts{"fr": "Nouvel appareil", "ar": "جهاز جديد", "en": "New device"},
		text: texts{
			"fr": "Tiwiza : connexion depuis un nouvel appareil ({device}). Pas vous ? Fermez-la ici : {link}",
			"ar": "تيويزا: دخول من جهاز جديد ({device}). لست أنت؟ أغلقه هنا: {link}",
			"en": "Tiwiza: sign-in from a new device ({device}). Not you? End it here: {link}",
		},
	},
	Invitation: { // its link opens the door: it is a secret
		Class: Safety, Required: true, WhatsApp: true, Valid: soon, params: p("organisation", "token"),
		subject: texts{"fr": "Vous êtes invité", "ar": "دعوة", "en": "You are invited"},
		text: texts{
			"fr": "Tiwiza : {organisation} vous invite à travailler avec elle : {token}",
			"ar": "تيويزا: تدعوكم {organisation} للعمل معها: {token}",
			"en": "Tiwiza: {organisation} invites you to work with them: {token}",
		},
	},
	AddressChanged: {
		Class: Safety, Required: true, WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Vos messages vont ailleurs", "ar": "تغيير عنوان الرسائل", "en": "Your messages go elsewhere"},
		text: texts{
			"fr": "Tiwiza : nos messages n'arriveront plus à ce numéro ou cette adresse. Pas vous ? {link}",
			"ar": "تيويزا: لن تصل رسائلنا إلى هذا الرقم أو العنوان بعد الآن. لست أنت؟ {link}",
			"en": "Tiwiza: our messages will no longer come to this number or address. Not you? {link}",
		},
	},
	AccountChanged: {
		Class: Safety, Required: true, WhatsApp: true, Valid: soon, params: p("account", "link"),
		subject: texts{"fr": "Compte bancaire changé", "ar": "تغيير الحساب البنكي", "en": "Bank account changed"},
		text: texts{
			"fr": "Tiwiza : un compte bancaire finissant par {account} a été donné pour vos paiements. Pas vous ? Appelez-nous : {link}",
			"ar": "تيويزا: أُعطي حساب بنكي ينتهي بـ {account} لمدفوعاتكم. لستم أنتم؟ اتصلوا بنا: {link}",
			"en": "Tiwiza: a bank account ending in {account} was given for your payouts. Not you? Call us: {link}",
		},
	},
	Digest: {
		WhatsApp: true, Valid: day, params: p("summary", "link"),
		subject: texts{"fr": "Votre journée", "ar": "يومكم", "en": "Your day"},
		text: texts{
			"fr": "Tiwiza, votre journée : {summary}. {link}",
			"ar": "تيويزا، يومكم: {summary}. {link}",
			"en": "Tiwiza, your day: {summary}. {link}",
		},
	},
}

// kinds are all there are.
var kinds = func() map[Kind]spec {
	all := maps.Clone(peopleKinds)
	maps.Copy(all, sellerKinds)
	maps.Copy(all, buyerKinds)
	maps.Copy(all, memberKinds)
	maps.Copy(all, personalKinds)
	maps.Copy(all, tradeKinds)
	maps.Copy(all, financeKinds)
	maps.Copy(all, procedureKinds)
	maps.Copy(all, policyKinds)
	return all
}()

func (k Kind) spec() spec { return kinds[k] }

// Kinds are all kinds, in the order of their names.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kinds)) }

// Known says whether there is such a kind.
func (k Kind) Known() bool { _, ok := kinds[k]; return ok }
