-- What people are told: by which ways they wish it, each notice, each try to
-- bring it.

-- +goose Up
create schema notices;
grant usage on schema notices to hub_app;

-- What somebody wishes; who has no row has the market's ways.
create table notices.settings (
    owner       text primary key,                   -- a person or an organisation
    lang        text not null default '' check (lang in ('', 'fr', 'ar', 'zgh', 'en')),
    channels    text[] not null default '{}' check (channels <@ array['sms', 'whatsapp', 'email']),
    off         text[] not null default '{}',       -- kinds that are not wished
    digest      bool not null default false,        -- one message a day
    phone       text not null default '' check (phone = '' or phone ~ '^\+[1-9][0-9]{7,14}$'),
    email       text not null default '' check (email = '' or email ~ '^[^@\s]+@[^@\s]+$'),
    version     bigint not null default 1,
    changed_at  timestamptz not null
);
grant select, insert, update on notices.settings to hub_app;

create table notices.notice (
    id          text primary key,
    owner       text not null default '',           -- whose log shows it; '' nobody's yet
    kind        text not null,
    lang        text not null check (lang in ('fr', 'ar', 'en')),
    phone       text not null default '',
    email       text not null default '',
    params      jsonb not null,                     -- without secrets
    sealed      bytea,                              -- the secrets, until the notice has ended
    amount      bigint,                             -- centimes, for the totals of a day
    dedupe      text not null,
    state       text not null check (state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'dropped', 'gathered')),
    reason      text not null default '',           -- why it was dropped, or failed
    within      text references notices.notice,     -- the message of the day that it was told in
    due_at      timestamptz not null,
    expires_at  timestamptz not null,
    created_at  timestamptz not null,
    version     bigint not null default 1,
    constraint notice_once unique (dedupe),
    constraint notice_reachable check (phone <> '' or email <> '' or state = 'dropped'),
    constraint notice_secrets_end check (sealed is null or state in ('waiting', 'sending', 'sent')),
    constraint notice_expires check (expires_at > created_at),
    constraint notice_gathered check (within is null or state = 'gathered')
);
create index on notices.notice (owner, id) where owner <> '';
create index on notices.notice (owner) where state = 'gathered' and within is null;
grant select, insert on notices.notice to hub_app;
grant update (state, reason, sealed, within, due_at, version) on notices.notice to hub_app;

-- A try to bring a notice by one way. Its id is the reference that the gateway
-- is given; try again with the same id, after nobody knew, and it is one message
-- to a gateway that looks.
create table notices.attempt (
    id          text primary key,
    notice      text not null references notices.notice,
    channel     text not null check (channel in ('sms', 'whatsapp', 'email')),
    carrier     text not null,
    address     text not null,
    state       text not null check (state in ('sending', 'accepted', 'delivered', 'refused', 'not_sent', 'unknown')),
    sends       int not null default 1 check (sends between 1 and 20),
    code        text not null default '',
    partner_id  text not null default '',
    parts       int not null default 1 check (parts > 0),
    at          timestamptz not null,               -- of the last send
    version     bigint not null default 1,
    constraint attempt_once unique (notice, channel)
);
create index on notices.attempt (address, at);
create index on notices.attempt (carrier, partner_id) where partner_id <> '';
grant select, insert on notices.attempt to hub_app;
grant update (state, sends, code, partner_id, at, version) on notices.attempt to hub_app;

-- +goose Down
drop schema notices cascade;
