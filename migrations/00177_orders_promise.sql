-- How long an order's goods are made before they leave, and by when its seller
-- promised that they have, once it was accepted.

-- +goose Up
alter table orders.seller_order
    add column make_days int not null default 0 check (make_days between 0 and 60),
    add column ships_by timestamptz;
grant update (ships_by) on orders.seller_order to hub_app;

-- +goose Down
alter table orders.seller_order drop column make_days, drop column ships_by;
