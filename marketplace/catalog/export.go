package catalog

import (
	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Export writes all offers of a seller as the file that an import takes: one
// row a variant. Texts that a spreadsheet would take for formulas are defused.
func (s *Service) Export(ctx context.Context, in ExportInput) (rest.Blob, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return rest.Blob{}, err
	}
	known, err := s.sellers.Sellers(ctx, s.db, []string{seller})
	if err != nil {
		return rest.Blob{}, err
	}
	if _, ok := known[seller]; !ok {
		return rest.Blob{}, ErrNotFound.Say("There is no such organisation.")
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
	return v.StartsAt.In(clock.Morocco).Format(time.RFC3339)
}

// count writes a number that says something.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
