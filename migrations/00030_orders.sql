-- Buying: baskets, quotes, and one order for each seller.

-- +goose Up
create schema orders;
grant usage on schema orders to hub_app;

create table orders.basket (
    id          text primary key,
    buyer       text not null,
    state       text not null default 'open' check (state in ('open', 'ordered')),
    version     bigint not null default 1,
    created_at  timestamptz not null default platform.now()
);
grant select, insert, update on orders.basket to hub_app;

-- price is the one the buyer was shown last.
create table orders.basket_line (
    basket    text not null references orders.basket,
    variant   text not null,
    quantity  int not null check (quantity between 1 and 999),
    price     bigint not null,
    primary key (basket, variant)
);
grant select, insert, update, delete on orders.basket_line to hub_app;

create table orders.quote (
    id          text primary key,
    basket      text not null references orders.basket,
    hash        text not null,
    version     bigint not null,  -- of the basket
    method      text not null,
    commune     text not null,
    region      text not null,
    body        jsonb not null,   -- as the buyer saw it
    expires_at  timestamptz not null,
    unique (basket, hash)
);
grant select, insert, delete on orders.quote to hub_app;

-- What delivery costs, in centimes, by weight: rates of the demonstration,
-- valid from a day on until a later row takes their place.
create table orders.tariff (
    method      text not null check (method in ('carrier', 'own', 'pickup')),
    since       timestamptz not null,
    base        bigint not null check (base >= 0),
    included_g  bigint not null check (included_g >= 0),
    per_kg      bigint not null check (per_kg >= 0),
    payee       text not null,  -- the carrier it goes to; '' is the seller
    primary key (method, since)
);
grant select, insert on orders.tariff to hub_app;
insert into orders.tariff (method, since, base, included_g, per_kg, payee) values
    ('carrier', '2025-01-01', 3000, 5000, 400, 'demo'),
    ('own',     '2025-01-01', 2000, 10000, 200, ''),
    ('pickup',  '2025-01-01', 0, 0, 0, '');

create table orders.order_group (
    id          text primary key,
    basket      text not null,
    buyer       text not null,
    charge      text not null,
    currency    text not null,
    total       bigint not null check (total > 0),
    contact     jsonb not null,
    delivery    jsonb not null,
    created_at  timestamptz not null default platform.now()
);
create unique index order_group_basket on orders.order_group (basket);
grant select, insert on orders.order_group to hub_app;

create table orders.seller_order (
    id             text primary key,
    grp            text not null references orders.order_group,
    seller         text not null,
    seller_names   jsonb not null,
    buyer          text not null,
    state          text not null check (state in ('pending_payment', 'paid', 'accepted', 'shipped', 'delivered',
                       'completed', 'expired', 'cancelled', 'refunded')),
    currency       text not null,
    goods          bigint not null check (goods > 0),
    delivery       bigint not null check (delivery >= 0),
    total          bigint not null check (total = goods + delivery),
    legs           jsonb not null,
    method         text not null,
    delivery_code  text not null,
    code_tries     int not null default 0,
    carrier        text not null default '',
    tracking       text not null default '',
    settled        bool not null default false,  -- nothing is held for it any more
    version        bigint not null default 1,
    created_at     timestamptz not null default platform.now()
);
create index on orders.seller_order (grp);
create index on orders.seller_order (seller, id);
create index on orders.seller_order (buyer, id);
grant select, insert on orders.seller_order to hub_app;
grant update (state, code_tries, carrier, tracking, settled, version) on orders.seller_order to hub_app;

-- What was bought at which price; never changed afterwards.
create table orders.line (
    order_id       text not null references orders.seller_order,
    variant        text not null,
    offer          text not null,
    names          jsonb not null,
    variant_names  jsonb not null,
    sku            text not null,
    quantity       int not null check (quantity > 0),
    price          bigint not null check (price > 0),
    total          bigint not null check (total = price * quantity),
    primary key (order_id, variant)
);
create trigger line_append_only before update or delete or truncate on orders.line
    for each statement execute function platform.refuse();
grant select, insert on orders.line to hub_app;

create table orders.timeline (
    seq       bigint generated always as identity primary key,
    order_id  text not null references orders.seller_order,
    at        timestamptz not null default platform.now(),
    actor     text not null,
    what      text not null
);
create index on orders.timeline (order_id, seq);
create trigger timeline_append_only before update or delete or truncate on orders.timeline
    for each statement execute function platform.refuse();
grant select, insert on orders.timeline to hub_app;

-- +goose Down
drop schema orders cascade;
