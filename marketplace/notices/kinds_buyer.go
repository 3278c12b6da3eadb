package notices

// buyerKinds are what buyers are told.
var buyerKinds = map[Kind]spec{
	CashConfirm: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "amount", "link"),
		subject: texts{"fr": "Confirmez votre commande", "ar": "أكدوا طلبكم", "en": "Confirm your order"},
		text: texts{
			"fr": "Tiwiza : confirmez la commande {order}, {amount} à payer à la livraison : {link}",
			"ar": "تيويزا: أكدوا الطلب {order}، {amount} عند التسليم: {link}",
			"en": "Tiwiza: confirm order {order}, {amount} to pay at the door: {link}",
		},
	},
	OrderPaid: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "order", "link"),
		subject: texts{"fr": "Paiement arrivé", "ar": "وصل الدفع", "en": "Payment received"},
		text: texts{
			"fr": "Tiwiza : {amount} payés, commande {order}. Le vendeur est payé quand vous avez tout. {link}",
			"ar": "تيويزا: دُفع {amount} للطلب {order}. يُدفع للبائع بعد أن تستلموا. {link}",
			"en": "Tiwiza: {amount} paid, order {order}. The seller is paid once you have everything. {link}",
		},
	},
	OrderAccepted: {
		WhatsApp: true, Valid: soon, params: p("seller", "order", "link"),
		subject: texts{"fr": "Commande acceptée", "ar": "قُبل طلبكم", "en": "Order accepted"},
		text: texts{
			"fr": "Tiwiza : {seller} prépare votre commande {order}. {link}",
			"ar": "تيويزا: {seller} تحضّر طلبكم {order}. {link}",
			"en": "Tiwiza: {seller} is preparing your order {order}. {link}",
		},
	},
	OrderShipped: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "code", "link"),
		subject: texts{"fr": "En route", "ar": "في الطريق", "en": "On its way"},
		text: texts{
			"fr": "Tiwiza : commande {order} en route. Code à dire au livreur, colis en main : {code}. {link}",
			"ar": "تيويزا: الطلب {order} في الطريق. رمز تقولونه للموزع والطرد في يدكم: {code}. {link}",
			"en": "Tiwiza: order {order} is on its way. Code to tell the courier, parcel in hand: {code}. {link}",
		},
	},
	OrderDelivered: {
		WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Livré", "ar": "وصل", "en": "Delivered"},
		text: texts{
			"fr": "Tiwiza : la commande {order} est livrée. Tout va bien ? Un problème ? Dites-le ici : {link}",
			"ar": "تيويزا: وصل الطلب {order}. هل كل شيء بخير؟ أخبرونا هنا: {link}",
			"en": "Tiwiza: order {order} is delivered. All well? A problem? Tell us here: {link}",
		},
	},
	OrderCancelled: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Commande annulée", "ar": "أُلغي الطلب", "en": "Order cancelled"},
		text: texts{
			"fr": "Tiwiza : votre commande {order} est annulée. Ce que vous avez payé revient. {link}",
			"ar": "تيويزا: أُلغي طلبكم {order}. ما دفعتموه يعود إليكم. {link}",
			"en": "Tiwiza: your order {order} is cancelled. What you paid comes back. {link}",
		},
	},
	OrderLate: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Commande en retard", "ar": "طلب متأخر", "en": "Order late"},
		text: texts{
			"fr": "Tiwiza : la commande {order} n'est pas partie à temps. Vous pouvez l'annuler : {link}",
			"ar": "تيويزا: لم يُرسل الطلب {order} في موعده. يمكنكم إلغاؤه: {link}",
			"en": "Tiwiza: order {order} did not leave in time. You may cancel it: {link}",
		},
	},
	RefundMade: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Remboursement en route", "ar": "استرداد في الطريق", "en": "Refund on its way"},
		text: texts{
			"fr": "Tiwiza : {amount} reviennent vers vous. {link}",
			"ar": "تيويزا: {amount} في الطريق إليكم. {link}",
			"en": "Tiwiza: {amount} are on their way back to you. {link}",
		},
	},
	RefundLate: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "order", "link"),
		subject: texts{"fr": "Payé trop tard ou en trop", "ar": "أداء متأخر أو زائد", "en": "Paid too late, or too much"},
		text: texts{
			"fr": "Tiwiza : {amount} sont venus trop tard ou en trop pour la commande {order}. Ils vous reviennent : {link}",
			"ar": "تيويزا: وصل {amount} متأخرا أو زائدا للطلب {order}. نعيده إليكم: {link}",
			"en": "Tiwiza: {amount} came too late or were too much for order {order}. They go back to you: {link}",
		},
	},
	RefundDone: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Remboursé", "ar": "تم الاسترداد", "en": "Refunded"},
		text: texts{
			"fr": "Tiwiza : {amount} vous ont été remboursés. {link}",
			"ar": "تيويزا: استرددتم {amount}. {link}",
			"en": "Tiwiza: {amount} were refunded to you. {link}",
		},
	},
	RefundAccount: {
		Required: true, WhatsApp: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Où vous rembourser ?", "ar": "أين نعيد مالكم؟", "en": "Where to refund you?"},
		text: texts{
			"fr": "Tiwiza : {amount} vous attendent. Donnez votre RIB ici : {link}",
			"ar": "تيويزا: {amount} في انتظاركم. أعطوا رقم حسابكم البنكي هنا: {link}",
			"en": "Tiwiza: {amount} are waiting for you. Give your bank account here: {link}",
		},
	},
	DisputeAnswered: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Le vendeur a répondu", "ar": "أجاب البائع", "en": "The seller answered"},
		text: texts{
			"fr": "Tiwiza : le vendeur a répondu à votre problème, commande {order}. {link}",
			"ar": "تيويزا: أجاب البائع عن مشكلتكم في الطلب {order}. {link}",
			"en": "Tiwiza: the seller answered about your problem with order {order}. {link}",
		},
	},
	DisputeRuled: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "amount", "link"),
		subject: texts{"fr": "Problème réglé", "ar": "حُلّت المشكلة", "en": "Problem settled"},
		text: texts{
			"fr": "Tiwiza : le problème de la commande {order} est réglé. {amount} vous reviennent. {link}",
			"ar": "تيويزا: حُلّت مشكلة الطلب {order}. يعود إليكم {amount}. {link}",
			"en": "Tiwiza: the problem of order {order} is settled. {amount} come back to you. {link}",
		},
	},
	ReturnAnswered: {
		Required: true, WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Réponse à votre retour", "ar": "جواب عن الإرجاع", "en": "Your return was answered"},
		text: texts{
			"fr": "Tiwiza : réponse du vendeur à votre retour, commande {order}. {link}",
			"ar": "تيويزا: جواب البائع عن إرجاع الطلب {order}. {link}",
			"en": "Tiwiza: the seller answered your return of order {order}. {link}",
		},
	},
	ReturnReceived: {
		WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Retour arrivé", "ar": "وصل الإرجاع", "en": "Return received"},
		text: texts{
			"fr": "Tiwiza : le vendeur a votre retour, commande {order}. {link}",
			"ar": "تيويزا: وصل إرجاعكم للطلب {order} إلى البائع. {link}",
			"en": "Tiwiza: the seller has your return of order {order}. {link}",
		},
	},
	MessageNew: {
		WhatsApp: true, Valid: soon, params: p("order", "link"),
		subject: texts{"fr": "Nouveau message", "ar": "رسالة جديدة", "en": "New message"},
		text: texts{
			"fr": "Tiwiza : un message pour vous, commande {order} : {link}",
			"ar": "تيويزا: رسالة لكم بخصوص الطلب {order}: {link}",
			"en": "Tiwiza: a message for you, order {order}: {link}",
		},
		tally: texts{"fr": "{n} messages", "ar": "{n} رسائل", "en": "{n} messages"},
	},
}
