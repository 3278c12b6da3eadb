package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// booklet is what one cooperative sells as a file: a page to print and to colour.
// Another hub may have made it at the same time.
func (h *house) booklet(ctx context.Context, seller string) error {
	free := catalog.Unlimited
	v, err := h.catalog.Create(ctx, catalog.CreateInput{
		Seller: seller, Key: "cahier-coloriage", Kind: catalog.Digital, Category: "wood", Region: "MA-09", Commune: "Aït Baha",
		Names:        map[string]string{"fr": "Cahier de coloriage à imprimer", "ar": "دفتر تلوين للطباعة", "en": "Printable colouring book"},
		Descriptions: map[string]string{"fr": "Un fichier PDF, à ouvrir dès le paiement.", "ar": "ملف يفتح فور الأداء.", "en": "A PDF file, there to open as soon as it is paid."},
		Variants: []catalog.VariantInput{{
			SKU: "TAZART-COLORIAGE-PDF", Names: map[string]string{"fr": "PDF", "ar": "PDF"}, Price: money.Dirhams(30_00),
			SupplyInput: catalog.SupplyInput{Policy: &free},
		}},
	})
	if errors.Is(err, catalog.ErrKey) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := h.media.Add(ctx, media.Upload{Owner: seller, Kind: media.Ware, Name: "coloriage.pdf", Bytes: page()})
	if err != nil {
		return err
	}
	err = h.store.InTx(ctx, func(tx *pg.Tx) error {
		_, err := h.wares.AddWare(ctx, tx, digital.WareInput{Variant: v.Variants[0].ID, File: f.ID, Title: "Cahier de coloriage (PDF)"})
		return err
	})
	if err != nil {
		return err
	}
	_, err = h.catalog.Publish(ctx, catalog.OfferInput{Offer: v.ID})
	return err
}

// page is a PDF of one page: nested lozenges, as on carpets, in thin lines.
func page() []byte {
	var draw bytes.Buffer
	for i := range 12 {
		r := 20 * (i + 1)
		fmt.Fprintf(&draw, "%d 421 m 297 %d l %d 421 l 297 %d l h S\n", 297-r, 421+r, 297+r, 421-r)
	}
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>",
		fmt.Sprintf("<</Length %d>>stream\n%sendstream", draw.Len(), draw.String()),
	}
	b := bytes.NewBufferString("%PDF-1.4\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(b, "%d 0 obj%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return b.Bytes()
}
