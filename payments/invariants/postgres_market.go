package invariants

import "tiwiza/pkg/audit"

// settled are the states of an order that the buyer has paid, or has confirmed
// to pay at the door: its goods left the stock.
const settled = `'paid', 'confirmed', 'accepted', 'shipped', 'delivered', 'completed'`

// market are the promises about orders, stock and what is told
// (RELIABILITY.md §2.2).
var market = []Invariant{
	{"R1", "A basket is ordered once, an order group is paid once, and exactly what it costs is taken.", `
		with ` + account + `, ` + in("suspense:*", "loose") + `,
		taken as (
			select c.id, c.group_id, c.currency, c.amount, coalesce(c.captured - t.returned, c.amount) - coalesce(l.has, 0) as kept
			from charges.charge c left join loose l on l.code = 'suspense:' || c.id and l.currency = c.currency
				left join charges.transfer t on t.charge = c.id
			where c.state = 'confirmed'),
		worth as (
			select grp, sum(total) as total, min(currency) as currency, count(distinct currency) as currencies,
				bool_or(state not in ('expired', 'cancelled', 'refunded', 'refused')) as live
			from orders.seller_order group by grp)
		select format('basket %s was ordered by %s', g.basket, string_agg(g.id, ' and ' order by g.id))
		from orders.order_group g join worth w on w.grp = g.id where w.live group by g.basket having count(*) > 1
		union all
		select format('group %s was paid by %s', group_id, string_agg(id, ' and ' order by id)) from taken group by group_id having count(*) > 1
		union all
		select format('group %s costs %s %s; charge %s took %s %s', g.id, ` + dh("g.total") + `, g.currency, t.id, ` + dh("t.kept") + `, t.currency)
		from taken t join orders.order_group g on g.id = t.group_id where t.kept <> g.total or t.currency <> g.currency
		union all
		select format('group %s costs %s %s; its orders make %s', g.id, ` + dh("g.total") + `, g.currency, ` + dh("coalesce(w.total, 0)") + `)
		from orders.order_group g left join worth w on w.grp = g.id
		where w.total is distinct from g.total or w.currencies <> 1 or w.currency <> g.currency
		union all
		select format('order %s is %s; no charge of %s is confirmed', o.id, o.state, o.grp)
		from orders.seller_order o left join taken t on t.group_id = o.grp where o.state in (` + settled + `) and t.id is null
			and (o.payment <> 'cash_on_delivery' or o.state in ('delivered', 'completed'))`},

	{"R2", "Stock is never below zero nor promised twice, and equals what came less what went.", `
		select format('variant %s has %s, of which %s reserved', id, on_hand, reserved)
		from catalog.variant where on_hand < 0 or reserved < 0 or reserved > on_hand
		union all
		select format('variant %s has %s; its moves make %s', v.id, v.on_hand, coalesce(m.n, 0))
		from catalog.variant v left join (select variant, sum(delta) as n from catalog.stock_move group by variant) m on m.variant = v.id
		where v.on_hand <> coalesce(m.n, 0)
		union all
		select format('variant %s has %s reserved; its reservations make %s', v.id, v.reserved, coalesce(r.n, 0))
		from catalog.variant v left join (select variant, sum(quantity) as n from catalog.reservation where state = 'held' group by variant) r on r.variant = v.id
		where v.reserved <> coalesce(r.n, 0)`},

	{"R3", "The goods of every paid order leave the stock exactly once, and those of no other.", `
		with bought as (
			select o.id, l.variant, o.state, case when o.state in (` + settled + `) then l.quantity else 0 end as quantity
			from orders.line l join orders.seller_order o on o.id = l.order_id where o.state in (` + settled + `, 'pending_payment', 'placed', 'expired')),
		sold as (select ref, variant, -sum(delta) as quantity, count(*) as times from catalog.stock_move where reason = 'sold' group by ref, variant)
		select format('order %s (%s) bought %s of %s; %s were taken, in %s times', b.id, b.state, b.quantity, b.variant, coalesce(s.quantity, 0), coalesce(s.times, 0))
		from bought b left join sold s on s.ref = b.id and s.variant = b.variant
		where coalesce(s.quantity, 0) <> b.quantity or coalesce(s.times, 0) > 1
		union all
		select format('order %s was cancelled; %s of %s were taken and %s came back', o.id, sold.quantity, sold.variant, coalesce(back.quantity, 0))
		from sold join orders.seller_order o on o.id = sold.ref
			left join (select ref, variant, sum(delta) as quantity from catalog.stock_move where reason = 'returned' group by ref, variant) back
				on back.ref = sold.ref and back.variant = sold.variant
		where o.state = 'cancelled' and sold.quantity <> coalesce(back.quantity, 0)
			or o.state not in ('cancelled', 'refused') and back.quantity > 0 or o.state = 'refused' and back.quantity <> sold.quantity
		union all
		select format('%s of %s were taken for %s, which did not order them', s.quantity, s.variant, s.ref)
		from sold s left join orders.line l on l.order_id = s.ref and l.variant = s.variant
			left join (orders.return_line i join orders.return r on r.id = i.ret and r.state = 'replaced') on i.ret = s.ref and i.variant = s.variant
		where l.order_id is null and i.quantity is distinct from s.quantity
		union all
		select format('return %s brought %s of %s into stock; %s came back whole', coalesce(m.ref, i.ret), coalesce(m.n, 0), coalesce(m.variant, i.variant), coalesce(i.whole, 0))
		from (select ref, variant, sum(delta) as n from catalog.stock_move where reason = 'returned' and ref like 'ret\_%' group by ref, variant) m
			full join (select ret, variant, whole from orders.return_line where whole > 0) i on i.ret = m.ref and i.variant = m.variant
		where coalesce(m.n, 0) <> coalesce(i.whole, 0)
		union all
		select format('order %s counts %s of %s as sent back; its returns make %s', t.order_id, t.quantity, t.variant, coalesce(i.n, 0))
		from orders.returned t left join (
				select i.order_id, i.variant, sum(i.quantity) as n from orders.return_line i join orders.return r on r.id = i.ret
				where r.ended_at is null or r.state = 'refunded' group by i.order_id, i.variant) i
			on i.order_id = t.order_id and i.variant = t.variant
		where t.quantity <> coalesce(i.n, 0)
		union all
		select format('return %s paid %s back; its refund %s is of %s', r.id, ` + dh("r.back") + `, r.refund, coalesce(` + dh("f.amount") + `, 'nothing'))
		from orders.return r left join charges.refund f on f.id = r.refund and f.order_id = r.order_id
		where r.state = 'refunded' and f.amount is distinct from r.back
		union all
		select format('order %s still waits for payment; its money came at %s', o.id, h.funded_at)
		from orders.seller_order o join escrow.hold h on h.order_id = o.id
		where o.state = 'pending_payment' and ` + late("h.funded_at", "10 minutes")},

	// Statements that overlap, or come under two names, must not book a movement
	// of the bank twice. Of 16 signs a reference may have been cut: then one
	// statement may hold several movements by it.
	{"R4", "What partners tell us is applied once, and one name never stands for two things.", `
		select format('%s told %s %s times', connector, event_id, count(*)) from operations.evidence group by connector, event_id having count(*) > 1
		union all
		select format('file %s of %s was taken in %s times', sha256, bank, count(*)) from recon.file group by bank, sha256 having count(*) > 1
		union all
		select format('statement %s of %s was read %s times', statement_id, bank, count(*))
		from recon.statement group by bank, account, kind, statement_id, page having count(*) > 1
		union all
		select format('movement %s of %s was booked %s times', l.bank_ref, s.bank, count(*))
		from recon.line l join recon.statement s on s.id = l.statement
		where l.bank_ref <> '' and l.state in ('matched', 'partly', 'suspense')
		group by s.bank, s.account, l.bank_ref, l.amount, l.currency, l.ref, l.booked_on
			having count(*) > 1 and (length(l.bank_ref) <> 16 or count(distinct l.statement) > 1)`},

	{"R5", "Whatever is due is done within ten minutes: timers fire, and events reach those who listen.", `
		select format('timer %s of %s was due at %s; tried %s times: %s', kind, subject, due, tries, error)
		from platform.timer where ` + late("due", "10 minutes") + `
		union all
		select format('event %s (%s) for %s is %s since %s', j.args->>'event', j.args->>'type', j.args->>'subscriber', j.state, j.created_at)
		from river.river_job j
		where j.kind = 'event.deliver' and j.state <> 'completed' and (j.finalized_at is not null or j.created_at < now() - interval '10 minutes')
			and not exists (select from platform.handled h where h.event = j.args->>'event' and h.subscriber = j.args->>'subscriber')
		union all
		select format('event %s (%s) never reached %s', e.id, e.type, s.subscriber)
		from (select e.type, h.subscriber, min(e.seq) as first, max(e.seq) as last
			from platform.handled h join platform.event e on e.id = h.event group by e.type, h.subscriber) s
		join platform.event e on e.type = s.type and e.seq between s.first and s.last
		left join platform.handled h on h.event = e.id and h.subscriber = s.subscriber
		where h.event is null and ` + late("e.at", "10 minutes") + `
			and not exists (select from river.river_job j where j.kind = 'event.deliver' and j.args->>'event' = e.id and j.args->>'subscriber' = s.subscriber
				and j.state <> 'completed')`},

	{"R11", "A seller's invoices and credit notes are numbered without holes and add up, and no more is credited than was invoiced.", `
		select format('%s of %s in %s: %s papers, the last is %s and the series stands at %s', coalesce(s.kind, i.kind), coalesce(s.seller, i.seller), coalesce(s.year, i.year),
			coalesce(i.papers, 0), coalesce(i.last, 0), coalesce(s.last, 0))
		from orders.invoice_series s full join (select seller, kind, year, count(*) as papers, max(n) as last from orders.invoice group by seller, kind, year) i
			on i.seller = s.seller and i.kind = s.kind and i.year = s.year
		where s.last is distinct from i.papers or s.last is distinct from i.last
		union all
		select format('invoice %s is of %s with VAT %s; its rates make %s with %s', i.id, ` + dh("i.total") + `, ` + dh("i.vat") + `, ` + dh("coalesce(v.total, 0)") + `, ` + dh("coalesce(v.vat, 0)") + `)
		from orders.invoice i left join (select invoice, sum(total) as total, sum(vat) as vat from orders.invoice_vat group by invoice) v on v.invoice = i.id
		where v.total is distinct from i.total or v.vat is distinct from i.vat
		union all
		select format('invoice %s is of %s; %s was credited', i.id, ` + dh("i.total") + `, ` + dh("c.total") + `)
		from orders.invoice i join (select of, sum(total) as total, sum(vat) as vat from orders.invoice where kind = 'credit_note' group by of) c on c.of = i.id
		where c.total > i.total or c.vat > i.vat`},

	{"R12", "Points add up: what somebody has is what moved and what lies in lots, and an order stands for as many as its buyer kept of it.", `
		select format('move %s adds up to %s', move, sum(amount)) from loyalty.entry group by move having sum(amount) <> 0
		union all
		select format('%s has %s points and owes %s; its moves make %s and %s', a.person, a.points, a.owed, coalesce(m.points, 0), coalesce(m.owed, 0))
		from loyalty.account a left join (select person, sum(points) as points, sum(owed) as owed from loyalty.move group by person) m on m.person = a.person
		where a.points <> coalesce(m.points, 0) or a.owed <> coalesce(m.owed, 0)
		union all
		select format('%s has %s points; its lots make %s', a.person, a.points, coalesce(l.n, 0))
		from loyalty.account a left join (select person, sum(remains) as n from loyalty.lot group by person) l on l.person = a.person
		where a.points <> coalesce(l.n, 0)
		union all
		select format('lot %s has %s of %s; %s were drawn', l.move, l.remains, l.points, coalesce(d.n, 0))
		from loyalty.lot l left join (select lot, sum(points) as n from loyalty.draw group by lot) d on d.lot = l.move
		where l.remains <> l.points - coalesce(d.n, 0)
		union all
		select format('order %s stands for %s points; its moves make %s', s.order_id, s.net, coalesce(m.n, 0))
		from loyalty.sale s left join (
				select split_part(ref, '/', 1) as ref, sum(points - owed) as n from loyalty.move where kind in ('earned', 'taken_back') group by 1) m on m.ref = s.order_id
		where s.net <> coalesce(m.n, 0)
		union all
		select format('of %s %s points came back; its moves make %s', v.promotion, v.back, coalesce(m.n, 0))
		from loyalty.voucher v left join (
				select split_part(ref, '/', 1) as ref, sum(points - owed) as n from loyalty.move where kind in ('given_back', 'taken_back') group by 1) m on m.ref = v.promotion
		where v.back <> coalesce(m.n, 0)`},

	{"R7", "No row of the audit trail has been altered, deleted or slipped in since it was sealed.", audit.Chain.Broken(0)},

	{"R10", "Whoever looked into a member's dossier had its consent at that moment, for that section, or a glass that two people broke.", `
		select format('consultation %s by %s had no consent', k.seq, k.by) from sharing.consultation k
		left join sharing.consent c on c.id = k.consent left join sharing.glass g on g.id = k.glass
		where coalesce(c.owner, g.owner) is distinct from k.owner
			or c.id is not null and (c.since is null or k.at < c.since or k.at >= c.until or k.at > coalesce(c.ended_at, c.until) or c.purpose <> k.purpose
				or k.section <> '' and not k.section = any (c.sections) or k.sensitive and not c.sensitive
				or c.grantee <> k.organisation and not exists (select from sharing.participant p where p.programme = c.programme and p.organisation = k.organisation and p.since <= k.at))
			or g.id is not null and (g.state <> 'open' or k.at < g.since or k.at >= g.until or k.by <> g.asked_by or k.section <> '' and not k.section = any (g.sections))`},

	{"R13", "No row of the log of who looked into dossiers has been altered, deleted or slipped in since it was sealed.", looked.Broken(0)},

	{"R14", "What somebody agreed to and what it allows say the same: who is written to, how one is told, who may see a dossier, what was ordered or insured.", `
		select format('%s is %s, and said last %s', s.person, case when s.granted then 'written to' else 'not written to' end, coalesce(accords.newest(s.person, s.purpose, ''), 'nothing'))
		from relations.stance s where s.granted <> (coalesce(accords.newest(s.person, s.purpose, ''), '') = 'given')
		union all
		select format('consent %s is %s, and its owner said last %s', c.id, c.state, coalesce(accords.newest(c.owner, 'dossier', c.id), 'nothing')) from sharing.consent c where not sharing.same_word(c)
		union all
		select format('%s is told otherwise than it said last', s.owner) from notices.settings s where not notices.same_words(s)
		union all
		select format('the buyer of %s has not said that it agrees to %s', c.grp, c.kind) from orders.consent c join orders.order_group g on g.id = c.grp
		where accords.newest(g.buyer, c.kind, g.id) is distinct from 'given'
		union all
		select format('the member has not said that it agrees to policy %s as it stands', p.id) from policies.policy p
		where not exists (select from accords.accord a where a.who = p.member and a.subject = 'insurance' and a.about = p.id and a.word = 'given' and encode(a.hash, 'hex') = p.consent_hash)
		union all
		select format('%s gave %s %s to a text that is not version %s in %s', a.who, a.subject, a.about, a.text_version, a.lang)
		from accords.accord a left join accords.text t on t.subject = a.subject and t.version = a.text_version and t.lang = a.lang
		where a.text_version is not null and (t.hash is distinct from a.hash or sha256(convert_to(t.says, 'UTF8')) <> t.hash)`},

	{"R15", "No row of the ledger of what people agreed to has been altered, deleted or slipped in since it was sealed.", said.Broken(0)},
}
