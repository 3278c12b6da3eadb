package connectors

import (
	"context"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// Where what a customer relation system is told is kept.
const (
	InMorocco = "morocco"
	Abroad    = "abroad"
)

// A Plain connector is one without what is needed to call it.
type Plain struct {
	ID       string
	Features []string
	Hosted   string
}

// Plains are the connectors of a port that were ever live, by their names. Nothing
// is unsealed for it, so that one whose secrets cannot be read is listed too.
func (s *Service) Plains(ctx context.Context, db pg.DB, port string) ([]Plain, error) {
	found, err := everLive(ctx, db, port)
	out := make([]Plain, len(found))
	for i, c := range found {
		out[i] = c.plain()
	}
	return out, err
}

func (c Connector) plain() Plain { return Plain{c.ID, c.Features, c.Hosted} }

// OnNews has f hear the events of connectors of a port that one of their keys signed
// lately. It is called at start.
func (s *Service) OnNews(port string, f func(ctx context.Context, partner string, e webhook.Signed) error) {
	s.news[port] = f
}

// OnLive has f take part when a connector of a port is let live, in that unit of
// work. It is called at start.
func (s *Service) OnLive(port string, f func(ctx context.Context, tx *pg.Tx, c Plain) error) {
	s.live[port] = append(s.live[port], f)
}
