package invariants

import (
	"fmt"
)

// now is the hub's time, read once a query.
const now = `(select platform.now())`

// moved is when the demonstration clock was last moved forward, at the hub's
// time; null when it never was. Ages count from there at the earliest: what was
// made late by the move alone has had no time to be done (PAYMENTS.md §2 d).
const moved = `(select case when shift > '0' then (select max(at) from platform.audit where action = 'demo.clock') end from platform.clock)`

// late says that more than grace has passed since a time, and since the clock
// was moved.
func late(since, grace string) string {
	ago := now + ` - interval '` + grace + `'`
	return `(` + since + ` < ` + ago + ` and coalesce(` + moved + ` < ` + ago + `, true))`
}

// The terms after which money still waiting is a violation. The day on top is
// for the statement that says so to arrive.
const (
	termClearing = `8 days`  // an acquirer settles within a week
	termCash     = `16 days` // a carrier remits twice a month
	termTransit  = `31 days` // our own money is topped up monthly
	termSuspense = `31 days` // money without an owner goes back within a month
)

// waiting are the accounts of a class in which something has stood for longer
// than a term, taking it that what came first left first. Sign is 1 for debit
// balances, -1 for credit balances.
func waiting(class, term string, sign int) string {
	return fmt.Sprintf(`
		select format('%%s holds money for longer than %s', a.code)
		from account a
		cross join lateral (select sum(b.dr - b.cr) * (%[2]d) as has from ledger.balance b where b.account_id = a.id) s
		where a.class = '%[3]s' and s.has > 0 and coalesce(%[4]s < %[5]s - interval '1 day', true)
			and s.has > (select coalesce(sum(greatest(e.amount * (%[2]d), 0)), 0) from ledger.entry e
				where e.account_id = a.id and e.effective_at >= %[5]s - interval '%[1]s')`, term, sign, class, moved, now)
}

