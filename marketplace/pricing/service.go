package pricing

import (
	"context"
	"slices"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// Sellers says who sells.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Goods are what sellers offer.
type Goods interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
	ItemsOf(ctx context.Context, db pg.DB, offer string) ([]catalog.Item, error)
}

// Service is what others may ask of price lists.
type Service struct {
	db      *pg.Store
	sellers Sellers
	goods   Goods
}

// New makes the service.
func New(db *pg.Store, sellers Sellers, goods Goods) *Service { return &Service{db, sellers, goods} }

// For reads what a buyer pays some sellers for variants now, by the groups it is
// in.
func (s *Service) For(buyer string, sellers, variants []string, out *[]Own) pg.Read {
	return own(buyer, sellers, variants, out)
}

// whose is the seller that the caller means. There must be one of that id.
func (s *Service) whose(ctx context.Context, tx *pg.Tx, asked string) (string, error) {
	seller, ok := auth.From(ctx).Of(asked)
	if !ok {
		return "", ErrNoGroup
	}
	known, err := s.sellers.Sellers(ctx, tx, []string{seller})
	if err != nil {
		return "", err
	}
	if _, ok := known[seller]; !ok {
		return "", ErrInvalid.At("/seller", "There is no such organisation.")
	}
	return seller, nil
}

// mine says whether something of a seller's is the caller's to see and change.
func mine(ctx context.Context, seller string) bool {
	who, ok := auth.From(ctx).Of(seller)
	return ok && who == seller
}

// MakeGroup adds a group of the caller's customers, or by the operator one of a
// seller's.
func (s *Service) MakeGroup(ctx context.Context, tx *pg.Tx, in GroupInput) (v GroupView, err error) {
	seller, err := s.whose(ctx, tx, in.Seller)
	if err != nil {
		return v, err
	}
	g, all, err := in.group(seller, tx.Now())
	if err != nil {
		return v, err
	}
	insertGroup(tx, g)
	if len(all) > 0 {
		addMembers(tx, g.ID, all)
		g.Size = len(all)
	}
	audit.Record(tx, "customer_groups.make", g.ID, authz.Policy(ctx), in)
	return g.view(), tx.Publish(ctx, GroupChanged{g.ID, g.Seller, false})
}

// ChangeMembers puts customers into a group and takes others out. Whoever is in,
// or out, already stays so.
func (s *Service) ChangeMembers(ctx context.Context, tx *pg.Tx, in MembersInput) (v GroupView, err error) {
	g, err := s.lockGroup(ctx, tx, in.Group)
	if err != nil {
		return v, err
	}
	if g.EndedAt != nil {
		return v, ErrEnded
	}
	add, remove, err := in.check()
	if err != nil {
		return v, err
	}
	removeMembers(tx, g.ID, remove)
	addMembers(tx, g.ID, add)
	audit.Record(tx, "customer_groups.change", g.ID, authz.Policy(ctx), in)
	if err := tx.Publish(ctx, GroupChanged{g.ID, g.Seller, false}); err != nil {
		return v, err
	}
	g, err = byID(ctx, tx, g.ID)
	return g.view(), err
}

// EndGroup ends a group that no price list is for. Ending it again is harmless.
func (s *Service) EndGroup(ctx context.Context, tx *pg.Tx, in OneGroup) (v GroupView, err error) {
	g, err := s.lockGroup(ctx, tx, in.Group)
	if err != nil || g.EndedAt != nil {
		return g.view(), err
	}
	n, err := listsOf(ctx, tx, g.ID)
	if err != nil {
		return v, err
	}
	if n > 0 {
		return v, ErrInUse
	}
	at := tx.Now()
	g.EndedAt = &at
	endGroup(tx, g.ID, at)
	audit.Record(tx, "customer_groups.end", g.ID, authz.Policy(ctx), nil)
	return g.view(), tx.Publish(ctx, GroupChanged{g.ID, g.Seller, true})
}

// lockGroup locks a group of the caller's.
func (s *Service) lockGroup(ctx context.Context, tx *pg.Tx, group string) (Group, error) {
	g, err := lockGroup(ctx, tx, group)
	if err == nil && !mine(ctx, g.Seller) {
		return Group{}, ErrNoGroup
	}
	return g, err
}

// MakeList adds a price list for one of the seller's groups.
func (s *Service) MakeList(ctx context.Context, tx *pg.Tx, in ListInput) (v ListView, err error) {
	g, err := s.lockGroup(ctx, tx, in.Group)
	if err != nil {
		return v, ErrNoGroup.At("/group", ErrNoGroup.Text)
	}
	if g.EndedAt != nil {
		return v, ErrEnded.At("/group", "This group has ended.")
	}
	l, err := in.list(g, tx.Now())
	if err != nil {
		return v, err
	}
	if err := s.own(ctx, tx, l); err != nil {
		return v, err
	}
	insertList(tx, l)
	audit.Record(tx, "price_lists.make", l.ID, authz.Policy(ctx), in)
	return l.view(), tx.Publish(ctx, ListChanged{l.ID, l.Seller, false})
}

// own refuses prices of what is not the seller's.
func (s *Service) own(ctx context.Context, tx *pg.Tx, l List) error {
	var ids []string
	for _, p := range l.Prices {
		if p.Variant != "" && !slices.Contains(ids, p.Variant) {
			ids = append(ids, p.Variant)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	items, err := s.goods.Items(ctx, tx, ids)
	if err != nil {
		return err
	}
	wrong := ErrInvalid
	for i, p := range l.Prices {
		if p.Variant != "" && items[p.Variant].Seller != l.Seller {
			wrong = wrong.At(at("/prices", i, "/variant"), "This is no article of the seller's.")
		}
	}
	if len(wrong.Details) > 0 {
		return wrong
	}
	return nil
}

// EndList ends a price list: the next quote goes without it. Ending it again is
// harmless.
func (s *Service) EndList(ctx context.Context, tx *pg.Tx, in OneList) (v ListView, err error) {
	l, err := lockList(ctx, tx, in.List)
	if err != nil {
		return v, err
	}
	if !mine(ctx, l.Seller) {
		return v, ErrNoList
	}
	if l.Prices, err = pricesOf(ctx, tx, l.ID); err != nil || l.EndedAt != nil {
		return l.view(), err
	}
	at := tx.Now()
	l.EndedAt = &at
	endList(tx, l.ID, at)
	audit.Record(tx, "price_lists.end", l.ID, authz.Policy(ctx), nil)
	return l.view(), tx.Publish(ctx, ListChanged{l.ID, l.Seller, true})
}
