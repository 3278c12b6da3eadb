-- What is held for one order of one seller, and what became of it.

-- +goose Up
create schema escrow;
grant usage on schema escrow to hub_app;

create table escrow.hold (
    id         text primary key,
    order_id   text not null unique,
    seller     text not null,
    buyer      text not null,
    charge     text not null,
    carrier    text not null,
    currency   text not null,
    amount     bigint not null check (amount > 0),
    released   bigint not null default 0 check (released >= 0),
    refunded   bigint not null default 0 check (refunded >= 0),
    -- How the whole is shared, and how what was released was: seller, reserve,
    -- commission, VAT, carrier, in centimes.
    legs       bigint[] not null check (cardinality(legs) = 5),
    gone       bigint[] not null default '{0,0,0,0,0}' check (cardinality(gone) = 5),
    state      text not null default 'awaiting'
               check (state in ('awaiting', 'authorized', 'funded', 'released', 'closed', 'expired', 'voided', 'refunded')),
    wait_s     bigint not null check (wait_s >= 0),
    settled    bool not null default false,
    version    bigint not null default 0,
    funded_at  timestamptz,
    created_at timestamptz not null default platform.now(),
    constraint hold_shared check (legs[1] + legs[2] + legs[3] + legs[4] + legs[5] = amount),
    constraint hold_gone check (gone[1] + gone[2] + gone[3] + gone[4] + gone[5] = released),
    constraint hold_enough check (released + refunded <= amount),
    constraint hold_leg check (gone[1] between 0 and legs[1] and gone[2] between 0 and legs[2] and gone[3] between 0 and legs[3]
        and gone[4] between 0 and legs[4] and gone[5] between 0 and legs[5])
);
create index on escrow.hold (charge);
create index on escrow.hold (seller) where state = 'funded';
grant select, insert, update on escrow.hold to hub_app;

-- What a seller was given, until a payout covers it.
create table escrow.release (
    id        text primary key,
    hold      text not null,
    order_id  text not null,
    seller    text not null,
    charge    text not null,
    currency  text not null,
    amount    bigint not null check (amount > 0),
    covered   bigint not null default 0,
    settled   bool not null,
    at        timestamptz not null default platform.now(),
    constraint release_covered check (covered between 0 and amount)
);
create index release_open on escrow.release (seller, id) where covered < amount;
create index on escrow.release (charge);
grant select, insert, update on escrow.release to hub_app;

-- +goose Down
drop schema escrow cascade;
