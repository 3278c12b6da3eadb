package invariants

import (
	"fmt"

	"tiwiza/payments/ledger"
)

// dh is an amount of centimes as people read it.
func dh(centimes string) string {
	return `to_char((` + centimes + `) / 100.0, 'FM9999999999999990.00')`
}

// in is what stands in the accounts of a class, by account, as a common table.
func in(class, name string) string {
	return name + ` as (
		select a.code, a.currency, sum(b.cr - b.dr)::bigint as has from account a join ledger.balance b on b.account_id = a.id
		where a.class = '` + class + `' group by a.code, a.currency)`
}

// books are the promises about the books themselves (PAYMENTS.md §6).
var books = []Invariant{
	{"I1", "Every transfer in the books adds up to zero, to the centime.", `
		select format('transfer %s is off by %s %s', transfer_id, ` + dh("sum(amount)") + `, currency)
		from ledger.entry group by transfer_id, currency having sum(amount) <> 0`},

	{"I2", "All accounts together add up to zero in each currency.", `
		select format('the balances in %s are off by %s', a.currency, ` + dh("sum(b.dr - b.cr)") + `)
		from ledger.balance b left join ledger.account a on a.id = b.account_id group by a.currency having sum(b.dr - b.cr) <> 0`},

	{"I3", "Every balance equals the replay of its entries.", `
		select format('account %s (%s, part %s) has debits %s and credits %s; its entries say %s and %s', account_id, a.code, shard,
			` + dh("coalesce(b.dr, 0)") + `, ` + dh("coalesce(b.cr, 0)") + `, ` + dh("coalesce(e.dr, 0)") + `, ` + dh("coalesce(e.cr, 0)") + `)
		from (select account_id, shard, sum(greatest(amount, 0))::bigint as dr, sum(greatest(-amount, 0))::bigint as cr
			from ledger.entry group by account_id, shard) e
		full join ledger.balance b using (account_id, shard) left join ledger.account a on a.id = account_id
		where coalesce(b.dr, 0) <> coalesce(e.dr, 0) or coalesce(b.cr, 0) <> coalesce(e.cr, 0)`},

	// A guard that was taken off an account is as bad as an overdraft.
	// A carrier or an insurer has no floor in the chart: what a bank pays that it had
	// refused is booked. Nothing else may take one below zero.
	{"I4", "No account lies below its floor, and each has the guard that the chart gives it; carriers and insurers are paid what is due to them.", `
		with ` + account + `
		select format('%s has %s %s', a.code, ` + dh("sum(case a.side when 'C' then b.cr - b.dr else b.dr - b.cr end - b.held)") + `, a.currency)
		from account a join ledger.balance b on b.account_id = a.id where a.floored group by a.id, a.code, a.currency
		having sum(case a.side when 'C' then b.cr - b.dr else b.dr - b.cr end - b.held) < 0
		union all
		select format('%s (part %s) is not guarded as the chart says', a.code, b.shard)
		from account a left join ledger.balance b on b.account_id = a.id
		where a.class is not null and (b.account_id is null or a.normal <> a.side or b.normal <> a.side
			or a.floored <> (a.floor is not null) or a.floored <> (b.floor is not null))
		union all
		select format('%s has %s %s, and no payout to it was refused and paid all the same', a.code, ` + dh("sum(b.cr - b.dr)") + `, a.currency)
		from account a join ledger.balance b on b.account_id = a.id where a.class in ('payable:carrier:*', 'payable:insurer:*')
			and not exists (select from payouts.payout p where p.contradicted and a.code = 'payable:' || p.payee || ':' || p.seller)
		group by a.id, a.code, a.currency having sum(b.cr - b.dr) < 0`},

	{"I5", "What is kept back inside an account equals its open holds.", `
		select format('account %s (%s, part %s) keeps back %s; its open holds come to %s', coalesce(b.account_id, h.account_id), a.code, b.shard,
			` + dh("coalesce(b.held, 0)") + `, ` + dh("coalesce(h.remains, 0)") + `)
		from (select account_id, shard, held from ledger.balance where held <> 0) b
		full join (select account_id, sum(remains) as remains from ledger.hold where state = 'open' group by account_id) h
			on h.account_id = b.account_id and b.shard = 0
		left join ledger.account a on a.id = coalesce(b.account_id, h.account_id)
		where coalesce(b.held, 0) <> coalesce(h.remains, 0)`},

	{"I6", "Every transfer has two entries or more, and every entry its transfer.", `
		select case when t.id is null then format('transfer %s is missing; it has %s entries', e.transfer_id, e.n)
			else format('transfer %s (%s) has %s entries', t.id, t.kind, coalesce(e.n, 0)) end
		from ledger.transfer t full join (select transfer_id, count(*) as n from ledger.entry group by transfer_id) e on e.transfer_id = t.id
		where t.id is null or coalesce(e.n, 0) < 2`},

	{"I7", "Every entry is in the currency of its account, and the chart has the account.", `
		with ` + account + `
		select format('entry %s of transfer %s is in %s; account %s is in %s', e.leg, e.transfer_id, e.currency,
			coalesce(a.code, e.account_id::text), coalesce(a.currency, 'nothing'))
		from ledger.entry e left join ledger.account a on a.id = e.account_id where a.currency is distinct from e.currency
		union all
		select format('account %s is not in the chart', a.code) from account a where a.class is null`},

	{"I8", "Every transfer has the legs of its kind, and none but the sweep leaves clients worse off.", `
		with ` + account + `, need (kind, must, may) as ` + needs() + `,
		seen as (
			select e.transfer_id, e.currency, bit_or(case when e.amount > 0 then a.bit else a.bit << 32 end) as legs,
				sum(e.amount) filter (where a.client <> 0) as gain
			from ledger.entry e join account a on a.id = e.account_id group by e.transfer_id, e.currency)
		select format('transfer %s is not the mirror of transfer %s', r.id, r.reverses)
		from ledger.transfer r
		where r.kind = '` + reversal + `' and exists (
			select from ledger.entry e where e.transfer_id in (r.id, r.reverses) group by e.account_id, e.currency having sum(e.amount) <> 0)
		union all
		select concat_ws(', ', format('transfer %s (%s)', t.id, t.kind),
			case when n.kind is null and t.kind <> '` + reversal + `' then 'is of no known kind' end,
			case when s.legs & ~n.may <> 0 then 'has a leg that its kind does not know' end,
			case when s.legs & n.must <> n.must then 'lacks a leg that its kind needs' end,
			case when s.gain < 0 and t.kind <> '` + sweep + `' then format('takes %s %s from clients', ` + dh("-s.gain") + `, s.currency) end)
		from seen s join ledger.transfer t on t.id = s.transfer_id left join need n on n.kind = t.kind
		where t.kind <> '` + reversal + `' and (n.kind is null or s.legs & ~n.may <> 0 or s.legs & n.must <> n.must)
			or s.gain < 0 and t.kind <> '` + sweep + `'`},

	{"I9", "An escrow's account holds what the escrow says, and nothing once it has ended.", `
		with ` + account + `, ` + in("escrow:*", "held") + `
		select case when h.id is null then format('%s holds %s %s for no escrow', l.code, ` + dh("l.has") + `, l.currency)
			else format('escrow %s is %s and should hold %s %s; its account has %s', h.id, h.state, ` + dh(held) + `, h.currency, ` + dh("coalesce(l.has, 0)") + `) end
		from held l full join escrow.hold h on l.code = 'escrow:' || h.order_id and l.currency = h.currency
		where coalesce(l.has, 0) <> ` + held},

	{"I10", "Money on its way is exactly the amount of its payout or refund until the end is known, and nothing after.", `
		with ` + account + `, ` + in("payout:*", "flying") + `, ` + in("refund:*", "back") + `
		select case when p.id is null then format('%s has %s %s for no payout', f.code, ` + dh("f.has") + `, f.currency)
			else format('payout %s is %s and should have %s %s on its way; its account has %s', p.id, p.state, ` + dh(flying) + `, p.currency, ` + dh("coalesce(f.has, 0)") + `) end
		from flying f full join payouts.payout p on f.code = 'payout:' || p.id and f.currency = p.currency
		where coalesce(f.has, 0) <> ` + flying + `
		union all
		select case when r.id is null then format('%s has %s %s for no refund', b.code, ` + dh("b.has") + `, b.currency)
			else format('refund %s is %s and should have %s %s on its way; its account has %s', r.id, r.state, ` + dh(returning) + `, r.currency, ` + dh("coalesce(b.has, 0)") + `) end
		from back b full join charges.refund r on b.code = 'refund:' || r.id and b.currency = r.currency
		where coalesce(b.has, 0) <> ` + returning},

	{"I11", "What was taken from a buyer is released, refunded, held or in suspense, and nothing else.", `
		with ` + account + `, ` + in("escrow:*", "held") + `, ` + in("suspense:*", "loose") + `,
		taken as (
			select c.id, c.currency, case c.method
				when 'transfer' then (select coalesce(sum(r.amount), 0)::bigint from charges.credit r where r.subject = c.id)
				when 'cash_on_delivery' then (select coalesce(sum(p.cash), 0)::bigint from charges.parcel p where p.charge = c.id)
				when 'wallet' then (select coalesce(sum(w.amount), 0)::bigint from operations.operation w
					where w.subject = c.id and w.kind = 'wallet' and (w.state = 'confirmed' or w.state = 'rejected' and w.contradicted_at is not null))
				else greatest(case when c.state = 'confirmed' then c.amount else 0 end, coalesce(o.amount, 0)) end as amount
			from charges.charge c
			left join (select subject, sum(amount) as amount from operations.operation where kind = 'capture' and state = 'confirmed' group by subject) o
				on o.subject = c.id),
		kept as (
			select h.charge, sum(h.released + h.refunded + h.charged + coalesce(l.has, 0)) as amount
			from escrow.hold h left join held l on l.code = 'escrow:' || h.order_id and l.currency = h.currency group by h.charge),
		gone as (
			select charge, sum(amount) as amount from (
				select charge, amount from charges.refund where order_id = '' and state <> 'rejected'
				union all select charge, taken from charges.chargeback) g group by charge)
		select format('charge %s took %s %s; %s is accounted for', t.id, ` + dh("t.amount") + `, t.currency, ` + dh("coalesce(k.amount, 0) + coalesce(s.has, 0) + coalesce(g.amount, 0)") + `)
		from taken t left join kept k on k.charge = t.id left join loose s on s.code = 'suspense:' || t.id and s.currency = t.currency
			left join gone g on g.charge = t.id
		where t.amount <> coalesce(k.amount, 0) + coalesce(s.has, 0) + coalesce(g.amount, 0)
		union all
		select format('charge %s counts %s as captured and %s as going back; %s was captured and %s goes back', c.id, ` + dh("c.captured") + `, ` + dh("c.refunded") + `,
			` + dh("t.amount") + `, ` + dh("coalesce(r.amount, 0)") + `)
		from charges.charge c join taken t on t.id = c.id
			left join (select charge, sum(amount) as amount from charges.refund where state <> 'rejected' group by charge) r on r.charge = c.id
		where c.captured <> t.amount or c.refunded <> coalesce(r.amount, 0)
		union all
		select format('%s has %s %s; the cash of its orders makes %s', coalesce(o.code, p.code), ` + dh("coalesce(-o.has, 0)") + `, coalesce(o.currency, p.currency), ` + dh("coalesce(p.owed, 0)") + `)
		from (select a.code, a.currency, sum(b.cr - b.dr)::bigint as has from account a join ledger.balance b on b.account_id = a.id
			where a.class = 'carrier:*:cod' group by a.code, a.currency) o
		full join (select 'carrier:' || carrier || ':cod' as code, currency, sum(cash - covered)::bigint as owed from charges.parcel group by carrier, currency) p
			on p.code = o.code and p.currency = o.currency
		where coalesce(-o.has, 0) <> coalesce(p.owed, 0)`},

	{"I12", "The clients' money at banks and partners covers everything owed to clients.", `
		with ` + account + `, stand as (
			select a.currency, a.client, sum(b.dr - b.cr) as net from account a join ledger.balance b on b.account_id = a.id
			where a.client <> 0 group by a.id, a.currency, a.client)
		select format('%s %s is owed to clients; there is %s', ` + dh("sum(greatest(0, -net)) filter (where client < 0)") + `, currency,
			` + dh("coalesce(sum(net) filter (where client > 0), 0)") + `)
		from stand group by currency
		having sum(greatest(0, -net)) filter (where client < 0) > coalesce(sum(net) filter (where client > 0), 0)`},

	{"I14", "No transfer has been altered, deleted or slipped in since it was sealed.", ledger.Chain.Broken(0)},
}

// held is what an escrow should hold, and flying and returning what a payout and
// a refund should have on their way, by their state.
var (
	held      = `case when h.state = 'funded' then h.amount - h.released - h.refunded - h.charged else 0 end`
	returning = `case when r.state not in ('confirmed', 'rejected') then r.amount else 0 end`
	flying    = fmt.Sprintf(`case when p.state in (%s) then p.amount else 0 end`, underway)
)

// underway are a payout's states before its end is known.
const underway = `'draft', 'approved', 'sent', 'unknown'`
