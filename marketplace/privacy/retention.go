package privacy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/job"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// A Period is how long something is kept; then it goes by itself.
type Period struct {
	Code       string `json:"code"`
	Processing string `json:"processing"`
	Days       int    `json:"days"`
	Says       Texts  `json:"says"`
}

// timerPass lets go of what is past its time: its subject is a period's code.
const timerPass = "privacy.pass"

// batch is how many rows go in one unit of work, and again how often it is looked for
// more when nothing is left.
const (
	batch = 500
	again = 24 * time.Hour
)

// Arm begins to let go of what is past its time. Every hub calls it at start.
func (s *Service) Arm(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		for _, p := range register.Periods {
			job.SetOnce(tx, timerPass, p.Code, tx.Now())
		}
		return nil
	})
}

// keeper is the room that keeps what a period is about.
func (s *Service) keeper(code string) (personal.Holder, bool) {
	i := slices.IndexFunc(s.Holders, func(h personal.Holder) bool { return slices.Contains(h.Periods(), code) })
	if i < 0 {
		return nil, false
	}
	return s.Holders[i], true
}

// pass lets go of some of what is past its time, and comes back for the rest at once, or
// the next day. Whoever is killed in the middle has let go of nothing of this batch.
func (s *Service) pass(ctx context.Context, tx *pg.Tx, code string) error {
	i := slices.IndexFunc(register.Periods, func(p Period) bool { return p.Code == code })
	h, ok := s.keeper(code)
	if i < 0 || !ok {
		return nil // a period that is no more
	}
	n, err := h.Pass(ctx, tx, code, tx.Now().Add(-days(register.Periods[i].Days)), batch)
	if err != nil {
		return fmt.Errorf("let go of %s: %w", code, err)
	}
	savePassed(tx, code, n)
	if n > 0 {
		audit.Record(tx, "personal_data.pass", code, "", map[string]int64{"rows": n})
	}
	next := tx.Now().Add(again)
	if n >= batch {
		next = tx.Now()
	}
	job.Set(tx, timerPass, code, next)
	return nil
}

// PeriodView is a period, and what it let go of.
type PeriodView struct {
	Code       string     `json:"code" required:"true"`
	Processing string     `json:"processing" required:"true"`
	Days       int        `json:"days" required:"true"`
	Says       Texts      `json:"says" required:"true"`
	LastAt     *time.Time `json:"last_at,omitempty" description:"When it was looked at last."`
	LastDay    int64      `json:"rows_last_day" required:"true" description:"Rows that went on the last day."`
	Total      int64      `json:"rows" required:"true" description:"Rows that went in all."`
}

// PeriodsView are all periods.
type PeriodsView struct {
	Data []PeriodView `json:"data" required:"true"`
}

// Periods shows what goes by itself, and how much has. The operator reads it.
func (s *Service) Periods(ctx context.Context, _ rest.None) (v PeriodsView, err error) {
	all, err := passedBy(ctx, s.db)
	v.Data = make([]PeriodView, len(register.Periods))
	for i, p := range register.Periods {
		v.Data[i] = PeriodView{Code: p.Code, Processing: p.Processing, Days: p.Days, Says: p.Says}
		for _, x := range all {
			if x.Code == p.Code {
				v.Data[i].LastAt, v.Data[i].LastDay, v.Data[i].Total = rest.UTC(&x.LastAt), x.LastDay, x.Total
			}
		}
	}
	return v, err
}
