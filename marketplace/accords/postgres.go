package accords

import (
	"context"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// Record adds what somebody said to the ledger, as a step of the caller's unit of work,
// which holds the lock of what it changes: of two the later is the one that stands. The
// actor is the principal of that unit, and the time is the hub's. Withdrawn without
// having given is refused.
func Record(tx *pg.Tx, a Accord) {
	var at *int
	var lang string
	var hash []byte
	if t := a.Text; t != nil {
		lang, hash = t.Lang, t.Hash
		if t.Version > 0 {
			at = &t.Version
			tx.Queue(`insert into accords.text (subject, version, lang, says, hash) values ($1, $2, $3, $4, $5) on conflict do nothing`, a.Subject, t.Version, t.Lang, t.Says, t.Hash)
		}
	}
	tx.Queue(`insert into accords.accord (who, subject, about, word, text_version, lang, hash, until, channel) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.Who, a.Subject, a.About, a.Word, at, lang, hash, a.Until, a.Channel)
}

// Newest is the last word of somebody on each thing of a subject, by what it is about.
func Newest(ctx context.Context, db pg.DB, who string, s Subject) (map[string]Word, error) {
	type last struct {
		About string
		Word  Word
	}
	all, err := pg.All[last](ctx, db, `select distinct on (about) about, word from accords.accord where who = $1 and subject = $2 order by about, seq desc`, who, s)
	out := make(map[string]Word, len(all))
	for _, x := range all {
		out[x.About] = x.Word
	}
	return out, err
}

// A row is what somebody said, as the ledger has it.
type row struct {
	Seq         int64
	At          time.Time
	Actor       string
	Who         string
	Subject     Subject
	About       string
	Word        Word
	TextVersion *int
	Lang        string
	Hash        []byte
	Says        string
	Until       *time.Time
	Channel     Channel
	Last        bool
}

// today is the hub's moment.
func today(ctx context.Context, db pg.DB) (time.Time, error) {
	return pg.Value[time.Time](ctx, db, nil, `select platform.now()`)
}

// rows lists what some said, or all when none is named; the newest first.
func rows(ctx context.Context, db pg.DB, who []string, s Subject, below int64, limit int) ([]row, error) {
	var w pg.Where
	of := "true"
	if len(who) > 0 {
		of = "a.who = any(" + w.Arg(who) + ")"
	}
	w.And(s != "", "a.subject =", s)
	w.And(below > 0, "a.seq <", below)
	return pg.All[row](ctx, db, `select a.seq, a.at, a.actor, a.who, a.subject, a.about, a.word, a.text_version, a.lang, a.hash, coalesce(t.says, '') as says, a.until, a.channel,
			not exists (select from accords.accord b where b.who = a.who and b.subject = a.subject and b.about = a.about and b.seq > a.seq) as last
		from accords.accord a left join accords.text t on t.subject = a.subject and t.version = a.text_version and t.lang = a.lang
		where `+of+` and `+w.String()+` order by a.seq desc limit `+w.Arg(limit), w.Args()...)
}

// Personal is what somebody said. It stays as proof that there was an agreement, and
// of what: a row has the number of who said it, and neither a name nor an address.
func Personal() personal.Holder {
	return personal.Room{
		Called: "accords",
		Tables: []personal.Table{
			{Name: "accords.accord", Show: `select jsonb_build_object('what', a.subject, 'which', a.about, 'said', a.word, 'at', a.at, 'until', a.until, 'where', a.channel, 'by', a.actor,
				'text', t.says, 'text_version', a.text_version, 'text_sha256', encode(a.hash, 'hex')) from accords.accord a left join accords.text t on t.subject = a.subject and t.version = a.text_version and t.lang = a.lang
				where a.who = any($1) order by a.seq`},
		},
	}
}
