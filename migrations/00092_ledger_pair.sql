-- A transfer of two legs, as most are: without arrays it costs the server and
-- the hub a tenth less than post.

-- +goose Up
-- +goose StatementBegin
create function ledger.post_pair(principal text, n bigint, wanted text, hash bytea, what text, for_order text, at timestamptz, cur text,
    why text, mirrors bigint, one bigint, one_shard smallint, one_amount bigint, two bigint, two_shard smallint, two_amount bigint)
    returns void language plpgsql as $$
declare recorded timestamptz := platform.enter(principal); counts timestamptz := coalesce(at, recorded);
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at, actor, note, reverses)
    values (n, wanted, hash, what, for_order, counts, recorded, principal, why, mirrors) on conflict (key) do nothing;
    if not found then
        perform ledger.claimed(wanted, hash);
        return;
    end if;
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
    values (n, 0, one, one_shard, cur, one_amount, counts, recorded), (n, 1, two, two_shard, cur, two_amount, counts, recorded);
    update ledger.balance set dr = dr + greatest(one_amount, 0), cr = cr - least(one_amount, 0), version = version + 1
        where account_id = one and shard = one_shard;
    update ledger.balance set dr = dr + greatest(two_amount, 0), cr = cr - least(two_amount, 0), version = version + 1
        where account_id = two and shard = two_shard;
end $$;

create or replace function ledger.post(principal text, n bigint, wanted text, hash bytea, what text, for_order text, at timestamptz, cur text,
    accounts bigint[], shards smallint[], amounts bigint[], why text, mirrors bigint) returns void language plpgsql as $$
declare recorded timestamptz := platform.enter(principal); counts timestamptz := coalesce(at, recorded);
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at, actor, note, reverses)
    values (n, wanted, hash, what, for_order, counts, recorded, principal, why, mirrors) on conflict (key) do nothing;
    if not found then
        perform ledger.claimed(wanted, hash);
        return;
    end if;
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
    select n, x.leg - 1, x.account, x.shard, cur, x.amount, counts, recorded
    from unnest(accounts, shards, amounts) with ordinality x (account, shard, amount, leg);
    for i in 1 .. cardinality(accounts) loop
        update ledger.balance set dr = dr + greatest(amounts[i], 0), cr = cr - least(amounts[i], 0), version = version + 1
            where account_id = accounts[i] and shard = shards[i];
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function ledger.post_pair(text, bigint, text, bytea, text, text, timestamptz, text, text, bigint, bigint, smallint, bigint, bigint, smallint, bigint);
