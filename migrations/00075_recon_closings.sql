-- Days that were closed: the report as it was, and what it stood on.

-- +goose Up
-- A fact is what the bank said of one account on one day, as one hash: nothing
-- in it changes when people explain a line later.
create view recon.fact as
    select s.bank, s.account, s.day,
        sha256(convert_to(string_agg(concat_ws('|', s.id, s.statement_id, s.sequence, s.page, s.currency,
            coalesce(s.opening::text, '-'), coalesce(s.closing::text, '-'), encode(s.content, 'hex'), l.said),
            e'\n' order by s.sequence, s.page, s.id), 'UTF8')) as hash
    from recon.statement s
    cross join lateral (select coalesce(string_agg(concat_ws('|', l.no, l.amount, l.currency, l.ref, l.bank_ref, l.booked_on at time zone 'UTC'), ';' order by l.no), '') as said
        from recon.line l where l.statement = s.id) l
    where s.kind = 'statement'
    group by s.bank, s.account, s.day;
grant select on recon.fact to hub_app;

create table recon.closing (
    id        text primary key,
    day       date not null,
    revision  int not null check (revision > 0),
    report    bytea not null,
    hash      bytea not null check (hash = sha256(report)),
    prev      bytea not null,
    by        text not null default platform.principal(),
    at        timestamptz not null default platform.now(),
    unique (day, revision)
);
create trigger closing_append_only before update or delete or truncate on recon.closing
    for each statement execute function platform.refuse();
grant select, insert on recon.closing to hub_app;

-- What the bank had said of the day when it was closed.
create table recon.closed (
    closing  text not null references recon.closing (id),
    bank     text not null,
    account  text not null,
    hash     bytea,
    primary key (closing, bank, account)
);
create trigger closed_append_only before update or delete or truncate on recon.closed
    for each statement execute function platform.refuse();
grant select, insert on recon.closed to hub_app;

-- +goose Down
drop table recon.closed;
drop table recon.closing;
drop view recon.fact;
