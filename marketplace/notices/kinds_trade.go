package notices

// tradeKinds are what members are told of their labels, their stock and what they
// agree on with others.
var tradeKinds = map[Kind]spec{
	LabelEnding: {
		WhatsApp: true, Valid: soon, params: p("title", "date", "link"),
		subject: texts{"fr": "Un label finit bientôt", "ar": "علامة تنتهي قريبا", "en": "A label ends soon"},
		text: texts{
			"fr": "Tiwiza : le label {title} finit le {date}. Envoyez le nouveau certificat : {link}",
			"ar": "تيويزا: علامة {title} تنتهي يوم {date}. أرسلوا الجديدة: {link}",
			"en": "Tiwiza: the label {title} ends on {date}. Send the new certificate: {link}",
		},
	},
	LabelShown: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Label vérifié", "ar": "تم التحقق من العلامة", "en": "Label verified"},
		text: texts{
			"fr": "Tiwiza : le label {title} est vérifié, les acheteurs le voient. {link}",
			"ar": "تيويزا: تم التحقق من علامة {title} وصار المشترون يرونها. {link}",
			"en": "Tiwiza: the label {title} is verified, buyers see it now. {link}",
		},
	},
	LabelRefused: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Label refusé", "ar": "رفض العلامة", "en": "Label refused"},
		text: texts{
			"fr": "Tiwiza : nous n'avons pas pu accepter le label {title}. La raison : {link}",
			"ar": "تيويزا: لم نتمكن من قبول علامة {title}. السبب: {link}",
			"en": "Tiwiza: we could not accept the label {title}. The reason: {link}",
		},
	},
	LabelEnded: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Label retiré", "ar": "سحب العلامة", "en": "Label taken down"},
		text: texts{
			"fr": "Tiwiza : les acheteurs ne voient plus le label {title}. La raison : {link}",
			"ar": "تيويزا: لم يعد المشترون يرون علامة {title}. السبب: {link}",
			"en": "Tiwiza: buyers no longer see the label {title}. The reason: {link}",
		},
	},
	MentionShown: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Votre demande est acceptée", "ar": "قُبل طلبكم", "en": "Your request is accepted"},
		text: texts{
			"fr": "Tiwiza : ce que vous vouliez dire d'un article est accepté, les acheteurs le lisent. {link}",
			"ar": "تيويزا: قُبل ما أردتم قوله عن منتج وصار المشترون يقرؤونه. {link}",
			"en": "Tiwiza: what you wanted to say of an article is accepted, buyers read it now. {link}",
		},
	},
	MentionRefused: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Votre demande est refusée", "ar": "رُفض طلبكم", "en": "Your request is refused"},
		text: texts{
			"fr": "Tiwiza : nous n'avons pas accepté ce que vous vouliez dire d'un article. La raison : {link}",
			"ar": "تيويزا: لم نقبل ما أردتم قوله عن منتج. السبب: {link}",
			"en": "Tiwiza: we did not accept what you wanted to say of an article. The reason: {link}",
		},
	},
	ReviewCame: {
		WhatsApp: true, Valid: soon, params: p("order", "count", "link"),
		subject: texts{"fr": "Un avis est arrivé", "ar": "وصل تقييم", "en": "A review came"},
		text: texts{
			"fr": "Tiwiza : la commande {order} a reçu un avis, {count} sur 5. Lisez-le et répondez : {link}",
			"ar": "تيويزا: تلقى الطلب {order} تقييما، {count} من 5. اقرؤوه وأجيبوا: {link}",
			"en": "Tiwiza: order {order} has a review, {count} of 5. Read it and answer: {link}",
		},
		tally: texts{"fr": "{n} avis", "ar": "{n} تقييمات", "en": "{n} reviews"},
	},
	ReviewReplied: {
		WhatsApp: true, Valid: soon, params: p("seller", "link"),
		subject: texts{"fr": "Réponse à votre avis", "ar": "رد على تقييمكم", "en": "Your review was answered"},
		text: texts{
			"fr": "Tiwiza : {seller} a répondu à votre avis. {link}",
			"ar": "تيويزا: {seller} أجابت على تقييمكم. {link}",
			"en": "Tiwiza: {seller} answered your review. {link}",
		},
	},
	SoldOut: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Article épuisé", "ar": "نفد المنتج", "en": "Sold out"},
		text: texts{
			"fr": "Tiwiza : {title} est épuisé. Dites-nous quand il y en a encore : {link}",
			"ar": "تيويزا: نفد {title}. أخبرونا حين يتوفر من جديد: {link}",
			"en": "Tiwiza: {title} is sold out. Tell us when there is more: {link}",
		},
		tally: texts{"fr": "{n} articles épuisés", "ar": "{n} منتجات نفدت", "en": "{n} articles sold out"},
	},
	QuotationAsked: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Demande de devis", "ar": "طلب عرض سعر", "en": "Quotation asked for"},
		text: texts{
			"fr": "Tiwiza : on vous demande un devis. Lisez la demande et répondez ici : {link}",
			"ar": "تيويزا: هناك من يطلب منكم عرض سعر. اقرؤوا الطلب وأجيبوا هنا: {link}",
			"en": "Tiwiza: somebody asks you for a quotation. Read it and answer here: {link}",
		},
	},
	QuotationCame: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Un devis est arrivé", "ar": "وصل عرض سعر", "en": "A quotation came"},
		text: texts{
			"fr": "Tiwiza : un vendeur répond à votre demande de devis. Comparez ici : {link}",
			"ar": "تيويزا: أجاب بائع على طلب عرض السعر. قارنوا هنا: {link}",
			"en": "Tiwiza: a seller answers your request for a quotation. Compare here: {link}",
		},
	},
	QuotationTaken: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Votre devis est accepté", "ar": "قُبل عرضكم", "en": "Your quotation is accepted"},
		text: texts{
			"fr": "Tiwiza : votre devis est accepté. La commande arrive dès qu'elle est payée : {link}",
			"ar": "تيويزا: قُبل عرضكم. يصل الطلب بعد الأداء: {link}",
			"en": "Tiwiza: your quotation is accepted. The order comes once it is paid: {link}",
		},
	},
	PoolWon: {
		WhatsApp: true, Valid: soon, params: p("amount", "link"),
		subject: texts{"fr": "Achat commun : à payer", "ar": "شراء مشترك: للأداء", "en": "Bought together: to be paid"},
		text: texts{
			"fr": "Tiwiza : l'achat commun a réussi. Votre part est à payer, {amount} et la livraison : {link}",
			"ar": "تيويزا: نجح الشراء المشترك. حصتكم للأداء {amount} زائد التوصيل: {link}",
			"en": "Tiwiza: the common purchase succeeded. Your part is to be paid, {amount} and delivery: {link}",
		},
	},
	GroupAsked: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Achat groupé proposé", "ar": "اقتراح شراء جماعي", "en": "Group buy proposed"},
		text: texts{
			"fr": "Tiwiza : on vous propose un achat groupé de votre article. Acceptez ou refusez ici : {link}",
			"ar": "تيويزا: يُقترح عليكم شراء جماعي لمنتجكم. اقبلوا أو ارفضوا هنا: {link}",
			"en": "Tiwiza: somebody proposes a group buy of your article. Accept or decline here: {link}",
		},
	},
	GroupDecided: {
		WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Achat groupé terminé", "ar": "انتهى الشراء الجماعي", "en": "Group buy decided"},
		text: texts{
			"fr": "Tiwiza : votre achat groupé est terminé. Voyez s'il a réussi et la suite : {link}",
			"ar": "تيويزا: انتهى الشراء الجماعي. انظروا النتيجة وما يلي: {link}",
			"en": "Tiwiza: your group buy is decided. See whether it succeeded, and what comes next: {link}",
		},
	},
	PointsEnding: {
		WhatsApp: true, Valid: soon, params: p("count", "date", "link"),
		subject: texts{"fr": "Des points finissent", "ar": "نقاط تنتهي", "en": "Points end soon"},
		text: texts{
			"fr": "Tiwiza : {count} points finissent à partir du {date}. Utilisez-les ici : {link}",
			"ar": "تيويزا: {count} نقطة تنتهي ابتداء من {date}. استعملوها هنا: {link}",
			"en": "Tiwiza: {count} points end from {date} on. Use them here: {link}",
		},
	},
}
