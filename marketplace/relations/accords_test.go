package relations_test

import (
	"strings"
	"testing"

	"tiwiza/marketplace/accords"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// words are what somebody said, in order, as the ledger has it.
func (p *post) words(who string) string {
	p.t.Helper()
	all, err := pg.Column[string](p.t.Context(), p.db, `select word || ' ' || channel || case when text_version = 1 then ' to the text in ' || lang else '' end from accords.accord where who = $1 order by seq`, who)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func TestTheStanceIsTheLastWord(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.somebody()
	other, second := p.somebody()
	p.says(key, true)
	p.says(key, true) // nothing new
	p.says(key, false)
	p.says(key, true)
	p.says(second, false)
	if got, want := p.words(person), "given api to the text in fr, withdrawn api, given api to the text in fr"; got != want {
		t.Errorf("the ledger says %q, want %q", got, want)
	}
	if got, want := p.words(other), "refused api"; got != want {
		t.Errorf("the ledger says %q, want %q", got, want)
	}
	p.ask("POST", "/v1/erasures", key, nil)
	if got, want := p.words(person), "given api to the text in fr, withdrawn api, given api to the text in fr, withdrawn hub"; got != want {
		t.Errorf("the ledger says %q, want %q", got, want)
	}
	ctx := auth.With(t.Context(), auth.Hub)
	for _, sql := range []string{
		`update relations.stance set granted = true`,
		`insert into accords.accord (who, subject, word, hash, channel) values ('` + person + `', 'marketing', 'given', sha256('x'), 'page')`,
		`insert into accords.accord (who, subject, word, hash, channel) values ('per_3', 'marketing', 'given', sha256('x'), 'page')`,
	} {
		err := p.db.InTx(ctx, func(tx *pg.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
		if !pg.Violates(err, "stance_is_said") {
			t.Errorf("%s alone: %v", sql, err)
		}
	}
	if last, err := accords.Newest(ctx, p.db, person, accords.Marketing); err != nil || last[""] != accords.Withdrawn {
		t.Errorf("the last word is %v: %v", last, err)
	}
}
