package charges

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// cashRoutes are the rows about cash on delivery.
func cashRoutes(s *Service) []rest.Route {
	const order, list = "/v1/cash/{order}", "/v1/remittances/{remittance}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", "/v1/cash", "cash.list", "List the cash of orders: what is due, collected, owed and remitted", ok, s.ListCash),
		rest.Handle("GET", order, "cash.show", "Show the cash of an order", ok, s.ShowCash),
		rest.Commit("POST", order+"/write-off", "cash.write_off", "Ask a second person to give up cash that a carrier does not remit", ok, s.WriteOff),
		rest.Commit("POST", "/v1/remittances", "remittances.create", "Announce what a carrier remits in one sum", made, s.Remit),
		rest.Handle("GET", "/v1/remittances", "remittances.list", "List what carriers announced, the newest first", ok, s.ListRemittances),
		rest.Handle("GET", list, "remittances.show", "Show a remittance", ok, s.ShowRemittance),
		rest.Commit("POST", list+"/withdraw", "remittances.withdraw", "Take back an announcement whose money has not come", ok, s.Withdraw),
	}
}

// CashView is the cash of an order as the API shows it.
type CashView struct {
	Order       string      `json:"order" required:"true"`
	Seller      string      `json:"seller" required:"true"`
	Carrier     string      `json:"carrier" required:"true" description:"Who brings the goods and owes the cash; the seller who does so."`
	Reference   string      `json:"reference" required:"true" description:"For the transfer that remits this order alone."`
	State       ParcelState `json:"state" required:"true" enum:"awaited,collected,remitted,lost,refused"`
	Due         money.Money `json:"due" required:"true"`
	Fee         money.Money `json:"fee" required:"true" description:"Of it the carrier's."`
	Collected   money.Money `json:"collected" required:"true"`
	Owed        money.Money `json:"owed" required:"true" description:"Collected, and not remitted yet."`
	Lost        money.Money `json:"lost" required:"true"`
	Reason      string      `json:"reason,omitempty" description:"Why the goods were not taken."`
	Remittance  string      `json:"remittance,omitempty" description:"The list that announces its money."`
	Approval    string      `json:"approval,omitempty" description:"The request to give up what is missing."`
	CollectedAt *time.Time  `json:"collected_at,omitempty"`
	EndedAt     *time.Time  `json:"ended_at,omitempty"`
}

// View is the parcel as the API shows it.
func (p Parcel) View() CashView {
	m := func(c int64) money.Money { return money.FromCentimes(c, p.Currency) }
	return CashView{
		Order: p.Order, Seller: p.Seller, Carrier: p.Carrier, Reference: Spaced(p.Reference), State: p.State, Due: m(p.Due), Fee: m(p.Fee),
		Collected: m(p.Cash), Owed: m(p.Owed()), Lost: m(p.Lost), Reason: p.Reason, Remittance: p.Listed, CollectedAt: p.CollectedAt, EndedAt: p.EndedAt,
	}
}

// ListCashInput asks for the cash of orders.
type ListCashInput struct {
	Carrier string      `query:"carrier" maxLength:"64"`
	State   ParcelState `query:"state" enum:"awaited,collected,remitted,lost,refused"`
	rest.Paging
}

// ListCash lists the cash of orders, the newest first: a seller's own, and for
// the operator all.
func (s *Service) ListCash(ctx context.Context, in ListCashInput) (rest.Page[CashView], error) {
	below, err := in.After(id.Order)
	if err != nil {
		return rest.Page[CashView]{}, err
	}
	var side string
	if me := auth.From(ctx); me.Role == auth.Seller {
		side = me.Subject
	}
	all, err := listParcels(ctx, s.db, side, in.Carrier, string(in.State), below, in.Limit+1)
	if err != nil {
		return rest.Page[CashView]{}, err
	}
	return rest.View(all, in.Limit, Parcel.View, func(v CashView) any { return v.Order }), nil
}

