package charges

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"tiwiza/adapters/wallet"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ErrNotDeclined says that a charge is not one to be asked for anew.
var ErrNotDeclined = fault.New(fault.Conflict, "charges.not_declined", "Only a charge that its wallet has refused is asked for anew.")

func walletRoutes(s *Service) []rest.Route {
	const about = "The address that the provider was given for one request; nobody else can guess it. The body is a transaction, an error object or a request state of the Mobile Money API, and proves nothing: the hub asks the provider at once."
	return []rest.Route{
		rest.Commit("POST", "/v1/charges/{charge}/wallet", "charges.pay_anew", "Ask a wallet again for a charge that one has refused", http.StatusOK, s.Anew),
		rest.Commit("POST", "/v1/charges/{charge}/give-up", "charges.give_up", "Give a charge up that its wallet has refused, to order again and pay in another way", http.StatusOK, s.GiveUp),
		rest.Handle("PUT", "/callbacks/{partner}/wallet/{ref}/{token}", "callbacks.wallet", "Take in what a wallet's provider says of a request", http.StatusNoContent, s.WalletCallback,
			rest.Public(), rest.About(about)),
		rest.Handle("POST", "/callbacks/{partner}/wallet/{ref}/{token}", "callbacks.wallet_post", "Take in the same from a provider that posts it", http.StatusNoContent, s.WalletCallback,
			rest.Public(), rest.About(about)),
	}
}

// AnewInput says which phone is asked to pay for a charge.
type AnewInput struct {
	Charge string `path:"charge"`
	Phone  string `json:"phone,omitempty" maxLength:"20" pattern:"^\\+212[67][0-9]{8}$" description:"In international form; the one that was asked before when left out."`
}

// AnewView is a charge that is being asked for.
type AnewView struct {
	ID         string     `json:"id" required:"true"`
	State      State      `json:"state" required:"true" enum:"created,accepted,confirmed,declined,unknown,expired"`
	NextAction NextAction `json:"next_action" required:"true"`
}

// Anew has the buyer ask a wallet again.
func (s *Service) Anew(ctx context.Context, tx *pg.Tx, in AnewInput) (AnewView, error) {
	c, err := lock(ctx, tx, in.Charge)
	if err != nil {
		return AnewView{}, err
	}
	if !authz.Allows(ctx, s.judge, "charges.pay_anew", authz.Resource{Buyer: c.Buyer}) {
		return AnewView{}, ErrNotFound
	}
	r, err := s.PayAnew(ctx, tx, c.ID, in.Phone)
	return AnewView{r.ID, r.State, r.NextAction}, err
}

// GiveUp ends a charge that its wallet has refused before its time is over: the
// goods are on sale again at once, and can be paid in another way.
func (s *Service) GiveUp(ctx context.Context, tx *pg.Tx, in ShowInput) (AnewView, error) {
	c, err := lock(ctx, tx, in.Charge)
	if err != nil {
		return AnewView{}, err
	}
	if !authz.Allows(ctx, s.judge, "charges.give_up", authz.Resource{Buyer: c.Buyer}) {
		return AnewView{}, ErrNotFound
	}
	if c.State != Declined {
		return AnewView{}, ErrNotDeclined.Say("This charge is %s; only one that its wallet has refused can be given up.", c.State)
	}
	c.State = Expired
	return AnewView{c.ID, c.State, plainReceipt(c).NextAction}, s.expire(ctx, tx, c.ID)
}

// WalletCallbackInput is what a provider sends to the address of a request.
type WalletCallbackInput struct {
	Partner string   `path:"partner"`
	Ref     string   `path:"ref"`
	Token   string   `path:"token"`
	Hash    string   `header:"X-Content-Hash"`
	Body    rest.Raw `body:"raw"`
}

// WalletCallback takes in what a provider tells of a request: it has the hub ask,
// and decides nothing. What does not come to an address of ours, or cannot be
// read, leaves a line in the audit trail.
func (s *Service) WalletCallback(ctx context.Context, in WalletCallbackInput) (rest.Text, error) {
	w, _, err := s.wallet(ctx, s.db, in.Partner)
	if err != nil {
		return "", ErrPartnerUnknown
	}
	if !w.Genuine(in.Ref, in.Token) {
		return "", s.unheard(ctx, in, wallet.ErrForged)
	}
	n, err := w.Notice(wallet.Callback{Body: in.Body.Bytes, Hash: in.Hash})
	if err != nil {
		return "", s.unheard(ctx, in, err)
	}
	if n.Ref != "" && n.Ref != in.Ref {
		return "", s.unheard(ctx, in, wallet.ErrUnreadable.With(fmt.Errorf("it is about %q", n.Ref)))
	}
	n.Ref = in.Ref
	return "", s.told(ctx, w.ID(), n)
}

// WalletTold has a wallet asked at once about a request that an event of its tells of:
// ErrPartnerUnknown, ErrNotFound, wallet.ErrUnreadable. The caller has looked who
// signed it.
func (s *Service) WalletTold(ctx context.Context, name string, event []byte) error {
	w, _, err := s.wallet(ctx, s.db, name)
	if err != nil {
		return ErrPartnerUnknown.With(err)
	}
	n, err := w.Notice(wallet.Callback{Body: event})
	if err != nil {
		return err
	}
	return s.told(ctx, name, n)
}

func (s *Service) told(ctx context.Context, name string, n wallet.Notice) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := s.ops.Find(ctx, tx, name, n.Ref)
		if errors.Is(err, operations.ErrNotFound) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		said := outbound.Result{Outcome: outbound.Accepted, Code: n.Code, Text: told.Of(n.State), Evidence: n.Raw}
		if o, err = s.ops.Heard(ctx, tx, o.ID, operations.Callback, said, n.Ref+" "+n.EventID); err != nil {
			return err
		}
		s.ops.AskNow(tx, o)
		return nil
	})
}

// unheard keeps that a callback was refused.
func (s *Service) unheard(ctx context.Context, in WalletCallbackInput, why error) error {
	slog.WarnContext(ctx, "callback refused", "partner", in.Partner, "our_ref", in.Ref, "cause", why)
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "callbacks.wallet", in.Partner, "refused: not authentic", nil)
		return nil
	})
	if err != nil {
		return err
	}
	return why
}
