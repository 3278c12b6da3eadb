-- A category's fee is a share of its goods: delivery belongs to none, and was
-- charged for the category although nothing of it was bought.

-- +goose Up
alter table escrow.tariff add constraint tariff_of_goods check (category = '' or base = 'goods') not valid;

-- +goose Down
alter table escrow.tariff drop constraint tariff_of_goods;
