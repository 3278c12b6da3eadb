package orders

import (
	"net/http"
	"time"

	"tiwiza/marketplace/digital"
	"tiwiza/pkg/rest"
)

func digitalRoutes(s *Service) []rest.Route {
	const of = "/v1/orders/{order}/digital"
	return []rest.Route{
		rest.Handle("GET", of, "orders.digital", "Show the files and codes of an order", http.StatusOK, s.ShowDigital),
		rest.Commit("POST", of+"/open", "orders.open", "Open files and codes that were bought: from then on they cannot be given back", http.StatusOK, s.Open),
		rest.Handle("GET", of+"/{variant}/{ware}", "orders.fetch", "Fetch a file that was bought and opened", http.StatusOK, s.Fetch,
			rest.Gives("application/pdf", "application/epub+zip", "application/zip", "image/jpeg", "image/png", "audio/ogg", "audio/mpeg", "audio/mp4", "video/mp4", "video/webm"),
			rest.About("For the order's buyer alone, until its time is over, and at most 20 times a file. Each time counts.")),
	}
}

// OpenInput says what is opened of an order.
type OpenInput struct {
	Order    string   `path:"order"`
	Variants []string `json:"variants,omitempty" maxItems:"100" description:"All of it when left out."`
}

// FetchInput names a file of an order.
type FetchInput struct {
	Order   string `path:"order"`
	Variant string `path:"variant"`
	Ware    string `path:"ware"`
}

// DigitalView is the files and codes of an order.
type DigitalView struct {
	Order    string              `json:"order" required:"true"`
	Articles []digital.GrantView `json:"articles" required:"true" description:"None before it is paid."`
	Consents []Agreed            `json:"consents" required:"true" description:"What its buyer agreed to."`
}

// Agreed is a text that a buyer agreed to.
type Agreed struct {
	Kind string    `json:"kind" required:"true"`
	Hash string    `json:"hash" required:"true"`
	Text string    `json:"text" required:"true" description:"In the language of the checkout, or in French."`
	At   time.Time `json:"at" required:"true"`
}
