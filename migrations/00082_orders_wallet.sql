-- Up to what an order may be paid by wallet: what a wallet of the highest level
-- may hold. No rule allows more.

-- +goose Up
alter table orders.payment_rule add constraint payment_rule_wallet check (method <> 'wallet' or most <= 2000000);
insert into orders.payment_rule (method, since, most) values ('wallet', '2025-01-01', 2000000);

-- +goose Down
delete from orders.payment_rule where method = 'wallet' and seller = '' and since = '2025-01-01';
alter table orders.payment_rule drop constraint payment_rule_wallet;
