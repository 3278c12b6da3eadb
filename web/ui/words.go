package ui

import (
	"strings"

	"tiwiza/pkg/money"
)

// mostWords is the largest sum that is said in words.
const mostWords = 999_999

// Words says a sum of dirhams in words, as on a cheque: for those who read a wrong
// nought more easily than they type it. Larger sums, and other currencies, are "".
func (l Lang) Words(m money.Money) string {
	c := m.Centimes()
	if m.Currency() != money.MAD || c < 0 || c/100 > mostWords {
		return ""
	}
	say, and := frenchSum, " et "
	switch l.Text() {
	case Arabic:
		say, and = arabicSum, " و"
	case English:
		say, and = englishSum, " and "
	}
	whole, cents := int(c/100), int(c%100)
	if cents == 0 {
		return say(whole, false)
	}
	if whole == 0 {
		return say(cents, true)
	}
	return say(whole, false) + and + say(cents, true)
}

var (
	frenchOnes = strings.Split("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf", " ")
	frenchTens = strings.Split(". . vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt", " ")
)

func frenchSum(n int, cents bool) string {
	unit := "dirham"
	if cents {
		unit = "centime"
	}
	if n > 1 {
		unit += "s"
	}
	return french(n, true) + " " + unit
}

// french says a number; «vingt» and «cent» take their s only at its end.
func french(n int, end bool) string {
	switch {
	case n < 20:
		return frenchOnes[n]
	case n < 100:
		tens, ones := n/10, n%10
		if tens == 7 || tens == 9 {
			ones += 10
		}
		switch {
		case n == 80 && end:
			return "quatre-vingts"
		case ones == 0:
			return frenchTens[tens]
		case (ones == 1 || ones == 11) && tens < 8:
			return frenchTens[tens] + " et " + frenchOnes[ones]
		}
		return frenchTens[tens] + "-" + frenchOnes[ones]
	case n < 1000:
		s := "cent"
		if n >= 200 {
			if s = frenchOnes[n/100] + " cent"; n%100 == 0 && end {
				s += "s"
			}
		}
		return more(s, n%100, " ", func(r int) string { return french(r, end) })
	}
	s := "mille"
	if n >= 2000 {
		s = french(n/1000, false) + " mille"
	}
	return more(s, n%1000, " ", func(r int) string { return french(r, end) })
}

// more adds the rest of a number, if there is any.
func more(s string, rest int, and string, say func(int) string) string {
	if rest == 0 {
		return s
	}
	return s + and + say(rest)
}

var (
	englishOnes = strings.Split("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", " ")
	englishTens = strings.Split(". . twenty thirty forty fifty sixty seventy eighty ninety", " ")
)

func englishSum(n int, cents bool) string {
	unit := "dirham"
	if cents {
		unit = "centime"
	}
	if n != 1 {
		unit += "s"
	}
	return english(n) + " " + unit
}

func english(n int) string {
	switch {
	case n < 20:
		return englishOnes[n]
	case n < 100:
		return more(englishTens[n/10], n%10, "-", english)
	case n < 1000:
		return more(englishOnes[n/100]+" hundred", n%100, " and ", english)
	}
	and := " "
	if n%1000 < 100 {
		and = " and "
	}
	return more(english(n/1000)+" thousand", n%1000, and, english)
}

var (
	arabicOnes     = strings.Split("صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة", " ")
	arabicTeens    = strings.Split("أحد اثنا ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة", " ")
	arabicTens     = strings.Split(". عشرة عشرون ثلاثون أربعون خمسون ستون سبعون ثمانون تسعون", " ")
	arabicHundreds = strings.Split(". مائة مائتان ثلاثمائة أربعمائة خمسمائة ستمائة سبعمائة ثمانمائة تسعمائة", " ")
)

// counted are the forms of what is counted, all of them masculine: one, two, three
// to ten, eleven to ninety-nine, and after a hundred.
type countedAs struct{ one, two, few, many, other string }

var (
	dirhams  = countedAs{"درهم", "درهمان", "دراهم", "درهما", "درهم"}
	centimes = countedAs{"سنتيم", "سنتيمان", "سنتيمات", "سنتيما", "سنتيم"}
	alfs     = countedAs{"ألف", "ألفان", "آلاف", "ألفا", "ألف"}
)

func arabicSum(n int, cents bool) string {
	of := dirhams
	if cents {
		of = centimes
	}
	switch n {
	case 0:
		return "صفر " + of.other
	case 1:
		return of.one + " واحد"
	}
	thousands, rest := n/1000, n%1000
	if thousands == 0 {
		return arabic(rest, of)
	}
	head := arabic(thousands, alfs)
	switch {
	case rest == 0 && strings.HasSuffix(head, "ألفان"): // the dual loses its last letter before its noun
		return strings.TrimSuffix(head, "ن") + " " + of.other
	case rest == 0:
		return strings.TrimSuffix(head, "ألفا") + alone(head) + " " + of.other
	}
	return head + " و" + arabic(rest, of)
}

// alone is «ألف» at the end of a number of thousands before what it counts.
func alone(head string) string {
	if strings.HasSuffix(head, "ألفا") {
		return "ألف"
	}
	return ""
}

// arabic says a number below a thousand with what it counts.
func arabic(n int, of countedAs) string {
	hundreds, rest := arabicHundreds[n/100], n%100
	if n < 100 {
		hundreds = ""
	}
	var s string
	switch {
	case rest == 0: // «مائتان» loses its last letter before its noun
		return strings.TrimSuffix(hundreds, "ن") + " " + of.other
	case rest == 1:
		s = of.one
	case rest == 2:
		s = of.two
	case rest <= 10:
		s = arabicOnes[rest] + " " + of.few
	case rest < 20:
		s = arabicTeens[rest-11] + " عشر " + of.many
	case rest%10 == 0:
		s = arabicTens[rest/10] + " " + of.many
	default:
		s = arabicOnes[rest%10] + " و" + arabicTens[rest/10] + " " + of.many
	}
	switch {
	case hundreds == "":
		return s
	case rest <= 2: // «مائة درهم ودرهم»
		return strings.TrimSuffix(hundreds, "ن") + " " + of.other + " و" + s
	}
	return hundreds + " و" + s
}
