-- A charge is for one checkout, and its orders are found by it.

-- +goose Up
create unique index order_group_charge on orders.order_group (charge);

-- +goose Down
drop index orders.order_group_charge;
