package orders

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/digital"
	"tiwiza/payments/charges"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of orders of files and codes.
var (
	ErrOpened   = fault.New(fault.Conflict, "orders.opened", "Files or codes of this order were opened, so that it cannot be called off; ask its seller for a refund of the rest.")
	ErrNotReady = fault.New(fault.Conflict, "orders.not_ready", "Not all files and codes of this order are there; add them to the article, then accept it.")
	ErrByBuyer  = fault.New(fault.Conflict, "orders.opened_by_buyer", "Files and codes do not travel; they have come when their buyer opens them.")
)

// A Share says how much of an order is files and codes.
type Share string

// The shares.
const (
	None Share = ""
	Some Share = "some"
	All  Share = "all"
)

// nothing is the delivery of what does not travel.
const nothing = "none"

// exemptDigital is why files and codes cannot be sent back.
const exemptDigital = "digital"

// How an order of files and codes goes by itself: its buyer is reminded of what was
// not opened, and a week after the payment, when nobody may withdraw any more, what
// was at the buyer's disposal all the time counts as delivered.
const (
	remindUnopened = 3 * 24 * time.Hour
	openWithin     = WithdrawWithin
)

const (
	timerRemind   = "orders.unopened_soon"
	timerUnopened = "orders.unopened"
)

// digitalShare is how much of the lines is files and codes.
func digitalShare(lines []QuoteLine) Share {
	n := 0
	for _, l := range lines {
		if l.Kind == catalog.Digital {
			n++
		}
	}
	switch n {
	case 0:
		return None
	case len(lines):
		return All
	}
	return Some
}

// digital says that a line is files or codes.
func (l boughtLine) digital() bool { return l.Kind == catalog.Digital }

