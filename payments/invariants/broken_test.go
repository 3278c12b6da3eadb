package invariants_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/seal"
)

// A wound is one thing done to a worked database by hand, what the invariant
// says of it, and the others that cannot help but see it too.
type wound struct {
	do   func(w *world)
	says string
	also []string
}

// do is a wound by SQL.
func do(says string, sql ...string) wound {
	return wound{says: says, do: func(w *world) {
		for _, s := range sql {
			w.sql(s)
		}
	}}
}

// sealed is a wound by SQL to books and a trail that are sealed.
func sealed(says string, sql ...string) wound {
	o := do(says, sql...)
	return wound{says: says, do: func(w *world) {
		w.tx(func(_ context.Context, tx *pg.Tx) error {
			audit.Record(tx, "test", "x", "test.policy", nil)
			return nil
		})
		pgtest.Seal(w.t, w.db, ledger.Chain)
		pgtest.Seal(w.t, w.db, audit.Chain)
		o.do(w)
	}}
}

// and names the others that see the wound.
func (o wound) and(ids ...string) wound {
	o.also = ids
	return o
}

// post is a wound by a transfer that balances.
func post(says, kind string, legs ...ledger.Leg) wound {
	return wound{says: says, do: func(w *world) { w.post(kind, legs...) }}
}

func (w *world) post(kind string, legs ...ledger.Leg) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		return w.books.Post(ctx, tx, ledger.Transfer{Key: "by hand " + time.Now().String(), Kind: kind, Currency: money.MAD, Legs: legs})
	})
}

// reversed posts something and takes it back.
func (w *world) reversed() {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		return w.books.Post(ctx, tx, ledger.Transfer{Key: "a slip", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit(own, 5), ledger.Credit("capital", 5)}})
	})
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.books.Reverse(ctx, tx, "taken back", "a slip", "it was a slip")
		return err
	})
}

// fill writes names of the story into a statement.
func (s story) fill(text string) string {
	return strings.NewReplacer("{charge}", s.charge.ID, "{waiting}", s.waiting.ID, "{late}", s.late.ID, "{fresh}", s.fresh.ID,
		"{paid}", s.paid.ID, "{sent}", s.sent.ID, "{rejected}", s.rejected.ID, "{returned}", s.returned.ID, "{draft}", s.draft.ID, "{contradicted}", s.contradicted.ID).Replace(text)
}

const (
	safe     = "bank:bnk:safeguard"
	transit  = "bank:bnk:transit"
	own      = "bank:bnk:operating"
	clearing = "psp:acq:clearing"
)

// of is the id of an account, in SQL.
func of(code string) string { return `(select id from ledger.account where code = '` + code + `')` }

