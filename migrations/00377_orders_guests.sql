-- Orders that somebody made without an account, and that nobody has claimed, do not keep
-- its name, number and address for good. Whether it has an account is looked at once,
-- when that time is over.

-- +goose Up
alter table orders.order_group add column aged text not null default '' check (aged in ('', 'account', 'forgotten'));
create index order_group_aging on orders.order_group (created_at, id) where aged = '';
grant update (aged) on orders.order_group to hub_app;

-- +goose Down
alter table orders.order_group drop column aged;
