-- post says who is at work by itself: a unit of work that posts and does
-- nothing else is one statement.

-- +goose Up
drop function ledger.post(bigint, text, bytea, text, text, timestamptz, text, bigint[], smallint[], bigint[]);
-- +goose StatementBegin
create function ledger.post(principal text, n bigint, wanted text, hash bytea, what text, for_order text, at timestamptz, cur text,
    accounts bigint[], shards smallint[], amounts bigint[]) returns void language plpgsql as $$
declare recorded timestamptz := platform.enter(principal); counts timestamptz := coalesce(at, recorded);
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at, actor)
    values (n, wanted, hash, what, for_order, counts, recorded, principal) on conflict (key) do nothing;
    if not found then
        perform ledger.claimed(wanted, hash);
        return;
    end if;
    if cardinality(accounts) = 2 then -- most have two, and rows are quicker than arrays
        insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at)
        values (n, 0, accounts[1], shards[1], cur, amounts[1], counts), (n, 1, accounts[2], shards[2], cur, amounts[2], counts);
    else
        insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at)
        select n, x.leg - 1, x.account, x.shard, cur, x.amount, counts
        from unnest(accounts, shards, amounts) with ordinality x (account, shard, amount, leg);
    end if;
    for i in 1 .. cardinality(accounts) loop
        if amounts[i] > 0 then
            update ledger.balance set dr = dr + amounts[i], version = version + 1 where account_id = accounts[i] and shard = shards[i];
        else
            update ledger.balance set cr = cr - amounts[i], version = version + 1 where account_id = accounts[i] and shard = shards[i];
        end if;
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function ledger.post(text, bigint, text, bytea, text, text, timestamptz, text, bigint[], smallint[], bigint[]);
