-- Passkeys, and the ceremonies in which they are shown.

-- +goose Up
create table members.passkey (
    id             text primary key,
    person         text not null references members.person,
    credential_id  bytea not null unique,
    credential     jsonb not null,               -- the public key, the counter, the flags
    label          text not null,
    made_at        timestamptz not null,
    used_at        timestamptz,
    ended_at       timestamptz,
    ended_by       text not null default '',
    check ((ended_at is null) = (ended_by = ''))
);
create index on members.passkey (person, id);
grant select, insert on members.passkey to hub_app;
grant update (credential, used_at, ended_at, ended_by) on members.passkey to hub_app;

-- What was asked of a device, until it answers; once.
create table members.ceremony (
    handle      bytea primary key check (octet_length(handle) = 32),
    purpose     text not null check (purpose in ('add', 'sign_in', 'step_up')),
    bound       text not null default '',        -- the session that asked
    data        jsonb not null,
    expires_at  timestamptz not null,
    check ((purpose = 'sign_in') = (bound = ''))
);
create index on members.ceremony (expires_at);
grant select, insert, delete on members.ceremony to hub_app;

-- +goose Down
drop table members.ceremony, members.passkey;
