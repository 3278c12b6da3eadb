-- Fees of institutions' procedures, paid out of a member's balance.

-- +goose Up
create schema dues;
grant usage on schema dues to hub_app;

create table dues.fee (
    id        text primary key,
    subject   text not null check (subject <> ''),      -- the case
    member    text not null check (member <> ''),
    payee     text not null check (payee <> '' and payee <> member),
    currency  text not null,
    amount    bigint not null check (amount > 0),
    state     text not null default 'taken' check (state in ('taken', 'kept', 'undone')),
    taken_at  timestamptz not null,
    ended_at  timestamptz,
    version   bigint not null default 0,
    check ((state = 'taken') = (ended_at is null))
);
-- A case's fee is taken once; one that went back may be taken anew.
create unique index fee_once on dues.fee (subject) where state <> 'undone';
create index on dues.fee (subject);
create index on dues.fee (payee, id);
grant select, insert, update (state, ended_at, version) on dues.fee to hub_app;

-- +goose StatementBegin
create function dues.fee_moves() returns trigger language plpgsql as $$
begin
    if old.state <> 'taken' or new.version <> old.version + 1 then
        raise exception 'fee % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'fee_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger fee_moves before update on dues.fee for each row execute function dues.fee_moves();

-- The members' money that a fee was paid with, as payouts cover it.
create table dues.cover (
    fee     text not null references dues.fee,
    release text not null,
    amount  bigint not null check (amount > 0),
    primary key (fee, release)
);
create index on dues.cover (release);
grant select, insert on dues.cover to hub_app;

-- +goose Down
drop schema dues cascade;
