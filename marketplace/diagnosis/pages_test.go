package diagnosis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/pgtest"
)

// counter counts the statements that are sent to the database, alone or together.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { c.n.Add(1) }

func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// A page of a list takes as many statements whatever is on it, and no diagnostic comes
// twice or is left out.
func TestAPageTakesAsManyStatementsWhateverIsOnIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	h.finished(coop, true, nil)
	sent := func(path string) (n int64) {
		h.ask(coop, "GET", path, nil) // what is prepared once is prepared
		before := h.sent.n.Load()
		h.want(200, nil, coop, "GET", path, nil)
		return h.sent.n.Load() - before
	}
	one, asking := sent(runs+"?limit=100"), sent("/v1/questionnaires?limit=100")
	pgtest.Past(t, h.url,
		`insert into diagnosis.run (id, organisation, kind, region, code, edition, state, answers, made_by, channel, made_at, saved_at, lapses_at, finished_at, score, level, dimensions, advice)
			select 'dgn_0' || lpad(i::text, 25, '0'), '`+org+`', kind, region, code, edition, 'finished', answers, made_by, channel, made_at, saved_at, lapses_at, finished_at - i * interval '31 days', i % 101, level, dimensions, advice
			from diagnosis.run, generate_series(1, 250) i`,
		`insert into diagnosis.edition (code, version, questionnaire, asked_by, published_by, published_at)
			select 'copy_' || translate(i::text, '0123456789', 'abcdefghij'), 1, questionnaire || jsonb_build_object('code', 'copy_' || translate(i::text, '0123456789', 'abcdefghij')), 'hub', 'hub', now()
			from diagnosis.edition, generate_series(1, 40) i`)
	if got := sent(runs + "?limit=100"); got != one {
		t.Errorf("a page of 100 takes %d statements, of one %d", got, one)
	}
	if got := sent("/v1/questionnaires?limit=100"); got != asking {
		t.Errorf("41 questionnaires take %d statements, one %d", got, asking)
	}
	seen, at := map[string]bool{}, runs+"?limit=100"
	for at != "" {
		var p struct {
			Data []diagnosis.RunView
			Next *string
		}
		h.want(200, &p, coop, "GET", at, nil)
		for _, r := range p.Data {
			if seen[r.ID] {
				t.Fatalf("%s comes twice", r.ID)
			}
			seen[r.ID] = true
		}
		if at = ""; p.Next != nil {
			at = fmt.Sprintf("%s?limit=100&cursor=%s", runs, *p.Next)
		}
	}
	if len(seen) != 251 {
		t.Errorf("the pages hold %d diagnostics, want 251", len(seen))
	}
}
