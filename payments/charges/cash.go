package charges

import (
	"context"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// ParcelState is where the cash of an order stands.
type ParcelState string

// The states.
const (
	Awaited   ParcelState = "awaited"   // the goods are not handed over yet
	Collected ParcelState = "collected" // the carrier has the cash, and owes it
	Remitted  ParcelState = "remitted"  // it is all at the bank
	Lost      ParcelState = "lost"      // some of it was given up
	Refused   ParcelState = "refused"   // the goods were not taken
)

// A Parcel is the cash of one order. Covered grows up to Cash: by money at the
// bank, by the carrier's fee that it kept of it, by handling, or by giving up.
type Parcel struct {
	Order       string `db:"order_id"`
	Charge      string
	Seller      string
	Carrier     string // who brings the goods and owes the cash; the seller who does so
	Reference   string
	Currency    string
	Due         int64 // centimes
	Fee         int64 // of it the carrier's, when the goods are taken
	Cash        int64 // collected
	Covered     int64
	Kept        int64 // of the fee: kept by the carrier out of what it remits
	Lost        int64
	State       ParcelState
	Reason      string
	Listed      string // the remittance that announces its money
	Version     int64
	CreatedAt   time.Time
	CollectedAt *time.Time
	EndedAt     *time.Time
}

// Owed is what the carrier still owes of the cash.
func (p Parcel) Owed() int64 { return p.Cash - p.Covered }

// CarrierFee is what of the collected cash is the carrier's.
func (p Parcel) CarrierFee() int64 { return min(p.Fee, p.Cash) }

// Collect says that the carrier has cash of the buyer. It may be less than what
// is due: of the goods, only a part was taken.
func (p Parcel) Collect(cash int64, at time.Time) (Parcel, error) {
	if p.State != Awaited {
		return p, ErrParcel.Say("The cash of this order is %s.", p.State)
	}
	if cash <= 0 || cash > p.Due {
		return p, ErrCash.At("/amount", "above zero, at most "+money.FromCentimes(p.Due, p.Currency).String())
	}
	p.State, p.Cash, p.CollectedAt = Collected, cash, &at
	return p, nil
}

// Refuse says that the goods were not taken.
func (p Parcel) Refuse(reason string, at time.Time) (Parcel, error) {
	if p.State != Awaited {
		return p, ErrParcel.Say("The cash of this order is %s.", p.State)
	}
	p.State, p.Reason, p.EndedAt = Refused, reason, &at
	return p, nil
}

// Cover says that some of the cash is accounted for, of which the carrier kept
// a part as its fee.
func (p Parcel) Cover(amount, kept int64, at time.Time) (Parcel, error) {
	if p.State != Collected || amount < 0 || amount > p.Owed() || kept < 0 || p.Kept+kept > p.CarrierFee() {
		return p, ErrParcel.Say("%s owes %s of this order's cash.", p.Carrier, money.FromCentimes(p.Owed(), p.Currency))
	}
	p.Covered += amount
	p.Kept += kept
	if p.Owed() == 0 {
		p.State, p.Listed, p.EndedAt = Remitted, "", &at
	}
	return p, nil
}

// GiveUp says that what is missing will not come.
func (p Parcel) GiveUp(at time.Time) (Parcel, int64, error) {
	missing := p.Owed()
	if p.State != Collected {
		return p, 0, ErrParcel.Say("The cash of this order is %s; nothing is missing.", p.State)
	}
	p.State, p.Covered, p.Lost, p.Listed, p.EndedAt = Lost, p.Cash, missing, "", &at
	return p, missing, nil
}

// awaitCash keeps a charge that is paid at the door: one parcel for each order.
func (s *Service) awaitCash(tx *pg.Tx, c Charge, parts []Part) (Receipt, error) {
	c.Ref = RefOf(c.ID)
	insert(tx, c)
	for _, p := range parts {
		carrier, fee := p.Carrier, int64(0)
		if carrier == "" {
			carrier = p.Seller
		} else {
			fee = p.Fee.Centimes()
		}
		if carrier == "" {
			return Receipt{}, ErrParts
		}
		insertParcel(tx, Parcel{
			Order: p.Order, Charge: c.ID, Seller: p.Seller, Carrier: carrier, Reference: newReference(forParcel),
			Currency: c.Currency, Due: p.Amount.Centimes(), Fee: fee, CreatedAt: c.CreatedAt,
		})
	}
	return plainReceipt(c), nil
}

// Collect says that the cash of an order was collected: its escrow is funded,
// and the carrier owes the money. Saying the same again is harmless.
func (s *Service) Collect(ctx context.Context, tx *pg.Tx, order string, cash int64) (Parcel, error) {
	c, p, err := s.lockCash(ctx, tx, order)
	if err != nil {
		return p, err
	}
	if p.Cash > 0 && p.Cash == cash {
		return p, nil
	}
	if p, err = p.Collect(cash, tx.Now()); err != nil {
		return p, err
	}
	p = saveParcel(tx, p)
	_, err = s.escrows.Collect(ctx, tx, escrow.Collected{Order: order, Carrier: p.Carrier, Cash: p.Cash, Fee: p.CarrierFee()})
	if err != nil {
		return p, err
	}
	c.State = Confirmed
	save(tx, c)
	addCaptured(tx, c.ID, p.Cash)
	return p, tx.Publish(ctx, CashCollected{p.Order, p.Charge, p.Carrier, money.FromCentimes(p.Cash, p.Currency)})
}

// Refuse says that the goods of a cash order were not taken, or that the order
// was given up before they left: its escrow is voided. The carrier that brought
// them in vain has earned its fee.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, order, reason string, brought bool) (Parcel, error) {
	c, p, err := s.lockCash(ctx, tx, order)
	if err != nil {
		return p, err
	}
	if p, err = p.Refuse(reason, tx.Now()); err != nil {
		return p, err
	}
	p = saveParcel(tx, p)
	fee := p.Fee
	if !brought {
		fee = 0
	}
	if _, err := s.escrows.Refuse(ctx, tx, order, fee); err != nil {
		return p, err
	}
	return p, s.ended(ctx, tx, c)
}

