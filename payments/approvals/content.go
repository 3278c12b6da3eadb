package approvals

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Of is the request about content, which it shows to whoever decides, and to whose
// hash it binds them.
func (a Ask) Of(content any) (Ask, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return a, fmt.Errorf("write down what is asked for: %w", err)
	}
	sum := sha256.Sum256(text)
	a.Hash, a.Evidence = sum[:], string(text)
	return a, nil
}

// Read reads the content that Of wrote down; ErrChanged when it is not what was
// asked for.
func (r Request) Read(content any) error {
	if sum := sha256.Sum256([]byte(r.Evidence)); string(sum[:]) != string(r.Hash) || json.Unmarshal([]byte(r.Evidence), content) != nil {
		return ErrChanged
	}
	return nil
}
