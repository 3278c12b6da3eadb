package catalog

import (
	"net/http"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/rest"
)

// PictureRoutes is the HTTP face of offers' photographs.
func PictureRoutes(p *Pictures) []rest.Route {
	const all, one = "/v1/offers/{offer}/images", "/v1/offers/{offer}/images/{image}"
	return []rest.Route{
		rest.Handle("POST", all, "pictures.add", "Add a photograph to an offer", http.StatusCreated, p.Add, append(media.UploadOptions(),
			rest.About("JPEG, PNG, WebP or the first picture of a GIF, up to 12 MB and 40 megapixels. It is set upright and made anew in widths of 160, 320, 640 and 960 pixels, without the place where it was taken. The same file sent again is the photograph that is there, so a request whose answer was lost is simply repeated."))...),
		rest.Handle("PUT", all, "pictures.order", "Put an offer's photographs into an order", http.StatusOK, p.Order),
		rest.Handle("PATCH", one, "pictures.describe", "Say what a photograph shows", http.StatusOK, p.Describe),
		rest.Handle("DELETE", one, "pictures.delete", "Take a photograph away from an offer", http.StatusOK, p.Delete),
	}
}

// AddPictureInput is a photograph on its way in.
type AddPictureInput struct {
	Offer string    `path:"offer"`
	File  rest.File `body:"file"`
}

// OrderPicturesInput are the photographs of an offer in the order they shall have.
type OrderPicturesInput struct {
	Offer  string   `path:"offer"`
	Images []string `json:"images" required:"true" maxItems:"12" description:"Their ids; the first is shown in lists."`
}

// DescribePictureInput is what a photograph shows.
type DescribePictureInput struct {
	Offer string            `path:"offer"`
	Image string            `path:"image"`
	Alt   map[string]string `json:"alt" required:"true" description:"By language: fr, ar, en, zgh; all texts anew."`
}

// PictureInput names a photograph of an offer.
type PictureInput struct {
	Offer string `path:"offer"`
	Image string `path:"image"`
}

// A PhotoView is a photograph in its widths.
type PhotoView struct {
	ID     string            `json:"id" required:"true"`
	Alt    map[string]string `json:"alt" required:"true" description:"What it shows, by language."`
	Width  int               `json:"width" required:"true" description:"As it was sent, set upright."`
	Height int               `json:"height" required:"true"`
	Sizes  []SizeView        `json:"sizes" required:"true" description:"Narrowest first; each address never changes what it shows."`
}

// A SizeView is a photograph in one width.
type SizeView struct {
	Width  int    `json:"width" required:"true"`
	Height int    `json:"height" required:"true"`
	URL    string `json:"url" required:"true"`
}
