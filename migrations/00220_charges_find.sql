-- +goose Up
-- The operator finds payments by what people name them by.
create index charge_reference on charges.charge (ref, id);
create index charge_phone on charges.charge ((contact->>'phone'), id);
create index charge_amount on charges.charge (amount, id);
create index charge_day on charges.charge (created_at, id);

-- +goose Down
drop index charges.charge_day, charges.charge_amount, charges.charge_phone, charges.charge_reference;
