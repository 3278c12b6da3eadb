package catalog

import (
	"context"
	"fmt"
	"slices"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
)

// Errors of photographs.
var (
	ErrNoPicture    = fault.New(fault.NotFound, "catalog.no_picture", "The offer has no such photograph.")
	ErrPicturesFull = fault.New(fault.Conflict, "catalog.pictures_full", "The offer has twelve photographs already; delete one first.")
	ErrPictureOrder = fault.New(fault.Invalid, "catalog.picture_order", "Name each photograph of the offer once, in the order you want.")
)

const (
	mostPictures = 12
	longestAlt   = 200 // letters
)

// A Photo is a photograph of an offer.
type Photo struct {
	File          string
	Alt           map[string]string
	Width, Height int
}

// Files keeps what sellers send; media is one.
type Files interface {
	// Add keeps an upload that nothing uses yet; the same bytes are the same file.
	Add(ctx context.Context, up media.Upload) (media.File, error)
	// Use says that a subject uses a file of an owner and kind.
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	// Files are files by id; those that do not exist are left out.
	Files(ctx context.Context, db pg.DB, ids []string) (map[string]media.File, error)
	// Content is what is in a file; the caller has judged who may have it.
	Content(ctx context.Context, file string) ([]byte, error)
	// Release says that it does not any more.
	Release(tx *pg.Tx, file, subject string)
}

// Pictures are the photographs of offers.
type Pictures struct {
	catalog *Service
}

// NewPictures makes the photographs of a catalogue's offers.
func NewPictures(s *Service) *Pictures { return &Pictures{s} }

// Add makes a photograph the last of an offer. The caller's rights and the offer
// are looked at before the picture is, which is dear. The same photograph sent
// again is the one that is there.
func (p *Pictures) Add(ctx context.Context, in AddPictureInput) (PhotoView, error) {
	seller, err := p.room(ctx, in.Offer)
	if err != nil {
		return PhotoView{}, err
	}
	f, err := p.catalog.files.Add(ctx, media.Upload{Owner: seller, Kind: media.Picture, Name: in.File.Name, Bytes: in.File.Bytes})
	if err != nil {
		return PhotoView{}, err
	}
	var added Photo
	_, err = p.edit(ctx, in.Offer, func(tx *pg.Tx, o Offer, all []Photo) ([]Photo, error) {
		if i := slices.IndexFunc(all, func(x Photo) bool { return x.File == f.ID }); i >= 0 {
			added = all[i]
			return all, nil
		}
		if len(all) >= mostPictures {
			return nil, ErrPicturesFull
		}
		if f, err = p.catalog.files.Use(ctx, tx, f.ID, o.Seller, media.Picture, o.ID); err != nil {
			return nil, err
		}
		added = Photo{f.ID, map[string]string{}, f.Width, f.Height}
		return append(all, added), nil
	})
	if err != nil {
		return PhotoView{}, err
	}
	return added.view(), nil
}

// room says whose offer it is, if it is the caller's and takes one more.
func (p *Pictures) room(ctx context.Context, offer string) (seller string, err error) {
	all, err := read(ctx, p.catalog.db, []string{offer})
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", ErrNotFound
	}
	o := all[0]
	if _, err := owner(ctx, o.Seller, ""); err != nil {
		return "", ErrNotFound
	}
	return o.Seller, o.takesPictures()
}

// takesPictures says whether an offer's photographs may change.
func (o Offer) takesPictures() error {
	if o.State == Archived {
		return ErrState.Say("The offer is archived, so its photographs stay as they are.")
	}
	return nil
}

// Order puts the photographs of an offer into an order: the first is the one that
// lists show.
func (p *Pictures) Order(ctx context.Context, in OrderPicturesInput) (View, error) {
	return p.edit(ctx, in.Offer, func(_ *pg.Tx, _ Offer, all []Photo) ([]Photo, error) { return reorder(all, in.Images) })
}

