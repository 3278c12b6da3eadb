-- +goose Up
create schema payouts;
grant usage on schema payouts to hub_app;

create table payouts.payout (
    id           text primary key,
    seller       text not null,
    bank         text not null,
    ref          text not null unique,
    currency     text not null,
    amount       bigint not null check (amount > 0),
    rib          text not null check (rib ~ '^[0-9]{24}$'),
    holder       text not null,
    state        text not null check (state in ('draft', 'approved', 'sent', 'paid', 'unknown', 'rejected', 'returned')),
    needs_two    bool not null,
    created_by   text not null,
    approved_by  text not null default '',
    why          text not null default '',
    version      bigint not null default 0,
    created_at   timestamptz not null,
    changed_at   timestamptz not null,
    -- Above the limit, a second person, and never the one who asked.
    constraint payout_two check (not needs_two or state in ('draft', 'rejected') or approved_by <> ''),
    constraint payout_other check (approved_by = '' or approved_by <> created_by)
);
create index on payouts.payout (seller, id);
create index payout_returned on payouts.payout (seller, rib) where state = 'returned';
create index payout_draft on payouts.payout (id) where state = 'draft';
grant select, insert, update on payouts.payout to hub_app;

-- What a payout pays.
create table payouts.cover (
    payout   text not null,
    release  text not null,
    amount   bigint not null check (amount > 0),
    primary key (payout, release)
);
create index on payouts.cover (release);
grant select, insert on payouts.cover to hub_app;

-- Files for the bank: only the same bytes ever go out again, under one name.
create table payouts.file (
    id          text primary key,
    bank        text not null,
    name        text not null unique,
    bytes       bytea not null,
    sha256      text not null,
    created_at  timestamptz not null default platform.now()
);
create trigger file_append_only before update or delete or truncate on payouts.file
    for each statement execute function platform.refuse();
grant select, insert on payouts.file to hub_app;

-- +goose Down
drop schema payouts cascade;
