package digital

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"

	"tiwiza/pkg/vault"
)

// A Vault seals codes under a key that the database and its backups do not have,
// bound to the article. Its marks, HMAC-SHA-256 under another key, tell two equal
// codes of an article apart from others without telling what they are.
type Vault struct {
	seal *vault.Vault
	mark []byte
}

// KeySize is how many bytes a vault's key has.
const KeySize = vault.KeySize

// NewKey makes a key for a vault.
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// NewVault makes a vault of a key.
func NewVault(key []byte) (*Vault, error) {
	seal, err := vault.New(key, "digital codes: seal")
	if err != nil {
		return nil, err
	}
	return &Vault{seal, vault.Derive(key, "digital codes: mark")}, nil
}

// put seals a code of a variant, and marks it.
func (v *Vault) put(variant, code string) (sealed, mark []byte) {
	h := hmac.New(sha256.New, v.mark)
	h.Write([]byte(variant + "\x00" + code))
	return v.seal.Seal(variant, code), h.Sum(nil)
}

// look opens what was sealed for a variant.
func (v *Vault) look(variant string, sealed []byte) (string, error) {
	return v.seal.Open(variant, sealed)
}
