package media

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// Times and bounds of uploads: each body is held whole.
const (
	uploadTime = 45 * time.Second
	uploads    = 16
	uploadsOne = 4
)

// UploadOptions are how every route that takes a file of members takes it: the
// bytes say what it is, so the type that is sent only opens the door.
func UploadOptions() []rest.Option {
	return []rest.Option{
		rest.Accepts("application/octet-stream", "multipart/form-data", "image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif",
			"image/avif", "image/tiff", "image/bmp", "audio/ogg", "audio/opus", "audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/webm", "video/webm", "video/mp4", "application/pdf", "application/zip", "application/epub+zip"),
		rest.Body(picture.MaxBytes + 64<<10), rest.Timeout(uploadTime), rest.AtOnce(uploads, uploadsOne),
	}
}

// Routes is the HTTP face of files.
func Routes(s *Service) []rest.Route {
	const file = "/v1/files/{file}"
	return []rest.Route{
		rest.Handle("POST", "/v1/files", "files.add", "Upload a voice note, a proof, or a file that is sold", http.StatusCreated, s.Upload, append(UploadOptions(),
			rest.About("Voice notes are Ogg Opus, MP3, M4A or WebM, up to 3 MB; proofs are PDF up to 10 MB, or a photograph of the paper; what is sold is a PDF, EPUB, ZIP, photograph, sound or film up to 12 MB. The bytes decide, not the name. What is beside the sound, as the place where it was recorded, is taken out. The same bytes sent again are the same file. What nothing uses is gone after a day."))...),
		rest.Handle("GET", file, "files.show", "Show what is known of one's file", http.StatusOK, s.Show),
		rest.Handle("GET", file+"/content", "files.read", "Download one's file, as it is kept", http.StatusOK, s.Read,
			rest.Gives("application/pdf", "image/jpeg", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/webm", "image/png", "image/webp", "image/gif", "text/csv", workbook, "application/zip", "application/epub+zip", "video/mp4", "video/webm")),
		rest.Handle("GET", "/v1/sounds/{file}", "files.play", "Play a voice note that an offer or a page uses", http.StatusOK, s.Play,
			rest.Public(), rest.Gives("audio/ogg", "audio/mpeg", "audio/mp4", "audio/webm"), rest.Unchanging(), rest.About(tagged)),
		rest.Handle("GET", "/v1/pictures/{file}/{name}", "files.picture", "Show a photograph in one width", http.StatusOK, s.Picture,
			rest.Public(), rest.Gives("image/jpeg"), rest.Unchanging(), rest.About("name is 160.jpg, 320.jpg, 640.jpg or 960.jpg; a smaller photograph is as wide as it is. "+tagged)),
	}
}

const tagged = "The answer never changes: it may be kept for ever, carries an ETag and takes If-None-Match (304) and Range (206)."

// UploadInput is a file on its way in.
type UploadInput struct {
	Kind  Kind      `query:"kind" required:"true" enum:"sound,proof,ware"`
	Owner string    `query:"owner" maxLength:"64" description:"Whose file it is; for operators."`
	File  rest.File `body:"file"`
}

// FileInput names a file.
type FileInput struct {
	File string `path:"file"`
}

// PictureInput names a photograph in one width.
type PictureInput struct {
	File string `path:"file"`
	Name string `path:"name" maxLength:"20"`
}

// A View is a file as its owner sees it.
type View struct {
	ID        string    `json:"id" required:"true"`
	Owner     string    `json:"owner" required:"true"`
	Kind      Kind      `json:"kind" required:"true" enum:"picture,sound,proof,sheet,ware"`
	Type      string    `json:"type" required:"true" description:"Its media type, told by its bytes."`
	Name      string    `json:"name" required:"true"`
	Size      int       `json:"size" required:"true" description:"In bytes, as it is kept."`
	State     State     `json:"state" required:"true" enum:"new,used,dropped" description:"new: nothing uses it yet; dropped: nothing does any more. Both are gone within a day."`
	CreatedAt time.Time `json:"created_at" required:"true"`
}

func (f File) view() View {
	return View{f.ID, f.Owner, f.Kind, f.Type, f.Name, f.Size, f.State, f.CreatedAt.UTC()}
}

// Upload keeps a voice note, a proof or a file that is sold, of the caller's; an operator says whose.
func (s *Service) Upload(ctx context.Context, in UploadInput) (View, error) {
	p := auth.From(ctx)
	owner := p.Subject
	switch {
	case p.Role == auth.Operator && in.Owner == "":
		return View{}, ErrOwner.At("?owner", "Say whose file it is.")
	case p.Role == auth.Operator:
		owner = in.Owner
	case in.Owner != "" && in.Owner != p.Subject:
		return View{}, ErrNotFound
	}
	f, err := s.Add(ctx, Upload{Owner: owner, Kind: in.Kind, Name: in.File.Name, Bytes: in.File.Bytes})
	if err != nil {
		return View{}, err
	}
	return f.view(), nil
}

// Show is one file, for its owner and for operators.
func (s *Service) Show(ctx context.Context, in FileInput) (View, error) {
	f, err := s.own(ctx, in.File)
	return f.view(), err
}

// own is a file of the caller's; another's are not found.
func (s *Service) own(ctx context.Context, file string) (File, error) {
	f, err := one(ctx, s.db, file)
	if err != nil {
		return File{}, err
	}
	if p := auth.From(ctx); p.Role != auth.Operator && (p.Subject == "" || p.Subject != f.Owner) {
		return File{}, ErrNotFound
	}
	return f, nil
}

// Read downloads a file for its owner and for operators: a proof, a recording, or
// a photograph as it was sent. It is always saved, never shown in place.
func (s *Service) Read(ctx context.Context, in FileInput) (rest.Blob, error) {
	f, err := s.own(ctx, in.File)
	if err != nil {
		return rest.Blob{}, err
	}
	if f.State == Dropped {
		return rest.Blob{}, ErrNotFound
	}
	name := f.Name
	if name == "" {
		name = f.ID + extensions[f.Type]
	}
	return rest.Blob{ContentType: f.Type, FileName: name, Foreign: true, Write: s.write(ctx, f.Blob)}, nil
}

// Of is a file that a subject uses, as it is kept, for whoever may see that
// subject: the caller has judged it.
func (s *Service) Of(ctx context.Context, db pg.DB, file, subject string) (rest.Blob, error) {
	f, err := usedBy(ctx, db, file, subject)
	if err != nil {
		return rest.Blob{}, err
	}
	return rest.Blob{ContentType: f.Type, FileName: f.ID + extensions[f.Type], Foreign: true, Write: s.write(ctx, f.Blob)}, nil
}

var extensions = map[string]string{
	"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif",
	"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/webm": ".webm",
	"text/csv": ".csv", workbook: ".xlsx", "application/zip": ".zip", "application/epub+zip": ".epub", "video/mp4": ".mp4", "video/webm": ".webm",
}

// write writes a content, once it is known to be what was put.
func (s *Service) write(ctx context.Context, key string) func(io.Writer) error {
	return func(w io.Writer) error {
		b, err := s.bucket.Get(ctx, blob.Key(key))
		if err != nil {
			return unreachable(err)
		}
		_, err = w.Write(b)
		return err
	}
}

// Play is a voice note that something uses, for anyone.
func (s *Service) Play(ctx context.Context, in FileInput) (rest.Blob, error) {
	f, err := one(ctx, s.db, in.File)
	if err != nil {
		return rest.Blob{}, err
	}
	if f.Kind != Sound || f.State != Used {
		return rest.Blob{}, ErrNotFound
	}
	return rest.Blob{ContentType: f.Type, Tag: f.Blob[:64], Foreign: true, Write: s.write(ctx, f.Blob)}, nil
}

// Picture is a photograph that something uses, for anyone, in one width.
func (s *Service) Picture(ctx context.Context, in PictureInput) (rest.Blob, error) {
	stem, ok := strings.CutSuffix(in.Name, ".jpg")
	nominal, err := strconv.Atoi(stem)
	if !ok || err != nil || !slices.Contains(picture.Widths, nominal) || stem != strconv.Itoa(nominal) {
		return rest.Blob{}, ErrNotFound
	}
	key, err := rendition(ctx, s.db, in.File, nominal)
	if err != nil {
		return rest.Blob{}, err
	}
	return rest.Blob{ContentType: string(picture.JPEG), Tag: key[:64], Foreign: true, Write: s.write(ctx, key)}, nil
}

// Address is where a photograph is in one of the widths.
func Address(file string, nominal int) string {
	return fmt.Sprintf("/v1/pictures/%s/%d.jpg", file, nominal)
}

// SoundAddress is where a voice note is.
func SoundAddress(file string) string { return "/v1/sounds/" + file }
