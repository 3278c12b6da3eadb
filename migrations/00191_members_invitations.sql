-- Who is asked to work for an organisation, and on whose word.

-- +goose Up
create table members.invitation (
    id            text primary key,
    organisation  text not null references members.organisation,
    role          text not null references members.role,
    address       text not null,                    -- only who signs in with it can accept
    hash          bytea check (octet_length(hash) = 32),   -- of the token; none before a second person has agreed
    made_by       text not null,
    behind        text not null default '',         -- the operator's person on whose word it is, first or far back
    second        bool not null default false,      -- it goes out when a second person has agreed
    opened_by     text not null default '',
    made_at       timestamptz not null,
    expires_at    timestamptz not null,
    ended_at      timestamptz,
    accepted_by   text references members.person,
    constraint invitation_other check (opened_by = '' or second and opened_by <> made_by and opened_by <> behind),
    constraint invitation_sent check (hash is null or not second or opened_by <> ''),
    constraint invitation_accepted check (accepted_by is null or hash is not null and ended_at is not null),
    constraint invitation_second check (made_by not like 'operator %' or behind <> '')
);
create unique index invitation_open on members.invitation (organisation, address) where ended_at is null;
create unique index invitation_token on members.invitation (hash);
-- One person of the operator's alone asks a member's first person, and no other.
create unique index invitation_first on members.invitation (organisation) where made_by like 'operator %' and not second;
grant select, insert on members.invitation to hub_app;
grant update (hash, opened_by, expires_at, ended_at, accepted_by) on members.invitation to hub_app;

alter table members.membership
    add behind     text not null default '',        -- see invitation
    add invitation text unique references members.invitation;

-- +goose Down
alter table members.membership drop behind, drop invitation;
drop table members.invitation;
