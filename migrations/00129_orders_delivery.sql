-- Orders say in which of a seller's ways their goods go; the tariff is the
-- market's own delivery, and one that is not offered ends it.

-- +goose Up
alter table orders.tariff add column offered bool not null default true;
alter table orders.quote add column choices jsonb not null default '{}' check (jsonb_typeof(choices) = 'object');
alter table orders.seller_order
    add column way        text not null default '',
    add column lead_days  int not null default 0 check (lead_days between 0 and 60),
    add column spot       jsonb,
    add constraint seller_order_method check (method in ('carrier', 'own', 'pickup', 'relay')),
    add constraint seller_order_relay check (method <> 'relay' or way <> '' and spot is not null);

create trigger tariff_append_only before update or delete or truncate on orders.tariff
    for each statement execute function platform.refuse();
create trigger payment_rule_append_only before update or delete or truncate on orders.payment_rule
    for each statement execute function platform.refuse();

-- +goose Down
drop trigger payment_rule_append_only on orders.payment_rule;
drop trigger tariff_append_only on orders.tariff;
alter table orders.seller_order drop constraint seller_order_method, drop constraint seller_order_relay, drop column way, drop column lead_days, drop column spot;
alter table orders.quote drop column choices;
alter table orders.tariff drop column offered;
