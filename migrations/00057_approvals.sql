-- What needs a second person: asked by one, decided by others.

-- +goose Up
create schema approvals;
grant usage on schema approvals to hub_app;

create table approvals.request (
    id        text primary key,
    kind      text not null,
    subject   text not null,
    hash      bytea not null,
    amount    bigint check (amount > 0),
    currency  text not null default '',
    why       text not null,
    evidence  text not null default '',
    asked_by  text not null,
    needs     smallint not null check (needs between 1 and 2),
    state     text not null default 'open' check (state in ('open', 'approved', 'refused', 'void')),
    version   bigint not null default 0,
    asked_at  timestamptz not null,
    ended_at  timestamptz,
    unique (id, asked_by),
    constraint request_ended check ((state = 'open') = (ended_at is null)),
    constraint request_amount check ((amount is null) = (currency = ''))
);
-- A subject waits for one decision of a kind at a time.
create unique index request_open on approvals.request (kind, subject) where state = 'open';
create index on approvals.request (state, id);
grant select, insert, update on approvals.request to hub_app;

create table approvals.vote (
    request   text not null,
    asked_by  text not null,
    by        text not null,
    approve   bool not null,
    note      text not null default '',
    at        timestamptz not null default platform.now(),
    primary key (request, by),
    foreign key (request, asked_by) references approvals.request (id, asked_by),
    constraint vote_other check (by <> asked_by)
);
create trigger vote_append_only before update or delete or truncate on approvals.vote
    for each statement execute function platform.refuse();
grant select, insert on approvals.vote to hub_app;

-- +goose StatementBegin
create function approvals.counted() returns trigger language plpgsql as $$
begin
    if new.state = 'approved' and (select count(*) from approvals.vote where request = new.id and approve) < new.needs then
        raise exception 'approval % has not been given by enough people', new.id using errcode = 'HB004';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger request_counted before insert or update on approvals.request
    for each row execute function approvals.counted();

-- +goose Down
drop schema approvals cascade;
