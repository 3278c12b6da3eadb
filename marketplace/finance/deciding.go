package finance

import (
	"context"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Acknowledge says that the bank has the application.
func (s *Service) Acknowledge(ctx context.Context, tx *pg.Tx, in OneApplication) (ApplicationView, error) {
	return s.theirs(ctx, tx, in.Application, Receive, "finance.receive", "")
}

// Begin says that somebody at the bank looks at the application.
func (s *Service) Begin(ctx context.Context, tx *pg.Tx, in OneApplication) (ApplicationView, error) {
	return s.theirs(ctx, tx, in.Application, Review, "finance.review", "")
}

func (s *Service) theirs(ctx context.Context, tx *pg.Tx, application string, m Move, action, note string) (v ApplicationView, err error) {
	a, err := lockTheirs(ctx, tx, application)
	if err != nil {
		return v, err
	}
	if a, err = a.Do(m, tx.Now()); err != nil {
		return v, err
	}
	saveApplication(tx, a)
	return s.moved(ctx, tx, a, action, moves[m].side, note, map[string]string{"note": note})
}

// AskMore asks the member for papers, or for something it is to say.
func (s *Service) AskMore(ctx context.Context, tx *pg.Tx, in AskInput) (v ApplicationView, err error) {
	a, err := lockTheirs(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if words(in.Text) == "" {
		return v, ErrInvalid.At("/text", "Say what you need.")
	}
	if a, err = s.asks(ctx, tx, a, words(in.Text), in.Sections, auth.From(ctx).Person()); err != nil {
		return v, err
	}
	return s.moved(ctx, tx, a, "finance.ask", "bank", words(in.Text), in)
}

// asks writes a question down and moves the application.
func (s *Service) asks(ctx context.Context, tx *pg.Tx, a Application, text string, sections []string, by string) (Application, error) {
	a, err := a.Do(Ask, tx.Now())
	if err != nil {
		return a, err
	}
	n, err := lastQuestion(ctx, tx, a.ID)
	if err != nil {
		return a, err
	}
	if n >= 20 {
		return a, ErrAsked
	}
	if sections == nil {
		sections = []string{}
	}
	insertQuestion(tx, Question{Application: a.ID, N: n + 1, Text: text, Sections: sections, AskedBy: by, AskedAt: tx.Now()})
	saveApplication(tx, a)
	return a, nil
}

// MakeOffer offers the member an account, or a loan with what it costs a month.
func (s *Service) MakeOffer(ctx context.Context, tx *pg.Tx, in OfferInput) (v ApplicationView, err error) {
	a, err := lockTheirs(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	t, err := in.terms(a.Kind)
	if err != nil {
		return v, err
	}
	if a, err = s.offers(ctx, tx, a, t); err != nil {
		return v, err
	}
	return s.moved(ctx, tx, a, "finance.offer", "bank", "", in)
}

// terms reads an offer.
func (in OfferInput) terms(kind ProductKind) (t Terms, err error) {
	bad := ErrInvalid
	t = Terms{Months: in.Months, Text: words(in.Terms), Until: in.ValidUntil}
	if in.Fees != nil {
		var fees *int64
		if bad, fees = centimes(bad, "/fees", in.Fees, 0); fees != nil {
			t.Fees = *fees
		}
	}
	if in.Amount != nil {
		bad, t.Amount = centimes(bad, "/amount", in.Amount, 1)
	}
	if in.Rate != "" || kind == Loan {
		if t.Rate, err = ParsePercent(in.Rate); err != nil {
			bad = bad.At("/rate", "Give the yearly rate in percent, as 7.25.")
		}
	}
	if len(bad.Details) > 0 {
		return t, bad
	}
	return t, nil
}

func (s *Service) offers(ctx context.Context, tx *pg.Tx, a Application, t Terms) (Application, error) {
	e, err := editionOf(ctx, tx, a.Product, a.ProductVersion)
	if err != nil {
		return a, err
	}
	if a, err = a.Offer(t, e, tx.Now()); err != nil {
		return a, err
	}
	saveApplication(tx, a)
	return a, nil
}

// Refuse says no, and why.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, in RefuseInput) (v ApplicationView, err error) {
	a, err := lockTheirs(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	reason := words(in.Reason)
	if reason == "" {
		return v, ErrInvalid.At("/reason", "Say why; the member reads it.")
	}
	if a, err = s.refuses(tx, a, reason); err != nil {
		return v, err
	}
	return s.moved(ctx, tx, a, "finance.refuse", "bank", reason, map[string]string{"reason": reason})
}

func (s *Service) refuses(tx *pg.Tx, a Application, reason string) (Application, error) {
	a, err := a.Do(Refuse, tx.Now())
	if err != nil {
		return a, err
	}
	a.Reason = reason
	saveApplication(tx, a)
	return a, nil
}

// Complete says that the account is open, with its RIB, or that the loan is granted,
// with that of its account if it has one. A member that is paid nowhere yet, and has
// given no account, has this one, once the market's people vouch for it; any other
// chooses.
func (s *Service) Complete(ctx context.Context, tx *pg.Tx, in CompleteInput) (v ApplicationView, err error) {
	a, err := lockTheirs(ctx, tx, in.Application)
	if err != nil {
		return v, err
	}
	if a, err = s.completes(ctx, tx, a, in.RIB, words(in.Holder)); err != nil {
		return v, err
	}
	return s.moved(ctx, tx, a, "finance.complete", "bank", "", map[string]string{"rib": masked(a.RIB), "account": a.Account})
}

func (s *Service) completes(ctx context.Context, tx *pg.Tx, a Application, rib, holder string) (Application, error) {
	rib, err := cleanRIB(rib, a.Kind)
	if err != nil {
		return a, err
	}
	if (rib == "") != (holder == "") {
		return a, ErrInvalid.At("/holder", "Say in whose name the account is, beside its RIB.")
	}
	m := OpenIt
	if a.Kind == Loan {
		m = GrantIt
	}
	if a, err = a.Do(m, tx.Now()); err != nil {
		return a, err
	}
	if rib != "" {
		a.RIB, a.Holder = &rib, holder
		have, err := s.Members.PayoutAccounts(ctx, tx, a.Member)
		if err != nil {
			return a, err
		}
		if _, has := have[a.Member]; !has {
			if a, err = s.keepAccount(ctx, tx, a); err != nil {
				return a, err
			}
		}
	}
	saveApplication(tx, a)
	return a, nil
}

// cleanRIB is a RIB without its spaces: ErrInvalid when its key does not fit, or an
// account has none.
func cleanRIB(rib string, kind ProductKind) (string, error) {
	out := ""
	for _, r := range rib {
		if r != ' ' && r != '\u00a0' && r != '\u202f' {
			out += string(r)
		}
	}
	if out == "" && kind == Loan {
		return "", nil
	}
	if err := bank.CheckRIB(out); err != nil {
		text := "Give the RIB of 24 digits."
		if f, ok := err.(*fault.Error); ok { //nolint:errorlint // it is one
			text = f.Text
		}
		return "", ErrInvalid.At("/rib", text)
	}
	return out, nil
}

// masked hides all but the last four digits of a RIB.
func masked(rib *string) string {
	if rib == nil {
		return ""
	}
	return "•••• " + (*rib)[20:]
}

// SetChannel has a bank's applications go to its system behind a partner, or ("")
// to the desk. Those under way stay where they are. The market's people do that.
func (s *Service) SetChannel(ctx context.Context, in ChannelInput) (v ChannelView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v, err = s.setChannel(ctx, tx, in)
		return err
	})
	return v, err
}

func (s *Service) setChannel(ctx context.Context, tx *pg.Tx, in ChannelInput) (v ChannelView, err error) {
	b, err := s.Members.Of(ctx, tx, in.Bank)
	if err != nil || b.Kind != "operational_bank" {
		return v, ErrNotFound
	}
	if in.Partner != "" {
		if s.Banks == nil {
			return v, ErrInvalid.At("/partner", "No bank's system is plugged in here.")
		}
		if _, err := s.Banks.Applicants(ctx, tx, in.Partner); err != nil {
			return v, ErrInvalid.At("/partner", "This partner takes no applications: "+err.Error())
		}
	}
	v = ChannelView{Bank: in.Bank, Partner: in.Partner, SetBy: auth.From(ctx).Person(), SetAt: tx.Now().UTC()}
	saveChannel(tx, v)
	audit.Record(tx, "finance.channel", in.Bank, authz.Policy(ctx), map[string]string{"partner": in.Partner})
	return v, nil
}

// dirhams is an amount, if there is one.
func dirhams(c *int64) *money.Money {
	if c == nil {
		return nil
	}
	m := money.Dirhams(*c)
	return &m
}
