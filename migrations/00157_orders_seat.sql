-- An order that has a place in a group buy waits beside its state until the group
-- is ordered; what went back of its goods for a lower price stands beside them.

-- +goose Up
alter table orders.seller_order
    add column seat    text not null default '',
    add column waits   bool not null default false,
    add column rebate  bigint not null default 0,
    add constraint seller_order_waits check (not waits or seat <> '' and state in ('pending_payment', 'paid', 'expired', 'cancelled', 'refunded')),
    add constraint seller_order_rebate check (rebate = 0 or rebate between 1 and goods - 1 and seat <> '' and not waits);
create unique index seller_order_seat on orders.seller_order (seat) where seat <> '' and state not in ('expired', 'cancelled', 'refunded');
grant update (waits, rebate) on orders.seller_order to hub_app;

-- +goose Down
drop index orders.seller_order_seat;
alter table orders.seller_order drop constraint seller_order_waits, drop constraint seller_order_rebate,
    drop column seat, drop column waits, drop column rebate;
