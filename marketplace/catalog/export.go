package catalog

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"

	"tiwiza/pkg/rest"
)

// Export writes all offers of a seller as the file that an import takes: one
// row a variant. Texts that a spreadsheet would take for formulas are defused.
func (s *Service) Export(ctx context.Context, in ExportInput) (rest.Blob, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return rest.Blob{}, err
	}
	all, err := readOwn(ctx, s.db, seller)
	if err != nil {
		return rest.Blob{}, err
	}
	return rest.Blob{ContentType: "text/csv; charset=utf-8", FileName: "offers.csv", Write: func(w io.Writer) error {
		if _, err := io.WriteString(w, "\uFEFF"); err != nil { // without it, spreadsheets misread Arabic
			return err
		}
		c := csv.NewWriter(w)
		if err := c.Write(columns); err != nil {
			return err
		}
		for _, o := range all {
			if err := c.WriteAll(o.rows()); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// rows are an offer as lines of a file. Further labels than variants stand in
// no row of their own: they are left out.
func (o Offer) rows() [][]string {
	var out [][]string
	for i, v := range o.Variants {
		var l Label
		switch {
		case i < len(o.Labels):
			l = o.Labels[i]
		case len(o.Labels) > 0:
			l = o.Labels[0]
		}
		row := []string{
			o.Seller, o.Ref, o.Category, o.Names["fr"], o.Names["ar"], o.Names["en"],
			o.Descriptions["fr"], o.Descriptions["ar"], o.Descriptions["en"],
			v.SKU, v.Names["fr"], v.Names["ar"], v.Unit, strconv.Itoa(v.WeightG), v.Price.Amount(), strconv.Itoa(v.OnHand),
			o.Region, o.Commune, degree(o.Lat), degree(o.Lng),
			l.Code, l.Issuer, l.Number, l.From, l.To, o.WithdrawalExempt, o.Image,
		}
		for j, c := range row {
			if columns[j] != "lng" && columns[j] != "lat" { // numbers are not texts
				row[j] = defuse(c)
			}
		}
		out = append(out, row)
	}
	return out
}

func degree(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