// cases break each promise by hand.
var cases = map[string]func(s story) []wound{
	"I1": func(story) []wound {
		return []wound{do("is off by 0.01 MAD",
			`insert into ledger.transfer (id, key, request, kind, effective_at) values (9000000, 'x', '', 'capital', now())`,
			`insert into ledger.entry values (9000000, 0, `+of(own)+`, 0, 'MAD', 100, now()), (9000000, 1, `+of("capital")+`, 0, 'MAD', -99, now())`,
			`update ledger.balance set dr = dr + 100 where account_id = `+of(own)+` and shard = 0`,
			`update ledger.balance set cr = cr + 99 where account_id = `+of("capital")).and("I2")}
	},
	"I2": func(story) []wound {
		return []wound{do("the balances in MAD are off by 0.01", `update ledger.balance set dr = dr + 1 where account_id = `+of("fees")+` and shard = 0`).and("I3")}
	},
	"I3": func(story) []wound {
		return []wound{
			do("(fees, part 0) has debits 0.05", `update ledger.balance set dr = dr + 5, cr = cr + 5 where account_id = `+of("fees")+` and shard = 0`),
			do("(capital, part 0) has debits 0.00 and credits 0.00", `update ledger.balance set account_id = -account_id where account_id = `+of("capital")).and("I2", "I4"),
		}
	},
	"I4": func(story) []wound {
		return []wound{
			do("seller:s2:available (part 0) is not guarded", `update ledger.balance set floor = null where account_id = `+of("seller:s2:available")),
			do("escrow:A (part 0) is not guarded", `update ledger.account set floor = null where code = 'escrow:A'`),
			post("seller:s2:available has -", "payout.intent", ledger.Debit("seller:s2:available", 9000), ledger.Credit("payout:pay_x", 9000)).and("I10", "I12"),
			post("payable:insurer:i has -0.05 MAD, and no payout to it was refused and paid all the same", "payout.contradicted", ledger.Debit("payable:insurer:i", 5), ledger.Credit(safe, 5)).and("M1"),
		}
	},
	"I5": func(story) []wound {
		return []wound{
			do("keeps back 0.07; its open holds come to 0.00", `update ledger.balance set held = 7 where account_id = `+of("escrow:B")),
			do("keeps back 0.00; its open holds come to 0.05", `insert into ledger.hold (id, account_id, amount, remains, why) values ('x', `+of("escrow:A")+`, 5, 5, 'x')`),
		}
	},
	"I6": func(story) []wound {
		return []wound{
			do("transfer 9000000 (capital) has 0 entries", `insert into ledger.transfer (id, key, request, kind, effective_at) values (9000000, 'x', '', 'capital', now())`),
			do("is missing; it has 2 entries", `delete from ledger.transfer where key = 'capital'`),
		}
	},
	"I7": func(story) []wound {
		return []wound{
			do("is in EUR; account capital is in MAD", `update ledger.entry set currency = 'EUR' where transfer_id = (select id from ledger.transfer where key = 'capital')`),
			do("account piggy:bank is not in the chart", `insert into ledger.account (code, currency, normal) values ('piggy:bank', 'MAD', 'D')`),
		}
	},
	"I8": func(story) []wound {
		return []wound{
			post("(gift), is of no known kind", "gift", ledger.Debit(own, 5), ledger.Credit("capital", 5)),
			post("(capital), has a leg that its kind does not know, lacks", "capital", ledger.Debit(own, 5), ledger.Credit("fees", 5)),
			post("(settlement), lacks a leg that its kind needs", "settlement", ledger.Debit("psp_cost", 5), ledger.Credit(own, 5)),
			{says: "is not the mirror of transfer", do: func(w *world) {
				w.reversed()
				w.sql(`update ledger.transfer set reverses = (select id from ledger.transfer where key = 'capital') where kind = 'reversal'`)
			}},
			post("(settlement), takes 0.05 MAD from clients", "settlement", ledger.Debit("psp_cost", 5), ledger.Credit(clearing, 5)),
		}
	},
	"I9": func(story) []wound {
		return []wound{
			post("escrow:Z holds 0.05 MAD for no escrow", "escrow.fund", ledger.Debit(clearing, 5), ledger.Credit("escrow:Z", 5)),
			post("is funded and should hold 30.00 MAD; its account has 29.95", "escrow.release", ledger.Debit("escrow:B", 5), ledger.Credit("fees", 5)).and("I11"),
			post("is released and should hold 0.00 MAD; its account has 0.05", "escrow.fund", ledger.Debit(clearing, 5), ledger.Credit("escrow:A", 5)).and("I11"),
		}
	},
	"E1": func(story) []wound {
		return []wound{
			{says: "seller s4: 3.00 MAD is kept back, its lots make 2.99", do: func(w *world) {
				w.workEscrows()
				w.sql(`update escrow.lot set used = used + 1 where order_id = 'I'`)
			}},
			do("seller s4: 3.00 MAD is kept back, its lots make 0.00", `update escrow.lot set done = true`),
		}
	},
	"N1": func(story) []wound {
		back := `update policies.policy set state = 'active' where id = 'ply_3'`
		return []wound{
			insured("premium pmi_", `alter table policies.policy disable trigger policy_moves`, `update policies.policy set state = 'pending' where id = 'ply_3'`),
			insured("is bound; the policy is refused", back, `update policies.policy set state = 'refused' where id = 'ply_1'`),
			insured("policy ply_4 is active, and no premium of it stands", `update policies.policy set state = 'cancelled' where id = 'ply_1'`,
				`insert into policies.quote (id, ref, product, insurer, member, asked_by, subject, sum_insured, currency, starts, ends, asked_at)
					select 'iqt_4', 'IQT4', product, insurer, member, asked_by, subject, sum_insured, currency, starts, ends, asked_at from policies.quote where id = 'iqt_1'`,
				`insert into accords.accord (who, subject, about, word, lang, hash, channel) values ('s1', 'insurance', 'ply_4', 'given', 'fr', decode(repeat('a', 64), 'hex'), 'api')`,
				`insert into policies.policy (id, ref, quote, product, insurer, member, sum_insured, premium, commission, currency, period, first, state, partner_id, starts, ends,
						consent_lang, consent_text, consent_hash, consent_by, consent_way, consent_at, asked_at)
					select 'ply_4', 'PLY4', 'iqt_4', product, insurer, member, sum_insured, premium, commission, currency, period, first, 'active', partner_id, starts, ends,
						consent_lang, consent_text, consent_hash, consent_by, consent_way, consent_at, asked_at from policies.policy where id = 'ply_1'`),
			insured("counts 4.01 as given back; its refunds make 4.00", `update premiums.premium set returned = 401 where returned = 400`),
			insured("of 10.00 is paid out of 10.01", `update premiums.cover set amount = amount + 1`).and("I13"),
			insured("payable:insurer:i was moved by", `update premiums.due set amount = amount + 1 where kind = 'refund'`),
		}
	},
	"N2": func(story) []wound {
		return []wound{
			insured("claim clm_1 is paid with 3.01; the books gave 3.00", `update policies.claim set accepted = 301 where id = 'clm_1'`),
			insured("3.00 was given for claim clm_1, which is accepted", `alter table policies.claim disable trigger claim_moves`,
				`update policies.claim set state = 'accepted' where id = 'clm_1'`, `update premiums.due set paid_at = paid_at - interval '11 minutes' where kind = 'claim'`),
			insured("gave 3.00 for nothing that was due", `update premiums.due set id = 'due_x' where kind = 'claim'`),
		}
	},
	"P1": func(story) []wound {
		return []wound{
			post("the market paid -0.05 MAD by its books; its escrows make 0.00", "chargeback.regained", ledger.Debit("fees", 10), ledger.Credit("loss", 5), ledger.Credit("promotions", 5)),
			do("order A was promised 0.00 of the market; its escrow says 9.00", `update escrow.hold set bonus = 900, bonus_given = div(900 * (gone[1] + gone[2] + gone[3] + gone[4]), amount - legs[5]) where order_id = 'A'`),
			do("has 0.00 of the 9.00 that the market promised, for 190.00 of 190.00", `alter table escrow.hold drop constraint hold_bonus_given, drop constraint hold_bonus_back`,
				`update escrow.hold set bonus_given = 900 - bonus_given where order_id = 'A'`),
		}
	},
	"P2": func(story) []wound {
		made := `insert into promotions.promotion (id, seller, slot, code, names, kind, amount, since, until, total, payer, budget, agreed_at)
			values ('prm_1', '', 1, '', '{"fr":"x"}', 'amount', 100, now(), now() + interval '1 day', 5, 'market', 500, now())`
		return []wound{
			do("promotion prm_1 counts 1 uses that cost 1.00; its orders make 0 and 0.00", made, `update promotions.promotion set used = 1, spent = 100`),
			do("order A has 0.00 off, 0.00 of the market; what it used makes 1.00 and 1.00", `insert into promotions.redemption (order_id, promotion, buyer, amount) values ('A', 'prm_1', 'per_b', 100)`),
			do("is expired; what it used of promotion prm_1 was not given back", `insert into promotions.redemption (order_id, promotion, buyer, amount)
				select id, 'prm_1', 'per_b', 100 from orders.seller_order where state = 'expired' limit 1`),
		}
	},
	"E2": func(s story) []wound {
		return []wound{
			{says: "is kept still by dsp_x; these cases are open: ", do: func(w *world) {
				w.workEscrows()
				w.sql(`update escrow.hold set cases = '{dsp_x}', frozen_at = now() where order_id = 'A'`)
			}},
			do("is kept still by ; these cases are open: dsp_h", `update escrow.case_of set ended_at = null where id = 'dsp_h'`),
			do("counts 0 refunds on their way; there are 1", `update escrow.hold set flying = 0 where order_id = 'H'`),
			do("is released with 70.00 of 100.00 gone", `update escrow.hold set state = 'released' where order_id = 'B'`).and("I9"),
		}
	},
	"I10": func(s story) []wound {
		return []wound{
			post("is sent and should have 15.00 MAD on its way; its account has 14.95", "payout.paid", ledger.Debit(ledger.Payout(s.sent.ID), 5), ledger.Credit(safe, 5)),
			post("is paid and should have 0.00 MAD on its way; its account has 0.05", "payout.intent", ledger.Debit("seller:s1:available", 5), ledger.Credit(ledger.Payout(s.paid.ID), 5)),
			post("payout:pay_x has 0.05 MAD for no payout", "payout.intent", ledger.Debit("seller:s1:available", 5), ledger.Credit("payout:pay_x", 5)),
			post("refund:rfd_x has 0.05 MAD for no refund", "escrow.fund", ledger.Debit(clearing, 5), ledger.Credit("refund:rfd_x", 5)).and("I8"),
		}
	},
	"I11": func(s story) []wound {
		return []wound{
			post("took 0.00 MAD; 0.05 is accounted for", "charge.late", ledger.Debit(clearing, 5), ledger.Credit(ledger.Suspense(s.waiting.ID), 5)),
			do("took 300.01 MAD; 300.00 is accounted for", s.fill(`update charges.charge set amount = amount + 1 where id = '{charge}'`)).and("R1"),
			{says: "took 55.01 MAD; 55.00 is accounted for", do: func(w *world) {
				w.ways()
				w.sql(`update charges.credit set amount = amount + 1 where amount = 3000`)
			}},
			do("carrier:demo:cod has 12.50 MAD; the cash of its orders makes 12.49", `update charges.parcel set covered = covered + 1 where order_id = 'WK'`),
		}
	},
	"I12": func(story) []wound {
		return []wound{post("is owed to clients; there is", "sweep", ledger.Debit(own, 9000), ledger.Credit(safe, 9000))}
	},
	"I13": func(s story) []wound {
		return []wound{
			{says: "(paid, 100.00) 2 times, for 100.00", do: func(w *world) { w.statement(entry(-10000, detail(payouts.RefOf(s.paid.ID), -10000, 0))) }},
			{says: "(paid, 20.00) 2 times, for 40.00", do: func(w *world) { w.statement(entry(-2000, detail(payouts.RefOf(s.contradicted.ID), -2000, 0))) }},
			{says: "(rejected, 10.00) 1 times, for 10.00", do: func(w *world) {
				w.sql(`insert into recon.line (id, statement, no, amount, currency, state, ref, matched_to, why, booked_on)
					select 'lin_x', statement, 99, -1000, 'MAD', 'unmatched', $1, '', '', booked_on from recon.line limit 1`, payouts.RefOf(s.rejected.ID))
			}, also: []string{"M1"}},
			{says: "(unknown, 15.00) 1 times, for 15.01", do: func(w *world) { w.statement(entry(-1501, detail(payouts.RefOf(s.sent.ID), -1501, 0))) }},
			do("was done by 1 operations of kind payout", s.fill(`insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, resend_until, proof)
				values ('op_x', '{paid}', 'payout', 'bnk', 'X', 10000, 'MAD', '', 'rejected', now(), 'answer')`),
				`insert into operations.evidence (operation, connector, source, event_id, outcome) values ('op_x', 'bnk', 'statement', 'x', 'succeeded')`),
			do("was executed by 2 operations of kind payout", `update operations.operation set contradicted_at = now() where id = 'op_x'`),
			do("was executed by 2 operations of kind payout", `drop index operations.operation_live`,
				s.fill(`update operations.operation set state = 'confirmed' where id = 'op_x'`)),
			administered("of 1.00 is paid out of 1.01", `update dues.cover set amount = amount + 1`),
			do("of 150.00 is covered for", `update escrow.release set amount = 15000, covered = covered + 1 where order_id = 'A'`),
			do("of 5.00 covers 5.01", s.fill(`update payouts.cover set amount = amount + 1 where payout = '{draft}'`)),
		}
	},
	"I14": func(story) []wound {
		return []wound{
			sealed("was altered after it was sealed", `update ledger.transfer set note = 'x' where key = 'capital'`),
			sealed("block 000000001: the block itself was altered", `update ledger.block set hash = sha256(hash)`),
		}
	},
	"R7": func(story) []wound {
		return []wound{
			sealed("audit 1 was altered after it was sealed", `update platform.audit set actor = 'somebody' where seq = 1`),
			sealed("audit 1 was deleted", `delete from platform.audit where seq = 1`),
		}
	},
	"R10": func(story) []wound {
		const look = `insert into sharing.consultation (at, owner, consent, organisation, by, purpose, action, policy) values `
		return []wound{
			do("had no consent", `alter table sharing.consultation disable trigger all`, look+`(now(), 'org_o', 'cns_none', 'org_b', 'key_1', 'credit', 'list', 'x')`),
			do("had no consent", `alter table sharing.consultation disable trigger all`, `alter table sharing.consent disable trigger consent_is_said`,
				`insert into sharing.consent (id, owner, grantee, purpose, sections, sensitive, days, text, digest, state, asked_by, asked_at, answered_by, evidence, since, until, ended_at)
					values ('cns_1', 'org_o', 'org_b', 'credit', '{financial}', false, 9, '{}', sha256(''), 'withdrawn', 'x', now(), 'x', 'key', now(), now() + interval '9 days', now() + interval '1 day')`,
				look+`(now() + interval '2 days', 'org_o', 'cns_1', 'org_b', 'key_1', 'credit', 'list', 'x')`).and("R14"),
		}
	},
	"R13": func(story) []wound {
		const look = `insert into sharing.consultation (at, owner, consent, organisation, by, purpose, action, policy) values `
		return []wound{{says: "was altered after it was sealed", do: func(w *world) {
			w.sql(`alter table sharing.consultation disable trigger all`)
			w.sql(`with said as (insert into accords.accord (who, subject, about, word, hash, channel) values ('org_o', 'dossier', 'cns_1', 'given', sha256(''), 'api'))
				insert into sharing.consent (id, owner, grantee, purpose, sections, sensitive, days, text, digest, state, asked_by, asked_at, answered_by, evidence, since, until)
				values ('cns_1', 'org_o', 'org_b', 'credit', '{financial}', false, 9, '{}', sha256(''), 'granted', 'x', now(), 'x', 'key', now(), now() + interval '9 days')`)
			w.sql(look + `(now() + interval '1 day', 'org_o', 'cns_1', 'org_b', 'key_1', 'credit', 'list', 'x')`)
			pgtest.Seal(w.t, w.db, seal.Chain{Row: "consultation", View: "sharing.consultation_sealable", Blocks: "sharing.consultation_block"})
			w.sql(`update sharing.consultation set by = 'key_2'`)
		}}}
	},
	"R14": func(story) []wound {
		const wish = `insert into relations.wish (id, person, purpose, granted, source, text_hash, lang, at) values ('wsh_1', 'per_1', 'marketing', true, 'person', repeat('a', 64), 'fr', now())`
		const stance = `insert into relations.stance (person, purpose, granted, wish, at) values ('per_1', 'marketing', true, 'wsh_1', now())`
		const text = `insert into accords.text (subject, version, lang, says, hash) values ('charter', 1, 'fr', 'x', sha256('x'))`
		return []wound{
			do("per_1 is written to, and said last nothing", `alter table relations.stance disable trigger stance_is_said`, wish, stance),
			do("per_2 is told otherwise than it said last", `alter table notices.settings disable trigger wishes_are_said`,
				`insert into notices.settings (owner, channels, changed_at) values ('per_2', '{sms}', now())`),
			do("gave charter  to a text that is not version 1 in fr", text, `alter table accords.text disable trigger all`,
				`insert into accords.accord (who, subject, word, text_version, lang, hash, channel) values ('org_1', 'charter', 'given', 1, 'fr', sha256('x'), 'api')`,
				`alter table accords.text drop constraint text_hash`, `update accords.text set says = 'y'`),
			insured("the member has not said that it agrees to policy ply_1 as it stands", `update policies.policy set consent_hash = repeat('b', 64) where id = 'ply_1'`),
		}
	},
	"R15": func(story) []wound {
		return []wound{{says: "was altered after it was sealed", do: func(w *world) {
			w.sql(`insert into accords.accord (who, subject, about, word, channel) values ('org_o', 'charter', 'sig_1', 'refused', 'api')`)
			pgtest.Seal(w.t, w.db, seal.Chain{Row: "accord", View: "accords.sealable", Blocks: "accords.block"})
			w.sql(`alter table accords.accord disable trigger all`)
			w.sql(`update accords.accord set channel = 'paper'`)
		}}}
	},
	"I15": func(story) []wound {
		return []wound{
			{says: "is unmatched: no operation of ours", do: func(w *world) {
				w.statement(entry(-50, detail("", -50, 0)))
				w.sql(`update recon.line set at = at - interval '25 hours'`)
			}},
			do("is suspense:", `update recon.line set state = 'suspense' where state = 'matched' and amount > 0`),
		}
	},
	"I16": func(s story) []wound {
		return []wound{
			do("is accepted and nobody will ask", s.fill(`update operations.operation set lease_until = now() - interval '1 minute' where subject = '{sent}'`),
				`delete from platform.timer where kind = 'operations.inquire' and subject = (select id from operations.operation where lease_until < now() - interval '59 seconds')`),
			do("waits and nobody will send it", `delete from platform.timer where kind like 'files.%'`,
				s.fill(`update operations.operation set state = 'intent', changed_at = now() - interval '11 minutes' where subject = '{sent}'`)),
		}
	},
	"I17": func(s story) []wound {
		aged := func(code, age string) string {
			return `update ledger.entry set effective_at = effective_at - interval '` + age + `' where account_id = ` + of(code)
		}
		return []wound{
			post("bank:bnk:operating has -", "settlement", ledger.Debit(transit, 200001), ledger.Credit(clearing, 1), ledger.Credit(own, 200000)),
			do("has not been settled for longer than 8 days", s.fill(`update escrow.hold set funded_at = now() - interval '10 days' where charge = '{fresh}'`)),
			do("psp:acq:clearing holds money for longer than 8 days", aged(clearing, "9 days")),
			do("bank:bnk:transit holds money for longer than 31 days", aged(transit, "32 days")),
			do("holds money for longer than 31 days", aged("suspense:"+s.late.ID, "32 days")),
			{says: "the cash of order WK, 12.50 MAD, has been owed by demo for longer than 16 days", do: func(w *world) {
				w.ways()
				w.sql(`update charges.parcel set collected_at = now() - interval '17 days' where order_id = 'WK'`)
			}},
			{says: "carrier:demo:cod holds money for longer than 16 days", also: []string{"I8", "I11"}, do: func(w *world) {
				w.post("escrow.fund", ledger.Debit("carrier:demo:cod", 5), ledger.Credit(clearing, 5))
				w.sql(aged("carrier:demo:cod", "17 days"))
			}},
		}
	},
	"R6": func(s story) []wound {
		return []wound{
			do("asked for by «seller s1», approved by «seller s1»", `alter table payouts.payout drop constraint payout_other`,
				s.fill(`update payouts.payout set approved_by = created_by where id = '{paid}'`)),
			do("payout pay_x of 60000.00 is paid", `insert into payouts.payout (id, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at)
				values ('pay_x', 's1', 'bnk', 'PAYX', 'MAD', 6000000, '`+paperbank.RIB(1)+`', 'x', 'paid', false, 'seller s1', now(), now())`,
				`insert into payouts.cover values ('pay_x', 'rel_x', 6000000)`,
				`insert into escrow.release (id, hold, order_id, seller, charge, currency, amount, covered, settled) values ('rel_x', '', '', 's1', '', 'MAD', 6000000, 6000000, true)`),
		}
	},
	"H1": func(s story) []wound {
		return []wound{
			do("was sent at", `insert into treasury.halt (id, reason, on_by, on_at) values ('hlt_x', 'x', 'x', (select min(sent_at) from operations.operation where kind = 'payout') - interval '6 seconds')`),
		}
	},
	"M1": func(story) []wound {
		return []wound{
			do("statement S6 and what came since make 242.01 MAD; the books have 242.00", `update recon.statement set closing = closing + 1 where statement_id = 'S6'`),
			{says: "statement S6 and what came since make 242.01 MAD; the books have 242.05", do: func(w *world) {
				w.post("suspense", ledger.Debit(safe, 5), ledger.Credit("suspense:x", 5))
				w.sql(`update ledger.transfer set recorded_at = recorded_at - interval '1 day' where key like 'by hand%'`)
			}},
		}
	},
	"M2": func(story) []wound {
		return []wound{
			{says: "was closed as revision 1; account " + safeguard + " of bnk is another since", do: func(w *world) {
				w.tx(func(ctx context.Context, tx *pg.Tx) error {
					_, err := clock.Advance(ctx, tx, 48*time.Hour)
					audit.Record(tx, "demo.clock", "clock", "platform.operator", nil)
					return err
				})
				w.closeDay(time.Now().UTC())
				w.sql(`update recon.line set ref = 'OTHER' where state = 'matched'`)
			}},
			do("does not follow on the one before", `update recon.closing set prev = 'x'`),
		}
	},
	"R1": func(s story) []wound {
		return []wound{
			do("basket bsk G1 was ordered by G1 and G2", `drop index orders.order_group_basket`, `update orders.order_group set basket = 'bsk G1' where id = 'G2'`),
			do("group G2 costs 80.01 MAD; its orders make 80.00", `update orders.order_group set total = total + 1 where id = 'G2'`),
			do("group G1 costs 299.99 MAD; charge "+s.charge.ID+" took 300.00 MAD", `update orders.order_group set total = total - 1 where id = 'G1'`),
			{says: "group GW5 costs 50.00 MAD; charge", do: func(w *world) {
				w.ways()
				w.sql(`update charges.transfer set returned = returned + 1 where returned > 0`)
			}},
			do("order C is paid; no charge of G2 is confirmed", `update orders.seller_order set state = 'paid' where id = 'C'`).and("R3"),
			do("group G1 was paid by "+s.charge.ID+" and "+s.fresh.ID, `alter table charges.charge drop constraint charge_group_id_key`,
				s.fill(`update charges.charge set group_id = 'G1' where id = '{fresh}'`)),
		}
	},
	"R2": func(story) []wound {
		return []wound{
			do("variant var A has 4; its moves make 3", `update catalog.variant set on_hand = on_hand + 1 where id = 'var A'`),
			do("variant var C has 1 reserved; its reservations make 2", `update catalog.variant set reserved = 1 where id = 'var C'`),
			do("variant var B has 3, of which 4 reserved", `alter table catalog.variant drop constraint variant_stock, drop constraint variant_stock_placed`, `update catalog.variant set reserved = 4 where id = 'var B'`),
		}
	},
	"R3": func(story) []wound {
		sold := func(order, variant string) []string {
			return []string{
				`insert into catalog.stock_move (variant, delta, reason, ref) values ('` + variant + `', -1, 'sold', '` + order + `')`,
				`update catalog.variant set on_hand = on_hand - 1 where id = '` + variant + `'`,
			}
		}
		return []wound{
			do("order A (completed) bought 2 of var A; 3 were taken, in 2 times", sold("A", "var A")...),
			do("order C (pending_payment) bought 0 of var C; 1 were taken", sold("C", "var C")...),
			do("1 of var D were taken for ord_x", sold("ord_x", "var D")...),
			do("return ret_1 brought 1 of var A into stock; 0 came back whole", append(aReturn("ret_1"),
				`insert into catalog.stock_move (variant, delta, reason, ref) values ('var A', 1, 'returned', 'ret_1')`,
				`update catalog.variant set on_hand = on_hand + 1 where id = 'var A'`)...),
			do("return ret_2 brought 0 of var A into stock; 1 came back whole", append(aReturn("ret_2"), `update orders.return_line set whole = 1 where ret = 'ret_2'`)...),
			do("order A counts 0 of var A as sent back; its returns make 3", append(aReturn("ret_3"), `update orders.returned set quantity = 0`)...),
			do("return ret_4 paid 5.00 back; its refund rfd_x is of nothing", append(aReturn("ret_4"),
				`update orders.return set state = 'refunded', refund = 'rfd_x', back = 500, received_at = now(), ended_at = now() where id = 'ret_4'`)...),
			do("order E still waits for payment", `update orders.seller_order set state = 'pending_payment' where id = 'E'`,
				`update escrow.hold set funded_at = now() - interval '11 minutes' where order_id = 'E'`),
		}
	},
	"G1": func(story) []wound {
		group := func(n int, state string, paid, undone int, final string) string {
			return fmt.Sprintf(`insert into groupbuys.group_buy (id, seller, offer, variant, names, variant_names, category, region, commune, organiser, organiser_role, slot,
					min_qty, max_qty, price, tiers, way, deadline, state, paid, buyers, undone, final, why, closed_at)
				values ('gbu_%d', 's', 'o', 'v', '{}', '{}', 'c', 'r', 'c', 's', 'seller', %[1]d, 2, 9, 1000, '[]', '', now() + interval '1 day', '%s', %d, least(1, %[3]d), %d, %s, 'x', now())`,
				n, state, paid, undone, final)
		}
		seat := func(n int, order, state string, squared bool) string {
			return fmt.Sprintf(`insert into groupbuys.seat (id, grp, buyer, quantity, agreement, order_id, state, paid_back, squared) values ('sea_%d', 'gbu_%[1]d', 'b', 2, 'agr_%[1]d', '%s', '%s', 100, %t)`,
				n, order, state, squared)
		}
		return []wound{
			do("group gbu_1 counts 1 paid by 1 and 0 not paid; its seats make 0 by 0 and 0", group(1, "open", 1, 0, "null")),
			do("group gbu_2 is ordered with 1 orders open; its seats make 0", group(2, "ordered", 2, 1, "900")),
			do("order A is completed and waits f, and its place in gbu_3 is late", group(3, "failed", 0, 0, "null"), seat(3, "A", "late", false)),
			do("order B had 1.00 back of group gbu_4; the difference is 2.00, its order says 0.00 and its refunds make 0.00", group(4, "distributed", 2, 0, "900"), seat(4, "B", "served", true)),
		}
	},
	"G2": func(story) []wound {
		pool := func(n int, state, price string, quantity int) string {
			return fmt.Sprintf(`insert into pools.pool (id, organiser, slot, names, text, category, unit, region, commune, ceiling, least, deadline, state, price, quantity)
				values ('pol_%d', 'o', %[1]d, '{"fr":"x"}', '', 'c', 'u', 'r', 'c', 1000, 1, now() + interval '1 day', '%s', %s, %d)`, n, state, price, quantity)
		}
		pledge := func(n int, member, side, variant string, price int) string {
			return fmt.Sprintf(`insert into pools.pledge (id, pool, member, side, variant, quantity, price, filled, state) values ('plg_%d_%s', 'pol_%[1]d', '%[2]s', '%s', '%s', 2, %d, 1, 'matched')`,
				n, member, side, variant, price)
		}
		return []wound{
			do("pool pol_1 matched 5 at 9.00 with 0 open; its deals make 0, 0 open", pool(1, "cleared", "900", 5)),
			do("pledge plg_2_b of 2 was filled with 1; its deals make 0", pool(2, "open", "null", 0), pledge(2, "b", "buy", "", 900)),
			do("deal dea_1 is at 9.00; pool pol_3 cleared at 9.00, and b pledged 8.00", pool(3, "settled", "900", 1), pledge(3, "b", "buy", "", 800), pledge(3, "s", "sell", "v", 500),
				`insert into pools.deal (id, pool, buyer, seller, variant, quantity, price, agreement, state, order_id, until) values ('dea_1', 'pol_3', 'b', 's', 'v', 1, 900, 'agr_1', 'paid', 'A', now())`),
		}
	},
	"R11": func(story) []wound {
		paper := func(id, kind, of, cause string, n, total int) []string {
			return []string{
				fmt.Sprintf(`insert into orders.invoice (id, order_id, seller, kind, year, n, of, cause, issued_at, currency, total, vat, body)
					select '%s', id, seller, '%s', 2026, %d, nullif('%s', ''), '%s', now(), 'MAD', %d, 0, '{}' from orders.seller_order where id = 'A'`, id, kind, n, of, cause, total),
				fmt.Sprintf(`insert into orders.invoice_vat (invoice, basis_points, total, vat) values ('%s', 0, %d, 0)`, id, total),
			}
		}
		return []wound{
			do("1 papers, the last is 2 and the series stands at 2", append(paper("inv_1", "invoice", "", "", 2, 1000),
				`insert into orders.invoice_series (seller, kind, year, last) select seller, kind, year, n from orders.invoice`)...),
			do("invoice inv_1 is of 10.00; 10.01 was credited", paper("inv_2", "credit_note", "inv_1", "x", 1, 1001)...),
			do("invoice inv_3 is of 10.00 with VAT 0.00; its rates make 0.00 with 0.00", paper("inv_3", "credit_note", "inv_1", "y", 2, 1000)[:1]...),
		}
	},
	"R12": func(story) []wound {
		move := func(id, kind, ref string, points int) []string {
			return []string{
				fmt.Sprintf(`insert into loyalty.move (id, person, kind, ref, actor, points, owed, after, at) values ('%s', 'per_x', '%s', '%s', 'x', %d, 0, 0, now())`, id, kind, ref, points),
				fmt.Sprintf(`insert into loyalty.entry (move, account, amount) values ('%s', 'points', %d), ('%s', 'issued', %d)`, id, points, id, -points),
			}
		}
		return []wound{
			do("per_x has 5 points and owes 0; its moves make 0 and 0", `insert into loyalty.account (person, points) values ('per_x', 5)`,
				`insert into loyalty.lot (move, person, ref, points, remains, expires_at) values ('m0', 'per_x', 'x', 5, 5, now())`),
			do("per_x has 5 points; its lots make 4", append(move("m0", "adjusted", "m0", 5), `update loyalty.lot set points = 4, remains = 4`)...),
			do("lot m0 has 5 of 6; 0 were drawn", `update loyalty.lot set points = 6, remains = 5`),
			do("move m0 adds up to 1", `update loyalty.lot set points = 5`, `update loyalty.entry set amount = amount + 1 where account = 'issued'`),
			do("order ord_y stands for 3 points; its moves make 0", `update loyalty.entry set amount = -5 where account = 'issued'`,
				`insert into loyalty.sale (order_id, person, seller, total, kept, earned, net, completed_at) values ('ord_y', 'per_x', 'org_x', 100, 100, 3, 3, now())`),
			do("of prm_y 2 points came back; its moves make 0", `delete from loyalty.sale`,
				`insert into loyalty.voucher (promotion, person, move, points, worth, until, back) values ('prm_y', 'per_x', 'm0', 5, 5, now(), 2)`),
		}
	},
	"R4": func(story) []wound {
		return []wound{
			do("acq told captured", `alter table operations.evidence drop constraint evidence_connector_event_id_key`,
				`insert into operations.evidence (operation, connector, source, event_id, outcome) select operation, connector, source, event_id, outcome from operations.evidence where event_id like 'captured%'`),
			do("of bnk was taken in 2 times", `drop index recon.file_once`,
				`insert into recon.file (id, bank, name, sha256, bytes, kind) select 'x', bank, name, sha256, '', kind from recon.file limit 1`),
			do("statement S1 of bnk was read 2 times", `alter table recon.statement drop constraint statement_bank_account_kind_statement_id_page_key`,
				`insert into recon.statement (id, file, bank, account, statement_id, kind, sequence, currency, opening, closing, content, entries, matched, partly, unmatched, created_at, page, day)
				select 'stm_x', 'x', bank, account, statement_id, kind, sequence, currency, opening, closing, 'other', 1, 0, 0, 0, created_at, page, day from recon.statement where statement_id = 'S1'`),
			do("was booked 2 times", `insert into recon.line (id, statement, no, amount, currency, state, ref, bank_ref, booked_on)
				select 'lin_x', 'stm_x', 1, amount, currency, state, ref, bank_ref, booked_on from recon.line where state = 'suspense'`).and("M1"),
		}
	},
	"R5": func(s story) []wound {
		job := func(event, state, created, ended string) string {
			return `insert into river.river_job (kind, args, state, created_at, finalized_at, max_attempts, queue)
				values ('event.deliver', '{"event":"` + event + `","type":"x","subscriber":"y"}', '` + state + `', ` + created + `, ` + ended + `, 25, 'events')`
		}
		return []wound{
			do("timer charges.window of "+s.waiting.ID, s.fill(`update platform.timer set due = now() - interval '11 minutes' where kind = 'charges.window'`)),
			do("event evt_1 (x) for y is available since", job("evt_1", "available", "now() - interval '11 minutes'", "null")),
			do("event evt_2 (x) for y is discarded since", job("evt_2", "discarded", "now()", "now()")),
			do("event evt_b (x) never reached y",
				`insert into platform.event (id, type, subject, payload, at) select id, 'x', '', '{}', now() - interval '11 minutes' from unnest(array['evt_a', 'evt_b', 'evt_c']) id`,
				`insert into platform.handled (event, subscriber) values ('evt_a', 'y'), ('evt_c', 'y')`),
		}
	},
}

