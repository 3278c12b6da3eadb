package charges

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/pg"
)

// kindAccount is what two people decide when a buyer gives no account.
const kindAccount = "refunds.account"

const timerClaim = "charges.refund_claim"

// ApprovedBy gives charges the second person. It is called at start.
func (s *Service) ApprovedBy(a Approvals) *Service {
	s.approvals = a
	a.Handle(kindAccount, s.accountDecided)
	a.Handle(kindLost, s.lost)
	return s
}

// AccountInput is where a refund goes that its card does not take.
type AccountInput struct {
	Refund string `path:"refund"`
	RIB    string `json:"rib" required:"true" minLength:"24" maxLength:"40" description:"24 digits, with or without spaces."`
	Holder string `json:"holder,omitempty" maxLength:"140" description:"Whose account it is; the name given with the order when left out."`
	Why    string `json:"why,omitempty" maxLength:"1000" description:"The operator's: how the account was found, for the second person."`
}

// Account takes the account that a refund shall go to. The buyer gives it while
// the refund waits for one; after 30 days the operator's people may, two of
// them.
func (s *Service) Account(ctx context.Context, tx *pg.Tx, in AccountInput) (RefundView, error) {
	rib := strings.Join(strings.Fields(in.RIB), "")
	if err := bank.CheckRIB(rib); err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			err = f.At("/rib", f.Text)
		}
		return RefundView{}, err
	}
	c, r, err := s.lockRefund(ctx, tx, in.Refund)
	if err != nil {
		return RefundView{}, err
	}
	if !authz.Allows(ctx, s.judge, "refunds.account", authz.Resource{Buyer: r.Buyer, Seller: r.Seller}) {
		return RefundView{}, ErrNoRefund
	}
	if !r.Waits() {
		return RefundView{}, ErrRefundState.Say("This refund is %s and waits for no account.", r.State).At("/state", string(r.State))
	}
	r.RIB, r.Holder = rib, cmp.Or(in.Holder, c.Contact.Name)
	if latin.Keep(r.Holder, "", 70) == "" {
		return RefundView{}, bank.ErrInvalid.At("/holder", "Give the name in letters that a bank can write.")
	}
	if auth.From(ctx).Role != auth.Operator {
		if err := s.approvals.Void(ctx, tx, kindAccount, r.ID); err != nil {
			return RefundView{}, err
		}
		r, err = s.anew(ctx, tx, r)
		return r.view(""), err
	}
	if r.WaitsSince.Add(Patience).After(tx.Now()) {
		return RefundView{}, ErrPatience
	}
	amount := r.Money()
	ask, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindAccount, Subject: r.ID, Hash: r.accountHash(), Amount: &amount,
		Why: noAccount.Of(r.RIB, r.Holder), Evidence: in.Why,
	})
	if err != nil {
		return RefundView{}, err
	}
	saveRefund(tx, r)
	return r.view(ask.ID), nil
}

// anew sends a refund to the account that it has got.
func (s *Service) anew(ctx context.Context, tx *pg.Tx, r Refund) (Refund, error) {
	if s.transfers == nil {
		return r, ErrNoTransfers
	}
	if open, err := openChargebacks(ctx, tx, r.Charge); err != nil || len(open) > 0 {
		if err == nil {
			err = ErrRefundState.Say("The buyer's bank is taking this payment back; nothing else goes back until that is decided.")
		}
		return r, err
	}
	r, err := r.To(RefundCreated, "", tx.Now())
	if err != nil {
		return r, err
	}
	job.Clear(tx, timerClaim, r.ID)
	audit.Record(tx, "refunds.account", r.ID, authz.Policy(ctx), map[string]string{"rib": r.RIB[20:]})
	r = s.beginTransfer(tx, r)
	saveRefund(tx, r)
	return r, nil
}

// accountHash stands for what two people approve: this refund, to this account.
func (r Refund) accountHash() []byte {
	h := sha256.Sum256([]byte(strings.Join([]string{r.ID, r.Money().String(), r.RIB, url.QueryEscape(r.Holder), fmt.Sprint(r.Attempt)}, "|")))
	return h[:]
}

// accountDecided carries out what two people have decided.
func (s *Service) accountDecided(ctx context.Context, tx *pg.Tx, a approvals.Request) error {
	if a.State != approvals.Approved {
		return nil
	}
	_, r, err := s.lockRefund(ctx, tx, a.Subject)
	if err != nil {
		return err
	}
	if !r.Waits() || string(r.accountHash()) != string(a.Hash) {
		return approvals.ErrChanged
	}
	_, err = s.anew(ctx, tx, r)
	return err
}

// claimDue calls people to a refund whose buyer has given no account, each month
// anew.
func (s *Service) claimDue(ctx context.Context, tx *pg.Tx, refund string) error {
	_, r, err := s.lockRefund(ctx, tx, refund)
	if err != nil || !r.Waits() {
		return err
	}
	job.Set(tx, timerClaim, r.ID, tx.Now().Add(Patience))
	return tx.Publish(ctx, RefundUnclaimed{r.ID, r.Order, r.Buyer, r.Money()})
}
