-- Many transfers at once, and transfers by hand that wait for a second person.

-- +goose Up

-- lane_lock locks accounts that have a floor, in the order in which post locks
-- them, and answers what could be taken out of each. Looked up one by one: the
-- plan is kept by the connection, perhaps since the tables were small.
-- +goose StatementBegin
create function ledger.lane_lock(wanted bigint[]) returns table (account bigint, free bigint) language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return query select b.account_id, case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end - b.held
        from unnest(wanted) x (id) join ledger.balance b on b.account_id = x.id and b.shard = 0
        order by b.account_id for update of b;
end $$;
-- +goose StatementEnd

-- lane_keys answers which keys stand for a transfer, and the hash of each.
-- +goose StatementBegin
create function ledger.lane_keys(wanted text[]) returns table (name text, hash bytea) language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return query select t.key, t.request from unnest(wanted) x (key) join ledger.transfer t on t.key = x.key;
end $$;
-- +goose StatementEnd

-- post_all writes transfers that were decided on: the facts, then each balance
-- once. Those with a floor are locked already (cold); the others come last and
-- one after the other, in the order given, for they are the busy ones.
-- +goose StatementBegin
create function ledger.post_all(ids bigint[], keys text[], hashes bytea[], kinds text[], orders text[], counts timestamptz[],
    actors text[], notes text[], mirrors bigint[],
    transfers bigint[], legs smallint[], accounts bigint[], shards smallint[], currencies text[], amounts bigint[], since timestamptz[],
    cold bigint[], cold_dr bigint[], cold_cr bigint[], cold_n bigint[],
    hot bigint[], hot_shards smallint[], hot_dr bigint[], hot_cr bigint[], hot_n bigint[]) returns void language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare recorded timestamptz := platform.now();
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at, actor, note, reverses)
    select x.id, x.key, x.hash, x.kind, x.for_order, coalesce(x.at, recorded), recorded, x.actor, x.note, x.mirror
    from unnest(ids, keys, hashes, kinds, orders, counts, actors, notes, mirrors)
        x (id, key, hash, kind, for_order, at, actor, note, mirror);
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
    select x.id, x.leg, x.account, x.shard, x.currency, x.amount, coalesce(x.at, recorded), recorded
    from unnest(transfers, legs, accounts, shards, currencies, amounts, since) x (id, leg, account, shard, currency, amount, at);
    update ledger.balance b set dr = b.dr + x.dr, cr = b.cr + x.cr, version = b.version + x.n
    from unnest(cold, cold_dr, cold_cr, cold_n) x (id, dr, cr, n) where b.account_id = x.id and b.shard = 0;
    for i in 1 .. cardinality(hot) loop
        update ledger.balance set dr = dr + hot_dr[i], cr = cr + hot_cr[i], version = version + hot_n[i]
            where account_id = hot[i] and shard = hot_shards[i];
    end loop;
end $$;
-- +goose StatementEnd

-- A transfer that a person asked for and another must approve.
create table ledger.draft (
    reference  text primary key,
    request    bytea not null,
    transfer   jsonb not null,
    state      text not null default 'waiting' check (state in ('waiting', 'posted', 'refused')),
    asked_at   timestamptz not null default platform.now(),
    asked_by   text not null default platform.principal(),
    ended_at   timestamptz,
    constraint draft_ended check ((state = 'waiting') = (ended_at is null))
);
grant select, insert, update (state, ended_at) on ledger.draft to hub_app;

-- +goose Down
drop table ledger.draft;
drop function ledger.post_all(bigint[], text[], bytea[], text[], text[], timestamptz[], text[], text[], bigint[],
    bigint[], smallint[], bigint[], smallint[], text[], bigint[], timestamptz[],
    bigint[], bigint[], bigint[], bigint[], bigint[], smallint[], bigint[], bigint[], bigint[]);
drop function ledger.lane_keys(text[]);
drop function ledger.lane_lock(bigint[]);
