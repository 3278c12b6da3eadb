-- Offers, their variants, stock, labels, reservations and imports.

-- +goose Up
create schema catalog;
grant usage on schema catalog to hub_app;

-- today is the hub's day in Morocco: labels are valid by days.
create function catalog.today() returns date language sql stable parallel safe
    return (platform.now() at time zone 'Africa/Casablanca')::date;

-- ref is the seller's own key of the offer (offer_key of its import files).
create table catalog.offer (
    id                 text primary key,
    seller             text not null,
    ref                text not null,
    category           text not null,
    names              jsonb not null,
    descriptions       jsonb not null default '{}',
    region             text not null,
    commune            text not null default '',
    lat                float8,
    lng                float8,
    withdrawal_exempt  text not null default '' check (withdrawal_exempt in ('', 'perishable', 'made_to_measure')),
    image              text not null default '',
    state              text not null check (state in ('draft', 'published', 'paused', 'archived')),
    version            int not null default 1,
    created_at         timestamptz not null,
    published_at       timestamptz,
    constraint offer_ref unique (seller, ref),
    check ((lat is null) = (lng is null)),
    check (state <> 'published' or published_at is not null)
);
grant select, insert, update on catalog.offer to hub_app;

-- seller repeats the offer's, for one SKU names one variant of a seller.
create table catalog.variant (
    id        text primary key,
    offer     text not null references catalog.offer,
    seller    text not null,
    sku       text not null,
    names     jsonb not null default '{}',
    unit      text not null default '',
    weight_g  int not null default 0 check (weight_g >= 0),
    price     bigint not null check (price > 0),
    currency  text not null default 'MAD',
    on_hand   int not null default 0,
    reserved  int not null default 0,
    constraint variant_sku unique (seller, sku),
    constraint variant_stock check (reserved >= 0 and reserved <= on_hand)
);
create index variant_offer on catalog.variant (offer);
grant select, insert, update on catalog.variant to hub_app;

create table catalog.label (
    offer       text not null references catalog.offer,
    code        text not null,
    issuer      text not null default '',
    number      text not null default '',
    valid_from  date not null,
    valid_to    date,
    primary key (offer, code),
    check (valid_to is null or valid_to >= valid_from)
);
grant select, insert, update, delete on catalog.label to hub_app;

create table catalog.reservation (
    order_id  text not null,
    variant   text not null references catalog.variant,
    quantity  int not null check (quantity > 0),
    state     text not null check (state in ('held', 'taken', 'released')),
    due       timestamptz not null,
    constraint reservation_once primary key (order_id, variant)
);
create index reservation_held on catalog.reservation (variant) where state = 'held';
grant select, insert, update on catalog.reservation to hub_app;

-- Each change of on_hand; over a variant they add up to it.
create table catalog.stock_move (
    seq      bigint generated always as identity primary key,
    variant  text not null references catalog.variant,
    delta    int not null check (delta <> 0),
    reason   text not null check (reason in ('created', 'imported', 'counted', 'moved', 'sold')),
    ref      text not null default '',
    actor    text not null default platform.principal(),
    at       timestamptz not null default platform.now()
);
create index stock_move_variant on catalog.stock_move (variant, seq);
create trigger stock_move_append_only before update or delete or truncate on catalog.stock_move
    for each statement execute function platform.refuse();
grant select, insert on catalog.stock_move to hub_app;

create table catalog.import (
    id       text primary key,
    seller   text not null,
    name     text not null default '',
    sha256   bytea not null,
    rows     int not null,
    created  int not null,
    updated  int not null,
    rejected jsonb not null default '[]',
    actor    text not null default platform.principal(),
    at       timestamptz not null default platform.now()
);
create index import_seller on catalog.import (seller, at);
grant select, insert on catalog.import to hub_app;

-- +goose Down
drop schema catalog cascade;
