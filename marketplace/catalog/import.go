package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// importTime is how long an import may take: a large file, a slow database.
const importTime = time.Minute

// Import takes a catalogue file in: it adds what is new, changes what changed
// (by SKU and offer_key) and publishes new offers. Each row gets its verdict,
// and the good rows land whatever becomes of the others. A dry run is the same,
// rolled back. Running a file again changes nothing that it does not say.
// Columns that a file leaves out, and empty cells of stock, leave what is there
// alone. An offer's labels are those of all its rows; a cell may name several,
// with a bar between them.
func (s *Service) Import(ctx context.Context, in ImportInput) (Report, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return Report{}, err
	}
	lines, bad, err := parse(in.File.Bytes)
	if err != nil {
		return Report{}, err
	}
	sum := sha256.Sum256(in.File.Bytes)
	var r Report
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		r = Report{ID: id.New(id.Import), DryRun: in.DryRun, Rows: len(lines) + len(bad), Rejected: slices.Clone(bad)}
		if err := s.inGoodStanding(ctx, tx, seller); err != nil {
			return err
		}
		lockSeller(tx, seller)
		there, err := readOwn(ctx, tx, seller)
		if err != nil {
			return err
		}
		m := newMerge(r.ID, seller, there, tx.Now())
		for _, l := range lines {
			m.take(l)
		}
		m.settle()
		if err := s.land(ctx, tx, m); err != nil {
			return err
		}
		r.Created, r.Updated = m.created, m.updated
		r.Rejected = append(r.Rejected, m.rejected...)
		slices.SortStableFunc(r.Rejected, func(a, b Verdict) int { return cmp.Compare(a.Row, b.Row) })
		if r.Rejected == nil {
			r.Rejected = []Verdict{}
		}
		saveImport(tx, seller, in.File.Name, sum[:], r)
		if !in.DryRun {
			return nil
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		return errDryRun
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return r, err
}

// errDryRun rolls a dry run back.
var errDryRun = errors.New("a dry run is rolled back")

// land saves what the rows changed and shows it to buyers.
func (s *Service) land(ctx context.Context, tx *pg.Tx, m *merge) error {
	var changed []Offer
	var ids []string
	var asked []Change
	for _, o := range m.order {
		if o.asked != nil {
			asked = append(asked, *o.asked)
		}
		if o.changed {
			changed = append(changed, o.Offer)
			ids = append(ids, o.ID)
		}
	}
	if len(changed) > 0 {
		save(tx, changed, m.moves)
	}
	insertChanges(tx, asked)
	_, err := s.reindex(ctx, tx, ids...)
	return err
}

// A merge brings the rows of a file together with what is there.
type merge struct {
	ref     string // of the import, for the stock's history
	seller  string
	now     time.Time
	byRef   map[string]*merged // by the seller's key, and by id
	bySKU   map[string]*merged
	skuRow  map[string]int // where the file has an SKU
	order   []*merged
	moves   []move
	created int
	updated int

	rejected []Verdict
}

// A merged offer is one that was there or that the file brings.
type merged struct {
	Offer
	was     *Offer // before the file; nil when the file brings it
	first   *line  // the row that said what the offer is
	asked   *Change
	changed bool
}

func newMerge(ref, seller string, there []Offer, now time.Time) *merge {
	m := &merge{ref: ref, seller: seller, now: now, byRef: map[string]*merged{}, bySKU: map[string]*merged{}, skuRow: map[string]int{}}
	for _, o := range there {
		g := &merged{Offer: o, was: &o}
		m.byRef[o.ID], m.byRef[o.Ref] = g, g
		for _, v := range o.Variants {
			m.bySKU[v.SKU] = g
		}
		m.order = append(m.order, g)
	}
	return m
}

// take takes one row in, or rejects it.
func (m *merge) take(l line) {
	key, sku := l.cells["offer_key"], l.cells["sku"]
	g, known := m.byRef[key]
	if !known {
		g = &merged{Offer: Offer{ID: id.New(id.Offer), Seller: m.seller, Ref: key, Kind: Product, Names: texts(nil), Descriptions: texts(nil), State: Draft, Version: 0, CreatedAt: m.now}}
	}
	o, wrong := g.Offer, []fault.Detail(nil)
	if g.first == nil {
		o, wrong = l.offer(g.Offer)
		wrong = onColumns(wrong, "/name_", "/description_")
	} else {
		wrong = l.differs(*g.first)
	}
	if o.State == Archived {
		wrong = append(wrong, fault.Detail{Pointer: "/offer_key", Detail: "This offer is archived; give the new one another key."})
	}
	v, old, bad := m.variant(l, g, known, o)
	wrong = append(wrong, bad...)
	wrong = append(wrong, onColumns(o.suits(v), "", "")...)
	if was, twice := m.skuRow[sku]; twice {
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: fmt.Sprintf("Row %d has this SKU already.", was)})
	}
	if len(wrong) > 0 {
		for _, d := range wrong {
			m.rejected = append(m.rejected, Verdict{l.row, d.Pointer, d.Detail})
		}
		return
	}
	m.skuRow[sku] = l.row
	m.accept(l, g, known, o, v, old)
}

