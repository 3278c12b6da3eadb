package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Sellers tells who sells; members is one.
type Sellers interface {
	// Sellers finds organisations by id; those it does not know are left out.
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Service keeps the catalogue.
type Service struct {
	db      *pg.Store
	index   search.Index
	sellers Sellers
	files   Files
	asked   *search.Desk
}

// New makes the service over a search index, whoever knows the sellers, and
// whoever keeps their files.
func New(db *pg.Store, index search.Index, sellers Sellers, files Files) *Service {
	return &Service{db, index, sellers, files, search.NewDesk(db)}
}

// Desk is where what people look for is noted.
func (s *Service) Desk() *search.Desk { return s.asked }

// Create adds a draft offer. A seller creates its own; an operator says whose.
func (s *Service) Create(ctx context.Context, in CreateInput) (View, error) {
	who, err := owner(ctx, in.Seller, "/seller")
	if err != nil {
		return View{}, err
	}
	known, err := s.sellers.Sellers(ctx, s.db, []string{who})
	if err != nil {
		return View{}, err
	}
	if _, ok := known[who]; !ok {
		return View{}, ErrInvalid.At("/seller", "There is no such organisation.")
	}
	o, err := in.offer(who)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, func(tx *pg.Tx) (Offer, error) {
		o.CreatedAt, o.Version = tx.Now(), 1
		moves := make([]move, 0, len(o.Variants))
		for _, v := range o.Variants {
			moves = append(moves, move{v.ID, v.OnHand, "created", o.ID})
		}
		if err := s.speaks(ctx, tx, o, ""); err != nil {
			return o, err
		}
		o, asked := o.relabel(nil).review(Offer{}, tx.Now())
		save(tx, []Offer{o}, moves)
		if asked, some := asked.after(nil, saying{}); some {
			insertChanges(tx, []Change{asked})
		}
		return o, tx.Publish(ctx, o.news("created"))
	})
}

// Update changes what is given of an offer and leaves the rest. Prices and
// texts change at once, also in the search index. Claims, labels and, once it was
// published, where it comes from wait for a moderator. Stock is changed by
// SetStock alone.
func (s *Service) Update(ctx context.Context, in UpdateInput) (View, error) {
	return s.edit(ctx, in.Offer, func(tx *pg.Tx, o Offer) (Offer, error) {
		if in.Version != nil && *in.Version != o.Version {
			return o, ErrStale
		}
		was := o
		o, err := in.apply(o)
		if err != nil {
			return o, err
		}
		if err := s.speaks(ctx, tx, o, was.Voice); err != nil {
			return o, err
		}
		o, asked := o.relabel(was.Labels).review(was, tx.Now())
		o.Version++
		save(tx, []Offer{o}, nil)
		said := saying{claims: in.Claims != nil, origin: in.Region != nil || in.Commune != nil || in.Point != nil}
		if asked, some := asked.after(o.Asked, said); some {
			insertChanges(tx, []Change{asked})
		}
		return o, tx.Publish(ctx, o.news("updated"))
	})
}

// speaks has an offer use the sound that tells what it is, and leave the one
// before.
func (s *Service) speaks(ctx context.Context, tx *pg.Tx, o Offer, before string) error {
	if o.Voice == before {
		return nil
	}
	if before != "" {
		s.files.Release(tx, before, o.ID)
	}
	if o.Voice == "" {
		return nil
	}
	_, err := s.files.Use(ctx, tx, o.Voice, o.Seller, media.Sound, o.ID)
	return unsent(err, ErrInvalid, "/voice")
}

// unsent says at a pointer that a file is not there to be used.
func unsent(err error, refused *fault.Error, at string) error {
	if errors.Is(err, media.ErrGone) {
		return refused.At(at, "There is no such file of this seller and kind: send it first, with POST /v1/files.")
	}
	return err
}

// Publish shows an offer to buyers. Its seller must be in good standing.
func (s *Service) Publish(ctx context.Context, in OfferInput) (View, error) {
	return s.moveTo(ctx, in.Offer, Published)
}

// Pause takes an offer out of sight until it is published again.
func (s *Service) Pause(ctx context.Context, in OfferInput) (View, error) {
	return s.moveTo(ctx, in.Offer, Paused)
}

