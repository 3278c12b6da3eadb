-- Partners that were registered while the hub runs: each is an address, accounts
-- and sealed secrets.

-- +goose Up
create schema connectors;
grant usage on schema connectors to hub_app;

create table connectors.connector (
    id             text primary key check (id ~ '^[a-z][a-z0-9-]{2,39}$'),
    port           text not null check (port = 'bank'),
    url            text not null,
    roots          text not null default '',
    safeguard_rib  text not null unique check (safeguard_rib ~ '^[0-9]{24}$'),
    safeguard_name text not null check (safeguard_name <> ''),
    operating_rib  text not null unique check (operating_rib ~ '^[0-9]{24}$'),
    operating_name text not null check (operating_name <> ''),
    bic            text not null default '',
    -- What the connector said of itself when it was asked last.
    owner          text not null default '',
    features       text[] not null default '{}',
    remembers_s    bigint not null default 0 check (remembers_s >= 0),
    sandbox        boolean not null default true,
    manifest       text not null default '',
    webhook_keys   text[] not null default '{}' check (cardinality(webhook_keys) <= 2),
    found_at       timestamptz,
    certificate    text not null default '',
    state          text not null default 'registered' check (state in ('registered', 'live', 'paused')),
    pays           boolean not null default false,  -- payouts leave from here
    wants_pays     boolean not null default false,  -- what the second person is asked
    created_by     text not null,
    created_at     timestamptz not null,
    changed_at     timestamptz not null,
    version        bigint not null default 1,
    constraint connector_accounts check (safeguard_rib <> operating_rib),
    constraint connector_proved check (state <> 'live' or certificate <> '' and found_at is not null),
    constraint connector_pays check (not pays or state <> 'registered')
);
create unique index connector_one_pays on connectors.connector (pays) where pays;
grant select, insert on connectors.connector to hub_app;
grant update (owner, features, remembers_s, sandbox, manifest, webhook_keys, found_at, certificate, state, pays, wants_pays, changed_at, version)
    on connectors.connector to hub_app;

-- At most two ways to sign in are valid at once: slot says which.
create table connectors.credential (
    id         text primary key,
    connector  text not null references connectors.connector,
    slot       smallint not null check (slot in (1, 2)),
    sealed     bytea not null,
    created_at timestamptz not null,
    created_by text not null,
    constraint credential_slot unique (connector, slot)
);
grant select, insert, delete on connectors.credential to hub_app;

-- +goose Down
drop schema connectors cascade;
