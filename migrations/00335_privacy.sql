-- What people ask about their own data: a copy, a correction, an objection, to be
-- forgotten.

-- +goose Up
create schema privacy;
grant usage on schema privacy to hub_app;

-- A copy of all that the hub holds of a person. Its parts are sealed under a key of
-- its own, which is itself sealed, and goes when the copy does.
create table privacy.export (
    id          text primary key,
    person      text not null check (person <> ''),
    state       text not null default 'making' check (state in ('making', 'ready', 'gone')),
    done        int not null default 0,          -- rooms that were asked
    rooms       int not null check (rooms > 0),
    key         bytea,                           -- sealed
    made_at     timestamptz not null,
    ready_at    timestamptz,
    until       timestamptz,                     -- it can be fetched
    fetched     int not null default 0,          -- how often it was
    version     bigint not null default 1,
    constraint export_done check (done between 0 and rooms and (state = 'making' or state = 'gone' or done = rooms)),
    constraint export_until check ((ready_at is null) = (until is null) and (state <> 'ready' or until is not null)),
    constraint export_key check ((key is null) = (state = 'gone'))
);
create unique index export_one on privacy.export (person) where state = 'making';
create index on privacy.export (person, id);
grant select, insert on privacy.export to hub_app;
grant update (state, done, key, ready_at, until, fetched, version) on privacy.export to hub_app;

create table privacy.export_part (
    export  text not null references privacy.export,
    place   int not null check (place >= 0),
    room    text not null check (room <> ''),
    sealed  bytea not null,
    primary key (export, place)
);
grant select, insert, delete on privacy.export_part to hub_app;

-- A correction or an objection, and what became of it.
create table privacy.request (
    id           text primary key,
    person       text not null check (person <> ''),
    kind         text not null check (kind in ('rectification', 'objection')),
    about        text not null check (about <> ''),   -- a processing, by its code
    text         text not null check (length(text) <= 2000),
    state        text not null default 'received' check (state in ('received', 'answered', 'refused')),
    due_at       timestamptz not null,
    answer       text not null default '',
    answered_by  text not null default '',
    answered_at  timestamptz,
    made_at      timestamptz not null,
    version      bigint not null default 1,
    constraint request_due check (due_at > made_at),
    constraint request_answered check ((state = 'received') = (answered_at is null) and (state = 'received') = (answered_by = '') and (state <> 'refused' or answer <> ''))
);
create index request_inbox on privacy.request (due_at, id) where state = 'received';
create index on privacy.request (person, id);
grant select, insert on privacy.request to hub_app;
grant update (text, state, answer, answered_by, answered_at, version) on privacy.request to hub_app;

-- That somebody is to be forgotten. Until it runs it can be taken back. By what the
-- person was known while it runs is sealed here, and nowhere else any more; that goes
-- with its end.
create table privacy.erasure (
    id          text primary key,
    person      text not null check (person <> ''),
    hash        bytea not null check (octet_length(hash) = 32),   -- of the secret by which its certificate is read
    state       text not null default 'asked' check (state in ('asked', 'cancelled', 'barred', 'running', 'done')),
    subject     bytea,
    done        int not null default 0,          -- rooms that have forgotten
    rooms       int not null check (rooms > 0),
    bars        jsonb not null default '[]',     -- why it could not be
    asked_at    timestamptz not null,
    runs_at     timestamptz not null,
    began_at    timestamptz,
    ended_at    timestamptz,
    version     bigint not null default 1,
    constraint erasure_waits check (runs_at > asked_at),
    constraint erasure_runs check ((state in ('running', 'done')) = (began_at is not null)),
    constraint erasure_ended check ((state in ('cancelled', 'barred', 'done')) = (ended_at is not null)),
    constraint erasure_subject check ((subject is not null) = (state = 'running')),
    constraint erasure_done check (done between 0 and rooms and (state = 'done') <= (done = rooms))
);
create unique index erasure_one on privacy.erasure (person) where state in ('asked', 'running', 'done');
create unique index on privacy.erasure (hash);
create index on privacy.erasure (person, id);
create index erasure_state on privacy.erasure (state, id);
grant select, insert on privacy.erasure to hub_app;
grant update (state, subject, done, bars, began_at, ended_at, version) on privacy.erasure to hub_app;

-- What each room has forgotten, and what it kept: once each.
create table privacy.erased (
    erasure  text not null references privacy.erasure,
    place    int not null check (place >= 0),
    room     text not null check (room <> ''),
    tables   jsonb not null,
    at       timestamptz not null,
    primary key (erasure, place)
);
create trigger erased_append_only before update or delete or truncate on privacy.erased for each statement execute function platform.refuse();
grant select, insert on privacy.erased to hub_app;

-- +goose Down
drop schema privacy cascade;
