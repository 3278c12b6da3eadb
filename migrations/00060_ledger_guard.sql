-- What guards the books beyond a balance's floor: reversals, holds, closed
-- periods, and the snapshots that past balances are summed from.

-- +goose Up

-- A transfer may say why, and may be the mirror of another: once, and never of
-- a mirror.
alter table ledger.transfer
    add column note text not null default '',
    add constraint transfer_reversal check ((reverses is null) = (kind <> 'reversal'));

-- An entry is known since its transfer was recorded; both are asked for
-- together, so both are in one row.
alter table ledger.entry disable trigger entry_append_only;
alter table ledger.entry add column recorded_at timestamptz;
update ledger.entry e set recorded_at = t.recorded_at from ledger.transfer t where t.id = e.transfer_id;
alter table ledger.entry alter column recorded_at set default platform.now();
alter table ledger.entry alter column recorded_at set not null;
alter table ledger.entry enable trigger entry_append_only;
-- Entries that count from before they were known are few.
create index entry_late on ledger.entry (account_id, recorded_at) where effective_at < recorded_at;

-- +goose StatementBegin
create function ledger.mirrored() returns trigger language plpgsql as $$
begin
    if not exists (select from ledger.transfer where id = new.reverses and reverses is null) then
        raise exception 'there is no transfer %, or it is a reversal itself', new.reverses using errcode = 'HB012';
    end if;
    if exists (select account_id, currency, sum(amount) from ledger.entry where transfer_id in (new.id, new.reverses)
               group by account_id, currency having sum(amount) <> 0) then
        raise exception 'transfer % is not the mirror of transfer %', new.id, new.reverses using errcode = 'HB012';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger transfer_mirrored after insert on ledger.transfer deferrable initially deferred
    for each row when (new.reverses is not null) execute function ledger.mirrored();

-- Money kept back inside an account. A trigger keeps the account's total with
-- each hold, in the same statement; nothing else can write it.
create table ledger.hold (
    id          text primary key,
    account_id  bigint not null references ledger.account (id),
    amount      bigint not null check (amount > 0),
    remains     bigint not null,
    why         text not null,
    state       text not null default 'open' check (state in ('open', 'closed', 'expired')),
    opened_at   timestamptz not null default platform.now(),
    opened_by   text not null default platform.principal(),
    until       timestamptz,
    ended_at    timestamptz,
    constraint hold_remains check (remains between 0 and amount and (state = 'open') = (remains > 0)),
    constraint hold_ended check ((state = 'open') = (ended_at is null))
);
create index hold_open on ledger.hold (account_id) where state = 'open';
grant select, insert, update (remains, state, ended_at) on ledger.hold to hub_app;

-- Only what cannot be spent is worth holding: an account with a floor.
alter table ledger.balance add constraint balance_held check (held = 0 or floor is not null);
revoke update on ledger.balance from hub_app;
grant update (dr, cr, version) on ledger.balance to hub_app;

-- +goose StatementBegin
create function ledger.kept_back() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and new.remains > old.remains then
        raise exception 'a hold only shrinks' using errcode = 'HB001';
    end if;
    update ledger.balance set held = held + new.remains - case tg_op when 'UPDATE' then old.remains else 0 end
        where account_id = new.account_id and shard = 0;
    return null;
end $$;
-- +goose StatementEnd
create trigger hold_kept_back after insert or update of remains on ledger.hold
    for each row execute function ledger.kept_back();

-- How far back the books are shut: no entry counts from before closed, and none
-- is recorded from before kept. fence is a transaction that began after kept
-- was set: once all older ones have ended, what is known of the time before kept
-- is complete (done).
create table ledger.horizon (
    one     bool primary key default true check (one),
    closed  timestamptz,
    kept    timestamptz,
    fence   xid8,
    done    timestamptz
);
insert into ledger.horizon default values;
grant select, update on ledger.horizon to hub_app;
-- +goose StatementBegin
create function ledger.forward() returns trigger language plpgsql as $$
begin
    if new.closed < old.closed or new.kept < old.kept or old.closed is not null and new.closed is null or old.kept is not null and new.kept is null then
        raise exception 'what is closed stays closed' using errcode = 'HB001';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger horizon_forward before update on ledger.horizon for each row execute function ledger.forward();
create trigger horizon_stays before delete or truncate on ledger.horizon for each statement execute function platform.refuse();

