package invariants

// holds are the promises about escrows beyond their accounts.
var holds = []Invariant{
	{"E1", "What is kept back of each seller is what is left of its reserve, sale by sale.", `
		with ` + account + `, ` + in("seller:*:reserve", "kept") + `,
		lots as (select seller, currency, sum(amount - used)::bigint as amount from escrow.lot where not done group by seller, currency)
		select format('seller %s: %s %s is kept back, its lots make %s', coalesce(l.seller, split_part(k.code, ':', 2)), ` + dh("coalesce(k.has, 0)") + `,
			coalesce(k.currency, l.currency), ` + dh("coalesce(l.amount, 0)") + `)
		from kept k full join lots l on k.code = 'seller:' || l.seller || ':reserve' and k.currency = l.currency
		where coalesce(k.has, 0) <> coalesce(l.amount, 0)`},

	{"E2", "An escrow stands still exactly while a case about it is open, and does not end while money of it is on its way.", `
		select format('escrow %s is kept still by %s; these cases are open: %s', h.id, array_to_string(h.cases, ' '), array_to_string(c.open, ' '))
		from escrow.hold h
		cross join lateral (select coalesce(array_agg(id order by id), '{}') as open from escrow.case_of where order_id = h.order_id and ended_at is null) c
		where (select coalesce(array_agg(x order by x), '{}') from unnest(h.cases) x) <> c.open
		union all
		select format('escrow %s counts %s refunds on their way; there are %s', h.id, h.flying, b.n)
		from escrow.hold h cross join lateral (select count(*) as n from escrow.back where order_id = h.order_id and state = 'flying') b
		where h.flying <> b.n
		union all
		select format('escrow %s is funded, holds nothing, and nothing is on its way', id) from escrow.hold
		where state = 'funded' and flying = 0 and released + refunded + charged = amount
		union all
		select format('escrow %s is %s with %s of %s gone', id, state, ` + dh("released + refunded + charged") + `, ` + dh("amount") + `) from escrow.hold
		where state in ('released', 'refunded') and released + refunded + charged <> amount`},
}