// Archive takes an offer out of sight for good.
func (s *Service) Archive(ctx context.Context, in OfferInput) (View, error) {
	return s.moveTo(ctx, in.Offer, Archived)
}

func (s *Service) moveTo(ctx context.Context, offer string, to State) (View, error) {
	return s.edit(ctx, offer, func(tx *pg.Tx, o Offer) (Offer, error) {
		if to == Published {
			if err := s.inGoodStanding(ctx, tx, o.Seller); err != nil {
				return o, err
			}
		}
		o, err := o.Move(to, tx.Now())
		if err != nil {
			return o, err
		}
		saveState(tx, o)
		return o, tx.Publish(ctx, o.news(string(to)))
	})
}

func (s *Service) inGoodStanding(ctx context.Context, db pg.DB, seller string) error {
	known, err := s.sellers.Sellers(ctx, db, []string{seller})
	if err != nil {
		return fmt.Errorf("look up seller %s: %w", seller, err)
	}
	if !known[seller].Active {
		return ErrSuspended
	}
	return nil
}

// edit locks an offer of the caller's, has it changed, and brings the index up
// to date.
func (s *Service) edit(ctx context.Context, offer string, fn func(*pg.Tx, Offer) (Offer, error)) (View, error) {
	return s.change(ctx, func(tx *pg.Tx) (Offer, error) {
		lockVariants(tx, offer)
		o, err := lock(ctx, tx, offer)
		if err != nil {
			return o, err
		}
		if _, err := owner(ctx, o.Seller, ""); err != nil {
			return o, ErrNotFound
		}
		return fn(tx, o)
	})
}

// change runs fn in a unit of work, indexes the offer it gives, and answers it
// as its owner sees it.
func (s *Service) change(ctx context.Context, fn func(*pg.Tx) (Offer, error)) (v View, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := fn(tx)
		if err != nil {
			return err
		}
		read, err := s.reindex(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		known, err := s.sellers.Sellers(ctx, tx, []string{o.Seller})
		if err != nil {
			return fmt.Errorf("look up seller %s: %w", o.Seller, err)
		}
		v = viewOwn(read[0], known[o.Seller])
		return nil
	})
	return v, err
}

// owner is whose offers the caller works on: a seller its own, an operator
// those of whom it names at pointer. Another member's are not found.
func owner(ctx context.Context, asked, pointer string) (string, error) {
	p := auth.From(ctx)
	switch p.Role {
	case auth.Operator, auth.System:
		if asked == "" {
			return "", ErrInvalid.At(pointer, "Say whose offers these are: the id of the organisation (org_…).")
		}
		return asked, nil
	case auth.Seller:
		if asked != "" && asked != p.Subject {
			return "", ErrNotFound
		}
		return p.Subject, nil
	}
	return "", ErrNotFound
}

// mine is whose things the caller sees in a list: a seller its own, an operator
// those of whom it names, or everybody's ("").
func mine(ctx context.Context, asked string) (string, error) {
	if p := auth.From(ctx); asked == "" && (p.Role == auth.Operator || p.Role == auth.System) {
		return "", nil
	}
	return owner(ctx, asked, "?seller")
}

// Items tells what there is to know of variants for baskets and quotes; those
// that do not exist are left out.
func (s *Service) Items(ctx context.Context, db pg.DB, variants []string) (map[string]Item, error) {
	return items(ctx, db, variants)
}

// ItemsOf are the variants of an offer, by their ids; none when there is no such
// offer.
func (s *Service) ItemsOf(ctx context.Context, db pg.DB, offer string) ([]Item, error) {
	ids, err := variantsOf(ctx, db, offer)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	by, err := items(ctx, db, ids)
	out := make([]Item, 0, len(by))
	for _, v := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[v])
	}
	return out, err
}

// Shelves are the categories that a seller has something on offer in.
func (s *Service) Shelves(ctx context.Context, db pg.DB, seller string) ([]string, error) {
	return shelvesOf(ctx, db, seller, CategoryCodes())
}

// SellersIn are sellers that have something of a category on offer, at most so many.
func (s *Service) SellersIn(ctx context.Context, db pg.DB, category string, most int) ([]string, error) {
	return sellersIn(ctx, db, category, most)
}

