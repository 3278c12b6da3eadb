-- The company that an invoice names as buyer: its ICE has 15 digits that leave
-- nothing when divided by 97.

-- +goose Up
alter table orders.order_group add constraint order_group_company check (
    contact -> 'company' is null
    or coalesce(contact #>> '{company,name}', '') <> '' and coalesce(contact #>> '{company,ice}', '') ~ '^[0-9]{15}$'
        and (contact #>> '{company,ice}')::numeric % 97 = 0);

-- +goose Down
alter table orders.order_group drop constraint order_group_company;
