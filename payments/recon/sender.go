package recon

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// sent says whether a line's part comes from an acquirer, or goes to it. The
// payer's words never say so: its account does, which the bank writes, and the
// bank's own word for what the line is. Where a bank gives no account, that word
// alone must, and nothing does where it is not configured.
func (h House) sent(acquirer string, e bank.Entry, d bank.Detail) bool {
	kind := slices.ContainsFunc(h.Settlements, func(k string) bool {
		return k != "" && (e.Code == k || strings.HasPrefix(e.Code, k+" "))
	})
	if len(h.Settlements) > 0 && !kind {
		return false
	}
	if d.CounterpartyAccount == "" {
		return kind
	}
	from := h.Acquirers[acquirer]
	return from != "" && plain(d.CounterpartyAccount) == plain(from)
}

// sentByAny says whether a part comes from some acquirer, or goes to it.
func (h House) sentByAny(e bank.Entry, d bank.Detail) bool {
	return slices.ContainsFunc(h.names, func(a string) bool { return h.sent(a, e, d) })
}

// plain is an account as a RIB, when it is one.
func plain(account string) string {
	if rib, err := bank.RIBOf(account); err == nil {
		return rib
	}
	return strings.ReplaceAll(account, " ", "")
}

// errStranger says that a charge is named by somebody who is not its acquirer.
var errStranger = errors.New("the acquirer of this charge did not send it")

// namedBy is the charge that a part settles: errNoCharge when it names none,
// errStranger when another than its acquirer does.
func (s *Service) namedBy(ctx context.Context, db pg.DB, h House, e bank.Entry, d bank.Detail) (charges.Charge, string, error) {
	if d.Ref == "" {
		return charges.Charge{}, "", errNoCharge
	}
	for _, a := range h.names {
		c, err := s.charges.ByRef(ctx, db, a, d.Ref)
		switch {
		case errors.Is(err, charges.ErrNotFound):
			continue
		case err == nil && !h.sent(a, e, d):
			err = errStranger
		}
		return c, a, err
	}
	return charges.Charge{}, "", errNoCharge
}

// A dear is why a stated fee is not booked.
type dear struct{ why string }

func (d dear) Error() string { return d.why }

// fair is an error when an acquirer says it kept more than its contract lets it,
// give or take a rounding; without a known contract, more than one person may
// give up.
func (s *Service) fair(h House, acquirer string, d bank.Detail) error {
	limit, over := money.FromCentimes(WriteOffAlone, d.Fee.Currency()), overAlone
	if fee, known := s.fee(h, acquirer, d.Gross); known {
		limit, over = fee.Add(money.FromCentimes(1, fee.Currency())), overContract
	}
	switch {
	case d.Fee.Currency() != limit.Currency() || d.Fee.Sign() < 0:
		return dear{noFee.Of(d.Fee, d.Ref)}
	case d.Fee.Cmp(limit) > 0:
		return dear{over.Of(d.Fee, d.Ref)}
	}
	return nil
}
