-- What the promises were found to be, for every hub to show: one hub at a time
-- looks, and all of them answer from here.

-- +goose Up
create schema invariants;
grant usage on schema invariants to hub_app;

-- Who takes the next look takes it by moving due on.
create table invariants.look (
    one        bool primary key default true check (one),
    due        timestamptz not null default '-infinity',
    at         timestamptz,             -- of the last look's snapshot
    proved_at  timestamptz,             -- of the last one that read the seals from their beginning
    took_ms    bigint not null default 0 check (took_ms >= 0),
    figures    jsonb not null default '{}',
    counts     jsonb not null default '{}',
    constraint look_proved check (proved_at <= at)
);
insert into invariants.look default values;
grant select, update on invariants.look to hub_app;

create table invariants.finding (
    id          text primary key,
    violations  bigint not null check (violations >= 0),
    at          timestamptz not null,
    since       timestamptz,            -- how long it has been broken
    constraint finding_since check ((violations > 0) = (since is not null))
);
grant select, insert, update on invariants.finding to hub_app;

-- +goose Down
drop schema invariants cascade;
