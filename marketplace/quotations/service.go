package quotations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Timers: when a request takes no more offers, and when an offer stands no more.
const (
	timerDeadline = "quotations.deadline"
	timerValid    = "quotations.valid"
)

// Sellers says who sells, and where.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
	Imprints(ctx context.Context, db pg.DB, ids []string) (map[string]members.Imprint, error)
}

// Goods are what is on offer.
type Goods interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
	Shelves(ctx context.Context, db pg.DB, seller string) ([]string, error)
	SellersIn(ctx context.Context, db pg.DB, category string, most int) ([]string, error)
}

// Files are what buyers show with their requests.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Of(ctx context.Context, db pg.DB, file, subject string) (rest.Blob, error)
}

// Agreements are what accepted offers become.
type Agreements interface {
	Make(ctx context.Context, tx *pg.Tx, a agreements.Agreement) (agreements.Agreement, error)
	End(ctx context.Context, tx *pg.Tx, agreement string) (agreements.Agreement, error)
	OfOrder(ctx context.Context, db pg.DB, order, kind string) ([]agreements.Agreement, error)
}

// Baskets are filled with what was agreed on.
type Baskets interface {
	Fill(tx *pg.Tx, a agreements.Agreement) (basket string)
}

// Needs are the others that quotations work with.
type Needs struct {
	Sellers Sellers
	Goods   Goods
	Files   Files
	Agreed  Agreements
	Baskets Baskets
}

// Service is what others may ask of quotations.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service { return &Service{db, n} }

// Timers registers the timers of quotations.
func Timers(t *job.Timers, s *Service) {
	t.Handle(timerDeadline, s.deadline)
	t.Handle(timerValid, s.expire)
}

// Ask puts a request to the sellers that the buyer names, or to all of a category
// and region.
func (s *Service) Ask(ctx context.Context, tx *pg.Tx, in AskInput) (v RequestView, err error) {
	buyer := auth.From(ctx).Subject
	r, err := in.request(buyer, tx.Now())
	if err != nil {
		return v, err
	}
	if err := s.known(ctx, tx, in.Sellers, r); err != nil {
		return v, err
	}
	for i, f := range r.Files {
		if _, err := s.Files.Use(ctx, tx, f, buyer, media.Proof, r.ID); err != nil {
			if errors.Is(err, media.ErrGone) {
				err = media.ErrGone.At(fmt.Sprintf("/files/%d", i), "Upload it first, as a proof of your own.")
			}
			return v, err
		}
	}
	insertRequest(tx, r, in.Sellers)
	job.Set(tx, timerDeadline, r.ID, r.Deadline)
	audit.Record(tx, "quotations.ask", r.ID, authz.Policy(ctx), nil)
	if err := s.callOut(ctx, tx, r); err != nil {
		return v, err
	}
	return r.view(side{buyer: true}, in.Sellers), tx.Publish(ctx, RequestMoved{r.ID, r.Buyer, r.State, in.Sellers})
}

// mostTold is how many sellers are told of a request that is put to all: the others
// find it in their inbox.
const mostTold = 500

// callOut tells the sellers of its category and region of a request that is put to
// all of them.
func (s *Service) callOut(ctx context.Context, tx *pg.Tx, r Request) error {
	if !r.ToAll {
		return nil
	}
	all, err := s.Goods.SellersIn(ctx, tx, r.Category, mostTold)
	if err != nil {
		return err
	}
	if r.Area != "" && len(all) > 0 {
		at, err := s.Sellers.Imprints(ctx, tx, all)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(seller string) bool { return at[seller].Region != r.Area })
	}
	if len(all) == 0 {
		return nil
	}
	return tx.Publish(ctx, RequestOpened{r.ID, r.Category, all})
}

