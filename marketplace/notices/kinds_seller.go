package notices

// sellerKinds are what sellers are told.
var sellerKinds = map[Kind]spec{
	ToPack: {
		WhatsApp: true, Valid: soon, params: p("order", "amount", "link"),
		subject: texts{"fr": "1 à emballer", "ar": "طلب للتغليف", "en": "1 to pack"},
		text: texts{
			"fr": "Tiwiza : 1 à emballer, commande {order}, {amount}. {link}",
			"ar": "تيويزا: طلب للتغليف رقم {order}، {amount}. {link}",
			"en": "Tiwiza: 1 to pack, order {order}, {amount}. {link}",
		},
		tally: texts{"fr": "{n} à emballer ({amount})", "ar": "{n} للتغليف ({amount})", "en": "{n} to pack ({amount})"},
	},
	CancelledSeller: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Commande annulée", "ar": "طلب ملغى", "en": "Order cancelled"},
		text: texts{
			"fr": "Tiwiza : la commande {order} est annulée. N'envoyez rien. {link}",
			"ar": "تيويزا: الطلب {order} ملغى. لا ترسلوا شيئا. {link}",
			"en": "Tiwiza: order {order} is cancelled. Send nothing. {link}",
		},
	},
	MoneyReleased: {
		WhatsApp: true, Valid: soon, params: p("amount", "order"),
		subject: texts{"fr": "De l'argent pour vous", "ar": "مال لكم", "en": "Money for you"},
		text: texts{
			"fr": "Tiwiza : {amount} de la commande {order} sont à vous.",
			"ar": "تيويزا: {amount} من الطلب {order} أصبحت لكم.",
			"en": "Tiwiza: {amount} of order {order} are yours.",
		},
		tally: texts{"fr": "{n} ventes réglées ({amount})", "ar": "{n} مبيعات مدفوعة ({amount})", "en": "{n} sales settled ({amount})"},
	},
	MoneyPaidOut: {
		WhatsApp: true, Valid: soon, params: p("amount"),
		subject: texts{"fr": "Versé à votre banque", "ar": "حُوّل إلى بنككم", "en": "Paid to your bank"},
		text: texts{
			"fr": "Tiwiza : {amount} sont arrivés sur votre compte.",
			"ar": "تيويزا: وصل {amount} إلى حسابكم.",
			"en": "Tiwiza: {amount} have reached your account.",
		},
		tally: texts{"fr": "{amount} versés à votre banque", "ar": "{amount} إلى بنككم", "en": "{amount} paid to your bank"},
	},
	PayoutFailed: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Votre banque n'a pas pris le versement", "ar": "البنك لم يقبل التحويل", "en": "Your bank did not take the payout"},
		text: texts{
			"fr": "Tiwiza : votre banque n'a pas pris {amount}. L'argent est chez nous. Vérifiez votre compte : {link}",
			"ar": "تيويزا: لم يقبل بنككم {amount}. المال عندنا. تحققوا من حسابكم: {link}",
			"en": "Tiwiza: your bank did not take {amount}. We have the money. Check your account: {link}",
		},
	},
	DisputeOpened: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Un problème à résoudre", "ar": "مشكلة تحتاج جوابا", "en": "A problem to solve"},
		text: texts{
			"fr": "Tiwiza : un acheteur signale un problème, commande {order}. Répondez ici : {link}",
			"ar": "تيويزا: مشتر يبلغ عن مشكلة في الطلب {order}. أجيبوا هنا: {link}",
			"en": "Tiwiza: a buyer reports a problem with order {order}. Answer here: {link}",
		},
	},
	RuledSeller: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "amount", "link"),
		subject: texts{"fr": "Problème réglé", "ar": "حُلّت المشكلة", "en": "Problem settled"},
		text: texts{
			"fr": "Tiwiza : le problème de la commande {order} est réglé. {amount} vont au vendeur. {link}",
			"ar": "تيويزا: حُلّت مشكلة الطلب {order}. للبائع {amount}. {link}",
			"en": "Tiwiza: the problem of order {order} is settled. {amount} go to the seller. {link}",
		},
	},
	ReturnAsked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Retour demandé", "ar": "طلب إرجاع", "en": "Return asked for"},
		text: texts{
			"fr": "Tiwiza : un acheteur veut rendre la commande {order}. Répondez ici : {link}",
			"ar": "تيويزا: مشتر يريد إرجاع الطلب {order}. أجيبوا هنا: {link}",
			"en": "Tiwiza: a buyer wants to return order {order}. Answer here: {link}",
		},
	},
	ReturnSent: {
		WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Un retour arrive", "ar": "إرجاع في الطريق", "en": "A return is coming"},
		text: texts{
			"fr": "Tiwiza : la commande {order} revient vers vous. Dites-nous quand elle arrive : {link}",
			"ar": "تيويزا: الطلب {order} عائد إليكم. أخبرونا حين يصل: {link}",
			"en": "Tiwiza: order {order} is coming back to you. Tell us when it is there: {link}",
		},
	},
}
