-- What goes back, what is contested, what is kept in reserve, the cases that keep
-- an escrow as it is, and what the market takes.

-- +goose Up
alter table escrow.hold
    -- What went back, in centimes: out of the escrow by refunds and by lost
    -- chargebacks, and out of what had been released, likewise. Refunds count
    -- from their intent on.
    add column charged     bigint not null default 0 check (charged >= 0),
    add column recovered   bigint not null default 0 check (recovered >= 0),
    add column clawed      bigint not null default 0 check (clawed >= 0),
    -- How that was shared: the legs of the escrow that were cancelled, and what
    -- was taken back of the legs that had been released.
    add column cancelled   bigint[] not null default '{0,0,0,0,0}' check (cardinality(cancelled) = 5),
    add column taken       bigint[] not null default '{0,0,0,0,0}' check (cardinality(taken) = 5),
    add column flying      int not null default 0 check (flying >= 0),
    add column cases       text[] not null default '{}',
    add column frozen_at   timestamptz,
    add column shipped_at  timestamptz,
    add column release_due timestamptz,
    add column cash        bool not null default false,
    drop constraint hold_enough,
    add constraint hold_enough check (released + refunded + charged <= amount),
    add constraint hold_back check (refunded + charged + recovered + clawed <= amount),
    add constraint hold_cancelled check (cancelled[1] + cancelled[2] + cancelled[3] + cancelled[4] + cancelled[5] = refunded + charged),
    add constraint hold_taken check (taken[1] + taken[2] + taken[3] + taken[4] + taken[5] = recovered + clawed),
    drop constraint hold_leg,
    add constraint hold_leg check (gone[1] >= 0 and gone[1] + cancelled[1] <= legs[1] and gone[2] >= 0 and gone[2] + cancelled[2] <= legs[2]
        and gone[3] >= 0 and gone[3] + cancelled[3] <= legs[3] and gone[4] >= 0 and gone[4] + cancelled[4] <= legs[4]
        and gone[5] >= 0 and gone[5] + cancelled[5] <= legs[5]),
    -- A carrier who brought the goods is paid even if the buyer gets the fee
    -- back, so the fifth leg may be taken back before it is released.
    add constraint hold_taken_leg check (cancelled[1] >= 0 and taken[1] between 0 and gone[1] and cancelled[2] >= 0 and taken[2] between 0 and gone[2]
        and cancelled[3] >= 0 and taken[3] between 0 and gone[3] and cancelled[4] >= 0 and taken[4] between 0 and gone[4]
        and cancelled[5] >= 0 and taken[5] between 0 and legs[5] - cancelled[5]),
    add constraint hold_frozen check ((cardinality(cases) > 0) = (frozen_at is not null));

create index hold_release_due on escrow.hold (release_due) where state = 'funded' and frozen_at is null;

-- What was released, less what was taken back of it, is the seller's to be paid
-- out; some of it comes from a reserve that was let go.
alter table escrow.release
    add column taken bigint not null default 0 check (taken >= 0),
    drop constraint release_covered,
    add constraint release_covered check (covered >= 0 and covered + taken <= amount);
drop index escrow.release_open;
create index release_open on escrow.release (seller, id) where covered + taken < amount;

-- What is kept back of one release, until it is due.
create table escrow.lot (
    id          text primary key,  -- of the release
    hold        text not null references escrow.hold,
    order_id    text not null,
    seller      text not null,
    currency    text not null,
    amount      bigint not null check (amount > 0),
    used        bigint not null default 0,
    due         timestamptz not null,
    done        bool not null default false,
    version     bigint not null default 0,
    created_at  timestamptz not null default platform.now(),
    constraint lot_used check (used between 0 and amount)
);
create index lot_open on escrow.lot (seller, id) where not done;
create index on escrow.lot (order_id);
grant select, insert, update on escrow.lot to hub_app;

