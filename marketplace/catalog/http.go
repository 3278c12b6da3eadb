package catalog

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the catalogue.
func Routes(s *Service) []rest.Route {
	const offer = "/v1/offers/{offer}"
	return append(slices.Concat(deskRoutes(s), fileRoutes(s)),
		rest.Handle("GET", "/v1/offers", "offers.list", "Find offers", http.StatusOK, s.List, rest.Public()),
		rest.Handle("GET", "/v1/suggestions", "search.suggest", "Help somebody who types: kinds of goods, queries and offers", http.StatusOK, s.Suggest, rest.Public()),
		rest.Handle("GET", offer, "offers.show", "Show an offer", http.StatusOK, s.Show, rest.Public()),
		rest.Handle("GET", "/v1/offers/mine", "offers.mine", "List one's own offers, whatever their state, the newest first", http.StatusOK, s.ListMine),
		rest.Handle("POST", "/v1/offers", "offers.create", "Add a draft offer", http.StatusCreated, s.Create),
		rest.Handle("PATCH", offer, "offers.update", "Change an offer", http.StatusOK, s.Update),
		rest.Handle("POST", offer+"/publish", "offers.publish", "Show an offer to buyers", http.StatusOK, s.Publish),
		rest.Handle("POST", offer+"/pause", "offers.pause", "Take an offer out of sight", http.StatusOK, s.Pause),
		rest.Handle("POST", offer+"/archive", "offers.archive", "Take an offer out of sight for good", http.StatusOK, s.Archive),
		rest.Handle("GET", "/v1/categories", "categories.list", "The kinds of goods, what may be said of each, and the claims", http.StatusOK, s.Kinds, rest.Public()),
		rest.Handle("PATCH", "/v1/variants/{variant}/stock", "variants.stock", "Say how many there are", http.StatusOK, s.SetStock),
	)
}

// ListInput is what a buyer looks for.
type ListInput struct {
	Q        string  `query:"q" maxLength:"200" description:"Words in French, Arabic or English; the last may be unfinished."`
	Lang     string  `query:"lang" enum:"fr,ar,en,zgh" description:"The reader's language; words are looked for in all."`
	Category string  `query:"category" maxLength:"64"`
	Region   string  `query:"region" maxLength:"16" description:"ISO 3166-2: MA-01 to MA-12."`
	Label    string  `query:"label" maxLength:"100"`
	Seller   string  `query:"seller" maxLength:"64"`
	Min      string  `query:"min" maxLength:"20" description:"Lowest price in dirhams, as 50 or 49.90."`
	Max      string  `query:"max" maxLength:"20" description:"Highest price in dirhams."`
	Near     string  `query:"near" maxLength:"60" description:"A point, as lat,lng in degrees; gives distances."`
	RadiusKM float64 `query:"radius_km" minimum:"0" maximum:"2000" description:"How far from near, at most."`
	Sort     string  `query:"sort" enum:"relevance,newest,price,-price,distance"`
	rest.Paging
}

// A ListView is one piece of what was found.
type ListView struct {
	Data          []CardView                `json:"data" required:"true"`
	Next          *string                   `json:"next" required:"true" description:"Send it as cursor to read on; null at the end."`
	Facets        map[string]map[string]int `json:"facets" required:"true" description:"How many there are by category, region, label and price."`
	TotalEstimate int                       `json:"total_estimate" required:"true"`
	Capped        bool                      `json:"capped" required:"true" description:"There are more: facets and total_estimate count the first thousands."`
}

// SuggestInput is what somebody has typed so far.
type SuggestInput struct {
	Q    string `query:"q" required:"true" minLength:"1" maxLength:"100"`
	Lang string `query:"lang" enum:"fr,ar,en,zgh"`
}

// A SuggestionView is one thing that may be meant.
type SuggestionView struct {
	Kind      string `json:"kind" required:"true" enum:"category,query,offer"`
	Text      string `json:"text" required:"true"`
	Category  string `json:"category,omitempty" description:"Its code, when this is one."`
	Offer     string `json:"offer,omitempty" description:"Its id, when this is one."`
	Highlight string `json:"highlight,omitempty" description:"The text as HTML, with what was typed in mark."`
}

// SuggestionsView is what may be meant, likeliest first of each kind.
type SuggestionsView struct {
	Data []SuggestionView `json:"data" required:"true"`
}

// A SellerView is who sells.
type SellerView struct {
	ID    string            `json:"id" required:"true"`
	Names map[string]string `json:"names" required:"true"`
}

