package catalog

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/marketplace/catalog/sheet"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Export writes all offers of a seller as the CSV file that an import takes: one
// row a variant, whatever the offer's state. Photographs, closures and what the
// operator said of labels are not in it.
func (s *Service) Export(ctx context.Context, in ExportInput) (rest.Stream, error) {
	seller, err := s.exporting(ctx, in.Seller)
	return rest.Stream{ContentType: "text/csv; charset=utf-8", FileName: "offers.csv", Write: func(ctx context.Context, w io.Writer) error {
		return sheet.WriteCSV(w, columns, numbers, s.rows(ctx, seller))
	}}, err
}

// ExportXLSX is Export as a workbook, where numbers are numbers.
func (s *Service) ExportXLSX(ctx context.Context, in ExportInput) (rest.Stream, error) {
	seller, err := s.exporting(ctx, in.Seller)
	return rest.Stream{ContentType: xlsxType, FileName: "offers.xlsx", Write: func(ctx context.Context, w io.Writer) error {
		return sheet.WriteXLSX(w, "offers", columns, numbers, s.rows(ctx, seller))
	}}, err
}

// exporting is whose catalogue the caller exports.
func (s *Service) exporting(ctx context.Context, asked string) (string, error) {
	seller, err := owner(ctx, asked, "?seller")
	if err != nil {
		return "", err
	}
	found, err := s.sellers.Sellers(ctx, s.db, []string{seller})
	if err != nil {
		return "", err
	}
	if _, ok := found[seller]; !ok {
		return "", ErrNotFound.Say("There is no such organisation.")
	}
	return seller, nil
}

// rows are all offers of a seller as rows of a file, read piece by piece.
func (s *Service) rows(ctx context.Context, seller string) sheet.Rows {
	return func(yield func([]string, error) bool) {
		for after := ""; ; {
			all, err := exportPage(ctx, s.db, seller, after)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(all) == 0 {
				return
			}
			for _, o := range all {
				after = o.ID
				for _, row := range o.rows() {
					if !yield(row, nil) {
						return
					}
				}
			}
		}
	}
}

// rows are an offer as lines of a file. Each has all its labels, with bars
// between them.
func (o Offer) rows() [][]string {
	if o.Asked != nil && o.Asked.State == Open { // so that reading it back takes nothing back
		o = o.approved(*o.Asked)
	}
	var out [][]string
	var code, issuer, number, from, to []string
	for _, l := range o.Labels {
		if l.Scope != OfOffers || l.State == Refused || l.State == Revoked || l.State == Withdrawn {
			continue
		}
		code, issuer, number = append(code, l.Code), append(issuer, l.Issuer), append(number, l.Number)
		from, to = append(from, l.From), append(to, l.To)
	}
	for _, v := range o.Variants {
		row := []string{
			o.Seller, o.Ref, o.Category, o.Names["fr"], o.Names["ar"], o.Names["en"],
			o.Descriptions["fr"], o.Descriptions["ar"], o.Descriptions["en"],
			v.SKU, v.Names["fr"], v.Names["ar"], v.Unit, strconv.Itoa(v.WeightG), v.Price.Amount(), strconv.Itoa(v.OnHand),
			o.Region, o.Commune, degree(o.Lat), degree(o.Lng),
			bars(code), bars(issuer), bars(number), bars(from), bars(to), o.WithdrawalExempt, o.Image,
			string(o.Kind), string(o.Way), o.Names["zgh"], o.Descriptions["zgh"], bars(paired(o.Attributes)), bars(o.Claims), o.Voice,
			count(v.Net.Quantity), v.Net.Unit, bars(v.tierCells()), string(v.Policy), count(v.LeadDays), count(v.Weekly), v.begins(), count(v.Minutes),
			v.Names["en"], v.Names["zgh"], string(o.State),
		}
		for i, c := range columns {
			if inWords(c) {
				row[i] = marked(row[i])
			}
		}
		out = append(out, row)
	}
	return out
}

// bars writes the values of a cell that may have several; none at all is empty.
func bars(values []string) string {
	if strings.Join(values, "") == "" {
		return ""
	}
	return strings.Join(values, " | ")
}

func degree(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}

// paired writes attributes as a row has them.
func paired(attributes map[string]string) []string {
	var out []string
	for _, code := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, code+"="+attributes[code])
	}
	return out
}

func (v Variant) tierCells() []string {
	var out []string
	for _, t := range v.Tiers {
		out = append(out, strconv.Itoa(t.From)+": "+money.FromCentimes(t.Price, v.Price.Currency()).Amount())
	}
	return out
}

func (v Variant) begins() string {
	if v.StartsAt == nil {
		return ""
	}
	return v.StartsAt.In(clock.Morocco).Format(time.RFC3339Nano)
}

// count writes a number that says something.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
