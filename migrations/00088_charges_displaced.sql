-- A refund that a chargeback displaced is made anew once that is won, unless
-- somebody has decided otherwise meanwhile: what it goes on as.

-- +goose Up
alter table charges.refund
    add column displaced_by text not null default '',
    add column resumed_as   text not null default '',
    add constraint refund_displaced check (displaced_by = '' or state = 'rejected'),
    add constraint refund_resumed check (resumed_as = '' or displaced_by <> '');
create index refund_displaced on charges.refund (charge) where displaced_by <> '' and resumed_as = '';

-- +goose Down
drop index charges.refund_displaced;
alter table charges.refund drop column displaced_by, drop column resumed_as;
