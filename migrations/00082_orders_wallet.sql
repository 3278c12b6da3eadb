-- Up to what an order may be paid by wallet: what a wallet of the highest level
-- may hold.

-- +goose Up
insert into orders.payment_rule (method, since, most) values ('wallet', '2025-01-01', 2000000);

-- +goose Down
delete from orders.payment_rule where method = 'wallet' and seller = '' and since = '2025-01-01';