// variant is the variant the row is about, as the row says it is, and its
// place among the offer's; -1 for a new one.
func (m *merge) variant(l line, g *merged, known bool, o Offer) (v Variant, at int, wrong []fault.Detail) {
	at = -1
	sku := l.cells["sku"]
	v = Variant{ID: id.New(id.Variant), SKU: sku, Names: texts(nil)}
	switch other, there := m.bySKU[sku]; {
	case there && other != g:
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: fmt.Sprintf("Your offer %q has this SKU already.", other.Ref)})
	case there && known:
		at = slices.IndexFunc(g.Variants, func(v Variant) bool { return v.SKU == sku })
		v = g.Variants[at]
	}
	v, bad := l.variant(o.usual(v))
	return v, at, append(wrong, bad...)
}

// accept makes the row part of what is saved.
func (m *merge) accept(l line, g *merged, known bool, o Offer, v Variant, at int) {
	if !known {
		m.byRef[g.Ref] = g
		m.order = append(m.order, g)
	}
	if g.first == nil {
		g.first = &l
		if !known { // a draft that was there stays one
			o.State, o.PublishedAt = Published, &m.now
		}
		o.Variants = g.Variants
		g.Offer = o
	}
	labels, _ := l.labels() // the row was checked
	for _, label := range labels {
		if !slices.ContainsFunc(g.Labels, func(x Label) bool { return x.Code == label.Code }) {
			g.Labels = append(g.Labels[:len(g.Labels):len(g.Labels)], label)
		}
	}
	delta := v.OnHand
	if at < 0 {
		m.created++
		g.Variants = append(g.Variants[:len(g.Variants):len(g.Variants)], v)
		m.bySKU[v.SKU] = g
	} else {
		m.updated++
		delta -= g.Variants[at].OnHand
		g.Variants = slices.Clone(g.Variants)
		g.Variants[at] = v
	}
	if delta != 0 {
		m.moves = append(m.moves, move{v.ID, delta, "imported", m.ref})
		g.changed = true
	}
}

// settle says, once all rows are in, which offers changed, and what of them is
// asked of a moderator. What a buyer would read of an offer makes a new version
// of it; its stock does not.
func (m *merge) settle() {
	for _, g := range m.order {
		if g.first == nil {
			continue
		}
		was := Offer{}
		if g.was != nil {
			was = *g.was
		}
		var asked Change
		g.Offer, asked = g.Offer.relabel(was.Labels).review(was, m.now)
		if asked, some := asked.after(was.Asked, g.first.spokeOf()); some {
			g.asked = &asked
		}
		if g.was != nil && g.sameWords(was) && slices.EqualFunc(g.Variants, was.Variants, Variant.sameWords) {
			continue
		}
		g.Version++
		g.changed = true
	}
}

// spokeOf is which parts of its offer the row speaks of.
func (l line) spokeOf() saying {
	_, claims := l.cells["claims"]
	s := saying{claims: claims, imported: true}
	for _, c := range []string{"region", "commune", "lat"} {
		_, said := l.cells[c]
		s.origin = s.origin || said
	}
	return s
}

// sameWords says that two versions of an offer would be written alike, apart
// from their variants.
func (o Offer) sameWords(p Offer) bool {
	return o.Kind == p.Kind && o.Way == p.Way && o.Category == p.Category && maps.Equal(o.Attributes, p.Attributes) &&
		slices.Equal(o.Claims, p.Claims) && maps.Equal(o.Names, p.Names) && maps.Equal(o.Descriptions, p.Descriptions) &&
		o.Voice == p.Voice && o.origin().equal(p.origin()) && o.WithdrawalExempt == p.WithdrawalExempt && o.Image == p.Image && o.State == p.State &&
		len(o.dropped) == 0 && !slices.ContainsFunc(o.Labels, func(l Label) bool { return l.ID == "" })
}

// onColumns turns pointers into an offer into names of columns.
func onColumns(details []fault.Detail, names, descriptions string) []fault.Detail {
	for i, d := range details {
		p := d.Pointer
		switch {
		case strings.HasPrefix(p, "/names/"):
			p = names + p[len("/names/"):]
		case strings.HasPrefix(p, "/descriptions/"):
			p = descriptions + p[len("/descriptions/"):]
		case strings.HasPrefix(p, "/labels/"):
			_, p, _ = strings.Cut(p[len("/labels/"):], "/")
			p = labelColumn[p]
		case p == "/point":
			p = "/lat"
		case p == "/on_hand":
			p = "/stock"
		case p == "/key":
			p = "/offer_key"
		case strings.HasPrefix(p, "/net/"):
			p = "/net_" + p[len("/net/"):]
		default: // one cell has all the attributes, claims or tiers
			for _, column := range []string{"/attributes", "/claims", "/tiers"} {
				if strings.HasPrefix(p, column+"/") {
					p = column
				}
			}
		}
		details[i].Pointer = p
	}
	return details
}

var labelColumn = map[string]string{
	"code": "/label", "issuer": "/label_issuer", "number": "/label_number",
	"valid_from": "/label_from", "valid_to": "/label_to",
}
