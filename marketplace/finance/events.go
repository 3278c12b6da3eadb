package finance

import (
	"context"

	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// ApplicationMoved says that an application was handed in, answered, or is over.
type ApplicationMoved struct {
	Application string      `json:"application"`
	Kind        ProductKind `json:"kind"`
	State       State       `json:"state"`
	Member      string      `json:"member"`
	Bank        string      `json:"bank"`
	BankName    string      `json:"bank_name"`
	By          string      `json:"by"` // member, bank or hub
}

// EventType names the event.
func (ApplicationMoved) EventType() string { return "finance.application_moved" }

// Subject is the application.
func (e ApplicationMoved) Subject() string { return e.Application }

// ConsentEnded says that a bank may no longer read the papers of an application.
type ConsentEnded struct {
	Application string `json:"application"`
	Consent     string `json:"consent"`
	Why         string `json:"why"` // withdrawn or expired
	Member      string `json:"member"`
	Bank        string `json:"bank"`
}

// EventType names the event.
func (ConsentEnded) EventType() string { return "finance.consent_ended" }

// Subject is the application.
func (e ConsentEnded) Subject() string { return e.Application }

// ProductMoved says that a version of a product was handed in, published, given
// back or taken off the list.
type ProductMoved struct {
	Product string       `json:"product"`
	Version int          `json:"version"`
	Bank    string       `json:"bank"`
	Kind    ProductKind  `json:"kind"`
	State   EditionState `json:"state"`
}

// EventType names the event.
func (ProductMoved) EventType() string { return "finance.product_moved" }

// Subject is the product.
func (e ProductMoved) Subject() string { return e.Product }

// tell publishes where an application stands. What is still a draft concerns nobody.
func (s *Service) tell(ctx context.Context, tx *pg.Tx, a Application, side string) error {
	if a.State == Draft {
		return nil
	}
	who, err := s.Members.Sellers(ctx, tx, []string{a.Bank})
	if err != nil {
		return err
	}
	return tx.Publish(ctx, ApplicationMoved{Application: a.ID, Kind: a.Kind, State: a.State, Member: a.Member, Bank: a.Bank, BankName: said(who[a.Bank].Names), By: side})
}

// said is a name in French, or as there is one.
func said(names map[string]string) string {
	for _, lang := range languages {
		if names[lang] != "" {
			return names[lang]
		}
	}
	return "?"
}

// Tell publishes what members and banks hear of applications, and banks of their
// products.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "An application for an account or a loan was handed in, answered, or is over.", func(_ context.Context, _ *pg.Tx, e ApplicationMoved) (map[string]ApplicationMoved, error) {
		return map[string]ApplicationMoved{e.Member: e, e.Bank: e}, nil
	})
	event.Tell(bus, 1, "A bank may no longer read the papers of an application.", func(_ context.Context, _ *pg.Tx, e ConsentEnded) (map[string]ConsentEnded, error) {
		return map[string]ConsentEnded{e.Member: e, e.Bank: e}, nil
	})
	event.Tell(bus, 1, "A version of a bank's product was handed in, published, given back or taken off the list.", func(_ context.Context, _ *pg.Tx, e ProductMoved) (map[string]ProductMoved, error) {
		return map[string]ProductMoved{e.Bank: e}, nil
	})
}

// Subscribe has finance hear of consents that end.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "finance", func(ctx context.Context, tx *pg.Tx, e sharing.ConsentMoved) error {
		if e.State != sharing.Withdrawn && e.State != sharing.Expired {
			return nil
		}
		return s.consentEnded(auth.With(ctx, auth.Hub), tx, e.Consent, string(e.State))
	})
}

// consentEnded has the applications say that their bank reads no more. Sharing
// refuses it from the same moment on, whether this was heard or not.
func (s *Service) consentEnded(ctx context.Context, tx *pg.Tx, consent, why string) error {
	all, err := endGrounds(ctx, tx, consent, why)
	if err != nil {
		return err
	}
	for _, a := range all {
		insertStep(tx, a, "member", "consent_"+why)
		if err := tx.Publish(ctx, ConsentEnded{Application: a.ID, Consent: consent, Why: why, Member: a.Member, Bank: a.Bank}); err != nil {
			return err
		}
	}
	return nil
}
