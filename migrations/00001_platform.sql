-- What every domain stands on: the hub's role, its clock, events, jobs'
-- subscriptions, timers, idempotent answers, the audit trail.

-- +goose Up
-- +goose StatementBegin
do $$ begin
    -- Roles belong to the server, so another database may have made it just now.
    if not exists (select from pg_roles where rolname = 'hub_app') then
        create role hub_app nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
do $$ begin
    if not pg_has_role(current_user, 'hub_app', 'member') then
        execute format('grant hub_app to %I', current_user);
    end if;
end $$;
-- +goose StatementEnd

create schema platform;
grant usage on schema platform to hub_app;

-- The demonstration clock: one row, an offset to the database's own time.
create table platform.clock (
    one    bool primary key default true check (one),
    shift  interval not null default '0' check (shift >= '0')
);
insert into platform.clock default values;
grant select, update on platform.clock to hub_app;

-- now is the hub's time, the same all through a transaction. In plpgsql, since
-- a connection keeps its plan; SQL with a subselect is planned at each call.
-- +goose StatementBegin
create function platform.now() returns timestamptz language plpgsql stable parallel safe as $$
declare moved interval;
begin
    select shift into moved from platform.clock;
    return now() + moved;
end $$;
-- +goose StatementEnd

-- enter says who is at work in this transaction and answers the hub's time.
-- +goose StatementBegin
create function platform.enter(principal text) returns timestamptz language plpgsql volatile as $$
begin
    perform set_config('hub.principal', principal, true);
    return platform.now();
end $$;
-- +goose StatementEnd

-- principal is who is at work in this transaction.
create function platform.principal() returns text language sql stable parallel safe
    return coalesce(nullif(current_setting('hub.principal', true), ''), 'nobody');

-- refuse keeps tables append-only even for their owner's slips.
-- +goose StatementBegin
create function platform.refuse() returns trigger language plpgsql as $$
begin
    raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = 'HB001';
end $$;
-- +goose StatementEnd

create table platform.event (
    seq       bigint generated always as identity primary key,
    id        text not null unique,
    type      text not null,
    subject   text not null,
    payload   jsonb not null,
    actor     text not null default platform.principal(),
    at        timestamptz not null default platform.now()
);
create index on platform.event (subject, seq);
create index on platform.event (type, at);
create trigger event_append_only before update or delete or truncate on platform.event
    for each statement execute function platform.refuse();
grant select, insert on platform.event to hub_app;

-- Which subscriber has taken in which event; the proof that it did so once.
create table platform.handled (
    event       text not null,
    subscriber  text not null,
    at          timestamptz not null default platform.now(),
    primary key (event, subscriber)
);
grant select, insert on platform.handled to hub_app;

create table platform.timer (
    kind     text not null,
    subject  text not null,
    due      timestamptz not null,
    next_at  timestamptz not null,
    tries    int not null default 0,
    error    text not null default '',
    primary key (kind, subject)
);
create index on platform.timer (next_at);
grant select, insert, update, delete on platform.timer to hub_app;

-- The answers of POSTs that make an order or move money, kept 30 days.
create table platform.answer (
    actor    text not null,
    key      text not null,
    request  bytea not null,
    status   int not null,
    body     bytea not null,
    at       timestamptz not null default platform.now(),
    primary key (actor, key)
);
create index on platform.answer (at);
grant select, insert, delete on platform.answer to hub_app;

-- Who did what, and which policy allowed it.
create table platform.audit (
    seq      bigint generated always as identity primary key,
    at       timestamptz not null default platform.now(),
    actor    text not null default platform.principal(),
    action   text not null,
    subject  text not null,
    policy   text not null,
    request  text not null default '',
    detail   jsonb not null default '{}'
);
create trigger audit_append_only before update or delete or truncate on platform.audit
    for each statement execute function platform.refuse();
grant select, insert on platform.audit to hub_app;

-- What the hub remembers of its own setting up.
create table platform.note (
    name   text primary key,
    value  jsonb not null
);
grant select, insert, update on platform.note to hub_app;

create extension if not exists pg_trgm;

-- +goose Down
drop schema platform cascade;