// digitalOf are the articles that are files or codes.
func digitalOf(items map[string]catalog.Item) (out []string) {
	for v, i := range items {
		if i.Kind == catalog.Digital {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// digitalOnly says that nothing of a parcel is goods or services.
func (q Quote) digitalOnly(p parcel) bool {
	return len(p.all) > 0 && !slices.ContainsFunc(p.all, func(i int) bool { return q.Lines[i].Kind != catalog.Digital })
}

// nowhere are the problems of services of which the buyer says that nothing is to
// be delivered.
func (q Quote) nowhere(lines []int) (out []Problem) {
	for _, i := range lines {
		if l := q.Lines[i]; l.Kind != catalog.Digital {
			out = append(out, Problem{
				Pointer: fmt.Sprintf("/lines/%d", i), Variant: l.Variant, Code: "not_delivered", Blocking: true,
				Detail: named(l.Names, "This article") + " is not a file; say how and where you want it.",
			})
		}
	}
	return out
}

// prepaid says why files and codes are not paid in cash.
func (q Quote) prepaid(method string) string {
	if method == charges.Cash && slices.ContainsFunc(q.Lines, func(l QuoteLine) bool { return l.Kind == catalog.Digital }) {
		return "Files and codes are paid before they are opened; pay in another way, or order them apart."
	}
	return ""
}

// unready says of a line of files or codes that its seller has not stored them.
func (m Market) unready(i int, l Line) []Problem {
	item := m.Items[l.Variant]
	if item.Kind != catalog.Digital || m.Ready[l.Variant].Gives(l.Quantity, item.Policy == catalog.Stocked) {
		return nil
	}
	return []Problem{{
		Pointer: fmt.Sprintf("/lines/%d", i), Variant: l.Variant, Code: "not_ready", Blocking: true,
		Detail: named(item.OfferNames, "This article") + " is not there to be opened yet; take it out of the basket, or ask its seller.",
	}}
}

// ready gives the buyer of an order that was paid its files and codes, if they are
// there. If not, its seller adds them and accepts, or time cancels it.
func (s *Service) ready(ctx context.Context, tx *pg.Tx, o Order) error {
	if o.Digital == None || o.Waits {
		return nil
	}
	o, err := o.Do(Pay)
	if err != nil {
		return err
	}
	there, err := s.grant(ctx, tx, o)
	switch {
	case err != nil:
		return err
	case !there:
		note(ctx, tx, o.ID, "files_missing")
		return nil
	case o.Digital == All:
		return s.atDisposal(ctx, tx, o)
	}
	return nil
}

func (s *Service) grant(ctx context.Context, tx *pg.Tx, o Order) (bool, error) {
	lines, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return false, err
	}
	sale := digital.Sale{Order: o.ID, Buyer: o.Buyer, Seller: o.Seller}
	for _, l := range lines {
		if l.digital() {
			sale.Lines = append(sale.Lines, digital.SaleLine{Variant: l.Variant, Quantity: l.Quantity, ByCodes: l.ByCodes})
		}
	}
	slices.SortFunc(sale.Lines, func(a, b digital.SaleLine) int { return cmp.Compare(a.Variant, b.Variant) })
	return s.Digital.Grant(ctx, tx, sale)
}

// hand gives the buyer of an order its files and codes, which must be there.
func (s *Service) hand(ctx context.Context, tx *pg.Tx, o Order) error {
	if _, err := o.Do(Accept); err != nil {
		return err
	}
	there, err := s.grant(ctx, tx, o)
	if err == nil && !there {
		err = ErrNotReady
	}
	return err
}

// handOver is hand of an order of nothing else.
func (s *Service) handOver(ctx context.Context, tx *pg.Tx, o Order) error {
	if err := s.hand(ctx, tx, o); err != nil {
		return err
	}
	return s.atDisposal(ctx, tx, o)
}

// atDisposal says of an order of files and codes alone that its buyer can have
// them now: it is accepted and on its way in one.
func (s *Service) atDisposal(ctx context.Context, tx *pg.Tx, o Order) error {
	if err := s.step(ctx, tx, o, Accept); err != nil {
		return err
	}
	o, err := o.Do(Accept)
	if err != nil {
		return err
	}
	if err := s.step(ctx, tx, o.promise(tx.Now()), Ship); err != nil {
		return err
	}
	job.Set(tx, timerRemind, o.ID, tx.Now().Add(remindUnopened))
	job.Set(tx, timerUnopened, o.ID, tx.Now().Add(openWithin))
	return s.Escrows.Shipped(ctx, tx, o.ID, tx.Now())
}

// untouched refuses to call off an order of which something was opened: one of
// nothing else always, one with goods to its buyer. A seller who does not send the
// goods loses the files' price too.
func (s *Service) untouched(ctx context.Context, tx *pg.Tx, o Order) error {
	if o.Digital == None || o.Digital == Some && auth.From(ctx).Role != auth.Buyer {
		return nil
	}
	all, err := s.Digital.Granted(ctx, tx, o.ID)
	if err == nil && slices.ContainsFunc(all, func(g digital.Grant) bool { return g.OpenedAt != nil }) {
		err = ErrOpened
	}
	return err
}

// Open is the buyer's word that files and codes are taken: that proves that they
// came, and ends the right to give them back. Of an order of nothing else it is
// the delivery. Opening twice is harmless.
func (s *Service) Open(ctx context.Context, tx *pg.Tx, in OpenInput) (v DigitalView, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "open")
	if err != nil {
		return v, err
	}
	all, fresh, err := s.Digital.Open(ctx, tx, o.ID, in.Variants)
	if err != nil {
		return v, err
	}
	if fresh {
		note(ctx, tx, o.ID, "opened")
		audit.Record(tx, "orders.open", o.ID, policy, nil)
		if err := tx.Publish(ctx, OrderOpened{Moved{o.ID, o.Group, o.Seller, o.Buyer}, in.Variants}); err != nil {
			return v, err
		}
	}
	if o.Digital == All && o.State == Shipped && !slices.ContainsFunc(all, func(g digital.Grant) bool { return g.OpenedAt == nil }) {
		if err := s.came(ctx, tx, o); err != nil {
			return v, err
		}
	}
	return s.digitalView(ctx, tx, o, false) // the answer is kept, and codes are not kept in the clear
}

// came says that all of an order of files and codes was delivered.
func (s *Service) came(ctx context.Context, tx *pg.Tx, o Order) error {
	if err := s.step(ctx, tx, o, Deliver); err != nil || o.Settled {
		return err
	}
	return s.Escrows.Delivered(ctx, tx, o.ID, tx.Now())
}

// remind tells a buyer of files and codes that were not opened.
func (s *Service) remind(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Shipped || all[0].Digital != All {
		return err
	}
	o := all[0]
	return tx.Publish(ctx, OrderUnopened{Moved{o.ID, o.Group, o.Seller, o.Buyer}})
}

// unopened delivers what its buyer could have opened for a week, unless there is a
// case about it.
func (s *Service) unopened(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Shipped || all[0].Digital != All {
		return err
	}
	h, err := s.hold(ctx, tx, order)
	if err != nil {
		return err
	}
	if len(h.Cases) > 0 {
		job.Set(tx, timerUnopened, order, tx.Now().Add(patience))
		return nil
	}
	note(ctx, tx, order, "unopened")
	return s.came(ctx, tx, all[0])
}

// ShowDigital shows the files and codes of an order: its buyer has them there,
// its seller and the operator see what was opened and fetched.
func (s *Service) ShowDigital(ctx context.Context, in One) (v DigitalView, err error) {
	f, err := loadOrder(ctx, s.db, in.Order)
	if err != nil {
		return v, err
	}
	if _, err := s.may(ctx, "orders.digital", f.Seller, f.Buyer, ErrNotFound); err != nil {
		return v, err
	}
	return s.digitalView(ctx, s.db, f, auth.From(ctx).Role == auth.Buyer)
}

func (s *Service) digitalView(ctx context.Context, db pg.DB, o Order, codes bool) (v DigitalView, err error) {
	v.Order = o.ID
	if v.Articles, err = s.Digital.Contents(ctx, db, o.ID, codes); err != nil {
		return v, err
	}
	v.Consents, err = consentsOf(ctx, db, o.Group)
	return v, err
}

// Fetch gives a buyer one file of an order, and counts that.
func (s *Service) Fetch(ctx context.Context, in FetchInput) (b rest.Blob, err error) {
	o, err := loadOrder(ctx, s.db, in.Order)
	if err != nil {
		return b, err
	}
	if _, err := s.may(ctx, "orders.fetch", o.Seller, o.Buyer, ErrNotFound); err != nil {
		return b, err
	}
	return s.Digital.Fetch(ctx, o.ID, in.Variant, in.Ware)
}
