package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"tiwiza/pkg/blob"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
)

// Service keeps files.
type Service struct {
	db     *pg.Store
	bucket *blob.Bucket
	press  *picture.Press
}

// New makes the service over a bucket and a press.
func New(db *pg.Store, bucket *blob.Bucket, press *picture.Press) *Service {
	return &Service{db, bucket, press}
}

// A content is bytes on their way into the bucket.
type content struct {
	key   blob.Key
	bytes []byte
}

// A made file is one that is checked, with what is kept of it.
type made struct {
	file   File
	sha    []byte // of what was sent
	body   []byte
	prints []picture.Rendition
}

// Add keeps an upload, whose sender the caller has judged. Nothing uses it yet:
// whoever wants it says so with Use within a day. The same bytes of the same
// owner are the same file, however often they are sent.
func (s *Service) Add(ctx context.Context, up Upload) (File, error) {
	sha := sha256.Sum256(up.Bytes)
	var f File
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		f, err = again(ctx, tx, up.Owner, up.Kind, sha[:])
		return err
	})
	if !errors.Is(err, ErrNotFound) {
		return f, err
	}
	m, err := s.make(ctx, up)
	if err != nil {
		return File{}, err
	}
	m.sha = sha[:]
	return s.keep(ctx, m)
}

// make checks an upload and makes of it what is kept.
func (s *Service) make(ctx context.Context, up Upload) (m made, err error) {
	m.file = File{ID: id.New(id.Media), Owner: up.Owner, Kind: up.Kind, Name: named(up.Name), State: Fresh}
	m.body = up.Bytes
	switch up.Kind {
	case Picture:
		var h picture.Head
		h, m.prints, err = s.press.Make(ctx, up.Bytes)
		m.file.Type = string(h.Form)
		m.file.Width, m.file.Height = h.Upright()
	case Sound:
		m.file.Type, m.body, err = hear(up.Bytes)
	case Sheet: // whoever reads it has judged it
		m.file.Type = "text/csv"
		if bytes.HasPrefix(up.Bytes, []byte("PK")) {
			m.file.Type = workbook
		}
	case Ware: // as it is: its buyers paid for it
		m.file.Type, err = sold(up.Bytes)
	default:
		m.file.Type, m.body, err = s.proof(ctx, up.Bytes)
	}
	m.file.Size = len(m.body)
	return m, err
}

const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Content is what is in a file, whose reader the caller has judged.
func (s *Service) Content(ctx context.Context, file string) ([]byte, error) {
	f, err := one(ctx, s.db, file)
	if err != nil {
		return nil, err
	}
	b, err := s.bucket.Get(ctx, blob.Key(f.Blob))
	return b, unreachable(err)
}

// proof takes a PDF as it is, and a photograph of a paper without what the
// camera wrote into it.
func (s *Service) proof(ctx context.Context, b []byte) (string, []byte, error) {
	head, tail := b[:min(len(b), 1024)], b[max(0, len(b)-2048):]
	switch {
	case picture.Sniff(b) != "":
		_, out, err := s.press.Make(ctx, b, paper)
		if err != nil {
			return "", nil, err
		}
		return string(picture.JPEG), out[0].JPEG, nil
	case !strings.Contains(string(head), "%PDF-"):
		return "", nil, ErrNoProof
	case len(b) > maxProof:
		return "", nil, ErrLongProof
	case !strings.Contains(string(tail), "%%EOF"):
		return "", nil, ErrBadProof
	}
	return "application/pdf", b, nil
}

// paper is how wide a photograph of a document is kept, so that it can be read.
const paper = 1600

// named is a file's name as it may be shown and saved: its last part, without
// what steers a terminal or a page.
func named(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || strings.ContainsRune(`"<>|:*?`, r) {
			return -1
		}
		return r
	}, path.Base(strings.ReplaceAll(name, `\`, "/")))
	name = strings.TrimLeft(strings.TrimSpace(name), "./")
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	return name
}

// keep puts the contents into the bucket and writes the file down. The keys are
// written down first, so that the sweeper knows of each content, whatever happens
// in between.
func (s *Service) keep(ctx context.Context, m made) (File, error) {
	contents, where := m.contents()
	var keys map[string]blob.Key
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if n, err := idleFiles(ctx, tx, m.file.Owner); err != nil || n >= maxIdle {
			return errors.Join(err, tooMany(n))
		}
		keys, err = reserve(ctx, tx, contents)
		return err
	})
	if err != nil {
		return File{}, err
	}
	for sum, c := range contents {
		if err := s.bucket.Put(ctx, keys[sum], c.bytes); err != nil {
			return File{}, unreachable(err)
		}
	}
	var f File
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		bind(tx, keys)
		m.file.CreatedAt = tx.Now()
		m.file.Blob = string(keys[where[0]])
		f, err = insert(ctx, tx, m)
		if err != nil {
			return err
		}
		if f.ID != m.file.ID { // somebody sent the same at the same time
			loosen(tx, keys)
			return nil
		}
		for i, p := range m.prints {
			insertRendition(tx, f.ID, p, keys[where[i+1]])
		}
		return nil
	})
	if errors.Is(err, errSwept) {
		return File{}, errors.Join(err, s.discard(ctx, keys))
	}
	return f, err
}

// discard deletes what was put under keys that had been swept by then: such a key
// is never used again, and nobody else would know of it.
func (s *Service) discard(ctx context.Context, keys map[string]blob.Key) error {
	all := inOrder(keys)
	known, err := live(ctx, s.db, all)
	if err != nil {
		return err
	}
	for _, k := range all {
		if !slices.Contains(known, k) {
			if err := s.bucket.Delete(ctx, blob.Key(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

func tooMany(n int) error {
	if n >= maxIdle {
		return ErrTooMany
	}
	return nil
}

// contents are what goes into the bucket, each once, by digest; and the digests
// of the body and of each rendition.
func (m made) contents() (all map[string]content, where []string) {
	all = map[string]content{}
	add := func(b []byte) {
		key := blob.NewKey(b)
		sum := string(key[:64])
		if _, ok := all[sum]; !ok {
			all[sum] = content{key, b}
		}
		where = append(where, sum)
	}
	add(m.body)
	for _, p := range m.prints {
		add(p.JPEG)
	}
	return all, where
}

// unreachable turns what a bucket says into what a caller hears.
func unreachable(err error) error {
	if errors.Is(err, blob.ErrUnreachable) {
		return ErrUnreachable.With(err)
	}
	return err
}

// Use says that a subject, as "off_…", uses a file of a kind and owner from now
// on. It is a step in the caller's transaction: the file stays as long as the
// subject does not release it. Using it twice is harmless.
func (s *Service) Use(ctx context.Context, tx *pg.Tx, file, owner string, kind Kind, subject string) (File, error) {
	return use(ctx, tx, file, owner, kind, subject)
}

// Release says that a subject uses a file no more. A file that nothing uses is
// public no more at once, and gone within a day.
func (s *Service) Release(tx *pg.Tx, file, subject string) { release(tx, file, subject) }

// Files are files by id; those that do not exist are left out. For other domains,
// to show what they use.
func (s *Service) Files(ctx context.Context, db pg.DB, ids []string) (map[string]File, error) {
	all, err := byID(ctx, db, ids)
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	out := make(map[string]File, len(all))
	for _, f := range all {
		out[f.ID] = f
	}
	return out, nil
}
