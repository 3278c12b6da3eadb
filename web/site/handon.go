package site

import "net/http"

// HandOn passes a file of the interface on, as it is: nothing in it is run.
func (v *Visit) HandOn(path string) error {
	b, h, err := v.Raw(path)
	if err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		if x := h.Get(name); x != "" {
			v.W.Header().Set(name, x)
		}
	}
	v.W.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	v.W.Header().Set("Cache-Control", "no-store")
	v.W.WriteHeader(http.StatusOK)
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}
