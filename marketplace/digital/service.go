package digital

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Catalogue is what is on offer. Codes are the stock of what is sold by them.
type Catalogue interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
	Fill(ctx context.Context, tx *pg.Tx, variant, seller string, by int) error
}

// Files are what members upload.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Of(ctx context.Context, db pg.DB, file, subject string) (rest.Blob, error)
}

// Service is what others may ask of digital goods.
type Service struct {
	db    *pg.Store
	goods Catalogue
	files Files
	vault *Vault
}

// New makes the service. Without a vault no codes are sold.
func New(db *pg.Store, goods Catalogue, files Files, vault *Vault) *Service {
	return &Service{db, goods, files, vault}
}

// own is an article of the caller's: a seller's own, and for operators any. To
// others there is no such article.
func (s *Service) own(ctx context.Context, db pg.DB, variant string) (catalog.Item, error) {
	if !id.Is(id.Variant, variant) {
		return catalog.Item{}, catalog.ErrNotFound
	}
	all, err := s.goods.Items(ctx, db, []string{variant})
	if err != nil {
		return catalog.Item{}, err
	}
	item, there := all[variant]
	p := auth.From(ctx)
	if !there || p.Role != auth.Operator && p.Role != auth.System && p.Subject != item.Seller {
		return item, catalog.ErrNotFound
	}
	if item.Kind != catalog.Digital {
		return item, ErrNotOurs
	}
	return item, nil
}

// AddWare adds a file to an article, or a version to one of its files.
func (s *Service) AddWare(ctx context.Context, tx *pg.Tx, in WareInput) (v WareView, err error) {
	item, err := s.own(ctx, tx, in.Variant)
	if err != nil {
		return v, err
	}
	title := strings.TrimSpace(in.Title)
	if title == "" && in.Replaces == "" {
		return v, ErrInvalid.At("/title", "Say what the file is called, so that its buyers know it.")
	}
	lockShelf(tx, in.Variant, item.Seller)
	w, was := Ware{ID: id.New(id.Ware), Variant: in.Variant, Seller: item.Seller, Title: title, Version: 1, MadeAt: tx.Now()}, 0
	if in.Replaces != "" {
		if w, err = lockWare(ctx, tx, in.Variant, in.Replaces); err != nil {
			return v, wrongWare(err)
		}
		was = w.Version
		if w, err = w.Another(title); err != nil {
			return v, err
		}
	} else if all, err := waresOf(ctx, tx, in.Variant); err != nil || len(all) >= mostWares {
		return v, errors.Join(err, full(len(all)))
	}
	f, err := s.files.Use(ctx, tx, in.File, item.Seller, media.Ware, w.ID)
	if errors.Is(err, media.ErrGone) {
		return v, media.ErrGone.At("/file", "Upload it first, as a ware of your own.")
	}
	if err != nil {
		return v, err
	}
	w.File, w.Type, w.Size, w.AddedAt = f.ID, f.Type, f.Size, tx.Now()
	if was == 0 {
		insertWare(tx, w)
	} else {
		saveWare(tx, w, was)
		insertEdition(tx, w)
	}
	audit.Record(tx, "digital.add_ware", w.Variant, "", map[string]string{"ware": w.ID, "file": w.File})
	return w.view(), tx.Publish(ctx, Changed{w.Variant, w.Seller, "file"})
}

func full(n int) error {
	if n >= mostWares {
		return ErrFull
	}
	return nil
}

func wrongWare(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrInvalid.At("/replaces", "This is no file of this article.")
	}
	return err
}

// RetireWare takes a file out of an article. Whoever bought it until now keeps it.
// Taking it out twice is harmless.
func (s *Service) RetireWare(ctx context.Context, tx *pg.Tx, in OneWare) (v WareView, err error) {
	if _, err := s.own(ctx, tx, in.Variant); err != nil {
		return v, err
	}
	w, err := lockWare(ctx, tx, in.Variant, in.Ware)
	if err != nil || w.RetiredAt != nil {
		return w.view(), err
	}
	at := tx.Now()
	w.RetiredAt = &at
	saveWare(tx, w, w.Version)
	audit.Record(tx, "digital.retire_ware", w.Variant, "", map[string]string{"ware": w.ID})
	return w.view(), tx.Publish(ctx, Changed{w.Variant, w.Seller, "file"})
}

