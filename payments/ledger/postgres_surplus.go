package ledger

import (
	"context"
	"strings"

	"tiwiza/pkg/pg"
)

// owns are the accounts that are neither clients' money nor a debt to clients,
// as patterns of like. They are few; and as all accounts add up to zero, theirs
// is the clients' side with its sign turned.
var owns = func() (patterns []string) {
	for _, a := range chart {
		if Client(strings.ReplaceAll(a.Code, "*", "x")) == 0 {
			patterns = append(patterns, strings.NewReplacer("*", "%", "_", `\_`).Replace(a.Code))
		}
	}
	return patterns
}()

// surplus leaves out what carriers and insurers owe: that is no money that could
// be taken out.
func surplus(ctx context.Context, db pg.DB, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select (select coalesce(sum(b.cr - b.dr), 0) from ledger.account a join ledger.balance b on b.account_id = a.id
			where a.currency = $1 and a.code like any($2))::bigint
		+ (select coalesce(sum(least(0, net)), 0) from (select sum(b.cr - b.dr) as net from ledger.account a join ledger.balance b on b.account_id = a.id
			where a.currency = $1 and (a.code like 'payable:carrier:%' or a.code like 'payable:insurer:%') group by a.id) owing)::bigint`, currency, owns)
}

func inFlight(ctx context.Context, db pg.DB, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(b.cr - b.dr), 0)::bigint from ledger.account a join ledger.balance b on b.account_id = a.id
		where a.currency = $1 and (a.code like 'payout:%' or a.code like 'refund:%') and b.cr <> b.dr`, currency)
}
