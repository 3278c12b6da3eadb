-- Links with which whoever brings a parcel opens it: the hub keeps the hash of
-- each secret alone.

-- +goose Up
create table orders.courier_link (
    hash        bytea primary key check (length(hash) = 32),
    shipment    text not null references orders.shipment,
    made_at     timestamptz not null,
    expires_at  timestamptz not null,
    check (expires_at > made_at and expires_at <= made_at + interval '30 days')
);
create index on orders.courier_link (shipment);
create trigger courier_link_append_only before update or delete or truncate on orders.courier_link
    for each statement execute function platform.refuse();
grant select, insert on orders.courier_link to hub_app;

-- +goose Down
drop table orders.courier_link;
