package orders

import (
	"context"
	"errors"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/pricing"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/limits"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Catalogue is what is on offer, and its stock.
type Catalogue interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
	Reserve(ctx context.Context, tx *pg.Tx, order map[string][]catalog.Line) error
	Take(ctx context.Context, tx *pg.Tx, order string) error
	Unreserve(ctx context.Context, tx *pg.Tx, order string) error
	Return(ctx context.Context, tx *pg.Tx, order string) error
	Rate(ctx context.Context, tx *pg.Tx, offer string, stars, reviews int) error
	Restock(ctx context.Context, tx *pg.Tx, ref string, lines []catalog.Line) error
}

// Sellers says who sells, and whether they may now.
type Sellers interface {
	Facing(ids []string, out map[string]members.Seller) pg.Read
	Working(person string, among []string, out *[]string) pg.Read
	Imprints(ctx context.Context, db pg.DB, ids []string) (map[string]members.Imprint, error)
}

// Keys says whose a key is.
type Keys interface {
	Holder(ctx context.Context, db pg.DB, k auth.Key) (auth.Principal, error)
}

// Ways are the ways of delivery of sellers, and the relay points of a commune.
type Ways interface {
	Serving(sellers []string, region, commune string, out *[]delivery.Way) pg.Read
}

// Promotions are what sellers take off their goods, and what the market pays them
// for.
type Promotions interface {
	For(buyer string, sellers, codes []string, out *[]promotions.Available) pg.Read
	Redeem(ctx context.Context, tx *pg.Tx, u promotions.Use) error
	GiveBack(ctx context.Context, tx *pg.Tx, orders ...string) error
}

// Agreements are what buyers and sellers agreed on before.
type Agreements interface {
	Of(ids []string, out *[]agreements.Agreement) pg.Read
	Use(ctx context.Context, tx *pg.Tx, a agreements.Agreement, order string) error
	GiveBack(ctx context.Context, tx *pg.Tx, order string) error
}

// Digital are the files and codes that are sold.
type Digital interface {
	Stocks(variants []string, out *map[string]digital.Stock) pg.Read
	Grant(ctx context.Context, tx *pg.Tx, sale digital.Sale) (bool, error)
	Granted(ctx context.Context, tx *pg.Tx, order string) ([]digital.Grant, error)
	Open(ctx context.Context, tx *pg.Tx, order string, variants []string) ([]digital.Grant, bool, error)
	Close(ctx context.Context, tx *pg.Tx, order string, restocked bool) error
	Contents(ctx context.Context, db pg.DB, order string, buyer bool) ([]digital.GrantView, error)
	Fetch(ctx context.Context, order, variant, ware string) (rest.Blob, error)
}

// Prices are what buyers pay by the lists that they are on.
type Prices interface {
	For(buyer string, sellers, variants []string, out *[]pricing.Own) pg.Read
}

// Escrows hold the money of orders.
type Escrows interface {
	Open(ctx context.Context, tx *pg.Tx, t escrow.Terms) (id string, err error)
	ReleaseOrder(ctx context.Context, tx *pg.Tx, order string) (escrow.Hold, error)
	Delivered(ctx context.Context, tx *pg.Tx, order string, at time.Time) error
	Shipped(ctx context.Context, tx *pg.Tx, order string, at time.Time) error
	OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string]escrow.Hold, error)
	LockOrder(ctx context.Context, tx *pg.Tx, order string) (escrow.Hold, error)
	TakeBack(ctx context.Context, tx *pg.Tx, b escrow.Back) (escrow.Hold, error)
	CaseOf(ctx context.Context, db pg.DB, orders []string) (map[string]escrow.Case, error)
	Freeze(ctx context.Context, tx *pg.Tx, order string, c escrow.Case) (escrow.Hold, error)
	Thaw(ctx context.Context, tx *pg.Tx, order, caseID string) (escrow.Hold, error)
	Fees(sheet *escrow.Sheet) pg.Read
}

// Charges take the buyer's money.
type Charges interface {
	Create(ctx context.Context, tx *pg.Tx, n charges.Sale) (charges.Receipt, error)
	OfGroup(ctx context.Context, db pg.DB, group string) (charges.Receipt, charges.Charge, error)
	Methods(ctx context.Context, db pg.DB) ([]string, error)
	Collect(ctx context.Context, tx *pg.Tx, order string, cash int64) (charges.Parcel, error)
	Refuse(ctx context.Context, tx *pg.Tx, order, reason string, brought bool) (charges.Parcel, error)
	Parcels(ctx context.Context, db pg.DB, orders []string) (map[string]charges.Parcel, error)
	OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string][]charges.Refund, error)
	OfNone(ctx context.Context, db pg.DB, group string) ([]charges.Refund, error)
	Lock(ctx context.Context, tx *pg.Tx, charge string) error
	Refund(ctx context.Context, tx *pg.Tx, in charges.RefundOrder) (charges.Refund, error)
}

// Disputes are about orders that something is wrong with.
type Disputes interface {
	Open(ctx context.Context, tx *pg.Tx, o disputes.Opening) (disputes.Dispute, error)
}

// Files are what members upload: photographs and papers that only those may see
// who may see what uses them.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Of(ctx context.Context, db pg.DB, file, subject string) (rest.Blob, error)
	Release(tx *pg.Tx, file, subject string)
}

// Nobodies are buyers who bought without an account, and whom nobody has shown to have
// been.
type Nobodies interface {
	Nobodies(ctx context.Context, db pg.DB, buyers []string) ([]string, error)
}

// Limits are what may be ordered in a while, and what a person may decide alone.
type Limits interface {
	Check(ctx context.Context, tx *pg.Tx, sale limits.Sale) error
	Alone(ctx context.Context, tx *pg.Tx, what, person string, amount money.Money) (bool, error)
}

// Needs are the others that orders works with.
type Needs struct {
	Judge     Judge
	Catalogue Catalogue
	Sellers   Sellers
	Keys      Keys
	Ways      Ways
	Offs      Promotions
	Agreed    Agreements
	Prices    Prices
	Digital   Digital
	Groups    Groups
	Escrows   Escrows
	Charges   Charges
	Disputes  Disputes
	Limits    Limits
	Approvals Approvals
	Files     Files
	Nobodies  Nobodies
}

// Service is what others may ask of orders.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db, n}
	n.Approvals.Handle(kindRefund, s.refundDecided)
	return s
}

// may asks the judge about something of a buyer's and a seller's. To those who
// may not, it is as if it did not exist: missing.
func (s *Service) may(ctx context.Context, action, seller, buyer string, missing error) (policy string, err error) {
	policy, err = s.Judge.May(auth.From(ctx), action, authz.Resource{Seller: seller, Buyer: buyer})
	if errors.Is(err, authz.ErrDenied) {
		return "", missing
	}
	return policy, err
}
