-- What the market takes of the buyer, on top of goods and delivery.

-- +goose Up
alter table orders.seller_order
    add column fees bigint not null default 0 check (fees >= 0),
    drop constraint seller_order_check,
    add constraint seller_order_total check (total = goods + delivery + fees);

-- +goose Down
alter table orders.seller_order drop constraint seller_order_total, drop column fees,
    add constraint seller_order_check check (total = goods + delivery);
