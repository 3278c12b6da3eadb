package payouts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ErrInvalid says that a setting or a limit cannot be what was asked for.
var ErrInvalid = fault.New(fault.Invalid, "payouts.invalid", "This cannot be set so.")

// SettingInput names whose setting; a seller's own when left out.
type SettingInput struct {
	Beneficiary string `query:"beneficiary" description:"carrier:{name} or insurer:{name}, for the operator."`
}

// SettingView is how a beneficiary is paid.
type SettingView struct {
	Beneficiary string      `json:"beneficiary" required:"true"`
	Schedule    Schedule    `json:"schedule" required:"true" enum:"manual,daily,weekly,monthly"`
	Minimum     money.Money `json:"minimum" required:"true" description:"Less than this is left for the next time."`
}

func (v Setting) view() SettingView {
	return SettingView{Beneficiary{v.Payee, v.Party}.String(), v.Schedule, money.Dirhams(v.Minimum)}
}

// Setting shows how often one is paid.
func (s *Service) Setting(ctx context.Context, in SettingInput) (SettingView, error) {
	b, err := beneficiary(ctx, in.Beneficiary)
	if err != nil {
		return SettingView{}, err
	}
	v, err := setting(ctx, s.db, b)
	return v.view(), err
}

// SetSettingInput says how often to be paid.
type SetSettingInput struct {
	Beneficiary string       `json:"beneficiary,omitempty" maxLength:"200" description:"carrier:{name} or insurer:{name}, for the operator."`
	Schedule    Schedule     `json:"schedule" required:"true" enum:"manual,daily,weekly,monthly" description:"daily, weekly on Mondays, monthly on the first, each at six in Morocco; manual: only when asked for."`
	Minimum     *money.Money `json:"minimum,omitempty" description:"Less than this is left for the next time; nothing when left out."`
}

// SetSetting says how often one is paid, and from what amount on.
func (s *Service) SetSetting(ctx context.Context, in SetSettingInput) (out SettingView, err error) {
	b, err := beneficiary(ctx, in.Beneficiary)
	if err != nil {
		return out, err
	}
	v := Setting{Payee: b.Payee, Party: b.Name, Schedule: in.Schedule, ChangedBy: auth.From(ctx).Person()}
	if in.Minimum != nil {
		if in.Minimum.Currency() != money.MAD || in.Minimum.Sign() < 0 {
			return out, ErrInvalid.At("/minimum", "an amount in MAD, not below zero")
		}
		v.Minimum = in.Minimum.Centimes()
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := lockParty(ctx, tx, b); err != nil {
			return err
		}
		saveSetting(tx, v)
		if next := v.Schedule.Next(tx.Now()); next.IsZero() {
			job.Clear(tx, timerDue, b.String())
		} else {
			job.Set(tx, timerDue, b.String(), next)
		}
		audit.Record(tx, "payout_settings.update", b.String(), "payouts.setting", map[string]any{"schedule": v.Schedule, "minimum": money.Dirhams(v.Minimum).String()})
		return nil
	})
	return v.view(), err
}

// LimitsInput are the limits that are wanted.
type LimitsInput struct {
	TwoAbove  money.Money `json:"two_above" required:"true" description:"Above it a second person decides."`
	MemberDay money.Money `json:"member_day" required:"true" description:"What may be paid to one member in a day."`
	TotalDay  money.Money `json:"total_day" required:"true" description:"What may be paid to all in a day."`
	DebtAbove money.Money `json:"debt_above" required:"true" description:"A member who owes more is not paid."`
	Reason    string      `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// LimitsView are limits as the API shows them.
type LimitsView struct {
	ID        string      `json:"id" required:"true"`
	InForce   bool        `json:"in_force" required:"true" description:"False while a second person must decide."`
	TwoAbove  money.Money `json:"two_above" required:"true"`
	MemberDay money.Money `json:"member_day" required:"true"`
	TotalDay  money.Money `json:"total_day" required:"true"`
	DebtAbove money.Money `json:"debt_above" required:"true"`
	Approval  string      `json:"approval,omitempty" description:"Where the second person decides."`
}

func (c capRow) view() LimitsView {
	return LimitsView{
		ID: c.ID, InForce: c.Since != nil, TwoAbove: money.Dirhams(c.TwoAbove), MemberDay: money.Dirhams(c.MemberDay),
		TotalDay: money.Dirhams(c.TotalDay), DebtAbove: money.Dirhams(c.DebtAbove),
	}
}

func (c capRow) hash() []byte {
	h := sha256.New()
	h.Write([]byte(c.ID))
	for _, n := range []int64{c.TwoAbove, c.MemberDay, c.TotalDay, c.DebtAbove} {
		h.Write(binary.BigEndian.AppendUint64([]byte{0}, uint64(n)))
	}
	return h.Sum(nil)
}

// ShowLimits shows the limits in force to the operator.
func (s *Service) ShowLimits(ctx context.Context, _ rest.None) (v LimitsView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := limitsAt(ctx, tx, tx.Now())
		v = c.view()
		return err
	})
	return v, err
}

// AskLimits asks for other limits; they begin when a second person approves.
func (s *Service) AskLimits(ctx context.Context, tx *pg.Tx, in LimitsInput) (LimitsView, error) {
	c := capRow{ID: id.New(id.Limits), AskedBy: auth.From(ctx).Person()}
	for at, v := range map[string]struct {
		in money.Money
		to *int64
	}{"/two_above": {in.TwoAbove, &c.TwoAbove}, "/member_day": {in.MemberDay, &c.MemberDay}, "/total_day": {in.TotalDay, &c.TotalDay}, "/debt_above": {in.DebtAbove, &c.DebtAbove}} {
		if v.in.Currency() != money.MAD || v.in.Sign() < 0 {
			return LimitsView{}, ErrInvalid.At(at, "an amount in MAD, not below zero")
		}
		*v.to = v.in.Centimes()
	}
	if c.TotalDay < c.MemberDay {
		return LimitsView{}, ErrInvalid.At("/total_day", "at least what one member may be paid")
	}
	insertCap(tx, c)
	r, err := s.Approvals.Ask(ctx, tx, approvals.Ask{Kind: kindLimits, Subject: c.ID, Hash: c.hash(), Why: in.Reason})
	v := c.view()
	v.Approval = r.ID
	return v, err
}

// limitsDecided has limits begin that a second person approved.
func (s *Service) limitsDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	c, err := loadCap(ctx, tx, r.Subject)
	if err != nil || r.State != approvals.Approved {
		return err
	}
	if !bytes.Equal(c.hash(), r.Hash) {
		return approvals.ErrChanged
	}
	beginCap(tx, c.ID, tx.Now())
	audit.Record(tx, "payout_limits.begin", c.ID, "payouts.four-eyes", c.Limits)
	return nil
}
