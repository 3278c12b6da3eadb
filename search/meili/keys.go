package meili

import (
	"context"
	"errors"
	"net/http"

	"github.com/meilisearch/meilisearch-go"
)

// keyName is what the hub's own key is called on the server.
const keyName = "Tiwiza searches: "

// search has searches use a key.
func (x *Index) search(key string) {
	index := x.client(key).Index(x.o.Name)
	x.find.Store(&index)
}

// narrow finds or makes a key that may search this index and nothing else, and
// has searches use it: the key that may do everything is only used to write. A
// server without keys, or a key that may not make others, is left as it is.
func (x *Index) narrow(ctx context.Context) error {
	if x.o.Key == "" || x.narrowed.Load() {
		return nil
	}
	want := keyName + x.o.Name
	keys, err := x.admin.GetKeysWithContext(ctx, &meilisearch.KeysQuery{Limit: 100})
	if refused(err) {
		x.search(x.o.Key)
		x.narrowed.Store(true)
		return nil
	}
	if err != nil {
		return err
	}
	for _, k := range keys.Results {
		if k.Name == want && k.ExpiresAt.IsZero() && len(k.Actions) == 1 && k.Actions[0] == "search" && len(k.Indexes) == 1 && k.Indexes[0] == x.o.Name {
			x.search(k.Key)
			x.narrowed.Store(true)
			return nil
		}
	}
	k, err := x.admin.CreateKeyWithContext(ctx, &meilisearch.Key{
		Name: want, Description: "May search one index and do nothing else.", Actions: []string{"search"}, Indexes: []string{x.o.Name},
	})
	if err != nil {
		return err
	}
	x.search(k.Key)
	x.narrowed.Store(true)
	return nil
}

// refused says that the server knows no key like that, or none that may do this.
func refused(err error) bool {
	var e *meilisearch.Error
	return errors.As(err, &e) && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusUnauthorized)
}
