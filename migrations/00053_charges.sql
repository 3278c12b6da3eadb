-- +goose Up
create schema charges;
grant usage on schema charges to hub_app;

create table charges.charge (
    id          text primary key,
    group_id    text not null unique,
    buyer       text not null,
    method      text not null check (method in ('card')),
    acquirer    text not null,
    ref         text not null,
    currency    text not null,
    amount      bigint not null check (amount > 0),
    contact     jsonb not null,
    state       text not null check (state in ('created', 'accepted', 'confirmed', 'declined', 'unknown', 'expired')),
    settled     bool not null default false,
    version     bigint not null default 0,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    unique (acquirer, ref)
);
grant select, insert, update on charges.charge to hub_app;

-- +goose Down
drop schema charges cascade;
