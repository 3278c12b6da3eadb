-- A parcel is insured by its seller, with the sale whose goods are in it: once while
-- the insurance holds.

-- +goose Up
alter table policies.quote add column order_id text not null default '';
alter table policies.policy add column order_id text not null default '';
create unique index policy_parcel_once on policies.policy (order_id) where order_id <> '' and state in ('pending', 'active', 'claimed');

-- +goose Down
alter table policies.policy drop column order_id;
alter table policies.quote drop column order_id;