// AddCodes adds codes to an article that is sold by them. Those that it had before
// are left aside, also when they were sold.
func (s *Service) AddCodes(ctx context.Context, tx *pg.Tx, in CodesInput) (v CodesView, err error) {
	if s.vault == nil {
		return v, ErrNoVault
	}
	clean, wrong := codes(in.Codes)
	if wrong != nil {
		return v, wrong
	}
	item, err := s.own(ctx, tx, in.Variant)
	if err != nil {
		return v, err
	}
	lockShelf(tx, in.Variant, item.Seller)
	had, err := freeCodes(ctx, tx, in.Variant)
	if err != nil {
		return v, err
	}
	if had+len(clean) > mostCodes {
		return v, ErrInvalid.At("/codes", fmt.Sprintf("At most %d codes wait for buyers; %d do.", mostCodes, had))
	}
	sealed, marks := make([][]byte, len(clean)), make([][]byte, len(clean))
	for i, c := range clean {
		sealed[i], marks[i] = s.vault.put(in.Variant, c)
	}
	if v.Added, err = insertCodes(ctx, tx, in.Variant, sealed, marks); err != nil {
		return v, err
	}
	v.Known, v.Free = len(in.Codes)-v.Added, had+v.Added
	return v, s.filled(ctx, tx, item, v.Added, "digital.add_codes")
}

// VoidCodes takes away the codes of an article that nobody has.
func (s *Service) VoidCodes(ctx context.Context, tx *pg.Tx, in OneVariant) (v CodesView, err error) {
	item, err := s.own(ctx, tx, in.Variant)
	if err != nil {
		return v, err
	}
	lockShelf(tx, in.Variant, item.Seller)
	if v.Voided, err = voidCodes(ctx, tx, in.Variant); err != nil {
		return v, err
	}
	return v, s.filled(ctx, tx, item, -v.Voided, "digital.void_codes")
}

func (s *Service) filled(ctx context.Context, tx *pg.Tx, item catalog.Item, by int, action string) error {
	if err := s.goods.Fill(ctx, tx, item.Variant, item.Seller, by); err != nil || by == 0 {
		return err
	}
	audit.Record(tx, action, item.Variant, "", map[string]string{"codes": fmt.Sprint(by)})
	return tx.Publish(ctx, Changed{item.Variant, item.Seller, "codes"})
}

// Show is what there is of an article, for its seller and for operators. No code
// is shown.
func (s *Service) Show(ctx context.Context, in OneVariant) (v ShelfView, err error) {
	if _, err := s.own(ctx, s.db, in.Variant); err != nil {
		return v, err
	}
	all, err := waresOf(ctx, s.db, in.Variant)
	if err != nil {
		return v, err
	}
	v.Files = []WareView{}
	for _, w := range all {
		v.Files = append(v.Files, w.view())
	}
	v.FreeCodes, err = freeCodes(ctx, s.db, in.Variant)
	return v, err
}

// Stocks reads what there is to give of variants.
func (s *Service) Stocks(variants []string, out *map[string]Stock) pg.Read {
	return stocks(variants, out)
}

// A Sale is what an order's buyer is to be given.
type Sale struct {
	Order, Buyer, Seller string
	Lines                []SaleLine // by variant
}

// A SaleLine is so many of one article.
type SaleLine struct {
	Variant  string
	Quantity int
	ByCodes  bool
}

