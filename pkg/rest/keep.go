package rest

import (
	"context"
	"errors"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// A Keep is where the answer to one idempotent request is kept: under its
// caller's key, in the commit of what it tells of. It belongs to one goroutine
// at a time.
type Keep struct {
	owner, key string
	request    []byte
	answer     answer
	saved      bool
}

// KeepFor is the place of an answer to a request that came in another way than
// over a row of routes: request stands for its content.
func KeepFor(p auth.Principal, key string, request []byte, status int) *Keep {
	return &Keep{owner: owner(p), key: key, request: request, answer: answer{status: status}}
}

// Name is what no two requests share: whose key it is, and the key.
func (k *Keep) Name() [2]string { return [2]string{k.owner, k.key} }

// Is sets the answer. What is kept before it commits counts for nothing.
func (k *Keep) Is(out any) error {
	a, err := encode(k.answer.status, out)
	if err != nil {
		return err
	}
	k.answer, k.saved = a, true
	return nil
}

// Body is the answer as it is sent, and whether there is one.
func (k *Keep) Body() ([]byte, bool) { return k.answer.body, k.saved }

// done is the answer, once the work was done.
func (k *Keep) done() (answer, error) {
	if !k.saved {
		return answer{}, errors.New("the use case has kept no answer")
	}
	return k.answer, nil
}

// again takes in the answer of before.
func (k *Keep) again(before kept) (err error) {
	k.answer, err = replay(before, k.request)
	k.saved = err == nil
	return err
}

// Recall looks for an answer that is there already, and says so. A key that
// stands for another request is an error.
func (k *Keep) Recall(ctx context.Context, db pg.DB) (bool, error) {
	found, wrong, err := Recall(ctx, db, []*Keep{k})
	if err != nil {
		return false, err
	}
	return found[0], wrong[0]
}

// Save keeps answers in tx, all of which have been set. When another commit was
// first with one of them, the unit of work fails and Taken knows the error.
func Save(tx *pg.Tx, keeps ...*Keep) {
	if len(keeps) > 0 {
		saveAll(tx, keeps)
	}
}

// Taken says whether a unit of work failed because another one has kept an
// answer under the same key meanwhile.
func Taken(err error) bool { return pg.Violates(err, "answer_pkey") }
