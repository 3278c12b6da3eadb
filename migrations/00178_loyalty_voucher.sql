-- What points are spent on: an amount that the market takes off one order of the
-- person's. Of an order whose money went back its part of the points comes back.

-- +goose Up
create table loyalty.voucher (
    promotion  text primary key,
    person     text not null references loyalty.account,
    move       text not null references loyalty.move,  -- that spent them
    points     bigint not null check (points > 0),
    worth      bigint not null check (worth > 0),      -- centimes
    until      timestamptz not null,
    back       bigint not null default 0,              -- points that came back
    ended_at   timestamptz,                            -- it was not used in time
    version    bigint not null default 0,
    constraint voucher_once unique (move),
    constraint voucher_back check (back between 0 and points),
    constraint voucher_ended check (ended_at is null or back = points)
);
create index on loyalty.voucher (person, promotion) where ended_at is null;
grant select, insert, update (back, ended_at, version) on loyalty.voucher to hub_app;

-- The orders that it was used for; but for one they ended unpaid.
create table loyalty.voucher_use (
    promotion  text not null references loyalty.voucher,
    order_id   text not null,
    primary key (order_id, promotion)
);
create trigger voucher_use_append_only before update or delete or truncate on loyalty.voucher_use
    for each statement execute function platform.refuse();
grant select, insert on loyalty.voucher_use to hub_app;

-- +goose Down
drop table loyalty.voucher_use, loyalty.voucher;
