package limits

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Approvals are the second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Service keeps the rules and counts.
type Service struct {
	db        *pg.Store
	approvals Approvals
}

// New makes the service, and has approvals call it when the rules shall change.
func New(db *pg.Store, a Approvals) *Service {
	s := &Service{db, a}
	a.Handle(kindRules, s.decided)
	return s
}

// A Sale is a checkout as limits see it.
type Sale struct {
	Group   string // its id
	Buyer   string
	Method  string
	Phone   string // in one form for each number
	Address string // as the buyer gave it; "" when the goods are fetched
	Amount  money.Money
	Parts   []Part
}

// A Part is one cooperative's part of a sale.
type Part struct {
	Order, Seller string
	Amount        money.Money
}

// Check counts a sale as part of the caller's unit of work, or answers
// ErrRefused with the rule that it would break. It comes last, since whoever
// comes near a limit waits for those before until they have committed. A sale
// that is not refused may still be held or looked at by a person; its buyer is
// not told. Sales that are never paid count too.
func (s *Service) Check(ctx context.Context, tx *pg.Tx, sale Sale) error {
	keys := []key{{"all", "*", sale.Amount.Centimes()}, {"buyer", sale.Buyer, sale.Amount.Centimes()}}
	for per, text := range map[string]string{"phone": sale.Phone, "address": fold(sale.Address)} {
		if text != "" {
			keys = append(keys, key{per, hash(text), sale.Amount.Centimes()})
		}
	}
	for _, p := range sale.Parts {
		keys = append(keys, key{"seller", p.Seller, p.Amount.Centimes()})
	}
	figures, err := s.figures(ctx, tx, OfSales, sale.Method, merge(keys))
	if err != nil {
		return err
	}
	d := decide(OfSales, sale.Group, "", sale.Amount.Centimes(), figures, tx.Now())
	d.Open = d.Outcome == Hold || d.Outcome == Review
	if d.Outcome == Refuse {
		s.keep(tx, d)
		return ErrRefused.Say("%s Try again later, or order less.", d.over[0].sentence("order"))
	}
	count(tx, OfSales, sale.Method, merge(keys), tx.Now(), 1)
	insertDecision(tx, d)
	if d.Outcome == Hold {
		for _, p := range sale.Parts {
			insertHeld(tx, p.Order, d.ID)
		}
	}
	return d.tell(ctx, tx)
}

// A Payout is a payout as limits see it.
type Payout struct {
	ID, Seller string
	Amount     money.Money
	Orders     []string // whose money it pays
}

// Payout counts a payout that is about to go as part of the caller's unit of
// work, or says what it waits for; ErrRefused when it can never go. One that
// waits is asked about again; one that was let through is counted once.
func (s *Service) Payout(ctx context.Context, tx *pg.Tx, p Payout) (waits []string, err error) {
	keys := []key{{"all", "*", p.Amount.Centimes()}, {"seller", p.Seller, p.Amount.Centimes()}}
	figures, err := s.figures(ctx, tx, OfPayouts, "", keys)
	if err != nil {
		return nil, err
	}
	past, err := before(ctx, tx, OfPayouts, p.ID)
	if err != nil || past.Passed {
		return nil, err
	}
	held, err := heldOf(ctx, tx, p.Orders)
	if err != nil {
		return nil, err
	}
	figures = slices.DeleteFunc(figures, func(f Figure) bool { return slices.Contains(past.Cleared, f.Rule) })
	d := decide(OfPayouts, p.ID, p.Seller, p.Amount.Centimes(), figures, tx.Now())
	if d.Outcome == Refuse {
		insertDecision(tx, d)
		s.keep(tx, d) // should the caller's work be undone for it
		return nil, ErrRefused.Say("%s", d.over[0].sentence("payout"))
	}
	for _, order := range held {
		waits = append(waits, "The sale of order "+order+" is being looked at.")
	}
	for _, f := range d.over {
		text := f.sentence("payout") + " It goes on by itself when there is room."
		if f.Action == Review || f.WindowS == 0 {
			text = f.sentence("payout") + " A person must look at it."
		}
		waits = append(waits, text)
	}
	switch {
	case d.Outcome != Pass:
		d.Open = true
		reopen(tx, d)
		if !past.Open {
			err = d.tell(ctx, tx)
		}
	case len(held) == 0:
		closeOpen(tx, OfPayouts, p.ID)
		count(tx, OfPayouts, "", keys, tx.Now(), 1)
		insertDecision(tx, d)
	}
	return waits, err
}