// reorder is the photographs in the order of their ids, of which none may be left
// out, named twice or strange.
func reorder(all []Photo, ids []string) ([]Photo, error) {
	byID := make(map[string]Photo, len(all))
	for _, x := range all {
		byID[x.File] = x
	}
	out := make([]Photo, 0, len(all))
	for i, id := range ids {
		x, ok := byID[id]
		if !ok {
			return nil, ErrPictureOrder.At(fmt.Sprintf("/images/%d", i), "The offer has no such photograph, or it is named twice.")
		}
		delete(byID, id)
		out = append(out, x)
	}
	if len(byID) > 0 {
		return nil, ErrPictureOrder.At("/images", fmt.Sprintf("%d of the offer's photographs are not named.", len(byID)))
	}
	return out, nil
}

// Describe says what a photograph shows, for those who do not see it: all texts
// anew.
func (p *Pictures) Describe(ctx context.Context, in DescribePictureInput) (View, error) {
	return p.edit(ctx, in.Offer, func(_ *pg.Tx, _ Offer, all []Photo) ([]Photo, error) {
		i := slices.IndexFunc(all, func(x Photo) bool { return x.File == in.Image })
		if i < 0 {
			return nil, ErrNoPicture
		}
		var f findings
		all[i].Alt = texts(in.Alt)
		f.texts("/alt", all[i].Alt, longestAlt)
		return all, invalid(f)
	})
}

// Delete takes a photograph away from an offer. Nobody sees it any more at once,
// and unless another offer shows it too, its file is gone within a day.
func (p *Pictures) Delete(ctx context.Context, in PictureInput) (View, error) {
	return p.edit(ctx, in.Offer, func(tx *pg.Tx, o Offer, all []Photo) ([]Photo, error) {
		i := slices.IndexFunc(all, func(x Photo) bool { return x.File == in.Image })
		if i < 0 {
			return nil, ErrNoPicture
		}
		p.catalog.files.Release(tx, all[i].File, o.ID)
		return slices.Delete(all, i, i+1), nil
	})
}

// edit has the photographs of an offer of the caller's changed, under the offer's
// lock, and tells of it.
func (p *Pictures) edit(ctx context.Context, offer string, fn func(*pg.Tx, Offer, []Photo) ([]Photo, error)) (View, error) {
	return p.catalog.edit(ctx, offer, func(tx *pg.Tx, o Offer) (Offer, error) {
		if err := o.takesPictures(); err != nil {
			return o, err
		}
		all, err := fn(tx, o, o.Photos)
		if err != nil {
			return o, err
		}
		savePhotos(tx, o.ID, all)
		e := PicturesChanged{Offer: o.ID, Seller: o.Seller, Images: make([]string, len(all))}
		for i, x := range all {
			e.Images[i] = x.File
		}
		return o, tx.Publish(ctx, e)
	})
}

// PicturesChanged says which photographs an offer has now, in order.
type PicturesChanged struct {
	Offer  string   `json:"offer"`
	Seller string   `json:"seller"`
	Images []string `json:"images"`
}

// EventType names the event.
func (PicturesChanged) EventType() string { return "catalog.pictures_changed" }

// Subject is the offer.
func (e PicturesChanged) Subject() string { return e.Offer }

// view is a photograph with its widths: those that are larger than it is are
// left out.
func (x Photo) view() PhotoView {
	v := PhotoView{ID: x.File, Alt: texts(x.Alt), Width: x.Width, Height: x.Height, Sizes: []SizeView{}}
	for _, nominal := range picture.Widths {
		w, h := picture.Size(x.Width, x.Height, nominal)
		if n := len(v.Sizes); n > 0 && v.Sizes[n-1].Width == w {
			break
		}
		v.Sizes = append(v.Sizes, SizeView{w, h, media.Address(x.File, nominal)})
	}
	return v
}

// shown is the address of the picture where only one is shown: wide enough for
// most telephones.
func (v PhotoView) shown() string {
	url := ""
	for _, s := range v.Sizes {
		if url == "" || s.Width <= 640 {
			url = s.URL
		}
	}
	return url
}

// image is a photograph among the pictures of an offer.
func (v PhotoView) image() ImageView { return ImageView{URL: v.shown(), Photo: &v} }
