package orders

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const shipmentColumns = `id, order_id, place, method, carrier, tracking, code, code_tries, state, attempts, again_on, shipped_at, delivered_at, proof, photo,
	lat, lng, accuracy_m, device_at, actor, version`

func insertShipment(tx *pg.Tx, s Shipment, lines []Wanted) {
	variants, counts := make([]string, len(lines)), make([]int, len(lines))
	for i, l := range lines {
		variants[i], counts[i] = l.Variant, l.Quantity
	}
	tx.Queue(`insert into orders.shipment (id, order_id, place, method, carrier, tracking, code, state, shipped_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, s.ID, s.Order, s.Place, s.Method, s.Carrier, s.Tracking, s.Code, s.State, s.ShippedAt)
	tx.Queue(`insert into orders.shipment_line (shipment, order_id, variant, quantity)
		select $1, $2, v, n from unnest($3::text[], $4::int[]) as l(v, n)`, s.ID, s.Order, variants, counts)
	tx.Queue(`insert into orders.shipped (order_id, variant, bought, quantity)
		select l.order_id, l.variant, l.quantity, w.n from unnest($2::text[], $3::int[]) as w(v, n)
		join orders.line l on l.order_id = $1 and l.variant = w.v
		on conflict (order_id, variant) do update set quantity = orders.shipped.quantity + excluded.quantity`, s.Order, variants, counts)
}

func saveShipment(tx *pg.Tx, s Shipment) Shipment {
	tx.QueueOne(ErrShipmentState, `update orders.shipment set state = $3, code_tries = $4, attempts = $5, again_on = $6, delivered_at = $7, proof = $8, photo = $9,
			lat = $10, lng = $11, accuracy_m = $12, device_at = $13, actor = $14, version = version + 1
		where id = $1 and version = $2`, s.ID, s.Version, s.State, s.CodeTries, s.Attempts, s.AgainOn, s.DeliveredAt, s.Proof, s.Photo,
		s.Lat, s.Lng, s.AccuracyM, s.DeviceAt, s.Actor)
	s.Version++
	return s
}

func insertAttempt(tx *pg.Tx, s Shipment, reason, text string, again *time.Time, c Scene) {
	var lat, lng *float64
	var off *int
	if c.Spot != nil {
		lat, lng, off = &c.Spot.Lat, &c.Spot.Lng, &c.Spot.AccuracyM
	}
	tx.Queue(`insert into orders.attempt (shipment, n, reason, note, again_on, lat, lng, accuracy_m, device_at, at, actor)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, s.ID, s.Attempts, reason, text, again, lat, lng, off, c.DeviceAt, c.At, c.Actor)
}

// orderOfShipment is the order that a parcel belongs to.
func orderOfShipment(ctx context.Context, db pg.DB, shipment string) (string, error) {
	if !id.Is(id.Shipment, shipment) {
		return "", ErrNoShipment
	}
	return pg.Value[string](ctx, db, ErrNoShipment, `select order_id from orders.shipment where id = $1`, shipment)
}

// shipmentsOf are an order's parcels. The order's lock is theirs.
func shipmentsOf(ctx context.Context, db pg.DB, order string) ([]Shipment, error) {
	return pg.All[Shipment](ctx, db, `select `+shipmentColumns+` from orders.shipment where order_id = $1 order by place`, order)
}

// sentOff is how many of an order's articles are in parcels.
func sentOff(ctx context.Context, db pg.DB, order string) (map[string]int, error) {
	type row struct {
		Variant  string
		Quantity int
	}
	rows, err := pg.All[row](ctx, db, `select variant, quantity from orders.shipped where order_id = $1`, order)
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.Variant] = r.Quantity
	}
	return out, err
}

// endShipments says of an order's parcels that are on their way that they came:
// its buyer said so, or paid for them.
func endShipments(tx *pg.Tx, order, proof, actor string) {
	tx.Queue(`update orders.shipment set state = 'delivered', proof = $2, delivered_at = $3, actor = $4, again_on = null, version = version + 1
		where order_id = $1 and state <> 'delivered'`, order, proof, tx.Now(), actor)
}

// loseShipments says that an order's parcels on their way were not taken.
func loseShipments(tx *pg.Tx, order string) {
	tx.Queue(`update orders.shipment set state = 'undeliverable', again_on = null, version = version + 1
		where order_id = $1 and state in ('on_its_way', 'missed')`, order)
}

// An attempt is one time that a parcel was brought in vain.
type attempt struct {
	Shipment string
	N        int
	Reason   string
	Note     string
	DeviceAt *time.Time
	At       time.Time
}

type shipmentLine struct {
	Shipment string
	Variant  string
	Quantity int
}

// parcelRows are the parcels of some orders, as they are read with them.
type parcelRows struct {
	parcels []Shipment
	lines   []shipmentLine
	missed  []attempt
}

// read has a batch read the parcels of the orders that own names.
func (r *parcelRows) read(b *pgx.Batch, own, name string) {
	collect(b, &r.parcels, `select `+shipmentColumns+` from orders.shipment where order_id`+own+` order by order_id, place`, name)
	collect(b, &r.lines, `select shipment, variant, quantity from orders.shipment_line where order_id`+own+` order by shipment, variant`, name)
	collect(b, &r.missed, `select a.shipment, a.n, a.reason, a.note, a.device_at, a.at from orders.attempt a join orders.shipment s on s.id = a.shipment
		where s.order_id`+own+` order by a.shipment, a.n`, name)
}

// views are the parcels by order, and where their photographs are.
func (r *parcelRows) views() (by map[string][]ShipmentView, photos map[string]string) {
	by, photos = map[string][]ShipmentView{}, map[string]string{}
	for _, s := range r.parcels {
		var lines []Wanted
		var missed []AttemptView
		for _, l := range r.lines {
			if l.Shipment == s.ID {
				lines = append(lines, Wanted{l.Variant, l.Quantity})
			}
		}
		for _, a := range r.missed {
			if a.Shipment == s.ID {
				missed = append(missed, AttemptView{a.Reason, a.Note, a.At.UTC(), rest.UTC(a.DeviceAt)})
			}
		}
		v := s.view(lines, missed)
		v.Code = s.Code
		by[s.Order], photos[s.ID] = append(by[s.Order], v), s.Photo
	}
	return by, photos
}