-- A closed period, with the trial balance as it stood at its end: a line for
-- each account that is not at zero, and the hash of those bytes. They come once
-- every transaction from before the close has ended.
create table ledger.closing (
    upto         date primary key,
    before       timestamptz not null unique,
    closed_at    timestamptz not null default platform.now(),
    closed_by    text not null default platform.principal(),
    fence        xid8,
    balanced_at  timestamptz,
    trial        bytea,
    hash         bytea,
    constraint closing_trial check ((trial is null) = (hash is null) and (trial is null) = (balanced_at is null)
        and (hash is null or hash = sha256(trial)))
);
grant select, insert, update (fence, balanced_at, trial, hash) on ledger.closing to hub_app;
-- +goose StatementBegin
create function ledger.closing_once() returns trigger language plpgsql as $$
begin
    if old.trial is not null then
        raise exception 'the trial balance of a closed period stays as it is' using errcode = 'HB001';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger closing_once before update on ledger.closing for each row execute function ledger.closing_once();
create trigger closing_stays before delete or truncate on ledger.closing for each statement execute function platform.refuse();

-- What an account's entries came to at the start of a day (UTC): those that
-- count from before it and were recorded before it. Only busy accounts have
-- them, and only on days when enough has come since the last.
create table ledger.balance_snapshot (
    account_id  bigint not null,
    day         timestamptz not null,
    dr          bigint not null check (dr >= 0),
    cr          bigint not null check (cr >= 0),
    entries     bigint not null check (entries > 0),
    primary key (account_id, day)
);
create trigger balance_snapshot_append_only before update or delete or truncate on ledger.balance_snapshot
    for each statement execute function platform.refuse();
grant select, insert on ledger.balance_snapshot to hub_app;

-- +goose StatementBegin
-- The plan is kept by the connection, perhaps since the tables were small.
create or replace function ledger.balanced() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    -- One leg alone is never zero, so that this also refuses fewer than two.
    if exists (select from added group by transfer_id, currency having sum(amount) <> 0) then
        raise exception 'the legs of a transfer do not add up to zero' using errcode = 'HB002';
    end if;
    -- Legs come with their transfer, never later, with its times, and in their
    -- account's currency; none reaches behind the horizon. Looked up one by one: a
    -- join's plan, once kept, may read whole tables.
    if exists (select from added e
               where (select t.xid = pg_current_xact_id() and t.effective_at = e.effective_at and t.recorded_at = e.recorded_at
                      from ledger.transfer t where t.id = e.transfer_id) is not true
                   or (select a.currency = e.currency and a.closed_at is null from ledger.account a where a.id = e.account_id) is not true
                   or e.effective_at < (select closed from ledger.horizon where one) or e.recorded_at < (select kept from ledger.horizon where one)) then
        perform from added where effective_at < (select closed from ledger.horizon where one);
        if found then
            raise exception 'the period is closed' using errcode = 'HB010';
        end if;
        perform from added where recorded_at < (select kept from ledger.horizon where one);
        if found then -- a new transaction has a new time
            raise exception 'this transaction began before the last day was kept' using errcode = '40001';
        end if;
        raise exception 'a leg has no open account of its currency, or no transfer of this transaction' using errcode = 'HB002';
    end if;
    return null;
end $$;
-- +goose StatementEnd

-- post as before, with a note, and what it reverses.
drop function ledger.post(text, bigint, text, bytea, text, text, timestamptz, text, bigint[], smallint[], bigint[]);
-- +goose StatementBegin
create function ledger.post(principal text, n bigint, wanted text, hash bytea, what text, for_order text, at timestamptz, cur text,
    accounts bigint[], shards smallint[], amounts bigint[], why text, mirrors bigint) returns void language plpgsql as $$
declare recorded timestamptz := platform.enter(principal); counts timestamptz := coalesce(at, recorded);
begin
    insert into ledger.transfer (id, key, request, kind, order_id, effective_at, recorded_at, actor, note, reverses)
    values (n, wanted, hash, what, for_order, counts, recorded, principal, why, mirrors) on conflict (key) do nothing;
    if not found then
        perform ledger.claimed(wanted, hash);
        return;
    end if;
    if cardinality(accounts) = 2 then -- most have two, and rows are quicker than arrays
        insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
        values (n, 0, accounts[1], shards[1], cur, amounts[1], counts, recorded), (n, 1, accounts[2], shards[2], cur, amounts[2], counts, recorded);
    else
        insert into ledger.entry (transfer_id, leg, account_id, shard, currency, amount, effective_at, recorded_at)
        select n, x.leg - 1, x.account, x.shard, cur, x.amount, counts, recorded
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
drop function ledger.post(text, bigint, text, bytea, text, text, timestamptz, text, bigint[], smallint[], bigint[], text, bigint);
drop table ledger.hold, ledger.horizon, ledger.closing, ledger.balance_snapshot cascade;
