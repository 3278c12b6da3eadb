-- What was asked of partners about one charge or refund is found by it, however
-- many operations there are.

-- +goose Up
create index operation_subject on operations.operation (subject, id);

-- +goose Down
drop index operations.operation_subject;
