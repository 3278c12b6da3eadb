package site

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/andybalholm/brotli"

	"tiwiza/web/ui"
)

// secure says what the page may load: its own styles, scripts, faces and
// pictures, and nothing from elsewhere. Desks that refresh parts of themselves
// run only scripts that carry the page's nonce.
func (v *Visit) secure() { v.only("'self'") }

// PostsTo lets a form of the page go to the address of a partner, whose origin is
// added for this page alone.
func (v *Visit) PostsTo(address string) {
	if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(u.Host, "*;,'\" ") {
		v.only("'self' " + u.Scheme + "://" + u.Host)
	}
}

// only is secure, with where forms may go.
func (v *Visit) only(forms string) {
	h := v.W.Header()
	scripts, more := "'self'", ""
	if v.Nonce != "" {
		scripts = "'nonce-" + v.Nonce + "'"
		more = "; require-trusted-types-for 'script'; trusted-types htmx"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+scripts+"; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action "+forms+"; base-uri 'none'; frame-ancestors 'none'"+more)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self), payment=()")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	if v.Desk == ui.Courier {
		h.Set("Referrer-Policy", "no-referrer") // the address is the key
	}
}

// nonce is 128 random bits.
func nonce() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawStdEncoding.EncodeToString(b)
}

// small is how much is sent as it is.
const small = 1 << 10

// send writes an answer, squeezed when the visitor takes it so: level 4 costs
// little and leaves 1 KB of 5.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if len(body) > small {
		body = squeeze(w.Header(), r, body)
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the visitor may be gone
	}
}

// squeeze writes a body the way the visitor takes it best.
func squeeze(h http.Header, r *http.Request, body []byte) []byte {
	var b bytes.Buffer
	var z io.WriteCloser
	switch {
	case accepts(r, "br"):
		h.Set("Content-Encoding", "br")
		z = brotli.NewWriterLevel(&b, 4)
	case accepts(r, "gzip"):
		h.Set("Content-Encoding", "gzip")
		z = gzip.NewWriter(&b)
	default:
		return body
	}
	_, _ = z.Write(body) // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}

func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, coding) && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