// CashInput names a cash order.
type CashInput struct {
	Order string `path:"order"`
}

// ShowCash shows the cash of an order to its seller, to the seller who brings
// it, and to the operator.
func (s *Service) ShowCash(ctx context.Context, in CashInput) (CashView, error) {
	p, err := parcelOf(ctx, s.db, in.Order)
	if err != nil {
		return CashView{}, err
	}
	if !s.mine(ctx, "cash.show", p.Seller) && !s.mine(ctx, "cash.show", p.Carrier) {
		return CashView{}, ErrNoParcel
	}
	return p.View(), nil
}

func (s *Service) mine(ctx context.Context, action, member string) bool {
	return authz.Allows(ctx, s.judge, action, authz.Resource{Seller: member})
}

// RemitInput is what a carrier remits.
type RemitInput struct {
	Carrier   string       `json:"carrier" required:"true" minLength:"1" maxLength:"64"`
	Orders    []string     `json:"orders" required:"true" minItems:"1" maxItems:"500"`
	Reference string       `json:"reference,omitempty" maxLength:"64" description:"The carrier's own name of it, should the transfer carry that instead of ours."`
	KeepsFees *bool        `json:"keeps_fees,omitempty" description:"Whether the carrier keeps its fees of the cash; it does when left out."`
	Handling  *money.Money `json:"handling,omitempty" description:"What the carrier takes for bringing the money: our cost."`
}

