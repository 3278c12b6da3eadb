-- People sign in: what is known of them, where they belong, codes, sessions.

-- +goose Up
alter table members.person
    add lang  text not null default 'fr' check (lang in ('fr', 'ar', 'zgh', 'en')),
    add voice bool not null default false,      -- would rather be spoken to than read
    add constraint person_phone_e164 check (phone ~ '^\+212[5-8][0-9]{8}$'),
    add constraint person_email_lower check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$');
create unique index person_email on members.person (email);

-- What a role in an organisation lets its holder do there.
create table members.role (
    name    text primary key,
    rights  text[] not null check (rights <@ array['sell', 'money', 'people', 'deliver', 'represent'])
);
grant select on members.role to hub_app;
insert into members.role (name, rights) values
    ('manager',   '{sell,money,people,deliver}'),
    ('treasurer', '{money}'),
    ('member',    '{sell,deliver}'),
    ('courier',   '{deliver}'),
    ('agent',     '{represent}');

create table members.membership (
    id            text primary key,
    person        text not null references members.person,
    organisation  text not null references members.organisation,
    role          text not null references members.role,
    valid_from    timestamptz not null,
    valid_to      timestamptz,
    delegated_by  text references members.person,
    ended_by      text not null default '',
    check (valid_to is null or valid_to >= valid_from)
);
create unique index membership_one on members.membership (person, organisation) where valid_to is null;
create index on members.membership (organisation, id);
grant select, insert on members.membership to hub_app;
grant update (valid_to, ended_by) on members.membership to hub_app;

-- A code to sign in with, one at a time for an address and a purpose. Its MAC is
-- made with the handle, which only the one who asked has: who reads this table
-- can neither use a code nor search for it.
create table members.code (
    address     text not null,
    purpose     text not null check (purpose in ('sign_in', 'step_up', 'agent')),
    bound       text not null default '',        -- the session that asked, if any
    handle      bytea not null unique check (octet_length(handle) = 32),
    mac         bytea not null check (octet_length(mac) = 32),
    tries       int not null default 0 check (tries between 0 and 5),
    expires_at  timestamptz not null,
    primary key (address, purpose)
);
grant select, insert, update, delete on members.code to hub_app;

-- How often somebody did something lately, for all hubs together.
create table members.throttle (
    key    text primary key,
    count  int not null,
    since  timestamptz not null
);
create index on members.throttle (since);
grant select, insert, update, delete on members.throttle to hub_app;

-- A person on a device. The secret is kept by the device; a new one takes its
-- place when the person proves anew who it is.
create table members.session (
    id             text primary key,
    person         text not null references members.person,
    hash           bytea not null check (octet_length(hash) = 32),
    organisation   text references members.organisation,     -- at whose desk; null: for itself
    proof          text not null check (proof in ('code', 'passkey')),
    device         text not null default '',
    address        text not null default '',
    made_at        timestamptz not null,
    seen_at        timestamptz not null,
    proved_at      timestamptz not null,                      -- who it is, by sign-in or step-up
    ended_at       timestamptz,
    ended_by       text not null default '',
    check (seen_at >= made_at and proved_at >= made_at),
    check ((ended_at is null) = (ended_by = ''))
);
create index on members.session (person, id);
create index session_live on members.session (seen_at) where ended_at is null;
grant select, insert, update on members.session to hub_app;

-- What a demonstration would have sent; production has no route to it, and writes
-- nothing here.
create table members.inbox (
    id      text primary key,
    address text not null,
    kind    text not null,
    lang    text not null,
    params  jsonb not null,
    at      timestamptz not null
);
grant select, insert, delete on members.inbox to hub_app;

-- +goose Down
drop table members.inbox, members.session, members.throttle, members.code, members.membership, members.role;
drop index members.person_email;
alter table members.person drop lang, drop voice, drop constraint person_phone_e164, drop constraint person_email_lower;
