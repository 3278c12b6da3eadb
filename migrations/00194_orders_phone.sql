-- Orders are found by the phone number that their buyer left.

-- +goose Up
create index order_group_phone on orders.order_group ((contact ->> 'phone'), created_at);

-- +goose Down
drop index orders.order_group_phone;
