-- The books: double entry, append-only, in centimes. An entry's amount is
-- above zero for a debit and below for a credit; each transfer adds up to zero
-- in each currency, and the database refuses one that does not.

-- +goose Up
create schema ledger;
grant usage on schema ledger to hub_app;

create table ledger.account (
    id         bigint generated always as identity primary key,
    code       text not null,
    currency   text not null check (currency ~ '^[A-Z]{3}$'),
    normal     text not null check (normal in ('D', 'C')),
    floor      bigint check (floor = 0),
    shards     smallint not null default 1 check (shards between 1 and 64),
    closed_at  timestamptz,
    unique (code, currency),
    -- A floor needs one row to stand on.
    check (floor is null or shards = 1)
);
grant select, insert on ledger.account to hub_app;

-- The running totals. What is held and what lies under the floor cannot go.
create table ledger.balance (
    account_id  bigint not null,
    shard       smallint not null default 0,
    dr          bigint not null default 0 check (dr >= 0),
    cr          bigint not null default 0 check (cr >= 0),
    held        bigint not null default 0 check (held >= 0),
    version     bigint not null default 0,
    normal      text not null,
    floor       bigint,
    primary key (account_id, shard),
    constraint balance_floor check (floor is null
        or case normal when 'C' then cr - dr else dr - cr end - held >= floor)
) with (fillfactor = 50);
grant select, insert, update on ledger.balance to hub_app;

-- Ids are taken in blocks of 100, so that a transfer knows its own before it
-- is sent.
create sequence ledger.transfer_block increment by 100 start with 100;
grant usage on sequence ledger.transfer_block to hub_app;

create table ledger.transfer (
    id            bigint primary key,
    key           text not null unique,
    request       bytea not null,
    kind          text not null,
    order_id      text not null default '',
    reverses      bigint unique,
    effective_at  timestamptz not null,
    recorded_at   timestamptz not null default platform.now(),
    actor         text not null default platform.principal(),
    xid           xid8 not null default pg_current_xact_id()
);
create index on ledger.transfer (order_id) where order_id <> '';

create table ledger.entry (
    transfer_id   bigint not null,
    leg           smallint not null,
    account_id    bigint not null,
    shard         smallint not null,
    currency      text not null,
    amount        bigint not null check (amount <> 0),
    effective_at  timestamptz not null,
    primary key (transfer_id, leg)
);
create index entry_account on ledger.entry (account_id, effective_at, transfer_id);

-- +goose StatementBegin
-- The plan is kept by the connection, perhaps since the tables were small.
create function ledger.balanced() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    if exists (select from added group by transfer_id, currency having sum(amount) <> 0) then
        raise exception 'the legs of a transfer do not add up to zero' using errcode = 'HB002';
    end if;
    if exists (select from added group by transfer_id having count(*) < 2) then
        raise exception 'a transfer has fewer than two legs' using errcode = 'HB002';
    end if;
    -- Legs come with their transfer, never later, and in their account's currency.
    if exists (select from added e
               left join ledger.transfer t on t.id = e.transfer_id and t.xid = pg_current_xact_id()
               left join ledger.account a on a.id = e.account_id and a.currency = e.currency and a.closed_at is null
               where t.id is null or a.id is null) then
        raise exception 'a leg has no open account of its currency, or no transfer of this transaction' using errcode = 'HB002';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger entry_balanced after insert on ledger.entry
    referencing new table as added for each statement execute function ledger.balanced();
create trigger entry_append_only before update or delete or truncate on ledger.entry
    for each statement execute function platform.refuse();
create trigger transfer_append_only before update or delete or truncate on ledger.transfer
    for each statement execute function platform.refuse();
grant select, insert on ledger.transfer, ledger.entry to hub_app;

-- claimed refuses a key that already stands for another transfer.
-- +goose StatementBegin
create function ledger.claimed(wanted text, hash bytea) returns bigint language plpgsql as $$
declare found bigint; stored bytea;
begin
    select id, request into found, stored from ledger.transfer where key = wanted;
    if stored is distinct from hash then
        raise exception 'this key stands for another transfer' using errcode = 'HB003';
    end if;
    return found;
end $$;
-- +goose StatementEnd

-- post writes a transfer: facts first, then the balances in the order given. A
-- key that stands for the same transfer changes nothing; for another it is
-- refused. As statements of the hub's own it took the server over half as much
-- again: they were planned anew each time.
-- +goose StatementBegin
create function ledger.post(n bigint, wanted text, hash bytea, what text, for_order text, at timestamptz, cur text,
    accounts bigint[], shards smallint[], amounts bigint[]) returns void language plpgsql as $$
declare recorded timestamptz := platform.now(); counts timestamptz := coalesce(at, recorded);
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at)
    values (n, wanted, hash, what, for_order, counts, recorded) on conflict (key) do nothing;
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
drop schema ledger cascade;
