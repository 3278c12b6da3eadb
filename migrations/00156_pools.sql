-- Many buyers buy of many producers at once. A pool never changes while pledges
-- are taken; a pledge never changes but for what becomes of it.

-- +goose Up
create schema pools;
grant usage on schema pools to hub_app;

-- An organiser has 20 at most that are open: each has a slot.
create table pools.pool (
    id         text primary key,
    organiser  text not null check (organiser <> ''),
    slot       int not null check (slot between 1 and 20),
    names      jsonb not null check (names <> '{}'),
    text       text not null,
    category   text not null check (category <> ''),
    unit       text not null check (unit <> ''),
    region     text not null,
    commune    text not null,
    spot       jsonb,
    ceiling    bigint not null check (ceiling > 0),  -- centimes of each
    least      int not null check (least between 1 and 100000),
    deadline   timestamptz not null,
    state      text not null default 'open' check (state in ('open', 'cleared', 'settled', 'failed', 'cancelled')),
    buyers     int not null default 0,
    producers  int not null default 0,
    price      bigint check (price between 1 and ceiling),
    quantity   int not null default 0 check (quantity >= 0),
    open       int not null default 0 check (open >= 0),
    version    bigint not null default 1,
    made_at    timestamptz not null default platform.now(),
    closed_at  timestamptz,
    constraint pool_full check (buyers between 0 and 200 and producers between 0 and 200),
    constraint pool_price check ((price is not null) = (state in ('cleared', 'settled')) and (price is null or quantity >= least)),
    constraint pool_open check (open = 0 or state = 'cleared'),
    constraint pool_deadline check (deadline > made_at and deadline <= made_at + interval '60 days')
);
create unique index pool_slot on pools.pool (organiser, slot) where state = 'open';
create index on pools.pool (id) where state = 'open';
create index on pools.pool (organiser, id);
grant select, insert, update (state, buyers, producers, price, quantity, open, version, closed_at) on pools.pool to hub_app;

create table pools.pledge (
    id        text primary key,
    pool      text not null references pools.pool,
    member    text not null check (member <> ''),
    side      text not null check (side in ('buy', 'sell')),
    variant   text not null,
    quantity  int not null check (quantity between 1 and 999),
    price     bigint not null check (price > 0),  -- of each: a buyer's ceiling, a producer's floor
    filled    int not null default 0 check (filled between 0 and quantity),
    state     text not null default 'pledged' check (state in ('pledged', 'withdrawn', 'matched', 'unmatched')),
    made_at   timestamptz not null default platform.now(),
    constraint pledge_variant check ((side = 'sell') = (variant <> '')),
    constraint pledge_filled check ((filled > 0) = (state = 'matched'))
);
create unique index pledge_once on pools.pledge (pool, member) where state <> 'withdrawn';
create index on pools.pledge (pool, id);
create index on pools.pledge (member, id);
grant select, insert, update (filled, state) on pools.pledge to hub_app;

-- What one buyer gets of one producer, all at the pool's price.
create table pools.deal (
    id         text primary key,
    pool       text not null references pools.pool,
    buyer      text not null check (buyer <> ''),
    seller     text not null check (seller <> ''),
    variant    text not null,
    quantity   int not null check (quantity between 1 and 999),
    price      bigint not null check (price > 0),
    agreement  text not null unique,
    order_id   text not null default '',
    state      text not null default 'proposed' check (state in ('proposed', 'ordered', 'paid', 'lapsed')),
    until      timestamptz not null,
    made_at    timestamptz not null default platform.now(),
    constraint deal_pair unique (pool, buyer, seller),
    constraint deal_order check ((order_id <> '') = (state in ('ordered', 'paid')))
);
create index on pools.deal (pool, id);
create index on pools.deal (buyer, id);
create index on pools.deal (seller, id);
create index deal_order_id on pools.deal (order_id) where order_id <> '';
grant select, insert, update (order_id, state) on pools.deal to hub_app;

-- +goose Down
drop schema pools cascade;
