package invariants

// subsidies are the promises about promotions, and what the market pays for them.
var subsidies = []Invariant{
	{"P1", "What the market pays for buyers is in proportion to the goods that were released and stayed so, and never above what it promised.", `
		with ` + account + `, ` + in("promotions", "paid") + `,
		added as (
			select h.*, legs[1] + legs[2] + legs[3] + legs[4] as goods, gone[1] + gone[2] + gone[3] + gone[4] - taken[1] - taken[2] - taken[3] - taken[4] as stays
			from escrow.hold h where bonus > 0)
		select format('the market paid %s %s by its books; its escrows make %s', ` + dh("coalesce(-p.has, 0)") + `, coalesce(p.currency, h.currency), ` + dh("coalesce(h.has, 0)") + `)
		from paid p full join (select currency, sum(bonus_given - bonus_back)::bigint as has from added group by currency) h on h.currency = p.currency
		where coalesce(-p.has, 0) <> coalesce(h.has, 0)
		union all
		select format('escrow %s has %s of the %s that the market promised, for %s of %s', id, ` + dh("bonus_given - bonus_back") + `, ` + dh("bonus") + `, ` + dh("stays") + `, ` + dh("goods") + `)
		from added a where bonus_given > bonus
			-- a centime for what is rounded down, and one for each refund that was undone
			or abs(bonus_given - bonus_back - div(bonus::numeric * stays, goods)) > 1 + (select count(*) from escrow.back b where b.order_id = a.order_id and b.state = 'undone')
		union all
		select format('order %s was promised %s of the market; its escrow says %s', o.id, ` + dh("o.bonus") + `, ` + dh("h.bonus") + `)
		from orders.seller_order o join escrow.hold h on h.order_id = o.id where h.bonus <> o.bonus and not (h.cash and h.bonus < o.bonus)`},

	{"P2", "A promotion is used, and pays, as its orders say, within its limits and its budget; what ended unpaid is given back.", `
		select format('promotion %s counts %s uses that cost %s; its orders make %s and %s', p.id, p.used, ` + dh("p.spent") + `, coalesce(r.n, 0), ` + dh("coalesce(r.cost, 0)") + `)
		from promotions.promotion p
			left join (select promotion, count(*) as n, sum(amount) as cost from promotions.redemption where given_back_at is null group by promotion) r on r.promotion = p.id
		where case when p.total is null and p.budget is null then p.used <> 0 else p.used <> coalesce(r.n, 0) end
			or p.spent <> case when p.budget is null then 0 else coalesce(r.cost, 0) end or p.spent > p.budget or p.used > p.total
		union all
		select format('order %s has %s off, %s of the market; what it used makes %s and %s', o.id, ` + dh("o.discount") + `, ` + dh("o.bonus") + `, ` + dh("coalesce(u.cost, 0)") + `, ` + dh("coalesce(u.market, 0)") + `)
		from orders.seller_order o
			left join (select r.order_id, sum(r.amount) as cost, sum(r.amount) filter (where p.payer = 'market') as market
				from promotions.redemption r join promotions.promotion p on p.id = r.promotion group by r.order_id) u on u.order_id = o.id
		where o.discount <> coalesce(u.cost, 0) or o.bonus <> coalesce(u.market, 0)
		union all
		select format('order %s is %s; what it used of promotion %s was not given back', o.id, o.state, r.promotion)
		from promotions.redemption r join orders.seller_order o on o.id = r.order_id where o.state = 'expired' and r.given_back_at is null`},
}
