package orders

import (
	"context"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ErrLinks is too many links to one parcel.
var ErrLinks = fault.New(fault.Conflict, "shipments.links", "This parcel has ten links already; use one of them, or ask the operator for help.")

// The life of a courier's link, and how many a parcel has: who loses one is given
// another.
const (
	linkLife  = 30 * 24 * time.Hour
	mostLinks = 10
	// linkAfter is how long a link shows a parcel that came: what a phone without
	// a network kept is sent later, and must be told that it is done.
	linkAfter = 72 * time.Hour
)

// LinkView is a courier's link.
type LinkView struct {
	Secret    string    `json:"secret" required:"true" description:"It is shown once; the page is /l/{secret}."`
	ExpiresAt time.Time `json:"expires_at" required:"true"`
}

// LinkParcel makes a link to a parcel that is on its way.
func (s *Service) LinkParcel(ctx context.Context, in ShipmentOne) (v LinkView, err error) {
	key := auth.NewLink()
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, all, i, policy, err := s.parcel(ctx, tx, in.Shipment, "shipments.link")
		if err != nil {
			return err
		}
		if err := all[i].in(OnItsWay, Missed); err != nil {
			return err
		}
		n, err := countLinks(ctx, tx, in.Shipment)
		if err != nil {
			return err
		}
		if n >= mostLinks {
			return ErrLinks
		}
		v = LinkView{key.Secret, tx.Now().Add(linkLife).UTC()}
		insertLink(tx, key.Hash(), in.Shipment, v.ExpiresAt)
		audit.Record(tx, "shipments.link", in.Shipment, policy, map[string]string{"order": o.ID})
		return nil
	})
	return v, err
}

// Courier says for which parcel a link is: of an order that has ended, or whose
// time is over, it opens nothing.
func (s *Service) Courier(ctx context.Context, k auth.Key) (auth.Principal, error) {
	l, err := linkOf(ctx, s.db, k.Hash())
	if err != nil {
		return auth.Nobody, err
	}
	live := l.ExpiresAt.After(l.Now) && (l.State == Shipped || l.DeliveredAt != nil && l.Now.Sub(*l.DeliveredAt) < linkAfter)
	if !live {
		return auth.Nobody, auth.ErrUnknown
	}
	return auth.Principal{Key: l.Shipment, Subject: l.Seller, Role: auth.Courier}, nil
}

// CourierView is a parcel as whoever brings it sees it.
type CourierView struct {
	Shipment ShipmentView `json:"shipment" required:"true"`
	Order    string       `json:"order" required:"true"`
	Seller   Party        `json:"seller" required:"true"`
	Contact  Contact      `json:"contact" required:"true"`
	Commune  string       `json:"commune" required:"true"`
	Address  string       `json:"address" required:"true"`
	Point    *Point       `json:"point,omitempty"`
	Articles []Article    `json:"articles" required:"true"`
	Cash     *money.Money `json:"cash,omitempty" description:"What is to be collected at the door."`
}

// ShowToCourier shows the one parcel that a link opens.
func (s *Service) ShowToCourier(ctx context.Context, _ rest.None) (v CourierView, err error) {
	p := auth.From(ctx)
	order, err := orderOfShipment(ctx, s.db, p.Key)
	if err != nil {
		return v, err
	}
	f, err := loadFile(ctx, s.db, id.Order, order)
	if err != nil {
		return v, err
	}
	o, to := f.orders[0], f.group.Delivery
	if _, err := s.may(ctx, "courier.show", o.Seller, o.Buyer, ErrNoShipment); err != nil {
		return v, err
	}
	v = CourierView{
		Shipment: f.shipment(p.Key), Order: o.ID, Seller: summary(o).Seller, Contact: f.group.Contact, Commune: to.Commune, Address: to.Address, Point: to.Point,
		Articles: []Article{},
	}
	v.Contact.Email = ""
	for _, w := range v.Shipment.Lines {
		lines := f.lines[o.ID]
		if i := slices.IndexFunc(lines, func(l OrderLine) bool { return l.Variant == w.Variant }); i >= 0 {
			v.Articles = append(v.Articles, Article{lines[i].Offer, w.Variant, lines[i].Names, w.Quantity})
		}
	}
	if o.Cash() {
		due := money.FromCentimes(o.Total, o.Currency)
		v.Cash = &due
	}
	return v, nil
}
