package invariants_test

import (
	"fmt"
	"testing"

	"tiwiza/payments/invariants"
)

// grow loads a market of n orders in bulk, each charged, settled, released and
// paid out: five transfers and 16 entries an order, in 200 sellers' accounts.
func (w *world) grow(n int) {
	w.t.Helper()
	w.sql(fmt.Sprintf(`create temp table o as select n, 'ord_' || n as id, 'chg_' || n as charge, 'pay_' || n as payout, 's' || n %% 200 as seller from generate_series(1, %d) n`, n))
	for _, text := range []string{
		`create temp table leg as
			select o.n * 5 + k as transfer, kind, leg, code, amount from o cross join lateral (values
				(0, 'escrow.fund', 0, 'psp:acq:clearing', 10000), (0, 'escrow.fund', 1, 'escrow:' || o.id, -10000),
				(1, 'escrow.release', 0, 'escrow:' || o.id, 10000), (1, 'escrow.release', 1, 'seller:' || o.seller || ':available', -7800),
				(1, 'escrow.release', 2, 'fees', -1000), (1, 'escrow.release', 3, 'payable:vat', -200), (1, 'escrow.release', 4, 'payable:carrier:demo', -1000),
				(2, 'payout.intent', 0, 'seller:' || o.seller || ':available', 7800), (2, 'payout.intent', 1, 'payout:' || o.payout, -7800),
				(3, 'payout.paid', 0, 'payout:' || o.payout, 7800), (3, 'payout.paid', 1, 'bank:bnk:safeguard', -7800),
				(4, 'settlement', 0, 'bank:bnk:safeguard', 9800), (4, 'settlement', 1, 'psp_cost', 200), (4, 'settlement', 2, 'bank:bnk:transit', 200),
				(4, 'settlement', 3, 'psp:acq:clearing', -10000), (4, 'settlement', 4, 'bank:bnk:operating', -200)) l (k, kind, leg, code, amount)`,
		`insert into leg values (1, 'capital', 0, 'bank:bnk:operating', 1000000000), (1, 'capital', 1, 'capital', -1000000000)`,
		`insert into ledger.account (code, currency, normal, floor) select distinct code, 'MAD',
			case when code ~ '^(psp|bank)' then 'D' else 'C' end, case when code ~ '^(escrow|payout|seller):' then 0 end from leg`,
		`insert into ledger.transfer (id, key, request, kind, effective_at, recorded_at) select distinct transfer, transfer::text, ''::bytea, kind, now(), now() from leg`,
		`insert into ledger.entry select transfer, leg, a.id, 0, 'MAD', amount, now() from leg join ledger.account a using (code)`,
		`insert into ledger.balance (account_id, dr, cr, normal, floor)
			select a.id, sum(greatest(e.amount, 0)), sum(greatest(-e.amount, 0)), a.normal, a.floor from ledger.account a join ledger.entry e on e.account_id = a.id group by a.id`,
		`insert into charges.charge (id, group_id, buyer, method, acquirer, ref, currency, amount, contact, state, captured, settled, version, created_at, expires_at)
			select charge, 'grp_' || n, 'per', 'card', 'acq', upper(charge), 'MAD', 10000, '{}', 'confirmed', 10000, true, 1, now(), now() from o`,
		`insert into escrow.hold (id, order_id, seller, buyer, charge, carrier, currency, amount, released, legs, gone, state, wait_s, settled, funded_at)
			select 'esc_' || n, id, seller, 'per', charge, 'demo', 'MAD', 10000, 10000, '{7800,0,1000,200,1000}', '{7800,0,1000,200,1000}', 'released', 0, true, now() from o`,
		`insert into escrow.release select 'rel_' || n, 'esc_' || n, id, seller, charge, 'MAD', 7800, 7800, true, now() from o`,
		`insert into payouts.payout select payout, seller, 'bnk', upper(payout), 'MAD', 7800, repeat('0', 24), 'x', 'paid', false, 'seller', '', '', 1, now(), now() from o`,
		`insert into payouts.cover select payout, 'rel_' || n, 7800 from o`,
		`insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, resend_until, proof)
			select 'op_' || kind || n, case kind when 'payout' then payout else charge end, kind, case kind when 'payout' then 'bnk' else 'acq' end,
				upper(kind || n), case kind when 'payout' then 7800 else 10000 end, 'MAD', '', case kind when 'charge' then 'accepted' else 'confirmed' end, now(),
				case kind when 'charge' then '' else 'statement' end
			from o, unnest(array['charge', 'capture', 'payout']) kind`,
		`insert into platform.timer (kind, subject, due, next_at) select 'operations.inquire', id, now(), now() from operations.operation where state = 'accepted'`,
		`insert into operations.evidence (operation, connector, source, event_id, outcome)
			select id, connector, 'statement', id || e, 'succeeded' from operations.operation, generate_series(1, 2) e where state = 'confirmed'`,
		`insert into recon.statement (id, file, bank, account, statement_id, kind, sequence, page, currency, opening, closing, content, entries, matched, partly, unmatched, created_at, day)
			select 'stm', 'fil', 'bnk', 'rib', 'S1', 'statement', 1, 1, 'MAD', 0, 2000 * count(*), '', 0, 0, 0, 0, now(), now() from o`,
		`insert into recon.line (id, statement, no, amount, booked, currency, state, ref, bank_ref, matched_to, booked_on)
			select 'lin_' || k || n, 'stm', 2 * n + k, a.amount, a.amount, 'MAD', 'matched', upper(case k when 0 then charge else payout end), k::text || n,
				case k when 0 then charge else payout end, now()
			from o, generate_series(0, 1) k, lateral (select case k when 0 then 9800 else -7800 end as amount) a`,
		`insert into recon.booking (line, bank, account, amount, at) select id, 'bnk', 'rib', booked, (select at from recon.statement) from recon.line`,
		`insert into platform.event (id, type, subject, payload, at) select 'evt_' || t || n, t, id, '{}', now() - interval '1 hour' from o, unnest(array['a', 'b', 'c', 'd', 'e']) t`,
		`insert into platform.handled (event, subscriber) select id, 'orders' from platform.event`,
		`insert into platform.audit (action, subject, policy) select 'x', id, 'y' from platform.event`,
		`insert into catalog.offer (id, seller, ref, category, names, region, state, created_at) values ('off', 's', 'r', 'c', '{}', 'r', 'draft', now())`,
		`insert into catalog.variant (id, offer, seller, sku, price, on_hand) select 'var_' || v, 'off', 's', v, 5000, 1000000 from generate_series(0, 999) v`,
		`insert into catalog.stock_move (variant, delta, reason) select 'var_' || v, 1000000, 'created' from generate_series(0, 999) v`,
		`insert into catalog.stock_move (variant, delta, reason, ref) select 'var_' || n % 1000, -2, 'sold', id from o`,
		`update catalog.variant v set on_hand = (select sum(delta) from catalog.stock_move m where m.variant = v.id)`,
		`insert into catalog.reservation select id, 'var_' || n % 1000, 2, 'taken', now() from o`,
		`insert into orders.order_group select 'grp_' || n, 'bsk_' || n, 'per', charge, 'MAD', 10000, '{}', '{}', now() from o`,
		`insert into orders.seller_order (id, grp, seller, seller_names, buyer, state, currency, goods, delivery, total, legs, method, delivery_code)
			select id, 'grp_' || n, seller, '{}', 'per', 'completed', 'MAD', 10000, 0, 10000, '{}', 'carrier', '0000' from o`,
		`insert into orders.line select id, 'var_' || n % 1000, 'off', '{}', '{}', 'x', 2, 5000, 10000 from o`,
		`analyze`,
	} {
		w.sql(text)
	}
}

// BenchmarkCheck measures a whole look at books of 100,000 transfers and 320,000
// entries, and says what each promise takes of it.
func BenchmarkCheck(b *testing.B) {
	w := open(b)
	w.grow(20_000)
	took := map[string]float64{}
	for b.Loop() {
		found, err := invariants.Check(b.Context(), w.db)
		w.ok(err)
		for _, f := range found {
			if f.Count > 0 {
				b.Fatalf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
			}
			took[f.ID] += float64(f.Took.Microseconds()) / 1000
		}
	}
	for id, ms := range took {
		b.ReportMetric(ms/float64(b.N), id+"-ms")
	}
}
