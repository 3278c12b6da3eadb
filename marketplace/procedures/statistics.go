package procedures

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/rest"
)

// fewest is how many cases a cell of the statistics has at least; of fewer, people
// would know whose they are.
const fewest = 5

// A figure is a month and region as the database counts it.
type figure struct {
	Month   string
	Region  string
	Decided int
	Granted int
	Median  *float64
	Ninth   *float64
}

// view hides what is too small.
func (f figure) view() FigureView {
	if f.Decided < fewest {
		return FigureView{Month: f.Month, Region: f.Region, Hidden: true}
	}
	return FigureView{Month: f.Month, Region: f.Region, Decided: f.Decided, Granted: f.Granted, Median: tenth(f.Median), Ninth: tenth(f.Ninth)}
}

// tenth rounds days to one decimal.
func tenth(days *float64) *float64 {
	if days == nil {
		return nil
	}
	x := float64(int64(*days*10+0.5)) / 10
	return &x
}

// month is when a month begins in Morocco.
func month(s string) (time.Time, error) { return time.ParseInLocation("2006-01", s, clock.Morocco) }

// A span is from when until when figures are counted.
type span struct{ from, to time.Time }

// between reads from when until when; what was left out is filled in.
func (in StatisticsInput) between(now time.Time) (StatisticsInput, span, error) {
	var s span
	if in.To == "" {
		in.To = now.In(clock.Morocco).Format("2006-01")
	}
	to, err := month(in.To)
	if err != nil {
		return in, s, ErrInvalid.At("?to", "Give a month, such as 2026-11.")
	}
	if in.From == "" {
		in.From = to.AddDate(0, -11, 0).Format("2006-01")
	}
	if s.from, err = month(in.From); err != nil {
		return in, s, ErrInvalid.At("?from", "Give a month, such as 2026-01.")
	}
	s.to = to.AddDate(0, 1, 0)
	if !s.from.Before(s.to) || s.to.Sub(s.from) > 10*366*24*time.Hour {
		return in, s, ErrInvalid.At("?from", "Give a month before the last, ten years at most.")
	}
	return in, s, nil
}

// Statistics are an institution's own: by month and region how many cases were
// decided and how many days they took. Cells of fewer than five are hidden.
func (s *Service) Statistics(ctx context.Context, in StatisticsInput) (v StatisticsView, err error) {
	now, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	in, over, err := in.between(now)
	if err != nil {
		return v, err
	}
	all, err := statistics(ctx, s.db, auth.From(ctx).Subject, in.Procedure, over)
	if err != nil {
		return v, err
	}
	v = StatisticsView{From: in.From, To: in.To, Data: []FigureView{}}
	for _, f := range all {
		v.Data = append(v.Data, f.view())
	}
	return v, nil
}

// StatisticsCSV is the same as a table.
func (s *Service) StatisticsCSV(ctx context.Context, in StatisticsInput) (b rest.Blob, err error) {
	v, err := s.Statistics(ctx, in)
	if err != nil {
		return b, err
	}
	return rest.Blob{ContentType: "text/csv; charset=utf-8", FileName: "demarches-" + v.From + "-" + v.To + ".csv", Write: func(w io.Writer) error {
		out := csv.NewWriter(w)
		_ = out.Write([]string{"month", "region", "decided", "granted", "median_days", "ninth_decile_days"})
		for _, f := range v.Data {
			row := []string{f.Month, f.Region, "<5", "", "", ""}
			if !f.Hidden {
				row = []string{f.Month, f.Region, strconv.Itoa(f.Decided), strconv.Itoa(f.Granted), decimal(f.Median), decimal(f.Ninth)}
			}
			_ = out.Write(row)
		}
		out.Flush()
		return out.Error()
	}}, nil
}

func decimal(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', 1, 64)
}
