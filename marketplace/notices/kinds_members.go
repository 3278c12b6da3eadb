package notices

// memberKinds are what members are told of their papers and dossiers.
var memberKinds = map[Kind]spec{
	PaperEnding: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "date", "link"),
		subject: texts{"fr": "Un papier finit bientôt", "ar": "وثيقة تنتهي قريبا", "en": "A paper ends soon"},
		text: texts{
			"fr": "Tiwiza : {title} finit le {date}. Envoyez le suivant, sinon vos ventes s'arrêtent : {link}",
			"ar": "تيويزا: {title} تنتهي يوم {date}. أرسلوا الجديدة: {link}",
			"en": "Tiwiza: {title} ends on {date}. Send the next one, or your sales stop: {link}",
		},
	},
	PaperRefused: {
		Required: true, WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Un papier à refaire", "ar": "وثيقة تحتاج إعادة", "en": "A paper to send again"},
		text: texts{
			"fr": "Tiwiza : nous ne pouvons pas accepter {title}. Lisez pourquoi : {link}",
			"ar": "تيويزا: لا يمكننا قبول {title}. اقرؤوا السبب: {link}",
			"en": "Tiwiza: we cannot accept {title}. Read why: {link}",
		},
	},
	SalesStopped: {
		Required: true, WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Vos ventes sont arrêtées", "ar": "توقفت مبيعاتكم", "en": "Your sales have stopped"},
		text: texts{
			"fr": "Tiwiza : un papier vous manque. Vos commandes continuent, rien de nouveau ne se vend : {link}",
			"ar": "تيويزا: تنقصكم وثيقة. طلباتكم مستمرة ولا يباع شيء جديد: {link}",
			"en": "Tiwiza: you lack a paper. Your orders go on, nothing new is sold: {link}",
		},
	},
	CharterAsked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("date", "link"),
		subject: texts{"fr": "Une charte à signer", "ar": "ميثاق للتوقيع", "en": "A charter to sign"},
		text: texts{
			"fr": "Tiwiza : lisez et signez la charte avant le {date} au soir, sinon vos ventes s'arrêtent : {link}",
			"ar": "تيويزا: وقعوا الميثاق إلى غاية {date} وإلا توقفت مبيعاتكم: {link}",
			"en": "Tiwiza: read and sign the charter by {date}, or your sales stop: {link}",
		},
	},
	CharterLate: {
		Required: true, WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Vos ventes sont arrêtées", "ar": "توقفت مبيعاتكم", "en": "Your sales have stopped"},
		text: texts{
			"fr": "Tiwiza : la charte n'est pas signée. Vos commandes continuent, rien de nouveau ne se vend : {link}",
			"ar": "تيويزا: لم توقعوا الميثاق. طلباتكم مستمرة ولا يباع جديد: {link}",
			"en": "Tiwiza: the charter is not signed. Your orders go on, nothing new is sold: {link}",
		},
	},
	CharterAgain: {
		Required: true, WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Charte papier à refaire", "ar": "ميثاق ورقي يحتاج إعادة", "en": "A paper charter to sign again"},
		text: texts{
			"fr": "Tiwiza : nous ne pouvons pas accepter votre charte signée sur papier. Signez ici : {link}",
			"ar": "تيويزا: لا يمكننا قبول الميثاق الورقي. وقعوا هنا: {link}",
			"en": "Tiwiza: we cannot accept your charter signed on paper. Sign here: {link}",
		},
	},
	ConsentAsked: {
		Required: true, WhatsApp: true, Valid: soon, params: p("who", "link"),
		subject: texts{"fr": "On demande à voir votre dossier", "ar": "طلب للاطلاع على ملفكم", "en": "Somebody asks to see your dossier"},
		text: texts{
			"fr": "Tiwiza : {who} demande à voir votre dossier. Oui ou non, c'est vous : {link}",
			"ar": "تيويزا: {who} تطلب الاطلاع على ملفكم. القرار لكم: {link}",
			"en": "Tiwiza: {who} asks to see your dossier. Yes or no, it is up to you: {link}",
		},
	},
	DossierSeen: {
		WhatsApp: true, Valid: soon, params: p("who", "title", "date"),
		subject: texts{"fr": "Votre dossier a été vu", "ar": "تم الاطلاع على ملفكم", "en": "Your dossier was seen"},
		text: texts{
			"fr": "Tiwiza : {who} a vu votre {title} le {date}. Pas normal ? Appelez-nous.",
			"ar": "تيويزا: {who} اطلعت على {title} يوم {date}. غير عادي؟ اتصلوا بنا.",
			"en": "Tiwiza: {who} saw your {title} on {date}. Not right? Call us.",
		},
	},
	DossierOpened: {
		Class: Safety, Required: true, WhatsApp: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Notre équipe ouvre votre dossier", "ar": "فريقنا يفتح ملفكم", "en": "Our team opens your dossier"},
		text: texts{
			"fr": "Tiwiza : deux personnes de notre équipe ont ouvert votre dossier pour un jour. Lisez pourquoi : {link}",
			"ar": "تيويزا: فتح شخصان من فريقنا ملفكم ليوم واحد. اقرؤوا السبب: {link}",
			"en": "Tiwiza: two people of our team opened your dossier for a day. Read why: {link}",
		},
	},
	CheckUpAgain: {
		WhatsApp: true, Valid: soon, params: p("title", "link"),
		subject: texts{"fr": "Votre diagnostic date", "ar": "مر وقت على تشخيصكم", "en": "Your check-up is long ago"},
		text: texts{
			"fr": "Tiwiza : «{title}», c'était il y a longtemps. Refaites-le et voyez vos progrès : {link}",
			"ar": "تيويزا: مر وقت على «{title}». أعيدوه وشاهدوا تقدمكم: {link}",
			"en": "Tiwiza: «{title}» was long ago. Do it again and see your progress: {link}",
		},
	},
}