func TestEachBrokenPromiseIsSeen(t *testing.T) {
	t.Parallel()
	for id, wounds := range cases {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			want := map[string]bool{id: true}
			for _, o := range wounds(w.work()) {
				o.do(w)
				got := w.broken()
				if !slices.ContainsFunc(got[id].Rows, func(row string) bool { return strings.Contains(row, o.says) }) {
					t.Errorf("%s does not say «%s»; it says %q", id, o.says, got[id].Rows)
				}
				for _, other := range o.also {
					want[other] = true
				}
				for other, f := range got {
					if !want[other] {
						t.Errorf("%s is red too after «%s»: %q", other, o.says, f.Rows)
					}
				}
			}
		})
	}
}

func TestEveryPromiseHasItsCase(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, i := range invariants.All {
		if slices.Contains(ids, i.ID) {
			t.Errorf("there are two promises %s", i.ID)
		}
		if i.Promise == "" || !strings.HasSuffix(i.Promise, ".") {
			t.Errorf("the promise %s is no sentence: %q", i.ID, i.Promise)
		}
		ids = append(ids, i.ID)
	}
	slices.Sort(ids)
	if got := slices.Sorted(maps.Keys(cases)); !slices.Equal(got, ids) {
		t.Errorf("cases for %v, want %v", got, ids)
	}
}

// aReturn is one of the two articles of order A on its way back.
func aReturn(id string) []string {
	return []string{
		`drop index if exists orders.return_once`,
		`insert into orders.return (id, order_id, seller, buyer, currency, reason, wish, text, state, goods, requested_at)
			select '` + id + `', id, seller, buyer, 'MAD', 'damaged', 'refund', '', 'requested', 1000, now() from orders.seller_order where id = 'A'`,
		`insert into orders.return_line (ret, order_id, variant, quantity, total) values ('` + id + `', 'A', 'var A', 1, 1000)`,
		`insert into orders.returned (order_id, variant, bought, quantity) values ('A', 'var A', 2, 1) on conflict do nothing`,
	}
}
