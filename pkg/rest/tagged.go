package rest

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// has says whether the caller has the bytes of a tag already.
func has(r *http.Request, tag string) bool {
	for _, t := range strings.Split(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == "*" || t == quoted(tag) {
			return true
		}
	}
	return false
}

func quoted(tag string) string { return `"` + tag + `"` }

// writeTagged sends bytes that never change: whole, in parts, or none when the
// caller has them. Pages of others may show them.
func (c *call) writeTagged(a answer) {
	h := c.w.Header()
	h.Set("ETag", quoted(a.tag))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if a.status == http.StatusNotModified {
		c.w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", a.contentType)
	if a.disposition != "" {
		h.Set("Content-Disposition", a.disposition)
	}
	http.ServeContent(c.w, c.r, "", time.Time{}, bytes.NewReader(a.body))
}
