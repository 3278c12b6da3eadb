-- How an order is paid, and who may sell how.

-- +goose Up
alter table orders.seller_order
    add column payment  text not null default 'card' check (payment in ('card', 'wallet', 'transfer', 'cash_on_delivery')),
    -- The buyer of a cash order has accepted the goods; the money goes as soon
    -- as the carrier has remitted it.
    add column received bool not null default false,
    drop constraint seller_order_state_check,
    add constraint seller_order_state_check check (state in ('pending_payment', 'paid', 'placed', 'confirmed', 'accepted', 'shipped',
        'delivered', 'completed', 'expired', 'cancelled', 'refunded', 'refused')),
    add constraint seller_order_cash check (payment = 'cash_on_delivery' and state not in ('pending_payment', 'paid')
        or payment <> 'cash_on_delivery' and state not in ('placed', 'confirmed', 'refused') and not received);
grant update (received) on orders.seller_order to hub_app;

-- Up to what an order may be paid in a way, in centimes; 0: not at all. A row
-- of a seller's own goes before that of all ('').
create table orders.payment_rule (
    method  text not null check (method in ('card', 'wallet', 'transfer', 'cash_on_delivery')),
    seller  text not null default '',
    since   timestamptz not null,
    most    bigint not null check (most >= 0),
    primary key (method, seller, since)
);
grant select, insert on orders.payment_rule to hub_app;
insert into orders.payment_rule (method, since, most) values
    ('card',             '2025-01-01', 1000000000),
    ('transfer',         '2025-01-01', 1000000000),
    ('cash_on_delivery', '2025-01-01', 500000);

-- +goose Down
drop table orders.payment_rule;
alter table orders.seller_order drop constraint seller_order_cash, drop column payment, drop column received, drop constraint seller_order_state_check;
