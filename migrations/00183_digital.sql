-- Digital goods: files, and codes that are each given once. A grant is what the
-- buyer of an order may fetch, and until when; opening it proves that it came.

-- +goose Up
create schema digital;
grant usage on schema digital to hub_app;

-- A ware is one file of a variant; its versions are kept.
create table digital.ware (
    id          text primary key,
    variant     text not null check (variant <> ''),
    seller      text not null check (seller <> ''),
    title       text not null check (length(title) between 1 and 120),
    version     int not null default 1 check (version between 1 and 100),
    made_at     timestamptz not null default platform.now(),
    retired_at  timestamptz
);
create index ware_variant on digital.ware (variant, id);
grant select, insert, update (title, version, retired_at) on digital.ware to hub_app;

create table digital.edition (
    ware      text not null references digital.ware,
    version   int not null check (version >= 1),
    file      text not null check (file <> ''),
    type      text not null,
    size      int not null check (size > 0),
    added_at  timestamptz not null default platform.now(),
    primary key (ware, version)
);
grant select, insert on digital.edition to hub_app;

-- A shelf is locked by whoever gives out codes of a variant, or changes them.
create table digital.shelf (
    variant  text primary key,
    seller   text not null check (seller <> '')
);
grant select, insert, update on digital.shelf to hub_app;

-- A code is sealed under a key that the database does not have. Its mark tells
-- whether it was handed in before.
create table digital.code (
    id        bigint generated always as identity primary key,
    variant   text not null references digital.shelf,
    sealed    bytea not null check (length(sealed) between 29 and 600),
    mark      bytea not null check (length(mark) = 32),
    state     text not null default 'free' check (state in ('free', 'given', 'void')),
    order_id  text not null default '',
    given_at  timestamptz,
    constraint code_given check ((state = 'given') = (order_id <> '') and (state = 'given') = (given_at is not null))
);
create unique index code_once on digital.code (variant, mark);
create index code_free on digital.code (variant, id) where state = 'free';
create index code_order on digital.code (order_id, variant) where order_id <> '';
grant select, insert, update (state, order_id, given_at) on digital.code to hub_app;

-- What an order's buyer may fetch of a variant.
create table digital.grant (
    order_id    text not null check (order_id <> ''),
    variant     text not null check (variant <> ''),
    buyer       text not null check (buyer <> ''),
    seller      text not null check (seller <> ''),
    quantity    int not null check (quantity between 1 and 999),
    codes       int not null check (codes in (0, quantity)),
    granted_at  timestamptz not null,
    until       timestamptz not null,
    opened_at   timestamptz,
    closed_at   timestamptz,
    primary key (order_id, variant),
    constraint grant_until check (until > granted_at)
);
grant select, insert, update (opened_at, closed_at) on digital.grant to hub_app;

-- How often a file was fetched, and in which version last.
create table digital.fetch (
    order_id  text not null,
    variant   text not null,
    ware      text not null references digital.ware,
    version   int not null,
    times     int not null check (times between 1 and 20),
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    primary key (order_id, variant, ware),
    foreign key (order_id, variant) references digital.grant
);
grant select, insert, update (version, times, last_at) on digital.fetch to hub_app;

-- What was opened, or closed, stays so; a code that somebody may have seen is
-- never given again.
-- +goose StatementBegin
create function digital.stay() returns trigger language plpgsql as $$
begin
    if old.closed_at is not null or old.opened_at is not null and new.opened_at is distinct from old.opened_at then
        raise exception 'what was granted of % for % was opened or closed', old.variant, old.order_id using errcode = 'check_violation';
    end if;
    return new;
end $$;
create function digital.give_once() returns trigger language plpgsql as $$
begin
    if old.state = 'void' or old.state = 'given' and exists (
        select from digital.grant g where g.order_id = old.order_id and g.variant = old.variant and g.opened_at is not null) then
        raise exception 'code % was shown, or taken away', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger grant_stays before update on digital.grant for each row execute function digital.stay();
create trigger code_given_once before update on digital.code for each row execute function digital.give_once();

-- +goose Down
drop schema digital cascade;