// ended looks whether the last parcel of a charge has ended: nothing collected
// makes it expired, and what was collected is settled.
func (s *Service) ended(ctx context.Context, tx *pg.Tx, c Charge) error {
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	all, err := parcelsOfCharge(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	var cash int64
	for _, p := range all {
		if p.EndedAt == nil {
			return nil
		}
		cash += p.Cash
	}
	if cash == 0 {
		endCharge(tx, c.ID, Expired)
		return nil
	}
	if err := markSettled(ctx, tx, c.ID); err != nil {
		return err
	}
	return tx.Publish(ctx, Settled{c.ID, c.Group})
}

// lockCash locks the charge of a cash order, then the order's parcel.
func (s *Service) lockCash(ctx context.Context, tx *pg.Tx, order string) (Charge, Parcel, error) {
	p, err := parcelOf(ctx, tx, order)
	if err != nil {
		return Charge{}, p, err
	}
	c, err := lock(ctx, tx, p.Charge)
	if err != nil {
		return c, p, err
	}
	p, err = lockParcel(ctx, tx, order)
	return c, p, err
}

// Parcels are the cash of orders, by order; an order that is not paid in cash
// has none.
func (s *Service) Parcels(ctx context.Context, db pg.DB, orders []string) (map[string]Parcel, error) {
	all, err := parcelsOf(ctx, db, orders)
	if err != nil {
		return nil, err
	}
	by := make(map[string]Parcel, len(all))
	for _, p := range all {
		by[p.Order] = p
	}
	return by, nil
}

// patience is how long a carrier may keep the cash that it collected.
const patience = 7 * 24 * time.Hour

// Withheld is the cash that each of some carriers collected and has kept for too
// long, in centimes.
func (s *Service) Withheld(ctx context.Context, tx *pg.Tx, currency string, carriers ...string) (map[string]int64, error) {
	return withheld(ctx, tx, currency, carriers, tx.Now().Add(-patience))
}
