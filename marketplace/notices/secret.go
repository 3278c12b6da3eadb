package notices

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// A Box keeps secrets in the database so that only hubs with its key can read
// them: AES-256 in GCM, bound to the notice they belong to.
type Box struct{ seal cipher.AEAD }

// NewBox makes a box. The key is any text of 32 signs or more that all hubs share;
// without one this process makes its own, and what it leaves behind when it ends
// is never told.
func NewBox(key string) (Box, error) {
	if key == "" {
		key = rand.Text() + rand.Text()
	}
	if len(key) < 32 {
		return Box{}, errors.New("the key that seals codes is shorter than 32 signs")
	}
	sum := sha256.Sum256([]byte("notices/secrets/" + key))
	b, err := aes.NewCipher(sum[:])
	if err != nil {
		return Box{}, err
	}
	g, err := cipher.NewGCM(b)
	return Box{g}, err
}

func (b Box) close(notice string, secrets map[string]string) ([]byte, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, b.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return b.seal.Seal(nonce, nonce, text, []byte(notice)), nil
}

func (b Box) open(notice string, sealed []byte) (secrets map[string]string, err error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	n := b.seal.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("what was sealed is cut")
	}
	text, err := b.seal.Open(nil, sealed[:n], sealed[n:], []byte(notice))
	if err != nil {
		return nil, fmt.Errorf("open what was sealed for %s: %w", notice, err)
	}
	return secrets, json.Unmarshal(text, &secrets)
}