// Grant gives an order's buyer all that was paid for, or nothing when not all of
// it is there: a step of whoever takes the payment. Granting twice is harmless.
func (s *Service) Grant(ctx context.Context, tx *pg.Tx, sale Sale) (granted bool, err error) {
	before, err := lockGrants(ctx, tx, sale.Order)
	if err != nil || len(before) > 0 {
		return len(before) > 0, err
	}
	var variants []string
	for _, l := range sale.Lines {
		variants = append(variants, l.Variant)
		if l.ByCodes {
			lockShelf(tx, l.Variant, sale.Seller)
		}
	}
	var there map[string]Stock
	if err := pg.Together(ctx, tx, stocks(variants, &there)); err != nil {
		return false, err
	}
	if slices.ContainsFunc(sale.Lines, func(l SaleLine) bool { return !there[l.Variant].Gives(l.Quantity, l.ByCodes) }) {
		return false, nil
	}
	for _, l := range sale.Lines {
		g := Grant{Order: sale.Order, Variant: l.Variant, Buyer: sale.Buyer, Seller: sale.Seller, Quantity: l.Quantity, GrantedAt: tx.Now(), Until: tx.Now().Add(Access)}
		if l.ByCodes {
			g.Codes = l.Quantity
		}
		insertGrant(tx, g)
		if g.Codes > 0 {
			if err := giveCodes(ctx, tx, g); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// Open says that a buyer takes what an order was granted: these variants, or all
// when none is named. It says what is granted, and whether some of it was opened
// just now.
func (s *Service) Open(ctx context.Context, tx *pg.Tx, order string, variants []string) (all []Grant, fresh bool, err error) {
	if all, err = lockGrants(ctx, tx, order); err != nil {
		return nil, false, err
	}
	if len(all) == 0 {
		return nil, false, ErrNotFound
	}
	for i, v := range variants {
		if !slices.ContainsFunc(all, func(g Grant) bool { return g.Variant == v }) {
			return nil, false, ErrInvalid.At(at("/variants", i), "This is no digital article of this order.")
		}
	}
	for i, g := range all {
		if len(variants) > 0 && !slices.Contains(variants, g.Variant) {
			continue
		}
		now, err := g.Open(tx.Now())
		if err != nil {
			return nil, false, err
		}
		if g.OpenedAt == nil {
			saveGrant(tx, now)
			all[i], fresh = now, true
		}
	}
	return all, fresh, nil
}

// Granted is what an order was granted, under its lock.
func (s *Service) Granted(ctx context.Context, tx *pg.Tx, order string) ([]Grant, error) {
	return lockGrants(ctx, tx, order)
}

// Close takes away what an order was granted, because its price goes back.
// Codes that nobody has seen are free again; restocked says that the stock has
// them already. Closing twice is harmless.
func (s *Service) Close(ctx context.Context, tx *pg.Tx, order string, restocked bool) error {
	all, err := lockGrants(ctx, tx, order)
	if err != nil {
		return err
	}
	at := tx.Now()
	for _, g := range all {
		if g.ClosedAt != nil {
			continue
		}
		g.ClosedAt = &at
		by := 0
		switch {
		case g.Codes > 0 && g.OpenedAt == nil:
			lockShelf(tx, g.Variant, g.Seller)
			freeAgain(tx, order, g.Variant)
			if !restocked {
				by = g.Codes
			}
		case g.Codes > 0 && restocked:
			by = -g.Codes
		}
		saveGrant(tx, g)
		if by != 0 {
			if err := s.goods.Fill(ctx, tx, g.Variant, g.Seller, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// Contents is all that an order was granted, with its codes for whoever may see
// them: its buyer, once it was opened. The caller has judged who asks.
func (s *Service) Contents(ctx context.Context, db pg.DB, order string, buyer bool) (out []GrantView, err error) {
	grants, err := grantsOf(ctx, db, order)
	if err != nil || len(grants) == 0 {
		return []GrantView{}, err
	}
	var variants []string
	since := grants[0].GrantedAt // one commit granted all
	for _, g := range grants {
		variants = append(variants, g.Variant)
	}
	files, err := waresSince(ctx, db, variants, since)
	if err != nil {
		return nil, err
	}
	times, err := fetchesOf(ctx, db, order)
	if err != nil {
		return nil, err
	}
	var sealed []sealedCode
	if buyer {
		if sealed, err = codesOf(ctx, db, order); err != nil {
			return nil, err
		}
	}
	for _, g := range grants {
		v := g.view(files, times)
		for _, c := range sealed {
			if c.Variant != g.Variant || g.OpenedAt == nil || g.ClosedAt != nil {
				continue
			}
			if s.vault == nil {
				return nil, ErrNoVault
			}
			code, err := s.vault.look(c.Variant, c.Sealed)
			if err != nil {
				return nil, err
			}
			v.Codes = append(v.Codes, code)
		}
		out = append(out, v)
	}
	return out, nil
}

// Fetch counts that the buyer of an order fetches a file, and gives it. The caller
// has judged who asks.
func (s *Service) Fetch(ctx context.Context, order, variant, ware string) (b rest.Blob, err error) {
	var w Ware
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		all, err := lockGrants(ctx, tx, order)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(g Grant) bool { return g.Variant == variant })
		if i < 0 {
			return ErrNotFound
		}
		if err := all[i].Fetch(tx.Now()); err != nil {
			return err
		}
		files, err := waresSince(ctx, tx, []string{variant}, all[i].GrantedAt)
		if err != nil {
			return err
		}
		j := slices.IndexFunc(files, func(w Ware) bool { return w.ID == ware })
		if j < 0 {
			return ErrNotFound
		}
		w = files[j]
		if b, err = s.files.Of(ctx, tx, w.File, w.ID); err != nil {
			return err
		}
		countFetch(tx, all[i], w, tx.Now())
		return nil
	})
	return b, err
}
