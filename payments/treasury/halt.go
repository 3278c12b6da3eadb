package treasury

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const kindResume = "halt.resume"

// A Halt is one time in which no money leaves.
type Halt struct {
	ID     string
	Reason string
	OnBy   string
	OnAt   time.Time
	OffBy  string
	OffAt  *time.Time
}

// Halted says whether all payments out are stopped. The engine of operations
// asks it before each.
func Halted(ctx context.Context, db pg.DB) (bool, error) { return halted(ctx, db) }

// HaltView is the switch as the API shows it.
type HaltView struct {
	On       bool       `json:"on" required:"true"`
	Reason   string     `json:"reason,omitempty"`
	By       string     `json:"by,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Approval string     `json:"approval,omitempty" description:"Where a second person lets payments go on, once that was asked for."`
}

// ShowHalt shows whether payments out are halted.
func (s *Service) ShowHalt(ctx context.Context, _ rest.None) (HaltView, error) {
	h, err := openHalt(ctx, s.db)
	if errors.Is(err, ErrRunning) {
		return HaltView{}, nil
	}
	if err != nil {
		return HaltView{}, err
	}
	v := h.view()
	r, err := s.approvals.Of(ctx, s.db, kindResume, h.ID)
	if err == nil && r.State == approvals.Open {
		v.Approval = r.ID
	}
	if errors.Is(err, approvals.ErrNotFound) {
		err = nil
	}
	return v, err
}

func (h Halt) view() HaltView {
	at := h.OnAt.UTC()
	return HaltView{On: h.OffAt == nil, Reason: h.Reason, By: h.OnBy, Since: &at}
}

// SetHaltInput turns the switch.
type SetHaltInput struct {
	On     bool   `json:"on" required:"true" description:"True stops all payments out at once; false asks a second person to let them go on."`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// SetHalt stops all payments out by one person's word; they go on when one
// person asks for it and another agrees. Turning it the way it stands changes
// nothing.
func (s *Service) SetHalt(ctx context.Context, in SetHaltInput) (v HaltView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if in.On {
			v, err = s.halt(ctx, tx, in.Reason)
		} else {
			v, err = s.resume(ctx, tx, in.Reason)
		}
		return err
	})
	return v, err
}

func (s *Service) halt(ctx context.Context, tx *pg.Tx, reason string) (HaltView, error) {
	h := Halt{ID: id.New(id.Halt), Reason: reason, OnBy: auth.From(ctx).Person(), OnAt: tx.Now()}
	fresh, err := insertHalt(ctx, tx, h)
	if err != nil {
		return HaltView{}, err
	}
	if !fresh {
		h, err = openHalt(ctx, tx)
		return h.view(), err
	}
	audit.Record(tx, "halt.set", h.ID, "payouts.operator", map[string]any{"on": true, "reason": reason})
	return h.view(), tx.Publish(ctx, Switched{h.ID, true, reason})
}

func (s *Service) resume(ctx context.Context, tx *pg.Tx, reason string) (HaltView, error) {
	h, err := openHalt(ctx, tx)
	if errors.Is(err, ErrRunning) {
		return HaltView{}, nil
	}
	if err != nil {
		return HaltView{}, err
	}
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{Kind: kindResume, Subject: h.ID, Hash: h.hash(), Why: letGoOn.Of(reason)})
	v := h.view()
	v.Approval = r.ID
	return v, err
}

func (h Halt) hash() []byte {
	sum := sha256.Sum256([]byte(h.ID + "|" + h.Reason))
	return sum[:]
}

// resumed lets payments go on once a second person agrees.
func (s *Service) resumed(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	h, err := openHalt(ctx, tx)
	if err != nil || h.ID != r.Subject {
		return approvals.ErrChanged
	}
	endHalt(tx, h.ID, strings.Join(append([]string{r.AskedBy}, r.By...), ", "), tx.Now())
	audit.Record(tx, "halt.set", h.ID, "payouts.four-eyes", map[string]any{"on": false, "asked_by": r.AskedBy, "approved_by": r.By})
	return tx.Publish(ctx, Switched{h.ID, false, r.Why})
}