// RemittanceView is a remittance as the API shows it.
type RemittanceView struct {
	ID        string          `json:"id" required:"true"`
	Carrier   string          `json:"carrier" required:"true"`
	Reference string          `json:"reference" required:"true" description:"To be written as the purpose of the transfer."`
	Theirs    string          `json:"carrier_reference,omitempty"`
	State     RemittanceState `json:"state" required:"true" enum:"announced,arrived,short,withdrawn"`
	Net       money.Money     `json:"net" required:"true" description:"What shall come to the bank."`
	Handling  money.Money     `json:"handling" required:"true"`
	Arrived   money.Money     `json:"arrived" required:"true"`
	Orders    []ItemView      `json:"orders" required:"true"`
	CreatedAt time.Time       `json:"created_at" required:"true"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
}

// ItemView is one order of a remittance.
type ItemView struct {
	Order string      `json:"order" required:"true"`
	Cash  money.Money `json:"cash" required:"true"`
	Kept  money.Money `json:"kept" required:"true" description:"Of it, what the carrier keeps as its fee."`
}

func (r Remittance) view(items []Item) RemittanceView {
	m := func(c int64) money.Money { return money.FromCentimes(c, r.Currency) }
	v := RemittanceView{
		ID: r.ID, Carrier: r.Carrier, Reference: Spaced(r.Reference), Theirs: r.Theirs, State: r.State, Net: m(r.Net), Handling: m(r.Handling),
		Arrived: m(r.Arrived), Orders: make([]ItemView, len(items)), CreatedAt: r.CreatedAt.UTC(), EndedAt: r.EndedAt,
	}
	for i, it := range items {
		v.Orders[i] = ItemView{it.Order, m(it.Cash), m(it.Kept)}
	}
	return v
}

// handlingMost is how many percent of the cash its handling may cost without a
// second person.
const handlingMost = 5

// total is the cash of some parcels.
func total(parcels []Parcel) (sum int64) {
	for _, p := range parcels {
		sum += p.Cash
	}
	return sum
}

// Remit announces what a carrier remits in one sum. The operator calls it, or
// the seller who brings its goods itself. Money that came before is taken at
// once when it carries the carrier's own name of the list.
func (s *Service) Remit(ctx context.Context, tx *pg.Tx, in RemitInput) (RemittanceView, error) {
	if !s.mine(ctx, "remittances.create", in.Carrier) {
		return RemittanceView{}, ErrNoParcel
	}
	by, err := s.lockParcels(ctx, tx, in.Orders)
	if err != nil {
		return RemittanceView{}, err
	}
	var parcels []Parcel
	own := auth.From(ctx).Role == auth.Seller
	for i, o := range in.Orders {
		p, ok := by[o]
		if !ok || own && p.Carrier != in.Carrier { // a seller learns nothing of what others bring
			return RemittanceView{}, ErrList.At(fmt.Sprintf("/orders/%d", i), "This order is not paid in cash, or is listed twice.")
		}
		delete(by, o)
		parcels = append(parcels, p)
	}
	handling := int64(0)
	if in.Handling != nil {
		if handling = in.Handling.Centimes(); handling < 0 || in.Handling.Currency() != parcels[0].Currency {
			return RemittanceView{}, ErrList.At("/handling", "Give an amount in "+parcels[0].Currency+", not below zero.")
		}
	}
	if cash := total(parcels); handling > 0 && (own || handling > cash*handlingMost/100) {
		return RemittanceView{}, ErrList.At("/handling",
			fmt.Sprintf("Only the operator enters it, up to %d %% of the cash (%s); two people give up what is more.", handlingMost, money.FromCentimes(cash*handlingMost/100, parcels[0].Currency)))
	}
	items, net, err := announce(in.Carrier, parcels, in.KeepsFees == nil || *in.KeepsFees, handling)
	if err != nil {
		return RemittanceView{}, err
	}
	r := Remittance{
		ID: id.New(id.Remittance), Carrier: in.Carrier, Reference: newReference(forRemittance), Theirs: in.Reference, Currency: parcels[0].Currency,
		Net: net, Handling: handling, State: Announced, MadeBy: auth.From(ctx).Person(), CreatedAt: tx.Now(),
	}
	insertRemittance(tx, r, items)
	audit.Record(tx, "remittances.create", r.ID, authz.Policy(ctx), map[string]any{"carrier": r.Carrier, "net": net, "orders": len(items)})
	if r, err = s.cameBefore(ctx, tx, r); err != nil {
		return RemittanceView{}, err
	}
	return r.view(items), nil
}

// cameBefore takes the one credit that waited for a list and carries its name.
func (s *Service) cameBefore(ctx context.Context, tx *pg.Tx, r Remittance) (Remittance, error) {
	loose, err := looseOf(ctx, tx, r.Net, r.Currency)
	if err != nil {
		return r, err
	}
	var named []Credit
	for _, c := range loose {
		if r.named(c.Said) {
			named = append(named, c)
		}
	}
	if len(named) != 1 {
		return r, nil
	}
	if _, err := s.Match(ctx, tx, named[0].Line, r.ID); err != nil {
		return r, err
	}
	return loadRemittance(ctx, tx, r.ID)
}

// ListRemittancesInput asks for remittances.
type ListRemittancesInput struct {
	Carrier string          `query:"carrier" maxLength:"64"`
	State   RemittanceState `query:"state" enum:"announced,arrived,short,withdrawn"`
	rest.Paging
}

// ListRemittances lists what carriers announced: a seller's own, and for the
// operator all.
func (s *Service) ListRemittances(ctx context.Context, in ListRemittancesInput) (rest.Page[RemittanceView], error) {
	below, err := in.After(id.Remittance)
	if err != nil {
		return rest.Page[RemittanceView]{}, err
	}
	if me := auth.From(ctx); me.Role == auth.Seller {
		in.Carrier = me.Subject
	}
	all, err := listRemittances(ctx, s.db, in.Carrier, string(in.State), below, in.Limit+1)
	if err != nil {
		return rest.Page[RemittanceView]{}, err
	}
	return rest.View(all, in.Limit, func(r Remittance) RemittanceView { return r.view(nil) }, func(v RemittanceView) any { return v.ID }), nil
}

// RemittanceInput names a remittance.
type RemittanceInput struct {
	Remittance string `path:"remittance"`
}

// ShowRemittance shows a remittance with its orders to its carrier and to the
// operator.
func (s *Service) ShowRemittance(ctx context.Context, in RemittanceInput) (RemittanceView, error) {
	r, err := loadRemittance(ctx, s.db, in.Remittance)
	if err != nil {
		return RemittanceView{}, err
	}
	if !s.mine(ctx, "remittances.show", r.Carrier) {
		return RemittanceView{}, ErrNoRemittance
	}
	items, err := itemsOf(ctx, s.db, r.ID)
	return r.view(items), err
}

// Withdraw takes back an announcement whose money has not come; its orders may
// be announced anew.
func (s *Service) Withdraw(ctx context.Context, tx *pg.Tx, in RemittanceInput) (RemittanceView, error) {
	r, err := lockRemittance(ctx, tx, in.Remittance)
	if err != nil {
		return RemittanceView{}, err
	}
	if !s.mine(ctx, "remittances.withdraw", r.Carrier) {
		return RemittanceView{}, ErrNoRemittance
	}
	if r.State != Announced {
		return RemittanceView{}, ErrRemittance.Say("This remittance is %s; only an announced one can be withdrawn.", r.State)
	}
	at := tx.Now()
	r.State, r.EndedAt = Withdrawn, &at
	saveRemittance(tx, r)
	unlist(tx, r.ID)
	audit.Record(tx, "remittances.withdraw", r.ID, authz.Policy(ctx), nil)
	items, err := itemsOf(ctx, tx, r.ID)
	return r.view(items), err
}

// kindLost is what two people decide: that a carrier's cash will not come.
const kindLost = "cash.lost"

// WriteOffInput asks to give cash up.
type WriteOffInput struct {
	Order  string `path:"order"`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"1000"`
}

