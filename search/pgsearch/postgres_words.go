package pgsearch

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tiwiza/search"
)

// look asks whether documents have a term, and for what is near one that none has.
// What is said in several words, and is not there, is like nothing else. A word's
// witness answers for it; the index is only read when that is gone.
func look(b *pgx.Batch, t search.Term, n *near) {
	w := t.Words[0]
	bones := search.Bones(w)
	if len(bones) < 3 {
		bones = "-" // too few to go by
	}
	if len(t.Words) > 1 {
		w, bones = "-", "-"
	}
	b.Queue(`with k as materialized (select case
			when exists (select from search.word w join search.document d on d.id = w.witness where w.word = any($7) and d.words @@ $2::tsquery) then true
			when exists (select from search.word where word = any($7)) then search.has($2::tsquery)
			else false end as known)
		select 'known', $1 from k where known
		union all (select 'begins', word from k, search.word where not known and word collate "C" >= $1 and word collate "C" < $1 || U&'\+10FFFF' limit 1)
		union all (select 'sound', word from k, search.word where not known and key = any($3) and key <> '' order by word limit 20)
		union all (select 'bones', word from k, search.word where not known and bones = $4 and bones <> '' order by word limit 20)
		union all select 'slip', search.like_word($5, $6) from k where not known`,
		w, strings.Join(exact(t), "|"), t.Spoken(), bones, code(w), utf8.RuneCountInString(w), lexemes(t)).
		Query(func(rows pgx.Rows) error {
			var how, word string
			_, err := pgx.ForEachRow(rows, []any{&how, &word}, func() error {
				switch {
				case how == "known":
					n.known = true
				case word == w: // it was there once
				case how == "begins":
					n.begins = append(n.begins, word)
				case how == "sound":
					n.sound = append(n.sound, word)
				case how == "bones":
					n.bones = append(n.bones, word)
				default:
					n.slip = append(n.slip, word)
				}
				return nil
			})
			return err
		})
}
