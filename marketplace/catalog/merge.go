package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// A RowVerdict says what became of a row.
type RowVerdict string

// The verdicts.
const (
	RowCreated   RowVerdict = "created"
	RowUpdated   RowVerdict = "updated"
	RowUnchanged RowVerdict = "unchanged"
	RowRejected  RowVerdict = "rejected"
)

// A RowDetail is something to be said of a column of a row: what is wrong, or
// worth knowing.
type RowDetail struct {
	Pointer string `json:"pointer" required:"true" description:"The column, as /price; / for the whole row."`
	Detail  string `json:"detail" required:"true"`
}

// An Outcome is what became of one row. Rows count from 1 for the heading, as
// spreadsheets show them.
type Outcome struct {
	Row     int         `json:"row" required:"true"`
	Verdict RowVerdict  `json:"verdict" required:"true" enum:"created,updated,unchanged,rejected"`
	Offer   string      `json:"offer,omitempty" description:"The offer that has it."`
	Details []RowDetail `json:"details" required:"true" description:"What is wrong with it; of a row that was taken, what is worth knowing."`
}

// A merge brings rows of a file together with what is there.
type merge struct {
	ref      string // of the import, for the stock's history
	seller   string
	now      time.Time
	byRef    map[string]*merged // by the seller's key, and by id
	bySKU    map[string]*merged
	skuRow   map[string]int    // where the file has an SKU that was taken
	sounds   map[string]bool   // the seller's recordings that rows name
	promised map[string]string // SKUs that rows before would bring, and their offers' keys
	order    []*merged
	moves    []move
	outcomes []Outcome
}

// A merged offer is one that was there or that the file brings.
type merged struct {
	Offer
	was     *Offer // before the file; nil when the file brings it
	first   *line  // the row that said what the offer is
	at      int    // that row's outcome
	asked   *Change
	changed bool
}

func newMerge(ref, seller string, there []Offer, promised map[string]string, now time.Time) *merge {
	m := &merge{ref: ref, seller: seller, now: now, byRef: map[string]*merged{}, bySKU: map[string]*merged{}, skuRow: map[string]int{}, promised: promised}
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
	key, sku := l.key(), l.text("sku")
	g, known := m.byRef[key]
	if !known {
		g = &merged{Offer: Offer{ID: id.New(id.Offer), Seller: m.seller, Ref: key, Kind: Product, Names: texts(nil), Descriptions: texts(nil), State: Draft, Version: 0, CreatedAt: m.now}}
	}
	gone := g.was != nil && g.was.State == Archived
	if gone && l.text("state") == string(Archived) { // as its own export says; nothing of it changes any more
		m.tell(l, g, RowUnchanged)
		return
	}
	o, wrong := g.Offer, []fault.Detail(nil)
	if g.first == nil {
		o, wrong = l.offer(g.Offer)
		wrong = onColumns(wrong, "/name_", "/description_")
		if o.Voice != g.Voice && o.Voice != "" && !m.sounds[o.Voice] {
			wrong = append(wrong, fault.Detail{Pointer: "/voice", Detail: "You have sent no such recording; send it first, or leave this empty."})
		}
	} else {
		wrong = l.differs(*g.first)
	}
	if _, has := l.at["offer_key"]; !has { // then the SKU is looked at itself
		wrong = slices.DeleteFunc(wrong, func(d fault.Detail) bool { return d.Pointer == "/offer_key" })
	}
	if gone {
		wrong = append(wrong, fault.Detail{Pointer: "/offer_key", Detail: "This offer is archived; give the new one another key."})
	} else if g.first == nil {
		var bad []fault.Detail
		o, bad = l.state(o, known, m.now)
		wrong = append(wrong, bad...)
	}
	v, old, bad := m.variant(l, g, known, o)
	wrong = append(wrong, bad...)
	wrong = append(wrong, onColumns(o.suits(v), "", "")...)
	if was, twice := m.skuRow[sku]; twice {
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: fmt.Sprintf("Row %d has this SKU already.", was)})
	}
	if old < 0 && len(g.Variants) >= mostVariants {
		wrong = append(wrong, fault.Detail{Pointer: "/offer_key", Detail: fmt.Sprintf("An offer has at most %d variants.", mostVariants)})
	}
	if len(wrong) > 0 {
		out := Outcome{Row: l.row, Verdict: RowRejected}
		for _, d := range wrong {
			out.Details = append(out.Details, RowDetail{d.Pointer, clipped(d.Detail, longestDetail)})
		}
		m.outcomes = append(m.outcomes, out)
		return
	}
	m.skuRow[sku] = l.row
	m.accept(l, g, known, o, v, old)
}