-- The escrow's side of a refund: what it took and where from.
create table escrow.back (
    refund      text primary key,
    hold        text not null references escrow.hold,
    order_id    text not null,
    seller      text not null,
    currency    text not null,
    amount      bigint not null check (amount > 0),
    state       text not null default 'flying' check (state in ('flying', 'arrived', 'undone')),
    cancelled   bigint[] not null check (cardinality(cancelled) = 5),
    taken       bigint[] not null check (cardinality(taken) = 5),
    source      jsonb not null,  -- reserve lots, releases, available, receivable, loss
    goodwill    bool not null,
    created_at  timestamptz not null default platform.now(),
    constraint back_whole check (cancelled[1] + cancelled[2] + cancelled[3] + cancelled[4] + cancelled[5]
        + taken[1] + taken[2] + taken[3] + taken[4] + taken[5] = amount)
);
create index back_flying on escrow.back (order_id) where state = 'flying';
grant select, insert on escrow.back to hub_app;
grant update (state) on escrow.back to hub_app;

-- A dispute, a chargeback or a return about an order.
create table escrow.case_of (
    id         text not null,
    order_id   text not null,
    kind       text not null check (kind in ('dispute', 'chargeback', 'return')),
    state      text not null,
    deadline   timestamptz,
    opened_at  timestamptz not null,
    ended_at   timestamptz,
    primary key (id, order_id)
);
create index case_open on escrow.case_of (order_id) where ended_at is null;
grant select, insert, update on escrow.case_of to hub_app;

-- A chargeback, and its share in each escrow of the charge.
create table escrow.contest (
    id         text primary key,
    charge     text not null,
    acquirer   text not null,
    currency   text not null,
    amount     bigint not null check (amount > 0),
    fee        bigint not null check (fee >= 0),
    state      text not null default 'open' check (state in ('open', 'won', 'lost')),
    version    bigint not null default 0,
    opened_at  timestamptz not null default platform.now()
);
grant select, insert, update on escrow.contest to hub_app;

-- covered is what is still in the escrow or kept inside the seller's available
-- money; what is not stops the seller's payouts.
create table escrow.contested (
    contest    text not null references escrow.contest,
    order_id   text not null,
    seller     text not null,
    amount     bigint not null check (amount > 0),
    kept       bigint not null default 0 check (kept >= 0),
    uncovered  bigint not null default 0 check (uncovered >= 0),
    open       bool not null default true,
    primary key (contest, order_id)
);
create index contested_open on escrow.contested (seller) where open and uncovered > 0;
grant select, insert, update on escrow.contested to hub_app;

-- What the market takes: fees by tariff, and the rates of VAT and reserve. Each
-- row holds from a day on; a later one of the same name takes its place, and no
-- row is changed.
create table escrow.tariff (
    code      text not null,
    category  text not null default '',
    base      text not null check (base in ('goods', 'delivery', 'total')),
    percent   numeric(7, 4) not null check (percent between 0 and 100),
    minimum   bigint not null default 0 check (minimum >= 0),
    maximum   bigint check (maximum >= minimum),
    payer     text not null check (payer in ('seller', 'buyer')),
    since     timestamptz not null,
    primary key (code, category, since)
);
create trigger tariff_append_only before update or delete or truncate on escrow.tariff
    for each statement execute function platform.refuse();
grant select, insert on escrow.tariff to hub_app;
insert into escrow.tariff (code, base, percent, payer, since) values ('commission', 'goods', 5, 'seller', '2025-01-01');

create table escrow.rate (
    kind     text not null check (kind in ('vat', 'reserve')),
    percent  numeric(7, 4) not null check (percent between 0 and 100),
    since    timestamptz not null,
    primary key (kind, since)
);
create trigger rate_append_only before update or delete or truncate on escrow.rate
    for each statement execute function platform.refuse();
grant select, insert on escrow.rate to hub_app;
insert into escrow.rate (kind, percent, since) values ('vat', 20, '2025-01-01'), ('reserve', 0, '2025-01-01');

-- +goose Down
drop table escrow.tariff, escrow.rate;
drop table escrow.contested, escrow.contest, escrow.case_of, escrow.back, escrow.lot;
alter table escrow.release drop column taken;
alter table escrow.hold drop column charged, drop column recovered, drop column clawed, drop column cancelled, drop column taken, drop column flying,
    drop column cases, drop column frozen_at, drop column shipped_at, drop column release_due, drop column cash;
