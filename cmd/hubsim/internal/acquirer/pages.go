package acquirer

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/provider"
)

//go:embed page.html
var pageText string

var pages = template.Must(template.New("page").Parse(pageText))

// words are the texts of the pages in one language.
type words struct {
	Dir, Title, Demo, Pay, Order, Amount, Pan, Expiry, CVV, PayNow, TestCards, Cancel   string
	Secure, OTP, OTPHelp, Confirm, Refuse, Accepted, Declined, Return, Stopped, BadForm string
	AlreadyPaid, Over                                                                   string
	Wrong, Why                                                                          map[string]string
}

var languages = map[string]words{
	"fr": {
		Dir: "ltr", Title: "Paiement par carte — démonstration",
		Demo: "Page de démonstration : aucune carte n’est débitée, aucun numéro n’est gardé.",
		Pay:  "Payer par carte", Order: "Commande", Amount: "Montant", Pan: "Numéro de carte", Expiry: "Date d’expiration (MM/AA)",
		CVV: "Code au dos de la carte", PayNow: "Payer", TestCards: "Carte d’essai :", Cancel: "Annuler et revenir à la boutique",
		Secure: "Vérification 3-D Secure", OTP: "Code reçu par SMS", Confirm: "Confirmer", Refuse: "Refuser ce paiement",
		OTPHelp: "Démonstration : le code est 123456. Le code 999999 est refusé.", Accepted: "Paiement accepté",
		Declined: "Paiement refusé", Return: "Revenir à la boutique", Stopped: "Le paiement ne peut pas continuer",
		BadForm:     "La demande de paiement n’est pas valable. Rien n’a été débité.",
		AlreadyPaid: "Cette commande est déjà payée ou close. Rien de plus n’a été débité.",
		Over:        "Le temps pour payer est écoulé. Rien n’a été débité.",
		Wrong:       map[string]string{"pan": "Ce numéro de carte n’est pas juste.", "expiry": "La date d’expiration est fausse ou passée.", "cvv": "Le code au dos a 3 ou 4 chiffres."},
		Why:         map[string]string{"51": "La provision de la carte est insuffisante.", "54": "La carte est expirée.", "99": "La vérification 3-D Secure a échoué."},
	},
	"ar": {
		Dir: "rtl", Title: "الأداء بالبطاقة — عرض تجريبي",
		Demo: "صفحة تجريبية: لا يُقتطع أي مبلغ من أي بطاقة ولا يُحفظ أي رقم.",
		Pay:  "الأداء بالبطاقة", Order: "الطلب", Amount: "المبلغ", Pan: "رقم البطاقة", Expiry: "تاريخ انتهاء الصلاحية (شهر/سنة)",
		CVV: "الرمز على ظهر البطاقة", PayNow: "أداء", TestCards: "بطاقة للتجربة:", Cancel: "إلغاء والعودة إلى المتجر",
		Secure: "التحقق 3-D Secure", OTP: "الرمز المتوصل به عبر رسالة قصيرة", Confirm: "تأكيد", Refuse: "رفض هذا الأداء",
		OTPHelp: "عرض تجريبي: الرمز هو 123456. الرمز 999999 مرفوض.", Accepted: "تم قبول الأداء",
		Declined: "تم رفض الأداء", Return: "العودة إلى المتجر", Stopped: "لا يمكن مواصلة الأداء",
		BadForm:     "طلب الأداء غير صالح. لم يُقتطع أي مبلغ.",
		AlreadyPaid: "هذا الطلب مؤدى أو مغلق من قبل. لم يُقتطع أي مبلغ إضافي.",
		Over:        "انتهت مهلة الأداء. لم يُقتطع أي مبلغ.",
		Wrong:       map[string]string{"pan": "رقم البطاقة غير صحيح.", "expiry": "تاريخ الانتهاء خاطئ أو قد مضى.", "cvv": "الرمز على ظهر البطاقة من 3 أو 4 أرقام."},
		Why:         map[string]string{"51": "رصيد البطاقة غير كاف.", "54": "انتهت صلاحية البطاقة.", "99": "فشل التحقق 3-D Secure."},
	},
	"en": {
		Dir: "ltr", Title: "Card payment — demonstration",
		Demo: "Demonstration page: no card is charged and no number is kept.",
		Pay:  "Pay by card", Order: "Order", Amount: "Amount", Pan: "Card number", Expiry: "Expiry date (MM/YY)",
		CVV: "Code on the back", PayNow: "Pay", TestCards: "Test card:", Cancel: "Cancel and go back to the shop",
		Secure: "3-D Secure check", OTP: "Code received by text message", Confirm: "Confirm", Refuse: "Refuse this payment",
		OTPHelp: "Demonstration: the code is 123456. The code 999999 is declined.", Accepted: "Payment accepted",
		Declined: "Payment declined", Return: "Back to the shop", Stopped: "The payment cannot go on",
		BadForm:     "The payment request is not valid. Nothing was charged.",
		AlreadyPaid: "This order is already paid or closed. Nothing more was charged.",
		Over:        "The time to pay is over. Nothing was charged.",
		Wrong:       map[string]string{"pan": "This card number is not right.", "expiry": "The expiry date is wrong or past.", "cvv": "The code on the back has 3 or 4 digits."},
		Why:         map[string]string{"51": "The card has insufficient funds.", "54": "The card has expired.", "99": "The 3-D Secure check failed."},
	},
}

// A page is what the template shows.
type page struct {
	Gate                                                  string // where the acquirer's pages are
	View, Lang, Order, Amount, State, Error, Detail, Back string
	T                                                     words
	Approved                                              bool
	Fields                                                Fields
}

// newPage is a page in the language that the shop asked for, French by default.
func (a *Acquirer) newPage(f Fields) page {
	p := page{Gate: "/" + a.name + "/fim/", Lang: strings.ToLower(f.Get("lang")), Order: f.Get("oid"), Amount: f.Get("amount") + " MAD"}
	if _, ok := languages[p.Lang]; !ok {
		p.Lang = "fr"
	}
	p.T = languages[p.Lang]
	if p.Back = provider.WebAddress(f.Get("failUrl")); p.Back == "" {
		p.Back = provider.WebAddress(f.Get("shopurl"))
	}
	return p
}

func (p page) show(rw http.ResponseWriter, status int, view string) {
	p.View = view
	var b bytes.Buffer
	if err := pages.Execute(&b, p); err != nil {
		slog.Error("acquirer page", "err", err)
		http.Error(rw, "page", http.StatusInternalServerError)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes()) // a browser that went away has nothing to be told
}

func (p page) fail(rw http.ResponseWriter, status int, text, detail string) {
	p.Error, p.Detail = text, detail
	p.show(rw, status, "stopped")
}

// result shows how it went, with a form that takes the signed result back.
func (p page) result(rw http.ResponseWriter, storeKey string, at attempt) {
	p.Approved, p.Fields = at.Approved, at.Fields
	p.Back = provider.WebAddress(at.Fields.Get("failUrl"))
	if at.Approved {
		p.Back = provider.WebAddress(at.Fields.Get("okUrl"))
	}
	p.Error = p.T.Why[at.Fields.Get("ProcReturnCode")]
	p.Fields = append(p.Fields[:len(p.Fields):len(p.Fields)], Field{"HASH", Hash(p.Fields, Redirect, storeKey)})
	p.show(rw, http.StatusOK, "result")
}