// longestDetail is how many letters a sentence about a row has, of which a cell may
// be a part.
const longestDetail = 500

// clipped is a text, or its beginning.
func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// tell writes down what became of a row that was taken.
func (m *merge) tell(l line, g *merged, v RowVerdict) {
	details := l.twin()
	if v != RowUnchanged {
		details = append(details, l.guessed()...)
	}
	m.outcomes = append(m.outcomes, Outcome{Row: l.row, Verdict: v, Offer: g.ID, Details: details})
}

// state is the offer in the state that the row says: a new one is published when
// it says nothing, and one that is there stays what it is.
func (l line) state(o Offer, known bool, now time.Time) (Offer, findings) {
	var f findings
	to := State(l.text("state"))
	switch {
	case to == "" && known:
		return o, nil
	case to == "":
		to = Published
	case !slices.Contains([]State{Draft, Published, Paused, Archived}, to):
		f.add("/state", "Use draft, published, paused or archived, or leave it empty.")
		return o, f
	}
	if !known {
		if o.State = to; to != Draft {
			o.PublishedAt = &now
		}
		return o, nil
	}
	if to != o.State {
		moved, err := o.Move(to, now)
		if err != nil {
			f.add("/state", "The offer is %s, so it cannot become %s.", o.State, to)
			return o, f
		}
		o.State, o.PublishedAt = moved.State, moved.PublishedAt
	}
	return o, nil
}

// variant is the variant the row is about, as the row says it is, and its
// place among the offer's; -1 for a new one.
func (m *merge) variant(l line, g *merged, known bool, o Offer) (v Variant, at int, wrong []fault.Detail) {
	at = -1
	sku := l.text("sku")
	v = Variant{ID: id.New(id.Variant), SKU: sku, Names: texts(nil)}
	if shortened.MatchString(sku) {
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: "A spreadsheet has shortened this number; format the column as text and type it anew."})
	}
	other, there := m.bySKU[sku]
	switch by, promised := m.promised[sku]; {
	case there && other != g:
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: fmt.Sprintf("Your offer %q has this SKU already.", other.Ref)})
	case there && known:
		at = slices.IndexFunc(g.Variants, func(v Variant) bool { return v.SKU == sku })
		v = g.Variants[at]
	case promised && by != g.Ref:
		wrong = append(wrong, fault.Detail{Pointer: "/sku", Detail: fmt.Sprintf("Your offer %q has this SKU already.", by)})
	}
	had := v.OnHand
	if v.Policy != Stocked {
		had = 0
	}
	v, bad := l.variant(o.usual(v))
	return v, at, append(append(wrong, bad...), onColumns(o.coded(v, had), "/", "")...)
}

// accept makes the row part of what is saved.
func (m *merge) accept(l line, g *merged, known bool, o Offer, v Variant, at int) {
	if !known {
		m.byRef[g.Ref] = g
		m.order = append(m.order, g)
	}
	if g.first == nil {
		g.first, g.at = &l, len(m.outcomes)
		o.Variants = g.Variants
		g.Offer = o
	}
	labels, _ := l.labels() // the row was checked
	for _, label := range labels {
		if !slices.ContainsFunc(g.Labels, func(x Label) bool { return x.said() == label.said() }) {
			g.Labels = append(g.Labels[:len(g.Labels):len(g.Labels)], label)
		}
	}
	delta, verdict := v.OnHand, RowCreated
	if at < 0 {
		g.Variants = append(g.Variants[:len(g.Variants):len(g.Variants)], v)
		m.bySKU[v.SKU] = g
	} else {
		delta -= g.Variants[at].OnHand
		verdict = RowUnchanged
		if delta != 0 || !v.sameWords(g.Variants[at]) {
			verdict = RowUpdated
		}
		g.Variants = slices.Clone(g.Variants)
		g.Variants[at] = v
	}
	if delta != 0 {
		m.moves = append(m.moves, move{v.ID, delta, "imported", m.ref})
		g.changed = true
	}
	m.tell(l, g, verdict)
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
		same := g.was != nil && g.sameWords(was)
		if row := &m.outcomes[g.at]; row.Verdict == RowUnchanged && (!same || g.asked != nil) {
			row.Verdict = RowUpdated
		}
		if same && slices.EqualFunc(g.Variants, was.Variants, Variant.sameWords) {
			continue
		}
		g.Version++
		g.changed = true
	}
}

// spokeOf is which parts of its offer the row speaks of.
func (l line) spokeOf() saying {
	_, claims := l.cell("claims")
	s := saying{claims: claims, imported: true}
	for _, c := range []string{"region", "commune", "lat"} {
		_, said := l.cell(c)
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
