package quotations

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// AskInput asks for offers.
type AskInput struct {
	Lines    []Line       `json:"lines" required:"true" minItems:"1" maxItems:"50"`
	Text     string       `json:"text,omitempty" maxLength:"2000" description:"Sellers read it; give no name and number here."`
	Commune  string       `json:"commune" required:"true" minLength:"1" maxLength:"100" description:"Where the goods go."`
	WantedOn string       `json:"wanted_on,omitempty" format:"date"`
	Budget   *money.Money `json:"budget,omitempty" description:"Sellers see it."`
	Files    []string     `json:"files,omitempty" maxItems:"8" uniqueItems:"true" description:"Photographs and papers of the buyer's, of kind proof."`
	Sellers  []string     `json:"sellers,omitempty" maxItems:"10" uniqueItems:"true" description:"Whom to ask; all of the category when left out."`
	Category string       `json:"category,omitempty" maxLength:"60" description:"Whom to ask: sellers who have something in it."`
	Region   string       `json:"region,omitempty" maxLength:"5" description:"Whom to ask: sellers there; anywhere when left out."`
	Deadline time.Time    `json:"deadline" required:"true" description:"Until when offers are taken; at most 60 days."`
}

// OfferInput makes an offer. It takes the place of the seller's earlier one.
type OfferInput struct {
	Request    string          `path:"request"`
	Lines      []OfferLineView `json:"lines" required:"true" minItems:"1" maxItems:"50"`
	Delivery   DeliveryView    `json:"delivery" required:"true"`
	Text       string          `json:"text,omitempty" maxLength:"2000"`
	ValidUntil time.Time       `json:"valid_until" required:"true" description:"It can be accepted, and ordered, until then; at most 90 days."`
}

const (
	shortest  = time.Hour
	longest   = 60 * 24 * time.Hour
	validMost = 90 * 24 * time.Hour
	mostMoney = 10_000_000_00 // centimes
	mostPrice = 1_000_000_00
)

// faults gathers what is wrong.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string, args ...any) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, fmt.Sprintf(text, args...))
}

func (f *faults) err() error {
	if f.wrong == nil {
		return nil
	}
	return f.wrong
}

// words is a text as it is kept: without what steers a terminal or a page.
func words(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
}

func (f *faults) sum(pointer string, m money.Money, least, most int64) int64 {
	switch {
	case m.Currency() != money.MAD:
		f.say(pointer+"/currency", "Sums are in %s.", money.MAD)
		return 0
	case m.Centimes() < least || m.Centimes() > most:
		f.say(pointer+"/amount", "From %s to %s.", money.Dirhams(least).Amount(), money.Dirhams(most).Amount())
	}
	return m.Centimes()
}

// request reads what a buyer asks.
func (in AskInput) request(buyer string, now time.Time) (Request, error) {
	var f faults
	r := Request{
		ID: id.New(id.QuotationRequest), Buyer: buyer, State: Open, ToAll: len(in.Sellers) == 0, Category: in.Category, Area: in.Region,
		Text: words(in.Text), Files: append([]string{}, in.Files...), Deadline: in.Deadline.UTC(), MadeAt: now, Version: 1,
	}
	place, ok := geo.Find(in.Commune)
	if !ok {
		f.say("/commune", "This commune is not known; write its name as on the map, in French or Arabic.")
	}
	r.Commune, r.Region = place.Name, place.Region
	if in.Budget != nil {
		n := f.sum("/budget", *in.Budget, 1, mostMoney)
		r.Budget = &n
	}
	if in.WantedOn != "" {
		day, err := time.ParseInLocation(time.DateOnly, in.WantedOn, clock.Morocco)
		if err != nil || day.AddDate(0, 0, 1).Before(now) {
			f.say("/wanted_on", "A day to come, as 2026-01-31.")
		}
		r.WantedOn = &day
	}
	if d := in.Deadline.Sub(now); d < shortest || d > longest {
		f.say("/deadline", "From an hour to 60 days from now.")
	}
	f.whom(in)
	for i, l := range in.Lines {
		r.Lines = append(r.Lines, f.line(i, l))
	}
	return r, f.err()
}

// whom checks who is asked.
func (f *faults) whom(in AskInput) {
	for i, s := range in.Sellers {
		if !id.Is(id.Organisation, s) {
			f.say(fmt.Sprintf("/sellers/%d", i), "The id of a seller (org_…).")
		}
	}
	if len(in.Sellers) > 0 {
		if in.Region != "" {
			f.say("/region", "Name sellers, or ask all of a category and region.")
		}
		if in.Category == "" {
			return
		}
	}
	if _, ok := catalog.Category(in.Category); !ok {
		f.say("/category", "One of %s.", strings.Join(catalog.CategoryCodes(), ", "))
	}
	if in.Region != "" && !slices.ContainsFunc(geo.Regions(), func(r geo.Region) bool { return r.Code == in.Region }) {
		f.say("/region", "The code of a region, such as MA-09.")
	}
}

func (f *faults) line(i int, l Line) Line {
	at := fmt.Sprintf("/lines/%d", i)
	l.Text, l.Unit = words(l.Text), words(l.Unit)
	switch {
	case l.Variant != "" && !id.Is(id.Variant, l.Variant):
		f.say(at+"/variant", "The id of an article (var_…).")
	case l.Variant == "" && l.Text == "":
		f.say(at+"/text", "Say what is wanted, or name an article.")
	}
	if _, ok := catalog.Category(l.Category); !ok && (l.Variant == "" || l.Category != "") {
		f.say(at+"/category", "One of %s.", strings.Join(catalog.CategoryCodes(), ", "))
	}
	return l
}

// offer reads what a seller offers for a request.
func (in OfferInput) offer(r Request, seller string, now time.Time) (Offer, error) {
	var f faults
	o := Offer{
		ID: id.New(id.QuotationOffer), Request: r.ID, Seller: seller, State: Standing, Method: in.Delivery.Method,
		Delivery: f.sum("/delivery/amount", in.Delivery.Amount, 0, mostPrice), LeadDays: in.Delivery.LeadDays, Text: words(in.Text),
		ValidUntil: in.ValidUntil.UTC(), MadeAt: now, Version: 1,
	}
	if d := in.ValidUntil.Sub(now); d < shortest || d > validMost {
		f.say("/valid_until", "From an hour to 90 days from now.")
	}
	o.Total = o.Delivery
	for i, l := range in.Lines {
		at := fmt.Sprintf("/lines/%d", i)
		if l.Line != nil && *l.Line > len(r.Lines) {
			f.say(at+"/line", "The request has lines 1 to %d.", len(r.Lines))
		}
		price := f.sum(at+"/price", l.Price, 1, mostPrice)
		o.Lines = append(o.Lines, OfferLine{l.Variant, l.Line, l.Quantity, price})
		o.Total += price * int64(l.Quantity)
	}
	if o.Total > mostMoney {
		f.say("/lines", "All of it costs at most %s.", money.Dirhams(mostMoney).Amount())
	}
	if err := f.err(); err != nil {
		return o, err
	}
	return o, refit(o.agreement(r).Check(now))
}

// refit is a fault of an agreement as one of the offer that would become it.
func refit(err error) error {
	wrong, ok := err.(*fault.Error)
	if err == nil || !ok || wrong.Code != agreements.ErrInvalid.Code {
		return err
	}
	out := ErrInvalid
	for _, d := range wrong.Details {
		out = out.At(d.Pointer, d.Detail)
	}
	return out
}