// WriteOff asks a second person to give up what a carrier still owes of an
// order's cash. Until then it stays the carrier's debt.
func (s *Service) WriteOff(ctx context.Context, tx *pg.Tx, in WriteOffInput) (CashView, error) {
	_, p, err := s.lockCash(ctx, tx, in.Order)
	if err != nil {
		return CashView{}, err
	}
	_, missing, err := p.GiveUp(tx.Now())
	if err != nil {
		return CashView{}, err
	}
	amount := money.FromCentimes(missing, p.Currency)
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindLost, Subject: p.Order, Hash: p.missing(), Amount: &amount, Why: in.Reason,
		Evidence: fmt.Sprintf("%s collected %s on %s and owes %s of it", p.Carrier, money.FromCentimes(p.Cash, p.Currency), p.CollectedAt.UTC().Format(time.DateOnly), amount),
	})
	if err != nil {
		return CashView{}, err
	}
	audit.Record(tx, "cash.write_off", p.Order, authz.Policy(ctx), map[string]any{"missing": missing, "approval": r.ID})
	v := p.View()
	v.Approval = r.ID
	return v, nil
}

// missing stands for exactly what is to be given up.
func (p Parcel) missing() []byte {
	h := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d|%d|%s", p.Order, p.Carrier, p.Cash, p.Owed(), p.Currency))
	return h[:]
}

// lost carries out what two people decided: what is missing is our loss, or the
// debt of a seller who brought its goods itself, and our own money makes the
// clients' whole. The order goes on as if it had been remitted.
func (s *Service) lost(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	_, p, err := s.lockCash(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if string(p.missing()) != string(r.Hash) {
		return approvals.ErrChanged
	}
	p, missing, err := p.GiveUp(tx.Now())
	if err != nil {
		return err
	}
	p = saveParcel(tx, p)
	bank, bears := s.config.Bank, ledger.Loss
	if p.Carrier == p.Seller {
		bears = ledger.Receivable(p.Seller)
	}
	if err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "lost:" + p.Order, Kind: "cash.lost", Order: p.Order, Currency: p.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(bears, missing), ledger.Debit(ledger.Transit(bank), missing),
			ledger.Credit(ledger.COD(p.Carrier), missing), ledger.Credit(ledger.Operating(bank), missing),
		},
	}); err != nil {
		return err
	}
	return s.remitted(ctx, tx, []Parcel{p})
}
