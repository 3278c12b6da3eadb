-- Who takes part: organisations, people, their API keys and bank accounts.

-- +goose Up
create schema members;
grant usage on schema members to hub_app;

create table members.organisation (
    id          text primary key,
    kind        text not null check (kind in ('beneficiary_coop', 'auto_entrepreneur', 'institutional',
                    'service_provider', 'operational_bank', 'insurer', 'e_payment', 'operator')),
    names       jsonb not null,
    legal       jsonb not null default '{}',
    story       jsonb not null default '{}',
    region      text not null,
    commune     text not null,
    lat         double precision not null check (lat between -90 and 90),
    lng         double precision not null check (lng between -180 and 180),
    state       text not null default 'draft'
                check (state in ('draft', 'submitted', 'changes_requested', 'active', 'suspended', 'terminated')),
    note        text not null default '',   -- what the operator asked for, or why it suspended
    version     bigint not null default 1,
    created_at  timestamptz not null default platform.now()
);
grant select, insert, update on members.organisation to hub_app;

create table members.person (
    id          text primary key,
    names       jsonb not null,
    phone       text,
    email       text,
    created_at  timestamptz not null default platform.now()
);
create unique index person_phone on members.person (phone);
grant select, insert, update on members.person to hub_app;

-- The secret itself is kept by its owner only.
create table members.api_key (
    id          text primary key,
    subject     text not null,
    role        text not null,
    label       text not null,
    hash        bytea not null check (octet_length(hash) = 32),
    created_at  timestamptz not null default platform.now(),
    revoked_at  timestamptz
);
create index on members.api_key (subject, id);
grant select, insert, update on members.api_key to hub_app;

-- Where a member is paid. A pending account takes the place of the current one
-- once it is verified; since is when that was.
create table members.bank_account (
    id            text primary key,
    organisation  text not null references members.organisation,
    rib           text not null check (rib ~ '^[0-9]{24}$'),
    holder        text not null,
    state         text not null check (state in ('pending', 'current', 'former')),
    first         bool not null default false,  -- no other was verified before it
    since         timestamptz,
    created_at    timestamptz not null default platform.now(),
    check ((state = 'pending') = (since is null))
);
create unique index bank_account_current on members.bank_account (organisation) where state = 'current';
create unique index bank_account_pending on members.bank_account (organisation) where state = 'pending';
create index on members.bank_account (organisation, id);
grant select, insert, update, delete on members.bank_account to hub_app;

-- +goose Down
drop schema members cascade;