// partners are the promises about what partners are asked and what they say.
var partners = []Invariant{
	// Lines of notifications are said again by the statement, so only lines that
	// were acted on count. A payment that came back is a payment less.
	// A rejection that was contradicted counts as paid.
	{"I13", "Nothing is paid twice, and nobody is paid more than is due.", `
		with line as (
			select l.amount, p.id as payout, strpos(l.matched_to, ';') = 0 as alone from recon.line l
				cross join lateral unnest(string_to_array(l.matched_to, '; ')) m (subject) join payouts.payout p on p.id = m.subject
			where l.state <> 'noted'
			union all
			select l.amount, p.id, l.matched_to = '' from recon.line l join payouts.payout p on p.ref = upper(l.ref)
			where l.state <> 'noted' and strpos(l.matched_to, p.id) = 0),
		paid as (select payout, count(*) filter (where amount < 0) - count(*) filter (where amount > 0) as times,
			coalesce(-sum(amount) filter (where alone), 0) as amount from line group by payout)
		select format('the bank executed payout %s (%s, %s) %s times, for %s', p.id, p.state, ` + dh("p.amount") + `, x.times, ` + dh("x.amount") + `)
		from paid x join payouts.payout p on p.id = x.payout
		where x.times > case when p.state in (` + ended + `) then 0 else 1 end
			or x.amount > case when p.state in (` + ended + `) then 0 else p.amount end
		union all
		select format('%s was executed by %s operations of kind %s', subject, count(*), kind)
		from operations.operation where state = 'confirmed' or state = 'rejected' and contradicted_at is not null
		group by subject, kind having count(*) > 1
		union all
		select format('%s was done by %s operations of kind %s, partners say', o.subject, count(distinct o.id), o.kind)
		from operations.evidence e join operations.operation o on o.id = e.operation
		where e.outcome = 'succeeded' and o.state not in ('confirmed', 'returned')
			and exists (select from operations.operation c where c.subject = o.subject and c.kind = o.kind and c.state = 'confirmed')
		group by o.subject, o.kind
		union all
		select format('release %s of %s is covered for %s; payouts that stand pay %s', r.id, ` + dh("r.amount") + `, ` + dh("r.covered") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from escrow.release r
		full join (select c.release, sum(c.amount) as amount from payouts.cover c join payouts.payout p on p.id = c.payout
			where p.state not in (` + ended + `) group by c.release) c on c.release = r.id
		where coalesce(r.covered, 0) <> coalesce(c.amount, 0) or r.covered > r.amount
		union all
		select format('payout %s of %s covers %s', p.id, ` + dh("p.amount") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from payouts.payout p left join (select payout, sum(amount) as amount from payouts.cover group by payout) c on c.payout = p.id
		where coalesce(c.amount, 0) <> case when p.payee = 'seller' then p.amount - p.owed else 0 end`},

	{"I15", "Every line of a bank statement is explained or in suspense within 24 hours.", `
		with ` + account + `
		select format('line %s of statement %s (%s %s) is %s: %s', l.id, l.statement, ` + dh("l.amount") + `, l.currency, l.state, l.why)
		from recon.line l left join account a on a.code = 'suspense:' || l.id and a.currency = l.currency
		where a.id is null and l.state in ('partly', 'unmatched', 'suspense') and ` + late("l.at", "24 hours")},

	{"I16", "Every partner call without an outcome has its next step ahead of it.", `
		select format('operation %s (%s of %s) is %s and nobody will ask', o.id, o.kind, o.subject, o.state)
		from operations.operation o
		where o.state in ('sending', 'accepted', 'unknown') and coalesce(o.lease_until, o.created_at) < ` + now + `
			and not exists (select from platform.timer t where t.kind = 'operations.inquire' and t.subject = o.id)
		union all
		select format('operation %s (%s of %s) waits and nobody will send it', o.id, o.kind, o.subject)
		from operations.operation o
		where o.state = 'intent' and ` + late("o.changed_at", "10 minutes") + `
			and not exists (select from platform.timer t where (t.kind, t.subject) in (('operations.send', o.id), ('files.dispatch', o.connector), ('files.left', o.connector)))
			and not exists (select from river.river_job j where j.finalized_at is null
				and (j.kind = 'operations.send' and j.args->>'operation' = o.id or j.kind = 'files.dispatch' and j.args->>'bank' = o.connector))`},

	{"I17", "Our own account is never overdrawn, and no money waits anywhere longer than its term.", `
		with ` + account + `
		select format('%s has %s %s', a.code, ` + dh("sum(b.dr - b.cr)") + `, a.currency)
		from account a join ledger.balance b on b.account_id = a.id
		where a.class = 'bank:*:operating' group by a.id, a.code, a.currency having sum(b.dr - b.cr) < 0
		union all
		select distinct format('charge %s has not been settled for longer than ` + termClearing + `', c.id)
		from escrow.hold h join charges.charge c on c.id = h.charge
		where c.state = 'confirmed' and not c.settled and h.funded_at < ` + now + ` - interval '` + termClearing + `'
			and ` + late("h.funded_at", "1 day") + `
		union all` + waiting("psp:*:clearing", termClearing, 1) + `
		union all` + waiting("bank:*:transit", termTransit, 1) + `
		union all` + waiting("carrier:*:cod", termCash, 1) + `
		union all` + waiting("suspense:*", termSuspense, -1)},

	{"R6", "A payout above the limit goes out only with the word of a second person.", `
		select format('payout %s of %s is %s, asked for by «%s», approved by «%s»', id, ` + dh("amount") + `, state, created_by, approved_by)
		from payouts.payout p
		where state not in ('draft', 'rejected') and approved_by = ''
				and (needs_two or amount > (select two_above from payouts.cap where since <= p.created_at order by since desc, id desc limit 1))
			or approved_by <> '' and approved_by = created_by`},

	// The safeguard account is the one whose lines are booked. A line that is not
	// is a break of its own (I15), and taken off here.
	// What was booked since the last statement counts, less what older
	// statements, read after it, have brought.
	{"M1", "The books' safeguard account equals the bank's last statement plus what was booked since.", `
		with last as (
			select distinct on (bank, account) bank, account, currency, statement_id, closing, at from recon.statement
			where kind = 'statement' and closing is not null order by bank, account, created_at desc, sequence desc, page desc),
		line as (
			select s.bank, s.account, s.at, l.amount, case when l.state in ('matched', 'suspense') or l.state = 'partly' and l.amount > 0 then l.amount
				when l.state = 'partly' then -(select coalesce(sum(p.amount), 0) from payouts.payout p where p.id = any (string_to_array(l.matched_to, '; ')))
				else 0 end as booked
			from recon.line l join recon.statement s on s.id = l.statement where s.kind = 'statement' and l.state <> 'noted'),
		said as (
			select t.bank, t.account, t.currency, t.statement_id, t.closing, t.at, bool_or(l.booked <> 0) as used,
				t.closing - coalesce(sum(l.amount - l.booked), 0) - coalesce(sum(l.booked) filter (where l.at > t.at), 0) as amount
			from last t left join line l on l.bank = t.bank and l.account = t.account
			group by t.bank, t.account, t.currency, t.statement_id, t.closing, t.at),
		booked as (
			select s.bank, s.account, coalesce(sum(e.amount), 0) as amount, coalesce(sum(e.amount) filter (where t.recorded_at > s.at), 0) as since
			from said s join ledger.account a on a.code = 'bank:' || s.bank || ':safeguard' and a.currency = s.currency
			join ledger.entry e on e.account_id = a.id join ledger.transfer t on t.id = e.transfer_id
			group by s.bank, s.account)
		select format('bank %s: statement %s and what came since make %s %s; the books have %s', s.bank, s.statement_id,
			` + dh("s.amount + coalesce(b.since, 0)") + `, s.currency, ` + dh("coalesce(b.amount, 0)") + `)
		from said s left join booked b on b.bank = s.bank and b.account = s.account
		where s.used and coalesce(b.amount, 0) <> s.amount + coalesce(b.since, 0)`},
}

// ended are the states in which a payout's money is back with the seller.
const ended = `'rejected', 'returned'`
