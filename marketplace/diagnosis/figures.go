package diagnosis

import (
	"context"

	"tiwiza/marketplace/members"
)

// A figure is a cell as the database counts it; without a number it is too small to be
// shown.
type figure struct {
	Kind          members.Kind
	Region        string
	Dimension     string
	Organisations *int
	Low           *float64
	Median        *float64
	High          *float64
}

// view is the cell with whole points and halves of them.
func (f figure) view() FigureView {
	v := FigureView{Kind: f.Kind, Region: f.Region, Dimension: f.Dimension, Hidden: f.Organisations == nil}
	if !v.Hidden {
		v.Organisations, v.Low, v.Median, v.High = *f.Organisations, f.Low, f.Median, f.High
	}
	return v
}

// Figures are what the market's people see of diagnostics: quartiles of the last
// finished run of each organisation in one edition, by kind, region and dimension. The database counts
// them and gives no row of fewer than five.
func (s *Service) Figures(ctx context.Context, in FiguresInput) (v FiguresView, err error) {
	e, err := editionOf(ctx, s.db, in.Questionnaire, in.Version)
	if err != nil {
		return v, err
	}
	all, err := figures(ctx, s.db.Asking(), e.Code, e.Version)
	if err != nil {
		return v, err
	}
	v = FiguresView{Questionnaire: e.Code, Version: e.Version, Names: e.Questionnaire.Names, Dimensions: map[string]members.Texts{}, Data: []FigureView{}}
	for _, d := range e.Questionnaire.Dimensions {
		v.Dimensions[d.Code] = d.Names
	}
	for _, f := range all {
		v.Data = append(v.Data, f.view())
	}
	return v, nil
}
