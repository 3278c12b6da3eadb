package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// Static are the files of the program under /static/. Their addresses carry
// what is in them, so a browser keeps them for good; they are squeezed once,
// when the program starts.
type Static struct {
	paths map[string]string // by name
	files map[string]file   // by address
}

type file struct {
	kind            string
	plain, gzip, br []byte
	fixed           bool // the address changes with the file
}

// kinds of files that the machine's own table may lack.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
	".json": "application/json", ".txt": "text/plain; charset=utf-8", ".opus": "audio/ogg",
}

// NewStatic reads all files. Styles come last, because they name the others.
func NewStatic(fsys fs.FS) (*Static, error) {
	s := &Static{map[string]string{}, map[string]file{}}
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if name == worker {
			b = bytes.ReplaceAll(b, []byte(`"VERSION"`), []byte(`"`+s.version(b)+`"`))
		}
		if err := s.add(name, b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

// worker is the program that keeps pages for when there is no network. It comes
// last: its version is that of all files.
const worker = "sw.js"

func rank(name string) int {
	switch {
	case name == worker:
		return 3
	case path.Ext(name) == ".css":
		return 1
	case path.Ext(name) == ".js":
		return 2
	}
	return 0
}

// version is what all files are, and the worker itself: another file, another
// version.
func (s *Static) version(worker []byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s.paths)) {
		_, _ = sum.Write([]byte(s.paths[name] + "\n")) // never fails (hash)
	}
	_, _ = sum.Write(worker)
	return hex.EncodeToString(sum.Sum(nil)[:5])
}

func (s *Static) add(name string, b []byte) error {
	if ext := path.Ext(name); ext == ".css" || ext == ".js" {
		for n, address := range s.paths {
			b = bytes.ReplaceAll(b, []byte("("+n+")"), []byte("("+address+")"))
			b = bytes.ReplaceAll(b, []byte(`"/static/`+n+`"`), []byte(`"`+address+`"`))
		}
	}
	f := file{kind: kinds[path.Ext(name)], plain: b}
	if f.kind == "" {
		f.kind = mime.TypeByExtension(path.Ext(name))
	}
	if strings.HasPrefix(f.kind, "text/") || strings.HasPrefix(f.kind, "image/svg") || strings.HasPrefix(f.kind, "application/json") {
		var br, gz bytes.Buffer
		z := brotli.NewWriterLevel(&br, brotli.BestCompression)
		if _, err := z.Write(b); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		g, _ := gzip.NewWriterLevel(&gz, gzip.BestCompression) // the level is known
		if _, err := g.Write(b); err != nil {
			return err
		}
		if err := g.Close(); err != nil {
			return err
		}
		f.br, f.gzip = br.Bytes(), gz.Bytes()
	}
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	address := "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	s.paths[name] = address
	s.files["/static/"+name] = f
	f.fixed = true
	s.files[address] = f
	return nil
}

// Path is the address of a file.
func (s *Static) Path(name string) string {
	if p := s.paths[name]; p != "" {
		return p
	}
	return "/static/" + name
}

// ServeHTTP serves a file.
func (s *Static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; font-src 'self'; sandbox")
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.write(w, r, f)
}

// Serve serves the file of a name at another address: a service worker stands
// where its pages are.
func (s *Static) Serve(w http.ResponseWriter, r *http.Request, name string) {
	f := s.files["/static/"+name]
	f.fixed = false
	s.write(w, r, f)
}

func (s *Static) write(w http.ResponseWriter, r *http.Request, f file) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "public, max-age=3600")
	if f.fixed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if f.br != nil {
		h.Set("Vary", "Accept-Encoding")
		switch {
		case accepts(r, "br"):
			h.Set("Content-Encoding", "br")
			body = f.br
		case accepts(r, "gzip"):
			h.Set("Content-Encoding", "gzip")
			body = f.gzip
		}
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the visitor may be gone
	}
}
