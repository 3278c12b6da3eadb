-- The least a server can do for one transfer: bench.post and bench.collect
-- write the rows that ledger.Books.Post writes, in one call.

create schema bench;
grant usage on schema bench to hub_app;

create sequence bench.transfer start with 1000000000000;
grant usage on sequence bench.transfer to hub_app;

-- sellers are the accounts to move money between. Their ids have no gap.
create function bench.sellers(out first bigint, out last bigint, out many bigint) language sql as $$
    select min(id), max(id), count(*) from ledger.account where code like 'seller:bench-%:available'
$$;

create function bench.account(wanted text) returns bigint language sql as $$
    select id from ledger.account where code = wanted
$$;

-- past writes a history of transfers at once, so that both sides meet books
-- that have been at work for a while.
create function bench.past(many int) returns void language plpgsql as $$
declare
    ours record := bench.sellers();
begin
    create temp table past on commit drop as
        select nextval('bench.transfer') as id, ours.first + floor(random() * ours.many)::bigint as payer,
            ours.first + floor(random() * ours.many)::bigint as payee, 1 + floor(random() * 500)::bigint as centimes
        from generate_series(1, many);
    insert into ledger.transfer (id, key, request, kind, effective_at)
        select id, 'bench:' || id, sha256(id::text::bytea), 'bench.post', platform.now() from past;
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
        select id, 0, payer, 0, 'MAD', centimes, platform.now(), platform.now() from past
        union all select id, 1, payee, 0, 'MAD', -centimes, platform.now(), platform.now() from past;
    update ledger.balance b set dr = dr + s.sum, version = version + s.n
        from (select payer, sum(centimes) as sum, count(*) as n from past group by payer) s where b.account_id = s.payer;
    update ledger.balance b set cr = cr + s.sum, version = version + s.n
        from (select payee, sum(centimes) as sum, count(*) as n from past group by payee) s where b.account_id = s.payee;
end $$;

-- post moves money from one seller to another.
create function bench.post(payer bigint, payee bigint, centimes bigint) returns bigint language plpgsql as $$
declare
    n bigint := nextval('bench.transfer');
    name text := 'bench:' || n;
    request bytea := sha256(name::bytea);
    at timestamptz := platform.enter('system hub');
begin
    insert into ledger.transfer (id, key, request, kind, effective_at) values (n, name, request, 'bench.post', at)
        on conflict (key) do nothing;
    if not found then
        return ledger.claimed(name, request);
    end if;
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
        values (n, 0, payer, 0, 'MAD', centimes, at, at), (n, 1, payee, 0, 'MAD', -centimes, at, at);
    if payer < payee then
        update ledger.balance set dr = dr + centimes, version = version + 1 where account_id = payer and shard = 0;
        update ledger.balance set cr = cr + centimes, version = version + 1 where account_id = payee and shard = 0;
    else
        update ledger.balance set cr = cr + centimes, version = version + 1 where account_id = payee and shard = 0;
        update ledger.balance set dr = dr + centimes, version = version + 1 where account_id = payer and shard = 0;
    end if;
    return n;
end $$;

-- collect gives a seller money out of an account that all share, which has
-- eight shards and is locked last.
create function bench.collect(busy bigint, payee bigint, centimes bigint) returns bigint language plpgsql as $$
declare
    n bigint := nextval('bench.transfer');
    name text := 'bench:' || n;
    request bytea := sha256(name::bytea);
    at timestamptz := platform.enter('system hub');
begin
    insert into ledger.transfer (id, key, request, kind, effective_at) values (n, name, request, 'bench.post', at)
        on conflict (key) do nothing;
    if not found then
        return ledger.claimed(name, request);
    end if;
    insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
        values (n, 0, busy, n % 8, 'MAD', centimes, at, at), (n, 1, payee, 0, 'MAD', -centimes, at, at);
    update ledger.balance set cr = cr + centimes, version = version + 1 where account_id = payee and shard = 0;
    update ledger.balance set dr = dr + centimes, version = version + 1 where account_id = busy and shard = n % 8;
    return n;
end $$;
