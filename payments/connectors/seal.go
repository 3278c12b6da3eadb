package connectors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// KeySize is how many bytes the key of a box has.
const KeySize = 32

// A Box seals partners' secrets under a key that the database and its backups do
// not have: XChaCha20-Poly1305 with a random nonce, bound to the connector and to
// the row.
type Box struct{ aead *subtle.XChaCha20Poly1305 }

// NewBox makes a box of a key.
func NewBox(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a box's key has %d bytes, this one has %d", KeySize, len(key))
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("partners: seal"))
	a, err := subtle.NewXChaCha20Poly1305(h.Sum(nil))
	return &Box{a}, err
}

// place is what a sealed row is bound to.
func place(connector, row string) []byte { return []byte(connector + "\x00" + row) }

func (b *Box) put(connector, row string, c Credentials) ([]byte, error) {
	if b == nil {
		return nil, ErrSealed
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return b.aead.Encrypt(text, place(connector, row))
}

func (b *Box) look(connector, row string, sealed []byte) (c Credentials, err error) {
	if b == nil {
		return c, ErrSealed
	}
	text, err := b.aead.Decrypt(sealed, place(connector, row))
	if err != nil {
		return c, fmt.Errorf("open the secrets of %s: %w", connector, err)
	}
	return c, json.Unmarshal(text, &c)
}