// A LabelView is a sign of origin or quality that was verified and is in date.
type LabelView struct {
	ID        string  `json:"id" required:"true"`
	Code      string  `json:"code" required:"true"`
	Issuer    string  `json:"issuer" required:"true"`
	Number    string  `json:"number" required:"true"`
	ValidFrom string  `json:"valid_from" required:"true"`
	ValidTo   *string `json:"valid_to" required:"true"`
	Verified  string  `json:"verified_on" required:"true" format:"date" description:"When the market saw the proof."`
}

// A CardView is an offer in a list.
type CardView struct {
	ID         string            `json:"id" required:"true"`
	Names      map[string]string `json:"names" required:"true"`
	Seller     SellerView        `json:"seller" required:"true"`
	Price      money.Money       `json:"price" required:"true" description:"Of the cheapest variant."`
	Image      *string           `json:"image" required:"true" description:"Path of the picture."`
	Drawing    bool              `json:"drawing" required:"true" description:"The picture is a drawing, not a photograph."`
	Photo      *PhotoView        `json:"photo,omitempty" description:"The first photograph, in its widths."`
	Category   string            `json:"category" required:"true"`
	Region     string            `json:"region" required:"true"`
	Labels     []LabelView       `json:"labels" required:"true"`
	Available  bool              `json:"available" required:"true"`
	Kind       Kind              `json:"kind" required:"true" enum:"product,service,digital"`
	Way        Way               `json:"way,omitempty" enum:"quote,booking" description:"How a service is had."`
	Reopens    string            `json:"reopens,omitempty" format:"date" description:"Its seller is away until then."`
	DistanceKM *float64          `json:"distance_km,omitempty"`
	Highlights map[string]string `json:"highlights,omitempty" description:"Names as HTML, with the words that were found in mark."`
}

// OfferInput names an offer.
type OfferInput struct {
	Offer string `path:"offer"`
}

// A PointView is a place in degrees.
type PointView struct {
	Lat float64 `json:"lat" required:"true"`
	Lng float64 `json:"lng" required:"true"`
}

// A VariantView is one variant of an offer. Its owner also sees the stock.
type VariantView struct {
	ID        string            `json:"id" required:"true"`
	SKU       string            `json:"sku" required:"true"`
	Names     map[string]string `json:"names" required:"true"`
	Unit      string            `json:"unit" required:"true"`
	WeightG   int               `json:"weight_g" required:"true"`
	Price     money.Money       `json:"price" required:"true"`
	Net       *NetView          `json:"net,omitempty" description:"How much there is in it, without its packaging."`
	UnitPrice *UnitPriceView    `json:"unit_price,omitempty"`
	Tiers     []TierView        `json:"tiers" required:"true" description:"What each costs from a number on."`
	Policy    Policy            `json:"policy" required:"true" enum:"stocked,made_to_order,unlimited"`
	LeadDays  int               `json:"lead_days" required:"true" description:"Days until it leaves."`
	StartsAt  *time.Time        `json:"starts_at,omitempty" description:"Of a service: when this date begins."`
	Minutes   int               `json:"minutes,omitempty"`
	Available int               `json:"available" required:"true"`
	Weekly    int               `json:"weekly,omitempty" description:"How many are made in a week; only the owner sees it."`
	OnHand    *int              `json:"on_hand,omitempty"`
	Reserved  *int              `json:"reserved,omitempty"`
}

// A NetView is a quantity.
type NetView struct {
	Quantity int    `json:"quantity" required:"true" minimum:"1"`
	Unit     string `json:"unit" required:"true" enum:"g,kg,ml,cl,l,cm,m,cm2,m2,piece"`
}

// A UnitPriceView is what one kilogram, litre, metre, square metre or piece costs.
type UnitPriceView struct {
	Price money.Money `json:"price" required:"true"`
	Per   string      `json:"per" required:"true" enum:"kg,l,m,m2,piece"`
}

// A TierView is the price of each, for whoever takes that many or more.
type TierView struct {
	From  int         `json:"from" required:"true" minimum:"2"`
	Price money.Money `json:"price" required:"true"`
}

// An ImageView is a picture of an offer.
type ImageView struct {
	URL     string     `json:"url" required:"true"`
	Drawing bool       `json:"drawing" required:"true"`
	Photo   *PhotoView `json:"photo,omitempty" description:"Its widths and texts, unless it is a drawing."`
}

