-- The platform's own money between its accounts, and the switch that stops all
-- payments out.

-- +goose Up
create schema treasury;
grant usage on schema treasury to hub_app;

-- A top-up takes our own money to the clients' account; a sweep takes what is
-- ours out of it.
create table treasury.move (
    id          text primary key,
    kind        text not null check (kind in ('top_up', 'sweep')),
    bank        text not null,
    ref         text not null unique,
    currency    text not null,
    amount      bigint not null check (amount > 0),
    day         date not null,
    state       text not null default 'open' check (state in ('open', 'done', 'rejected', 'returned')),
    by          text not null,
    why         text not null default '',
    late        bool not null default false,  -- refused, and done all the same
    version     bigint not null default 0,
    created_at  timestamptz not null,
    changed_at  timestamptz not null
);
-- One top-up a bank and day, one open sweep a bank. One that was refused and done
-- all the same came when another was made already.
create unique index move_top_up on treasury.move (bank, currency, day) where kind = 'top_up' and state in ('open', 'done') and not late;
create unique index move_sweep on treasury.move (bank, currency) where kind = 'sweep' and state = 'open';
create index on treasury.move (bank, kind) where state = 'open';
grant select, insert, update (state, why, late, version, changed_at) on treasury.move to hub_app;

-- While a row has no end, no money leaves. It ends once two people say so.
create table treasury.halt (
    id          text primary key,
    reason      text not null,
    on_by       text not null,
    on_at       timestamptz not null,
    off_by      text not null default '',
    off_at      timestamptz,
    constraint halt_off check ((off_at is null) = (off_by = ''))
);
create unique index halt_on on treasury.halt ((true)) where off_at is null;
grant select, insert, update (off_by, off_at) on treasury.halt to hub_app;

-- +goose Down
drop schema treasury cascade;