// Undo takes back that a payout counted, since it was rejected or came back. A
// payout that never counted is no matter.
func (s *Service) Undo(ctx context.Context, tx *pg.Tx, payout string) error {
	d, err := undo(ctx, tx, OfPayouts, payout)
	if err != nil || d.ID == "" {
		return err
	}
	count(tx, OfPayouts, "", []key{{"all", "*", -d.Amount}, {"seller", d.Seller, -d.Amount}}, d.At, -1)
	return nil
}

// A decision is what was made of a sale or a payout.
type decision struct {
	ID      string
	What    string
	Ref     string
	Outcome Action
	Seller  string
	Amount  int64
	At      time.Time
	Open    bool
	figures []Figure
	over    []Figure
}

func decide(what, ref, seller string, amount int64, figures []Figure, at time.Time) decision {
	outcome, over := verdict(figures)
	return decision{id.New(decisionID), what, ref, outcome, seller, amount, at, false, figures, over}
}

// keep writes a refusal down once the refused work has been undone.
func (s *Service) keep(tx *pg.Tx, d decision) {
	tx.Undone(func(ctx context.Context) { s.write(ctx, d) })
}

func (s *Service) write(ctx context.Context, d decision) {
	if err := s.db.InTx(ctx, func(tx *pg.Tx) error { insertDecision(tx, d); return nil }); err != nil {
		slog.ErrorContext(ctx, "a refusal by limits cannot be written down", "ref", d.Ref, "rule", d.over[0].Rule, "error", err)
	}
}

// A key is one whose sales or payouts are counted together, and what is asked
// for it now.
type key struct {
	Per, Key string
	Ask      int64
}

// name is what the key is locked by.
func (k key) name() string { return k.Per + " " + k.Key }

// merge adds up the parts of one key.
func merge(keys []key) (out []key) {
	for _, k := range keys {
		if i := slices.IndexFunc(out, func(o key) bool { return o.Per == k.Per && o.Key == k.Key }); i >= 0 {
			out[i].Ask += k.Ask
		} else {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b key) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// figures are all rules as they stand for the keys. At first each key is only
// shared, which lets any number of others by; when no rule is near, that is all.
// Else these locks are given back, and the keys that a rule is near are locked
// alone, to the end of the caller's unit of work.
func (s *Service) figures(ctx context.Context, tx *pg.Tx, what, method string, keys []key) ([]Figure, error) {
	alone := map[string]bool{}
	for _, k := range keys {
		alone[k.name()] = false
	}
	mark(tx)
	lockKeys(tx, what, alone)
	figures, err := usage(ctx, tx, what, method, keys, tx.Now())
	if err != nil {
		return nil, err
	}
	if near(figures, alone) {
		giveBack(tx)
		lockKeys(tx, what, alone)
		if figures, err = usage(ctx, tx, what, method, keys, tx.Now()); err != nil {
			return nil, err
		}
		if near(figures, alone) {
			return nil, again(ctx, tx)
		}
	}
	for i, f := range figures {
		figures[i] = f.judge()
	}
	return figures, nil
}

// near marks the keys that must be locked alone, and says whether there are more
// of them than before.
func near(figures []Figure, alone map[string]bool) (more bool) {
	for _, f := range figures {
		if k := (key{f.Per, f.Key, 0}).name(); !f.ample() && !alone[k] {
			alone[k], more = true, true
		}
	}
	return more
}

// hash stands for what shall be counted and not be read.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// fold brings an address to a form in which small differences do not count.
func fold(address string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(address), func(r rune) bool { return strings.ContainsRune(" ,.;:-'’\n\t", r) }), " ")
}
