-- What reconciliation could not explain, each thing a row with its life: open,
-- snoozed, resolved. A line remembers what it was made of, and how much of it
-- the mirror account has.

-- +goose Up
alter table recon.statement
    add column role text not null default 'safeguard' check (role in ('safeguard', 'operating')),
    add column day  date;
update recon.statement set day = (created_at at time zone 'UTC')::date;
update recon.statement s set role = 'operating'
    where not exists (select from recon.line l where l.statement = s.id and l.state <> 'unmatched' and l.state <> 'noted')
    and exists (select from recon.line l where l.statement = s.id and l.why like 'a movement of our own account%');
alter table recon.statement alter column day set not null;
create index statement_order on recon.statement (bank, account, day, sequence, page) where kind = 'statement';

alter table recon.line
    add column booked  bigint not null default 0,
    add column code    text not null default '',
    add column info    text not null default '',
    add column details jsonb not null default '[]';
alter table recon.line drop constraint line_state_check;
alter table recon.line add constraint line_state_check
    check (state in ('matched', 'partly', 'suspense', 'unmatched', 'noted', 'written_off'));
update recon.line set booked = amount where state in ('matched', 'suspense') or state = 'partly' and amount > 0;
-- What is booked of a line is a part of it, and never more than it.
alter table recon.line add constraint line_booked check (booked = 0 or sign(booked) = sign(amount) and abs(booked) <= abs(amount));
create index line_open on recon.line (statement) where booked <> amount and state <> 'noted';
create index line_bank_ref on recon.line (bank_ref, amount) where bank_ref <> '';
create index line_to on recon.line using gin (string_to_array(matched_to, '; '));
-- What the bank said never changes; what was made of it may.
grant update (state, matched_to, why, booked) on recon.line to hub_app;

-- When the mirror account took in what of a line: as it was read, or as people
-- explained it.
create table recon.booking (
    seq      bigint generated always as identity primary key,
    line     text not null,
    bank     text not null,
    account  text not null,
    amount   bigint not null check (amount <> 0),
    at       timestamptz not null default platform.now()
);
create index on recon.booking (bank, account, at);
create index on recon.booking (line);
insert into recon.booking (line, bank, account, amount, at)
    select l.id, s.bank, s.account, l.booked, l.at from recon.line l join recon.statement s on s.id = l.statement where l.booked <> 0;
create trigger booking_append_only before update or delete or truncate on recon.booking
    for each statement execute function platform.refuse();
grant select, insert on recon.booking to hub_app;

create table recon.break (
    id             text primary key,
    kind           text not null check (kind in ('unmatched', 'suspense', 'unreadable', 'gap', 'closed')),
    bank           text not null,
    about          text not null,
    line           text,
    part           int,
    statement      text,
    file           text,
    amount         bigint,
    currency       text not null default '',
    why            text not null,
    suggestion     jsonb,
    proposed       jsonb,
    state          text not null default 'open' check (state in ('open', 'snoozed', 'resolved')),
    snoozed_until  timestamptz,
    resolution     jsonb,
    resolved_by    text,
    resolved_at    timestamptz,
    version        bigint not null default 0,
    created_at     timestamptz not null default platform.now(),
    constraint break_snoozed check ((state = 'snoozed') = (snoozed_until is not null)),
    constraint break_resolved check ((state = 'resolved') = (resolved_at is not null)
        and (state = 'resolved') = (resolution is not null) and (state = 'resolved') = (resolved_by is not null)),
    constraint break_about_line check ((kind in ('unmatched', 'suspense')) = (line is not null and part is not null and amount is not null)),
    constraint break_amount check ((amount is null) = (currency = ''))
);
create unique index break_line on recon.break (line, part) where line is not null;
create unique index break_file on recon.break (file) where kind = 'unreadable';
create unique index break_gap on recon.break (statement) where kind = 'gap' and state <> 'resolved';
create index break_state on recon.break (state, id);
grant select, insert on recon.break to hub_app;
grant update (state, proposed, snoozed_until, resolution, resolved_by, resolved_at, version) on recon.break to hub_app;

insert into recon.break (id, kind, bank, about, line, part, amount, currency, why, created_at)
    select 'brk_' || substr(l.id, 5), case l.state when 'suspense' then 'suspense' else 'unmatched' end, s.bank,
        coalesce(nullif(l.ref, ''), s.statement_id), l.id, 0, l.amount, l.currency, l.why, l.at
    from recon.line l join recon.statement s on s.id = l.statement where l.state in ('partly', 'suspense', 'unmatched');
insert into recon.break (id, kind, bank, about, file, why, created_at)
    select 'brk_' || substr(id, 5), 'unreadable', bank, name, id, error, at from recon.file where kind = 'unreadable';

-- +goose Down
drop table recon.break;
drop table recon.booking;
alter table recon.line drop column booked, drop column code, drop column info, drop column details;
alter table recon.statement drop column role, drop column day;
