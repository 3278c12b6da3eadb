package notices

// personalKinds are what people are told of what they asked about their own data.
var personalKinds = map[Kind]spec{
	PersonalCopy: {
		Class: Safety, Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Vos données", "ar": "معطياتكم", "en": "Your data"},
		text: texts{
			"fr": "Tiwiza : la copie de vos données est faite, pour sept jours. Pas vous ? Appelez-nous : {link}",
			"ar": "تيويزا: نسخة معطياتكم جاهزة لسبعة أيام. لستم أنتم؟ اتصلوا بنا: {link}",
			"en": "Tiwiza: the copy of your data is made, for seven days. Not you? Call us: {link}",
		},
	},
	PersonalAnswer: {
		Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Notre réponse", "ar": "جوابنا", "en": "Our answer"},
		text: texts{
			"fr": "Tiwiza : nous avons répondu à votre demande sur vos données : {link}",
			"ar": "تيويزا: أجبنا عن طلبكم بشأن معطياتكم: {link}",
			"en": "Tiwiza: we have answered your request about your data: {link}",
		},
	},
	ErasureAsked: {
		Class: Safety, Required: true, Valid: soon, params: p("date", "link"),
		subject: texts{"fr": "Vos données seront effacées", "ar": "ستُمحى معطياتكم", "en": "Your data will be erased"},
		text: texts{
			"fr": "Tiwiza : vos données seront effacées le {date}. Pas vous, ou un regret ? Annulez : {link}",
			"ar": "تيويزا: ستُمحى معطياتكم يوم {date}. لستم أنتم؟ ألغوا: {link}",
			"en": "Tiwiza: your data will be erased on {date}. Not you, or a second thought? Cancel: {link}",
		},
	},
	ErasureBarred: {
		Required: true, Valid: soon, params: p("link"),
		subject: texts{"fr": "Effacement impossible", "ar": "تعذر المحو", "en": "Not erased"},
		text: texts{
			"fr": "Tiwiza : vos données ne sont pas effacées, quelque chose est en cours. Lisez quoi : {link}",
			"ar": "تيويزا: لم تُمح معطياتكم لوجود أمر جار. اقرؤوا السبب: {link}",
			"en": "Tiwiza: your data is not erased, something is still open. Read what: {link}",
		},
	},
}
