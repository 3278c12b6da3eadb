package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"strings"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const keyHeader = "Idempotency-Key"

// keyOf reads the Idempotency-Key of a request: 1 to 255 visible ASCII
// characters, or the same as a quoted string of a structured field.
func keyOf(h http.Header) (string, error) {
	all := h.Values(keyHeader)
	if len(all) != 1 {
		return "", errKeyMissing
	}
	key := strings.TrimSpace(all[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(key[1 : len(key)-1])
	}
	if len(key) < 1 || len(key) > 255 {
		return "", errKeyMissing
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return "", errKeyMissing
		}
	}
	return key, nil
}

// owner is who a key belongs to: the member, whichever API key it uses, or one
// of its people, so that what two people send is never taken for one request.
func owner(p auth.Principal) string {
	if p.Human != "" && p.Human != p.Subject {
		return string(p.Role) + " " + p.Subject + " " + p.Human
	}
	return string(p.Role) + " " + p.Subject
}

// digest is what a request asks for: the operation, its address, its body.
func (c *call) digest() []byte {
	h := sha256.New()
	for _, s := range []string{c.route.Name, c.r.URL.Path, c.r.URL.RawQuery} {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	_, _ = h.Write(c.body)
	return h.Sum(nil)
}

// replay gives an answer that was kept, if the request is the same.
func replay(before kept, request []byte) (answer, error) {
	if !bytes.Equal(before.request, request) {
		return answer{}, errKeyReused
	}
	return answer{status: before.status, contentType: "application/json", body: before.body, replayed: true}, nil
}

// commit runs a Commit or Kept row with its answer.
func (s *server) commit(ctx context.Context, c *call) (answer, error) {
	if c.route.keep != nil {
		k := &Keep{owner: owner(c.who), key: c.key, request: c.digest(), answer: answer{status: c.route.Status}}
		if err := c.route.keep(ctx, k, c.in); err != nil {
			return answer{}, err
		}
		return k.done()
	}
	return once(ctx, s.edge.Store, owner(c.who), c.key, c.digest(), func(tx *pg.Tx) (answer, error) {
		out, err := c.route.step(ctx, tx, c.in)
		if err != nil {
			return answer{}, err
		}
		return encode(c.route.Status, out)
	})
}
