-- +goose Up
-- Where the orders of a month go is counted by their day.
create index order_group_day on orders.order_group (created_at);

-- +goose Down
drop index orders.order_group_day;