// A View is an offer with all that belongs to it.
type View struct {
	ID               string            `json:"id" required:"true"`
	Key              string            `json:"key,omitempty" description:"The seller's own key; only the owner sees it."`
	Names            map[string]string `json:"names" required:"true"`
	Descriptions     map[string]string `json:"descriptions" required:"true"`
	Seller           SellerView        `json:"seller" required:"true"`
	Kind             Kind              `json:"kind" required:"true" enum:"product,service,digital"`
	Way              Way               `json:"way,omitempty" enum:"quote,booking" description:"How a service is had."`
	Category         string            `json:"category" required:"true"`
	Attributes       map[string]any    `json:"attributes" required:"true" description:"By code, as GET /v1/categories says."`
	Claims           []string          `json:"claims" required:"true" description:"What the seller says of it and a moderator has approved."`
	Voice            string            `json:"voice,omitempty" description:"The id of a sound that tells what it is."`
	VoiceURL         string            `json:"voice_url,omitempty" description:"Where that sound is."`
	Reopens          string            `json:"reopens,omitempty" format:"date" description:"Its seller is away, and sells again on that day."`
	Asked            *ChangeView       `json:"asked,omitempty" description:"What its owner last asked to say of it."`
	LabelsOwn        []LabelDeskView   `json:"labels_claimed,omitempty" description:"All its labels, also those that are no badge; only the owner sees them."`
	Region           string            `json:"region" required:"true"`
	Commune          string            `json:"commune" required:"true"`
	Point            *PointView        `json:"point" required:"true"`
	Variants         []VariantView     `json:"variants" required:"true"`
	Labels           []LabelView       `json:"labels" required:"true"`
	Images           []ImageView       `json:"images" required:"true"`
	WithdrawalExempt string            `json:"withdrawal_exempt" required:"true"`
	Rating           *RatingView       `json:"rating,omitempty" description:"None until a buyer has said something."`
	Available        bool              `json:"available" required:"true"`
	State            State             `json:"state" required:"true" enum:"draft,published,paused,archived"`
	Version          int               `json:"version" required:"true"`
	PublishedAt      *string           `json:"published_at" required:"true" format:"date-time"`
}

// RatingView is what buyers who had the goods think of an offer.
type RatingView struct {
	Average string `json:"average" required:"true" description:"Of 1 to 5, to one decimal, as 4.5."`
	Reviews int    `json:"reviews" required:"true"`
}

// rating is the average of an offer's reviews, to the nearest tenth.
func rating(o Offer) *RatingView {
	if o.Reviews == 0 {
		return nil
	}
	n := int64(o.Reviews)
	tenths := (o.Stars*20 + n) / (2 * n)
	return &RatingView{fmt.Sprintf("%d.%d", tenths/10, tenths%10), o.Reviews}
}

// A LabelInput is a label as a seller claims it.
type LabelInput struct {
	Code      string `json:"code" required:"true" minLength:"1" maxLength:"100"`
	Issuer    string `json:"issuer,omitempty" maxLength:"200"`
	Number    string `json:"number,omitempty" maxLength:"64"`
	ValidFrom string `json:"valid_from" required:"true" format:"date"`
	ValidTo   string `json:"valid_to,omitempty" format:"date"`
}

// A VariantInput is a variant as a seller writes it.
type VariantInput struct {
	SKU     string            `json:"sku" required:"true" minLength:"1" maxLength:"64"`
	Names   map[string]string `json:"names,omitempty"`
	Unit    string            `json:"unit,omitempty" maxLength:"64"`
	WeightG int               `json:"weight_g,omitempty" minimum:"0"`
	Price   money.Money       `json:"price" required:"true"`
	OnHand  int               `json:"on_hand,omitempty" minimum:"0"`
	SupplyInput
}

// A SupplyInput is how much is in a variant, what many cost and where it comes
// from.
type SupplyInput struct {
	Net      *NetView    `json:"net,omitempty"`
	Tiers    *[]TierView `json:"tiers,omitempty" maxItems:"10"`
	Policy   *Policy     `json:"policy,omitempty" enum:"stocked,made_to_order,unlimited"`
	LeadDays *int        `json:"lead_days,omitempty" minimum:"0" maximum:"365"`
	Weekly   *int        `json:"weekly,omitempty" minimum:"0" description:"How many are made to order in a week."`
	StartsAt *time.Time  `json:"starts_at,omitempty" description:"Of a service that is booked: when this date begins."`
	Minutes  *int        `json:"minutes,omitempty" minimum:"0"`
}

