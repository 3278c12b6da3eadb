-- The parcels of an order: what is in each, how often it was tried to bring it,
-- and what proves that it came.

-- +goose Up
alter table orders.seller_order add column preparing_at timestamptz;
grant update (preparing_at) on orders.seller_order to hub_app;

create table orders.shipment (
    id            text primary key,
    order_id      text not null references orders.seller_order,
    place         int not null check (place between 1 and 100),  -- the first, the second …
    method        text not null check (method in ('carrier', 'own', 'pickup')),
    carrier       text not null default '',
    tracking      text not null default '',
    code          text not null,          -- '' is the order's own
    code_tries    int not null default 0 check (code_tries between 0 and 5),
    state         text not null check (state in ('on_its_way', 'missed', 'undeliverable', 'delivered')),
    attempts      int not null default 0 check (attempts between 0 and 3),
    again_on      date,
    shipped_at    timestamptz not null,
    delivered_at  timestamptz,
    proof         text not null default '' check (proof in ('', 'code', 'photo', 'buyer', 'cash')),
    photo         text not null default '',
    lat           double precision,
    lng           double precision,
    accuracy_m    int check (accuracy_m >= 0),
    device_at     timestamptz,            -- by the clock of whoever brought it
    actor         text not null default '',
    version       bigint not null default 0,
    unique (order_id, place),
    constraint shipment_carrier check (method <> 'carrier' or carrier <> ''),
    constraint shipment_proved check ((state = 'delivered') = (delivered_at is not null) and (state = 'delivered') = (proof <> '')),
    constraint shipment_photo check (proof <> 'photo' or photo <> '' and lat is not null),
    constraint shipment_somewhere check ((lat is null) = (lng is null) and (lat is null) = (accuracy_m is null))
);
grant select, insert on orders.shipment to hub_app;
grant update (state, code_tries, attempts, again_on, delivered_at, proof, photo, lat, lng, accuracy_m, device_at, actor, version) on orders.shipment to hub_app;

create table orders.shipment_line (
    shipment  text not null references orders.shipment,
    order_id  text not null,
    variant   text not null,
    quantity  int not null check (quantity > 0),
    primary key (shipment, variant),
    foreign key (order_id, variant) references orders.line
);
create index on orders.shipment_line (order_id);
grant select, insert on orders.shipment_line to hub_app;

-- How many of an article are in a parcel: never more than were bought.
create table orders.shipped (
    order_id  text not null,
    variant   text not null,
    bought    int not null,
    quantity  int not null,
    primary key (order_id, variant),
    foreign key (order_id, variant) references orders.line,
    constraint shipped_most check (quantity between 0 and bought)
);
grant select, insert on orders.shipped to hub_app;
grant update (quantity) on orders.shipped to hub_app;

-- Each time that somebody tried to bring a parcel in vain.
create table orders.attempt (
    shipment    text not null references orders.shipment,
    n           int not null check (n between 1 and 3),
    reason      text not null check (reason in ('absent', 'refused', 'wrong_address', 'unreachable', 'closed', 'damaged', 'weather', 'other')),
    note        text not null,
    again_on    date,
    lat         double precision,
    lng         double precision,
    accuracy_m  int check (accuracy_m >= 0),
    device_at   timestamptz,
    at          timestamptz not null,
    actor       text not null,
    primary key (shipment, n)
);
create trigger attempt_append_only before update or delete or truncate on orders.attempt
    for each statement execute function platform.refuse();
grant select, insert on orders.attempt to hub_app;

-- What left before there were parcels left in one.
insert into orders.shipment (id, order_id, place, method, carrier, tracking, code, state, shipped_at, delivered_at, proof)
    select 'shp_' || substr(o.id, 5), o.id, 1, case when o.carrier = '' then 'own' else 'carrier' end, o.carrier, o.tracking, '',
        case when o.delivered_at is null then 'on_its_way' else 'delivered' end, t.at, o.delivered_at,
        case when o.delivered_at is null then '' else 'buyer' end
    from orders.seller_order o
    join lateral (select min(at) as at from orders.timeline t where t.order_id = o.id and t.what = 'shipped') t on t.at is not null;
insert into orders.shipment_line (shipment, order_id, variant, quantity)
    select s.id, l.order_id, l.variant, l.quantity from orders.shipment s join orders.line l on l.order_id = s.order_id;
insert into orders.shipped (order_id, variant, bought, quantity)
    select l.order_id, l.variant, l.quantity, l.quantity from orders.shipment s join orders.line l on l.order_id = s.order_id;

-- +goose Down
drop table orders.attempt, orders.shipped, orders.shipment_line, orders.shipment;
alter table orders.seller_order drop column preparing_at;
