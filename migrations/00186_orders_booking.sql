-- What was booked for a date shows it on the order.

-- +goose Up
alter table orders.line
    add column starts_at timestamptz,
    add column minutes   int not null default 0 check (minutes >= 0);

-- +goose Down
alter table orders.line drop column starts_at, drop column minutes;
