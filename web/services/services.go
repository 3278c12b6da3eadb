// Package services is how the services of banks and insurers look to members: the same at the
// seller's desk, and beside the form in which they are written.
package services

import (
	"strings"

	"tiwiza/marketplace/finance"
	"tiwiza/web/ui"
)

// Card is a bank's product as a member sees it, in a language.
func Card(l ui.Lang, e finance.EditionView) ui.OfferCard {
	c := ui.OfferCard{Icon: icons[e.Kind], Kind: l.T("finance.kind_" + string(e.Kind)), Name: l.Say(e.Names), By: l.Say(e.Bank.Names), ByID: e.Bank.ID, Terms: l.Say(e.Terms)}
	if e.Least != nil && e.Most != nil {
		c.Lines = append(c.Lines, [2]string{l.T("finance.amount"), l.T("finance.range", "a", l.Short(*e.Least), "b", l.Short(*e.Most))},
			[2]string{l.T("finance.duration"), l.T("finance.range_months", "a", l.Number(int64(e.Shortest)), "b", l.Number(int64(e.Longest)))},
			[2]string{l.T("finance.rate"), Percent(l, e.Rate)})
	}
	if e.Example != nil {
		c.Lines = append(c.Lines, [2]string{l.T("finance.example", "sum", l.Sum(e.Example.Amount), "n", l.Number(int64(e.Example.Months))), l.T("finance.a_month", "sum", l.Sum(e.Example.Monthly))})
	}
	c.Lines = append(c.Lines, [2]string{l.T("finance.sees"), Sections(l, e.Sections)})
	return c
}

var icons = map[finance.ProductKind]string{finance.Account: "landmark", finance.Loan: "hand-coins"}

// Sections are parts of a dossier in words.
func Sections(l ui.Lang, all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = l.T("finance.section_" + s)
	}
	return strings.Join(out, l.T("common.comma"))
}

// Percent is a yearly rate as a language writes it.
func Percent(l ui.Lang, rate string) string {
	if l != ui.English {
		rate = strings.ReplaceAll(rate, ".", ",")
	}
	return l.T("finance.percent", "n", rate)
}
