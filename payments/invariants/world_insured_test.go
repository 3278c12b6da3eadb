package invariants_test

import (
	"context"
	"fmt"

	"tiwiza/payments/premiums"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// insure has a member insured: one policy is cancelled and gives some back, one is
// refused, and of one a claim is paid out of what is due to the insurer.
func (w *world) insure() {
	w.t.Helper()
	w.sql(`insert into policies.product (id, insurer, code, number, line, doc, digest, source, made_by, made_at) values ('ipr_1', 'i', 'x', 1, 'stock', '{}', '\x00', 'desk', 'p', now())`)
	for n, state := range []string{"cancelled", "refused", "active"} {
		w.sql(fmt.Sprintf(`insert into policies.quote (id, ref, product, insurer, member, asked_by, subject, sum_insured, currency, starts, ends, asked_at)
			values ('iqt_%[1]d', 'IQT%[1]d', 'ipr_1', 'i', 's1', 'p', '{}', 1000, 'MAD', now(), now() + interval '1 day', now())`, n+1))
		w.sql(fmt.Sprintf(`insert into accords.accord (who, subject, about, word, lang, hash, channel) values ('s1', 'insurance', 'ply_%d', 'given', 'fr', decode(repeat('a', 64), 'hex'), 'api')`, n+1))
		w.sql(fmt.Sprintf(`insert into policies.policy (id, ref, quote, product, insurer, member, sum_insured, premium, commission, currency, period, first, state, partner_id, starts, ends,
				consent_lang, consent_text, consent_hash, consent_by, consent_way, consent_at, asked_at)
			values ('ply_%[1]d', 'PLY%[1]d', 'iqt_%[1]d', 'ipr_1', 'i', 's1', 1000, 1000, 100, 'MAD', 'once', 'x', '%[2]s', 'x', now(), now() + interval '1 day', 'fr', 'x', repeat('a', 64), 'p', 'key', now(), now())`, n+1, state))
	}
	w.sql(`insert into policies.claim (id, ref, policy, insurer, member, event_at, kind, description, amount, currency, state, accepted, answer_by, made_by, made_at)
		values ('clm_1', 'CLM1', 'ply_3', 'i', 's1', now(), 'fire', 'x', 300, 'MAD', 'paid', 300, now(), 'p', now())`)
	s := premiums.New(w.db, premiums.Needs{Books: w.books, Escrows: w.escrows, Bank: house})
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		var ids [3]string
		for n := range ids {
			p, err := s.Take(ctx, tx, premiums.Taking{Policy: fmt.Sprint("ply_", n+1), Period: "first", Member: "s1", Insurer: "i", Amount: money.Dirhams(1000), Commission: money.Dirhams(100)})
			if err != nil {
				return err
			}
			ids[n] = p.ID
		}
		if err := s.Undo(ctx, tx, ids[1]); err != nil {
			return err
		}
		for _, n := range []int{0, 2} {
			if err := s.Bind(ctx, tx, ids[n]); err != nil {
				return err
			}
		}
		if err := s.GiveBack(ctx, tx, "ply_1", ids[0], money.Dirhams(400), "CPLY1"); err != nil {
			return err
		}
		return s.Indemnify(ctx, tx, premiums.Indemnity{Claim: "clm_1", Policy: "ply_3", Member: "s1", Insurer: "i", Amount: money.Dirhams(300), SetOff: true})
	})
}

// insured is a wound to what a member's insurance has done.
func insured(says string, sql ...string) wound {
	o := do(says, sql...)
	return wound{says: says, do: func(w *world) {
		if n, err := pg.Value[int](w.t.Context(), w.db, nil, `select count(*)::int from policies.policy`); err != nil || n == 0 {
			w.ok(err)
			w.insure()
		}
		o.do(w)
	}}
}
