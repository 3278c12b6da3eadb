package webhook

import (
	"context"
	"sync"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// Once does one round of Run and waits for it.
func (s *Service) Once(ctx context.Context) error {
	var turns sync.WaitGroup
	err := s.beat(auth.With(ctx, auth.Hub), 1, &turns, make(chan struct{}, endpoints))
	turns.Wait()
	return err
}

// Die takes what is due for an endpoint, as a hub that then dies.
func (s *Service) Die(ctx context.Context, endpoint string) (taken int, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		mine, err := claim(ctx, tx, endpoints)
		if err != nil {
			return err
		}
		for _, p := range mine {
			if p.ID == endpoint {
				due, err := take(ctx, tx, p, abreast)
				taken = len(due)
				return err
			}
		}
		return nil
	})
	return taken, err
}