// A SayingInput is what a seller says of an offer besides its names.
type SayingInput struct {
	Attributes map[string]any `json:"attributes,omitempty" description:"All attributes anew; GET /v1/categories says which there are."`
	Claims     *[]string      `json:"claims,omitempty" maxItems:"10" description:"All claims anew; new ones wait for a moderator."`
	Voice      *string        `json:"voice,omitempty" maxLength:"40" description:"The id of a recorded sound."`
}

// CreateInput is a new offer.
type CreateInput struct {
	Seller           string            `json:"seller,omitempty" description:"Whose offer it is; for operators."`
	Key              string            `json:"key,omitempty" maxLength:"64" description:"The seller's own key; the offer's id when left out."`
	Kind             Kind              `json:"kind,omitempty" enum:"product,service,digital" default:"product"`
	Way              Way               `json:"way,omitempty" enum:"quote,booking"`
	Category         string            `json:"category" required:"true" maxLength:"64"`
	Names            map[string]string `json:"names" required:"true" description:"By language: fr, ar, en, zgh; French or Arabic at least."`
	Descriptions     map[string]string `json:"descriptions,omitempty"`
	Region           string            `json:"region,omitempty" maxLength:"64"`
	Commune          string            `json:"commune,omitempty" maxLength:"100"`
	Point            *PointView        `json:"point,omitempty"`
	WithdrawalExempt string            `json:"withdrawal_exempt,omitempty" enum:",perishable,made_to_measure"`
	Image            string            `json:"image,omitempty" maxLength:"100"`
	Labels           []LabelInput      `json:"labels,omitempty"`
	Variants         []VariantInput    `json:"variants" required:"true" minItems:"1" maxItems:"100"`
	SayingInput
}

// A VariantPatch changes the variant with that SKU, or adds it: then with a
// price.
type VariantPatch struct {
	SKU     string            `json:"sku" required:"true" minLength:"1" maxLength:"64"`
	Names   map[string]string `json:"names,omitempty"`
	Unit    *string           `json:"unit,omitempty" maxLength:"64"`
	WeightG *int              `json:"weight_g,omitempty" minimum:"0"`
	Price   *money.Money      `json:"price,omitempty"`
	SupplyInput
}

// UpdateInput is what changes of an offer; what is left out stays.
type UpdateInput struct {
	Offer            string            `path:"offer"`
	Version          *int              `json:"version,omitempty" description:"The version the change was made for; another answers 409."`
	Category         *string           `json:"category,omitempty" maxLength:"64"`
	Names            map[string]string `json:"names,omitempty" description:"All names anew."`
	Descriptions     map[string]string `json:"descriptions,omitempty" description:"All descriptions anew."`
	Region           *string           `json:"region,omitempty" maxLength:"64"`
	Commune          *string           `json:"commune,omitempty" maxLength:"100"`
	Point            *PointView        `json:"point,omitempty"`
	WithdrawalExempt *string           `json:"withdrawal_exempt,omitempty" enum:",perishable,made_to_measure"`
	Image            *string           `json:"image,omitempty" maxLength:"100"`
	Labels           *[]LabelInput     `json:"labels,omitempty" description:"All labels anew."`
	Variants         []VariantPatch    `json:"variants,omitempty" maxItems:"100"`
	SayingInput
}

// StockInput says how many of a variant there are, or how many came or went.
type StockInput struct {
	Variant string `path:"variant"`
	OnHand  *int   `json:"on_hand,omitempty" minimum:"0"`
	Delta   *int   `json:"delta,omitempty"`
	From    *int   `json:"from,omitempty" minimum:"0" description:"How many there were when you looked; when there are others now, it answers 409 and changes nothing."`
	Place   string `json:"place,omitempty" maxLength:"40" description:"Where they lie; with none, all of them are meant, and what changes is what no place has."`
}

// A StockView is the stock of a variant.
type StockView struct {
	ID        string     `json:"id" required:"true"`
	OnHand    int        `json:"on_hand" required:"true"`
	Reserved  int        `json:"reserved" required:"true"`
	Available int        `json:"available" required:"true"`
	Places    []SpotView `json:"places" required:"true" description:"What of it lies at named places."`
}

// A SpotView is what lies at one place.
type SpotView struct {
	Place    string `json:"place" required:"true"`
	OnHand   int    `json:"on_hand" required:"true"`
	Reserved int    `json:"reserved" required:"true"`
}
