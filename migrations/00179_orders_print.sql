-- Whoever has an invoice's key may print it: 122 random bits, told to those who
-- may see the invoice.

-- +goose Up
alter table orders.invoice add column print_key text not null default replace(gen_random_uuid()::text, '-', '')
    check (print_key ~ '^[0-9a-f]{32}$');

-- +goose Down
alter table orders.invoice drop column print_key;
