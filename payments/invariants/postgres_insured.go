package invariants

// insured are the promises about members' insurance.
var insured = []Invariant{
	{"N1", "Every premium that was taken is of a policy that holds or is being asked for, or was given back whole; and insurers' accounts hold what premiums, refunds and claims say.", `
		with ` + account + `,
		booked as (
			select a.code, e.currency, -sum(e.amount)::bigint as has from ledger.transfer t join ledger.entry e on e.transfer_id = t.id join account a on a.id = e.account_id
			where t.kind in ('premium.taken', 'premium.undone', 'premium.returned', 'indemnity.paid') and a.class = 'payable:insurer:*' group by a.code, e.currency),
		said as (
			select 'payable:insurer:' || insurer as code, currency, sum(net)::bigint as net from (
				select insurer, currency, amount - commission as net from premiums.premium where state <> 'undone'
				union all select insurer, currency, commission - amount from premiums.due where state = 'paid' and way = 'set_off') x group by insurer, currency)
		select format('%s was moved by %s %s for insurance; premiums, refunds and claims make %s', coalesce(b.code, s.code), ` + dh("coalesce(b.has, 0)") + `, coalesce(b.currency, s.currency), ` + dh("coalesce(s.net, 0)") + `)
		from booked b full join said s on s.code = b.code and s.currency = b.currency where coalesce(b.has, 0) <> coalesce(s.net, 0)
		union all
		select format('premium %s of policy %s is %s; the policy is %s', p.id, p.policy, p.state, coalesce(y.state, 'not there'))
		from premiums.premium p left join policies.policy y on y.id = p.policy
		where y.id is null or case p.state when 'taken' then y.state <> 'pending' when 'undone' then y.state <> 'refused' else y.state in ('pending', 'refused') end
		union all
		select format('policy %s is %s, and no premium of it stands', y.id, y.state)
		from policies.policy y where y.state <> 'refused' and not exists (select from premiums.premium p where p.policy = y.id and p.state <> 'undone')
		union all
		select format('premium %s of %s is paid out of %s', p.id, ` + dh("p.amount") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from premiums.premium p left join (select premium, sum(amount)::bigint as amount from premiums.cover group by premium) c on c.premium = p.id
		where coalesce(c.amount, 0) <> p.amount
		union all
		select format('premium %s counts %s as given back; its refunds make %s', p.id, ` + dh("p.returned") + `, ` + dh("coalesce(d.amount, 0)") + `)
		from premiums.premium p left join (select premium, sum(amount)::bigint as amount from premiums.due where kind = 'refund' group by premium) d on d.premium = p.id
		where coalesce(d.amount, 0) <> p.returned`},

	{"N2", "A claim counts as paid exactly when its money is in the balance of the insured.", `
		with ` + account + `,
		given as (
			select t.key as idem_key, -sum(e.amount)::bigint as amount from ledger.transfer t join ledger.entry e on e.transfer_id = t.id join account a on a.id = e.account_id
			where t.kind = 'indemnity.paid' and a.class = 'seller:*:available' group by t.key)
		select format('claim %s is paid with %s; the books gave %s', c.id, ` + dh("coalesce(c.accepted, 0)") + `, ` + dh("coalesce(g.amount, 0)") + `)
		from policies.claim c left join premiums.due d on d.kind = 'claim' and d.subject = c.id and d.state = 'paid' left join given g on g.idem_key = 'due:' || d.id
		where c.state = 'paid' and (d.id is null or g.amount is distinct from c.accepted)
		union all
		select format('%s was given for claim %s, which is %s', ` + dh("d.amount") + `, d.subject, coalesce(c.state, 'not there'))
		from premiums.due d left join policies.claim c on c.id = d.subject
		where d.kind = 'claim' and d.state = 'paid' and c.state is distinct from 'paid' and ` + late("d.paid_at", "10 minutes") + `
		union all
		select format('%s gave %s for nothing that was due', g.idem_key, ` + dh("g.amount") + `)
		from given g left join premiums.due d on g.idem_key = 'due:' || d.id and d.kind = 'claim' and d.state = 'paid' where d.id is null`},
}
