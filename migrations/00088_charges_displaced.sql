-- A refund that a chargeback displaced is made anew once that is won, unless
-- somebody has decided otherwise meanwhile: what it goes on as.

-- +goose Up
-- An early form of 00085 did the same; over it this changes nothing.
alter table charges.refund
    add column if not exists displaced_by text not null default '',
    add column if not exists resumed_as   text not null default '',
    drop constraint if exists refund_displaced,
    drop constraint if exists refund_resumed;
alter table charges.refund
    add constraint refund_displaced check (displaced_by = '' or state = 'rejected'),
    add constraint refund_resumed check (resumed_as = '' or displaced_by <> '');
create index if not exists refund_displaced on charges.refund (charge) where displaced_by <> '' and resumed_as = '';

-- +goose Down
drop index charges.refund_displaced;
alter table charges.refund drop column displaced_by, drop column resumed_as;
