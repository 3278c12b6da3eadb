package orders

import (
	"context"
	"crypto/subtle"

	"tiwiza/pkg/id"
)

// A Paper is an invoice or a credit note as it is printed.
type Paper struct {
	InvoiceView
	Credit *CreditNoteView // of which the invoice is what it corrects
}

// Paper is an invoice or a credit note for whoever has its key; to others there is
// none. The key opens it for the ten years in which merchants keep such papers (law
// 15-95, article 22), and no longer.
func (s *Service) Paper(ctx context.Context, invoice, key string) (p Paper, err error) {
	if !id.Is(id.Invoice, invoice) {
		return p, ErrNoPaper
	}
	order, err := orderOfPaper(ctx, s.db, invoice)
	if err != nil {
		return p, err
	}
	all, err := invoicesOf(ctx, s.db, order)
	if err != nil {
		return p, err
	}
	for _, i := range all {
		if i.ID != invoice {
			continue
		}
		if subtle.ConstantTimeCompare([]byte(i.PrintKey), []byte(key)) != 1 {
			return p, ErrNoPaper
		}
		p.InvoiceView = all[0].view()
		if i.Kind == creditNote {
			c := i.credit()
			p.Credit = &c
		}
		return p, nil
	}
	return p, ErrNoPaper
}