// An Item is one variant as a basket needs it.
type Item struct {
	Variant          string
	Offer            string
	Seller           string
	SKU              string
	Names            map[string]string
	OfferNames       map[string]string
	Price            money.Money `db:"-"` // of one; PriceOf says what more cost
	WeightG          int
	Available        int
	Category         string
	WithdrawalExempt string
	Published        bool
	Kind             Kind
	Way              Way
	Policy           Policy
	LeadDays         int
	StartsAt         *time.Time // when the date of a service begins
	Minutes          int
	Reopens          string // when its seller is away, the day on which it sells again

	tiers []Tier
}

// PriceOf is the price of each, for whoever takes so many.
func (i Item) PriceOf(n int) money.Money { return at(i.Price, i.tiers, n) }

// Steps are the numbers from which each costs less, by rising number.
func (i Item) Steps() (out []int) {
	for _, t := range i.tiers {
		out = append(out, t.From)
	}
	return out
}

// Travels says whether it is brought to its buyer: files and services are not.
func (i Item) Travels() bool { return i.Kind != Labour && i.Kind != Digital }

// reindex brings what buyers find into line with the offers, and gives the
// offers as they are now. It locks them, so that of two changes at once the
// later sees the earlier.
func (s *Service) reindex(ctx context.Context, tx *pg.Tx, offers ...string) ([]Offer, error) {
	if len(offers) == 0 {
		return nil, nil
	}
	slices.Sort(offers)
	lockOffers(tx, offers)
	all, err := read(ctx, tx, offers)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, o := range all {
		ids[o.Seller] = true
	}
	sellers, err := s.sellers.Sellers(ctx, tx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, fmt.Errorf("look up sellers: %w", err)
	}
	var docs []search.Document
	var gone []string
	for _, o := range all {
		remind(tx, o)
		if seller := sellers[o.Seller]; o.State == Published && seller.Active && len(o.Variants) > 0 {
			docs = append(docs, document(o, seller))
		} else {
			gone = append(gone, o.ID)
		}
	}
	if err := s.index.Put(ctx, tx, docs...); err != nil {
		return nil, err
	}
	return all, s.index.Remove(ctx, tx, gone...)
}

// document is an offer as buyers find it.
func document(o Offer, seller members.Seller) search.Document {
	kind, _ := Category(o.Category)
	d := search.Document{
		ID: o.ID, Seller: o.Seller, SellerNames: seller.Names, Names: o.Names, Texts: o.Descriptions,
		Category: o.Category, Kinds: kind.Names, Region: o.Region, Places: places(o),
		Price: o.Variants[0].Price.Centimes(), Lat: o.Lat, Lng: o.Lng, Published: *o.PublishedAt,
	}
	for _, v := range o.Variants {
		d.Price = min(d.Price, v.Price.Centimes())
		d.Available = d.Available || v.Available() > 0
	}
	for _, l := range o.Labels {
		if l.Current {
			d.Labels = append(d.Labels, l.Code)
		}
	}
	return d
}

// places are the names of where an offer comes from.
func places(o Offer) []string {
	var names []string
	if o.Commune != "" {
		names = append(names, o.Commune)
		if p, ok := geo.FindIn(o.Commune, o.Region); ok {
			names = append(names, p.Names["ar"])
		}
	}
	for _, r := range geo.Regions() {
		if r.Code == o.Region {
			names = append(names, r.Names["fr"], r.Names["ar"])
		}
	}
	return names
}

// Reindex brings all that a seller offers into line with the index: after it
// was suspended, reactivated or renamed.
func (s *Service) Reindex(ctx context.Context, tx *pg.Tx, seller string) error {
	offers, err := offersOf(ctx, tx, seller)
	if err != nil {
		return err
	}
	_, err = s.reindex(ctx, tx, offers...)
	return err
}

// newVariant checks a variant that is to be added to an offer and gives it an id.
func (o Offer) newVariant(v Variant) (Variant, findings) {
	v = o.usual(v)
	v.ID = id.New(id.Variant)
	return v, append(append(v.check(), o.suits(v)...), o.coded(v, 0)...)
}
