-- What a bank has not shown yet is found by its amount.

-- +goose Up
create index operation_awaited on operations.operation (connector, amount, currency)
    where state in ('sending', 'accepted', 'unknown', 'review');

-- +goose Down
drop index operations.operation_awaited;