// known refuses sellers who are none, or do not sell now, and articles that are
// not on offer.
func (s *Service) known(ctx context.Context, tx *pg.Tx, sellers []string, r Request) error {
	if len(sellers) > 0 {
		all, err := s.Sellers.Sellers(ctx, tx, sellers)
		if err != nil {
			return err
		}
		for i, id := range sellers {
			if !all[id].Active {
				return ErrSeller.At(fmt.Sprintf("/sellers/%d", i), "Ask others, or later.")
			}
		}
	}
	var ids []string
	for _, l := range r.Lines {
		if l.Variant != "" {
			ids = append(ids, l.Variant)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	items, err := s.Goods.Items(ctx, tx, ids)
	if err != nil {
		return err
	}
	for i, l := range r.Lines {
		if l.Variant != "" && !items[l.Variant].Published {
			return ErrInvalid.At(fmt.Sprintf("/lines/%d/variant", i), "There is no such article on offer.")
		}
	}
	return nil
}

// lockOwn locks a request of the caller's, who buys.
func lockOwn(ctx context.Context, tx *pg.Tx, request string) (Request, error) {
	r, err := lockRequest(ctx, tx, request)
	if err == nil && !auth.From(ctx).Owns(r.Buyer) {
		return Request{}, ErrNotFound
	}
	return r, err
}

// CloseRequest ends the time for offers; one that stands can still be accepted.
// Closing again is harmless.
func (s *Service) CloseRequest(ctx context.Context, tx *pg.Tx, in One) (v RequestView, err error) {
	r, err := lockOwn(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	if r.State != Closed {
		if r, err = s.move(ctx, tx, r, Close); err != nil {
			return v, err
		}
		audit.Record(tx, "quotations.close", r.ID, authz.Policy(ctx), nil)
	}
	return s.asBuyer(ctx, tx, r)
}

// CancelRequest ends a request for good, and all of its offers. An offer that
// was accepted, and ordered, keeps it from that. Again is harmless.
func (s *Service) CancelRequest(ctx context.Context, tx *pg.Tx, in One) (v RequestView, err error) {
	r, err := lockOwn(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	if r.State == Cancelled {
		return s.asBuyer(ctx, tx, r)
	}
	all, err := liveOffers(ctx, tx, r.ID)
	if err != nil {
		return v, err
	}
	if r, err = s.move(ctx, tx, r, Cancel); err != nil {
		return v, err
	}
	for _, o := range all {
		to := Passed
		if o.State == Accepted {
			if _, err := s.Agreed.End(ctx, tx, o.Agreement); err != nil {
				return v, err
			}
			to = Lapsed
		}
		if _, err := s.turn(ctx, tx, r, o, to, ""); err != nil {
			return v, err
		}
	}
	audit.Record(tx, "quotations.cancel", r.ID, authz.Policy(ctx), nil)
	return s.asBuyer(ctx, tx, r)
}

// asBuyer is a request as its buyer sees it, with all whom it was put to.
func (s *Service) asBuyer(ctx context.Context, tx *pg.Tx, r Request) (RequestView, error) {
	named, err := namedIn(ctx, tx, r.ID)
	return r.view(side{buyer: true}, named), err
}

// move moves a request, keeps it, and tells all who have to do with it.
func (s *Service) move(ctx context.Context, tx *pg.Tx, r Request, m Move) (Request, error) {
	r, err := r.Do(m)
	if err != nil {
		return r, err
	}
	r.Version++
	saveRequest(tx, r)
	if r.State != Open {
		job.Clear(tx, timerDeadline, r.ID)
	}
	all, err := askedIn(ctx, tx, r.ID)
	if err != nil {
		return r, err
	}
	return r, tx.Publish(ctx, RequestMoved{r.ID, r.Buyer, r.State, all})
}

// turn brings an offer to a state, keeps it, and tells its seller and the buyer.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, r Request, o Offer, to OfferState, reason string) (Offer, error) {
	o, err := o.To(to)
	if err != nil {
		return o, err
	}
	o.Reason = reason
	o.Version++
	saveOffer(tx, o)
	if o.State != Standing {
		job.Clear(tx, timerValid, o.ID)
	}
	return o, tx.Publish(ctx, OfferMoved{o.ID, r.ID, o.Seller, r.Buyer, o.State})
}

// DeclineRequest is a seller's word that it makes no offer, and why. Again is
// harmless.
func (s *Service) DeclineRequest(ctx context.Context, tx *pg.Tx, in DeclineInput) (v RequestView, err error) {
	r, me, err := s.lockAsked(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	if r.State != Open {
		_, err := r.Do(Close)
		return v, err
	}
	all, err := liveOffers(ctx, tx, r.ID)
	if err != nil {
		return v, err
	}
	for _, o := range all {
		if o.Seller == me.seller {
			return v, ErrDeclined.At("/offer", o.ID)
		}
	}
	if me.declined == in.Reason {
		return r.view(me, nil), nil
	}
	join(tx, r.ID, me, in.Reason)
	me.declined = in.Reason
	audit.Record(tx, "quotations.decline", r.ID, authz.Policy(ctx), in)
	return r.view(me, nil), tx.Publish(ctx, RequestDeclined{r.ID, r.Buyer, me.seller, in.Reason})
}

// lockAsked locks a request that was put to the caller, who sells.
func (s *Service) lockAsked(ctx context.Context, tx *pg.Tx, request string) (Request, side, error) {
	r, err := lockRequest(ctx, tx, request)
	if err != nil {
		return r, side{}, err
	}
	me, err := s.side(ctx, tx, r)
	return r, me, err
}

// side is how the caller stands to a request: its buyer, an operator, or a seller
// to whom it was put. To all others there is no such request.
func (s *Service) side(ctx context.Context, db pg.DB, r Request) (side, error) {
	p := auth.From(ctx)
	switch {
	case p.Role == auth.Operator:
		return side{operator: true}, nil
	case p.Role == auth.Buyer && p.Owns(r.Buyer):
		return side{buyer: true}, nil
	case p.Role != auth.Seller:
		return side{}, ErrNotFound
	}
	me, err := standing(ctx, db, r.ID, p.Subject)
	if err != nil || me.asked {
		return me, err
	}
	if !r.ToAll || r.State != Open {
		return me, ErrNotFound
	}
	shelves, region, err := s.sells(ctx, db, p.Subject)
	if err != nil {
		return me, err
	}
	if !has(shelves, r.Category) || r.Area != "" && r.Area != region {
		return me, ErrNotFound
	}
	return me, nil
}

// sells says in which categories and region a seller sells.
func (s *Service) sells(ctx context.Context, db pg.DB, seller string) (shelves []string, region string, err error) {
	if shelves, err = s.Goods.Shelves(ctx, db, seller); err != nil {
		return nil, "", err
	}
	at, err := s.Sellers.Imprints(ctx, db, []string{seller})
	return shelves, at[seller].Region, err
}

// deadline closes a request whose time for offers is over.
func (s *Service) deadline(ctx context.Context, tx *pg.Tx, request string) error {
	r, err := lockRequest(ctx, tx, request)
	if err != nil || r.State != Open || tx.Now().Before(r.Deadline) {
		return err
	}
	_, err = s.move(ctx, tx, r, Close)
	return err
}
