package orders

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

// shipmentRoutes are the routes of parcels.
func shipmentRoutes(s *Service) []rest.Route {
	const shipment = "/v1/shipments/{shipment}"
	ok := http.StatusOK
	return []rest.Route{
		rest.Commit("POST", "/v1/orders/{order}/prepare", "orders.prepare", "Say that an order is being packed", ok, s.Prepare),
		rest.Commit("POST", "/v1/orders/{order}/shipments", "orders.ship_part", "Say that a parcel left, with some of an order", http.StatusCreated, s.SendParcel,
			rest.About("Without lines it holds all that has not left. Each parcel has a delivery code of its own; that of the first is the order's.")),
		rest.Kept("POST", shipment+"/deliver", "shipments.deliver", "Prove that a parcel came", ok, s.BringParcel,
			rest.About("By the buyer's code; or by a photograph (a file of kind proof of the seller's) with its place, after which the money waits three days longer. A phone that was without a network sends it later, with the same Idempotency-Key and its own time.")),
		rest.Commit("POST", shipment+"/fail", "shipments.fail", "Say that a parcel was brought in vain", ok, s.MissParcel),
		rest.Handle("POST", shipment+"/courier-links", "shipments.link", "Make a link with which whoever brings a parcel proves it", http.StatusCreated, s.LinkParcel,
			rest.About("The link is shown once, and opens this parcel alone until thirty days are over or its order has ended. Whoever has it sends its secret as «Authorization: Bearer lnk.{secret}».")),
		rest.Handle("GET", "/v1/courier", "courier.show", "Show the parcel that one brings, by its link", ok, s.ShowToCourier),
		rest.Handle("GET", shipment+"/photo", "shipments.photo", "Look at the photograph that proves a delivery", ok, s.ParcelPhoto,
			rest.Gives("application/pdf", "image/jpeg")),
	}
}

// ParcelInput says what is in a parcel, and how it travels.
type ParcelInput struct {
	Order    string   `path:"order"`
	Method   string   `json:"method" required:"true" enum:"carrier,own,pickup" description:"pickup: it is ready to be fetched."`
	Carrier  string   `json:"carrier,omitempty" maxLength:"100"`
	Tracking string   `json:"tracking,omitempty" maxLength:"100"`
	Lines    []Wanted `json:"lines,omitempty" maxItems:"100"`
}

// BringInput proves that a parcel came.
type BringInput struct {
	Shipment string     `path:"shipment"`
	Code     string     `json:"code,omitempty" maxLength:"20" description:"The four digits that the buyer has."`
	Photo    string     `json:"photo,omitempty" maxLength:"40" description:"A file of the seller's, of kind proof."`
	Spot     *Spot      `json:"place,omitempty"`
	DeviceAt *time.Time `json:"device_at,omitempty" description:"When it was, by the clock of whoever brought it."`
}

// MissInput says why a parcel was brought in vain.
type MissInput struct {
	Shipment string     `path:"shipment"`
	Reason   string     `json:"reason" required:"true" enum:"absent,refused,wrong_address,unreachable,closed,damaged,weather,other"`
	Text     string     `json:"text,omitempty" maxLength:"1000"`
	AgainOn  string     `json:"again_on,omitempty" format:"date" description:"The day on which it comes again."`
	Spot     *Spot      `json:"place,omitempty"`
	DeviceAt *time.Time `json:"device_at,omitempty"`
}

// ShipmentView is a parcel as the API shows it.
type ShipmentView struct {
	ID        string        `json:"id" required:"true"`
	Method    string        `json:"method" required:"true" enum:"carrier,own,pickup"`
	Carrier   string        `json:"carrier,omitempty"`
	Tracking  string        `json:"tracking,omitempty"`
	State     ShipmentState `json:"state" required:"true" enum:"on_its_way,missed,undeliverable,delivered"`
	Lines     []Wanted      `json:"lines" required:"true"`
	Code      string        `json:"code,omitempty" description:"For the buyer to say when the parcel is there."`
	TriesLeft int           `json:"tries_left" required:"true" description:"How many wrong codes it still takes."`
	ShippedAt time.Time     `json:"shipped_at" required:"true"`
	Attempts  []AttemptView `json:"attempts" required:"true"`
	AgainOn   string        `json:"again_on,omitempty" format:"date"`
	Proof     *ProofView    `json:"proof,omitempty"`
}

