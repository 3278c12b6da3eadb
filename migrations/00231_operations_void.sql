-- A card charge that was sent to two acquirers' pages may have to be let go at
-- both: letting go moves no money twice. All else a subject has once.

-- +goose Up
drop index operations.operation_live;
create unique index operation_live on operations.operation (subject, kind, (case when kind = 'void' then connector else '' end))
    where state not in ('rejected', 'returned');

-- +goose Down
drop index operations.operation_live;
create unique index operation_live on operations.operation (subject, kind) where state not in ('rejected', 'returned');
