-- What sellers take off their own goods: by a code or by itself, while it lasts.
-- A promotion never changes but for how often it was used; another takes its
-- place and this one ends.

-- +goose Up
create schema promotions;
grant usage on schema promotions to hub_app;

create table promotions.promotion (
    id          text primary key,
    seller      text not null check (seller <> ''),
    slot        int not null check (slot between 1 and 50),
    code        text not null check (code ~ '^([A-Z0-9][A-Z0-9-]{2,29})?$'),  -- '': by itself
    names       jsonb not null check (names <> '{}'),
    kind        text not null check (kind in ('percent', 'amount', 'free_delivery')),
    percent     numeric(5, 2) not null default 0 check (percent between 0 and 100),
    amount      bigint not null default 0 check (amount >= 0),
    most        bigint check (most > 0),
    minimum     bigint not null default 0 check (minimum >= 0),
    offers      text[] not null default '{}',
    categories  text[] not null default '{}',
    since       timestamptz not null,
    until       timestamptz not null check (until > since),
    total       int check (total > 0),
    per_buyer   int check (per_buyer > 0),
    used        int not null default 0,
    made_at     timestamptz not null default platform.now(),
    ended_at    timestamptz,
    constraint promotion_worth check ((kind = 'percent') = (percent > 0) and (kind = 'amount') = (amount > 0)),
    constraint promotion_used check (used >= 0 and (total is null or used <= total))
);
create unique index promotion_slot on promotions.promotion (seller, slot) where ended_at is null;
create unique index promotion_code on promotions.promotion (seller, code) where ended_at is null and code <> '';
create index on promotions.promotion (seller, id);
grant select, insert, update (used, ended_at) on promotions.promotion to hub_app;

-- How often each buyer used one; most is the promotion's per_buyer.
create table promotions.buyer (
    promotion  text not null references promotions.promotion,
    buyer      text not null,
    used       int not null,
    most       int,
    primary key (promotion, buyer),
    constraint buyer_used check (used >= 0 and (most is null or used <= most))
);
grant select, insert, update (used) on promotions.buyer to hub_app;

-- What was taken off an order. It is given back when the order ends unpaid.
create table promotions.redemption (
    order_id       text primary key,
    promotion      text not null references promotions.promotion,
    buyer          text not null,
    amount         bigint not null check (amount > 0),
    at             timestamptz not null default platform.now(),
    given_back_at  timestamptz
);
create index on promotions.redemption (promotion);
grant select, insert, update (given_back_at) on promotions.redemption to hub_app;

-- +goose Down
drop schema promotions cascade;
