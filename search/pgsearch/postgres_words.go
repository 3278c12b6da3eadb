package pgsearch

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tiwiza/search"
)

// look asks for what is near a term. What is said in several words, and is not
// there, is like nothing else.
func look(b *pgx.Batch, t search.Term, n *near) {
	w := t.Words[0]
	bones := search.Bones(w)
	if len(bones) < 3 {
		bones = "-" // too few to go by
	}
	if len(t.Words) > 1 {
		w, bones = "-", "-"
	}
	b.Queue(`select 'known', $1 where search.has($2::tsquery)
		union all (select 'begins', word from search.word where word collate "C" >= $1 and word collate "C" < $1 || U&'\+10FFFF' limit 1)
		union all (select 'sound', word from search.word where key = any($3) and key <> '' order by word limit 20)
		union all (select 'bones', word from search.word where bones = $4 and bones <> '' order by word limit 20)
		union all select 'slip', like_word from search.like_word($5, $6)`,
		w, strings.Join(exact(t), "|"), t.Spoken(), bones, code(w), utf8.RuneCountInString(w)).
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
