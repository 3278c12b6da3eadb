package invariants

// groups are the promises about those who buy together.
var groups = []Invariant{
	{"G1", "A group buy counts what its buyers paid; once it is ordered each of them has the difference back to the centime, and before that none of its orders is with the seller.", `
		with seats as (
			select grp, sum(quantity) filter (where state = 'paid') as paid, sum(quantity) filter (where state = 'held') as pending, count(*) filter (where state = 'paid') as buyers,
				count(*) filter (where state in ('paid', 'going', 'back')) as undone
			from groupbuys.seat group by grp)
		select format('group %s counts %s paid by %s and %s not paid; its seats make %s by %s and %s', g.id, g.paid, g.buyers, g.pending,
			coalesce(s.paid, 0), coalesce(s.buyers, 0), coalesce(s.pending, 0))
		from groupbuys.group_buy g left join seats s on s.grp = g.id
		where g.pending <> coalesce(s.pending, 0) or g.state in ('asked', 'open', 'reached') and (g.paid <> coalesce(s.paid, 0) or g.buyers <> coalesce(s.buyers, 0))
		union all
		select format('group %s is %s with %s orders open; its seats make %s', g.id, g.state, g.undone, coalesce(s.undone, 0))
		from groupbuys.group_buy g left join seats s on s.grp = g.id
		where g.state in ('ordered', 'distributed', 'failed', 'refunded') and g.undone <> coalesce(s.undone, 0)
		union all
		select format('order %s is %s and waits %s, and its place in %s is %s', o.id, o.state, o.waits, s.grp, s.state)
		from groupbuys.seat s join orders.seller_order o on o.id = s.order_id
		where s.state in ('held', 'paid', 'late', 'back', 'settled') and not o.waits or s.state in ('going', 'served') and o.waits
			or s.state = 'held' and o.state <> 'pending_payment' or s.state in ('paid', 'late') and o.state <> 'paid'
		union all
		select format('order %s had %s back of group %s; the difference is %s, its order says %s and its refunds make %s', s.order_id, ` + dh("s.paid_back") + `, s.grp,
			` + dh("s.quantity * (g.price - g.final)") + `, ` + dh("o.rebate") + `, ` + dh("coalesce(r.amount, 0)") + `)
		from groupbuys.seat s join groupbuys.group_buy g on g.id = s.grp join orders.seller_order o on o.id = s.order_id
			left join (select order_id, sum(amount)::bigint as amount from escrow.back group by order_id) r on r.order_id = s.order_id
		where s.squared and (s.paid_back <> o.rebate or s.paid_back > coalesce(r.amount, 0) or s.paid_back > s.quantity * (g.price - g.final)
			or s.paid_back < s.quantity * (g.price - g.final)
				and not exists (select from orders.timeline t where t.order_id = s.order_id and t.what = 'difference_short'))`},

	{"G2", "In a pool each gets what was matched, at one price that no buyer's ceiling is below and no producer's floor above.", `
		select format('pool %s matched %s at %s with %s open; its deals make %s, %s open', p.id, p.quantity, ` + dh("p.price") + `, p.open, coalesce(d.n, 0), coalesce(d.open, 0))
		from pools.pool p left join (select pool, sum(quantity) as n, count(*) filter (where state in ('proposed', 'ordered')) as open from pools.deal group by pool) d on d.pool = p.id
		where p.quantity <> coalesce(d.n, 0) or p.open <> coalesce(d.open, 0)
		union all
		select format('pledge %s of %s was filled with %s; its deals make %s', l.id, l.quantity, l.filled, coalesce(sum(d.quantity), 0))
		from pools.pledge l left join pools.deal d on d.pool = l.pool and l.member in (d.buyer, d.seller) where l.state <> 'withdrawn'
		group by l.id, l.quantity, l.filled having l.filled <> coalesce(sum(d.quantity), 0)
		union all
		select format('deal %s is at %s; pool %s cleared at %s, and %s pledged %s', d.id, ` + dh("d.price") + `, p.id, ` + dh("p.price") + `, l.member, ` + dh("l.price") + `)
		from pools.deal d join pools.pool p on p.id = d.pool
			join pools.pledge l on l.pool = d.pool and l.state <> 'withdrawn' and l.member in (d.buyer, d.seller)
		where d.price is distinct from p.price or l.side = 'buy' and d.price > l.price or l.side = 'sell' and d.price < l.price`},
}
