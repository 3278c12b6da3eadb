-- Files and codes are bought without delivery. Who buys them agrees that they are
-- there at once, and that the right to withdraw is lost with opening them: the
-- text, its hash and the moment are kept.

-- +goose Up
alter table orders.seller_order
    add column digital text not null default '' check (digital in ('', 'some', 'all')),
    drop constraint seller_order_method,
    add constraint seller_order_method check (method in ('carrier', 'own', 'pickup', 'relay', 'none')),
    add constraint seller_order_nothing_travels check (method <> 'none' or digital = 'all' and delivery = 0),
    add constraint seller_order_digital_paid check (digital = '' or payment <> 'cash_on_delivery');
alter table orders.line
    add column kind     text not null default 'product' check (kind in ('product', 'service', 'digital')),
    add column by_codes bool not null default false,
    add constraint line_by_codes check (not by_codes or kind = 'digital');

create table orders.consent (
    grp    text not null references orders.order_group,
    kind   text not null check (kind <> ''),
    hash   text not null check (hash ~ '^[0-9a-f]{64}$'),
    texts  jsonb not null,
    lang   text not null,
    at     timestamptz not null default platform.now(),
    primary key (grp, kind)
);
grant select, insert on orders.consent to hub_app;

-- +goose Down
drop table orders.consent;
alter table orders.line drop constraint line_by_codes, drop column by_codes, drop column kind;
alter table orders.seller_order drop constraint seller_order_digital_paid, drop constraint seller_order_nothing_travels, drop constraint seller_order_method, drop column digital;
update orders.seller_order set method = 'pickup' where method = 'none';
alter table orders.seller_order add constraint seller_order_method check (method in ('carrier', 'own', 'pickup', 'relay'));
