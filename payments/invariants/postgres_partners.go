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
	// were acted on count. A payment that came back is a payment less, and one that
	// two people have given up as a loss is no longer its receiver's. A rejection
	// that was contradicted counts as paid.
	{"I13", "Nothing is paid twice, and nobody is paid more than is due.", `
		with line as (
			select l.amount, p.id as payout, strpos(l.matched_to, ';') = 0 as alone from recon.line l
				cross join lateral unnest(string_to_array(l.matched_to, '; ')) m (subject) join payouts.payout p on p.id = m.subject
			where l.state not in ('noted', 'written_off')
			union all
			select l.amount, p.id, l.matched_to = '' from recon.line l join payouts.payout p on p.ref = upper(l.ref)
			where l.state not in ('noted', 'written_off') and strpos(l.matched_to, p.id) = 0),
		paid as (select payout, count(*) filter (where amount < 0) - count(*) filter (where amount > 0) as times,
			coalesce(-sum(amount) filter (where alone), 0) as amount from line group by payout)
		select format('the bank executed payout %s (%s, %s) %s times, for %s', p.id, p.state, ` + dh("p.amount") + `, x.times, ` + dh("x.amount") + `)
		from paid x join payouts.payout p on p.id = x.payout
		where x.times > case when p.state in (` + ended + `) then 0 else 1 end
			or x.amount > case when p.state in (` + ended + `) then 0 else p.amount end
		union all
		select format('%s was executed by %s operations of kind %s', subject, count(*), kind)
		from operations.operation where state = 'confirmed' or state = 'rejected' and contradicted_at is not null
		group by subject, kind, case when kind = 'void' then connector else '' end having count(*) > 1
		union all
		select format('%s was done by %s operations of kind %s, partners say', o.subject, count(distinct o.id), o.kind)
		from operations.evidence e join operations.operation o on o.id = e.operation
		where e.outcome = 'succeeded' and o.state not in ('confirmed', 'returned')
			and exists (select from operations.operation c where c.subject = o.subject and c.kind = o.kind and c.state = 'confirmed')
		group by o.subject, o.kind
		union all
		select format('refund %s was paid %s times', subject, count(*))
		from operations.operation where kind in ('refund', 'refund_wallet', 'refund_phone', 'refund_transfer') and (state = 'confirmed' or state in ('rejected', 'review') and exists (
			select from operations.evidence e where e.operation = operation.id and e.outcome = 'succeeded'))
		group by subject having count(*) > 1
		union all
		select format('%s of charge %s goes back, of %s that was captured', ` + dh("refunded") + `, id, ` + dh("captured") + `)
		from charges.charge where refunded > captured
		union all
		select format('release %s of %s is covered for %s; payouts that stand, premiums and fees pay %s', r.id, ` + dh("r.amount") + `, ` + dh("r.covered") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from escrow.release r
		full join (select release, sum(amount) as amount from (
			select c.release, c.amount from payouts.cover c join payouts.payout p on p.id = c.payout where p.state not in (` + ended + `)
			union all select release, amount from premiums.cover
			union all select release, amount from dues.cover) o group by release) c on c.release = r.id
		where coalesce(r.covered, 0) <> coalesce(c.amount, 0) or r.covered > r.amount
		union all
		select format('payout %s of %s covers %s', p.id, ` + dh("p.amount") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from payouts.payout p left join (select payout, sum(amount) as amount from payouts.cover group by payout) c on c.payout = p.id
		where coalesce(c.amount, 0) <> case when p.payee = 'seller' then p.amount - p.owed else 0 end
		union all
		select format('fee %s of %s is paid out of %s', f.id, ` + dh("f.amount") + `, ` + dh("coalesce(c.amount, 0)") + `)
		from dues.fee f left join (select fee, sum(amount)::bigint as amount from dues.cover group by fee) c on c.fee = f.id
		where coalesce(c.amount, 0) <> f.amount`},

	{"I15", "Every line of a bank statement is explained or in suspense within 24 hours.", `
		with ` + account + `
		select format('line %s of statement %s (%s %s) is %s: %s', l.id, l.statement, ` + dh("l.amount") + `, l.currency, l.state, l.why)
		from recon.line l left join account a on a.code = 'suspense:' || l.id and a.currency = l.currency
		where (a.id is null and l.state in ('partly', 'unmatched', 'suspense') or l.open) and ` + late("l.at", "24 hours")},

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
		where c.state = 'confirmed' and c.method <> 'cash_on_delivery' and not c.settled and c.refunded < c.captured and h.funded_at < ` + now + ` - interval '` + termClearing + `'
			and ` + late("h.funded_at", "1 day") + `
		union all
		select format('the cash of order %s, %s %s, has been owed by %s for longer than ` + termCash + `', order_id, ` + dh("cash - covered") + `, currency, carrier)
		from charges.parcel where state = 'collected' and collected_at < ` + now + ` - interval '` + termCash + `' and ` + late("collected_at", "1 day") + `
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

	// The switch is asked in the transaction that writes sent_at, and once more
	// when the call begins.
	{"H1", "Five seconds after payments were halted nothing leaves any more, until two people let it go on.", `
		select format('operation %s (%s) was sent at %s; payments were halted at %s', o.id, o.kind, o.sent_at, h.on_at)
		from treasury.halt h join operations.operation o
			on o.sent_at > h.on_at + interval '5 seconds' and (h.off_at is null or o.sent_at < h.off_at)
		where o.kind not in ('charge', 'capture', 'void')`},

	// What the bank moved and nobody has explained is a break of its own (I15), and
	// taken off here. What the books have had since the last statement counts, less
	// what older statements, read after it, have brought. The account's entries are
	// looked at from a week before the statement: nobody back-dates a mirror.
	{"M1", "The books' safeguard account equals the bank's last statement plus what was booked since.", `
		with last as (
			select distinct on (bank, account) bank, account, currency, statement_id, closing, at from recon.statement
			where kind = 'statement' and role = 'safeguard' and closing is not null
			order by bank, account, day desc, created_at desc, sequence desc, page desc, at desc),
		said as (
			select t.bank, t.account, t.currency, t.statement_id, t.at, t.closing
				- (select coalesce(sum(l.amount - l.booked), 0) from recon.line l join recon.statement s on s.id = l.statement
					where s.bank = t.bank and s.account = t.account and s.kind = 'statement' and l.open)
				- (select coalesce(sum(k.amount), 0) from recon.booking k where k.bank = t.bank and k.account = t.account and k.at > t.at) as amount
			from last t),
		mirror as (
			select s.*, a.id, (select coalesce(sum(b.dr - b.cr), 0) from ledger.balance b where b.account_id = a.id) as has,
				(select coalesce(sum(e.amount), 0) from ledger.entry e join ledger.transfer t on t.id = e.transfer_id
					where e.account_id = a.id and e.effective_at > s.at - interval '7 days' and t.recorded_at > s.at) as since
			from said s left join ledger.account a on a.code = 'bank:' || s.bank || ':safeguard' and a.currency = s.currency)
		select format('bank %s: statement %s and what came since make %s %s; the books have %s', bank, statement_id,
			` + dh("amount + since") + `, currency, ` + dh("has") + `)
		from mirror where has <> amount + since
		union all
		select format('line %s of %s has %s booked; its bookings make %s', l.id, l.statement, ` + dh("l.booked") + `, ` + dh("k.amount") + `)
		from recon.line l join (select line, sum(amount) as amount from recon.booking group by line) k on k.line = l.id where k.amount <> l.booked`},

	// What a late statement changes is listed as a break about the day; anything
	// else that differs was altered.
	{"M2", "A day that was closed is as it was, unless a late statement says otherwise.", `
		select format('%s was closed as revision %s; account %s of %s is another since', c.day, c.revision, d.account, d.bank)
		from recon.closing c join recon.closed d on d.closing = c.id
		left join lateral (select f.hash from recon.fact f where f.bank = d.bank and f.account = d.account and f.day = c.day) f on true
		where d.hash is distinct from f.hash and c.day > (` + now + `)::date - 40
			and not exists (select from recon.closing n where n.day = c.day and n.revision > c.revision)
			and not exists (select from recon.break b join recon.statement s on s.id = b.statement
				where b.kind = 'closed' and s.bank = d.bank and s.account = d.account and s.day = c.day and b.created_at >= c.at)
		union all
		select format('the report of %s, revision %s, does not follow on the one before', c.day, c.revision)
		from (select *, lag(hash, 1, '') over (order by at, id) as before from recon.closing) c where c.prev <> c.before`},
}

// ended are the states in which a payout's money is back with the seller.
const ended = `'rejected', 'returned'`
