-- +goose Up
create schema recon;
grant usage on schema recon to hub_app;

-- What banks put out, as it came; each content is taken in once.
create table recon.file (
    id      text primary key,
    bank    text not null,
    name    text not null,
    sha256  text not null,
    bytes   bytea not null,
    kind    text not null check (kind in ('report', 'statement', 'unreadable')),
    error   text not null default '',
    at      timestamptz not null default platform.now()
);
-- A file that could not be read may be read later.
create unique index file_once on recon.file (bank, sha256) where kind <> 'unreadable';
create index on recon.file (bank, sha256);
create trigger file_append_only before update or delete or truncate on recon.file
    for each statement execute function platform.refuse();
grant select, insert on recon.file to hub_app;

create table recon.statement (
    id            text primary key,
    file          text not null,
    bank          text not null,
    account       text not null,
    statement_id  text not null,
    kind          text not null check (kind in ('statement', 'notification')),
    sequence      bigint not null,
    page          int not null,
    currency      text not null,
    opening       bigint,
    closing       bigint,
    content       bytea not null,
    entries       int not null,
    matched       int not null,
    partly        int not null,
    unmatched     int not null,
    created_at    timestamptz not null,
    at            timestamptz not null default platform.now(),
    unique (bank, account, kind, statement_id, page)
);
create index on recon.statement (bank, account, sequence);
grant select, insert on recon.statement to hub_app;

create table recon.line (
    id         text primary key,
    statement  text not null,
    no         int not null,
    amount     bigint not null,
    currency   text not null,
    state      text not null check (state in ('matched', 'partly', 'suspense', 'unmatched', 'noted')),
    ref        text not null default '',
    bank_ref   text not null default '',
    matched_to text not null default '',
    why        text not null default '',
    booked_on  timestamptz not null,
    at         timestamptz not null default platform.now(),
    unique (statement, no)
);
create index line_break on recon.line (id) where state in ('partly', 'suspense', 'unmatched');
grant select, insert on recon.line to hub_app;

-- +goose Down
drop schema recon cascade;
