package web

// texts are the words of the pages, by language.
var texts = map[string]map[string]string{
	"fr": {
		"brand": "Tiwiza", "tagline": "Tiwiza, le marché des coopératives du Maroc",
		"skip": "Aller au contenu", "language": "Langue", "search": "Chercher", "placeholder": "Miel, tapis, argan…",
		"drawing": "dessin", "noPicture": "Pas encore de photo", "categories": "Catégories", "every": "Tout", "currency": "DH", "soldout": "épuisé", "instock": "disponible",
		"comma": ", ", "more": "Voir la suite", "latest": "Les offres des coopératives", "found": "Résultats pour «\u00a0%s\u00a0»", "all": "Voir toutes les offres",
		"nothing":     "Aucune offre ne correspond",
		"nothingHelp": "Essayez un autre mot, moins de mots, ou une autre catégorie. On peut chercher en français et en arabe.",
		"promise":     "Vous payez maintenant. La coopérative est payée quand vous confirmez la réception.",
		"variants":    "Formats et prix", "from": "à partir de", "origin": "Origine", "category": "Catégorie", "label": "Label",
		"labelNumber": "n° %s", "labelUntil": "valable jusqu’au %s",
		"withdrawal": "Rétractation", "perishable": "Produit périssable\u00a0: pas de droit de rétractation.",
		"made_to_measure": "Fait sur mesure\u00a0: pas de droit de rétractation.",
		"notFound":        "Cette page n’existe pas", "notFoundHelp": "L’offre a peut-être été retirée par la coopérative, ou l’adresse est incomplète.",
		"wrong": "Cette recherche ne peut pas être faite", "wrongHelp": "L’adresse de la page est abîmée ou trop ancienne. Recommencez depuis la liste des offres.",
		"returned": "Merci", "returnedHelp": "Nous vérifions votre paiement auprès de la banque. Votre commande avance dès que la banque l’a confirmé\u00a0: vous n’avez rien d’autre à faire, et rien à payer une seconde fois.",
		"failed": "Le marché ne répond pas en ce moment", "failedHelp": "Ce n’est pas votre faute. Attendez une minute, puis rechargez la page.",
	},
	"ar": {
		"brand": "تيويزا", "tagline": "تيويزا، سوق التعاونيات المغربية",
		"skip": "الانتقال إلى المحتوى", "language": "اللغة", "search": "بحث", "placeholder": "عسل، زرابي، أركان…",
		"drawing": "رسم", "noPicture": "لا توجد صورة بعد", "categories": "الأصناف", "every": "الكل", "currency": "درهم", "soldout": "نفد", "instock": "متوفر",
		"comma": "، ", "more": "عرض المزيد", "latest": "عروض التعاونيات", "found": "نتائج البحث عن «%s»", "all": "عرض كل المنتجات",
		"nothing":     "لا يوجد منتج مطابق",
		"nothingHelp": "جرّب كلمة أخرى أو كلمات أقل أو صنفا آخر. يمكن البحث بالعربية وبالفرنسية.",
		"promise":     "تدفع الآن، ولا تتسلم التعاونية المبلغ إلا بعد أن تؤكد الاستلام.",
		"variants":    "الأحجام والأثمان", "from": "ابتداء من", "origin": "المنشأ", "category": "الصنف", "label": "العلامة",
		"labelNumber": "رقم %s", "labelUntil": "صالحة إلى غاية %s",
		"withdrawal": "حق التراجع", "perishable": "منتج سريع التلف: لا يشمله حق التراجع.",
		"made_to_measure": "منتج مصنوع حسب الطلب: لا يشمله حق التراجع.",
		"notFound":        "هذه الصفحة غير موجودة", "notFoundHelp": "ربما سحبت التعاونية هذا المنتج، أو أن العنوان غير كامل.",
		"wrong": "لا يمكن إجراء هذا البحث", "wrongHelp": "عنوان الصفحة غير صحيح أو قديم. ابدأ من جديد من قائمة المنتجات.",
		"returned": "شكرا لك", "returnedHelp": "نتحقق من أدائك لدى البنك، وتتقدم طلبيتك فور تأكيده. ليس عليك فعل أي شيء آخر ولا الأداء مرة ثانية.",
		"failed": "السوق لا يستجيب الآن", "failedHelp": "الخطأ ليس منك. انتظر دقيقة ثم أعد تحميل الصفحة.",
	},
}