// AttemptView is one time that a parcel was brought in vain.
type AttemptView struct {
	Reason   string     `json:"reason" required:"true"`
	Text     string     `json:"text,omitempty"`
	At       time.Time  `json:"at" required:"true"`
	DeviceAt *time.Time `json:"device_at,omitempty"`
}

// ProofView is what shows that a parcel came.
type ProofView struct {
	Kind     string     `json:"kind" required:"true" enum:"code,photo,buyer,cash" description:"buyer: the buyer said so; cash: it was paid for at the door."`
	Photo    string     `json:"photo,omitempty" description:"Where it is."`
	Spot     *Spot      `json:"place,omitempty"`
	At       time.Time  `json:"at" required:"true" description:"By the hub's clock."`
	DeviceAt *time.Time `json:"device_at,omitempty" description:"By the clock of whoever brought it."`
	Actor    string     `json:"actor" required:"true" description:"The role of who said so."`
}

func (s Shipment) view(lines []Wanted, missed []AttemptView) ShipmentView {
	v := ShipmentView{
		ID: s.ID, Method: s.Method, Carrier: s.Carrier, Tracking: s.Tracking, State: s.State, Lines: append([]Wanted{}, lines...),
		TriesLeft: codeTries - s.CodeTries, ShippedAt: s.ShippedAt.UTC(), Attempts: append([]AttemptView{}, missed...),
	}
	if s.AgainOn != nil {
		v.AgainOn = s.AgainOn.Format(time.DateOnly)
	}
	if s.DeliveredAt != nil {
		v.Proof = &ProofView{Kind: s.Proof, At: s.DeliveredAt.UTC(), DeviceAt: rest.UTC(s.DeviceAt), Actor: s.Actor}
		if s.Photo != "" {
			v.Proof.Photo = "/v1/shipments/" + s.ID + "/photo"
		}
		if s.Lat != nil {
			v.Proof.Spot = &Spot{*s.Lat, *s.Lng, *s.AccuracyM}
		}
	}
	return v
}

// shipment is a parcel of the one order of a file.
func (f file) shipment(shipment string) ShipmentView {
	all := f.shipments[f.orders[0].ID]
	i := slices.IndexFunc(all, func(v ShipmentView) bool { return v.ID == shipment })
	v := all[i]
	if v.Code == "" {
		v.TriesLeft = codeTries - f.orders[0].CodeTries
	}
	v.Code = ""
	return v
}

// parcels are an order's parcels as its buyer sees them, or without their codes.
func (f file) parcels(o Order, codes bool) []ShipmentView {
	out := append([]ShipmentView{}, f.shipments[o.ID]...)
	for i, v := range out {
		if v.Code == "" {
			out[i].TriesLeft = codeTries - o.CodeTries
		}
		switch {
		case !codes:
			out[i].Code = ""
		case v.Code == "":
			out[i].Code = o.DeliveryCode
		}
	}
	return out
}

// ShipmentOne names a parcel.
type ShipmentOne struct {
	Shipment string `path:"shipment"`
}

// ParcelPhoto is the photograph that proves a delivery, for those who may see the
// order.
func (s *Service) ParcelPhoto(ctx context.Context, in ShipmentOne) (rest.Blob, error) {
	order, err := orderOfShipment(ctx, s.db, in.Shipment)
	if err != nil {
		return rest.Blob{}, err
	}
	f, err := loadFile(ctx, s.db, id.Order, order)
	if err != nil {
		return rest.Blob{}, err
	}
	o := f.orders[0]
	if _, err := s.may(ctx, "shipments.photo", o.Seller, o.Buyer, ErrNoShipment); err != nil {
		return rest.Blob{}, err
	}
	return s.Files.Of(ctx, s.db, f.photos[in.Shipment], in.Shipment)
}
