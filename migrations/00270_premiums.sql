-- The money of insurance: what members paid for their policies out of their
-- balances, and what insurers owe them.

-- +goose Up
create schema premiums;
grant usage on schema premiums to hub_app;

-- One row for each time that a policy is paid for.
create table premiums.premium (
    id         text primary key,
    policy     text not null check (policy <> ''),
    period     text not null check (period <> ''),
    member     text not null check (member <> ''),
    insurer    text not null check (insurer ~ '^[A-Za-z0-9_-]{1,64}$'),
    currency   text not null,
    amount     bigint not null check (amount > 0),
    commission bigint not null check (commission >= 0),
    vat        bigint not null check (vat >= 0),
    returned   bigint not null default 0,
    state      text not null default 'taken' check (state in ('taken', 'bound', 'undone')),
    taken_at   timestamptz not null,
    version    bigint not null default 0,
    constraint premium_commission check (commission < amount and vat <= commission),
    constraint premium_returned check (returned between 0 and amount and (returned = 0 or state = 'bound'))
);
-- A period of a policy is paid once.
create unique index premium_once on premiums.premium (policy, period) where state <> 'undone';
create index premium_air on premiums.premium (insurer, currency) where state = 'taken';
create index premium_statement on premiums.premium (insurer, taken_at);
grant select, insert, update (state, returned, version) on premiums.premium to hub_app;

-- The members' money that a premium was paid with, as payouts cover it.
create table premiums.cover (
    premium text not null references premiums.premium,
    release text not null,
    amount  bigint not null check (amount > 0),
    primary key (premium, release)
);
create index on premiums.cover (release);
grant select, insert on premiums.cover to hub_app;

-- What an insurer owes a member: an indemnity, or a premium that it gives back. It
-- comes by a transfer whose name the insurer gave, or is set off against what is
-- payable to the insurer.
create table premiums.due (
    id         text primary key,
    kind       text not null check (kind in ('claim', 'refund')),
    subject    text not null check (subject <> ''),
    policy     text not null check (policy <> ''),
    premium    text not null default '',
    member     text not null check (member <> ''),
    insurer    text not null,
    currency   text not null,
    amount     bigint not null check (amount > 0),
    commission bigint not null default 0 check (commission >= 0),
    vat        bigint not null default 0 check (vat >= 0),
    transfer   text not null default '' check (length(transfer) <= 64),
    set_off    bool not null default false,
    state      text not null default 'due' check (state in ('due', 'paid')),
    way        text not null default '' check (way in ('', 'transfer', 'set_off')),
    line       text not null default '',
    due_at     timestamptz not null,
    paid_at    timestamptz,
    version    bigint not null default 0,
    unique (kind, subject),
    constraint due_commission check (commission < amount and vat <= commission and (kind = 'refund' or commission = 0)),
    constraint due_refund check ((kind = 'refund') = (premium <> '')),
    constraint due_paid check ((state = 'paid') = (paid_at is not null) and (state = 'paid') = (way <> ''))
);
create unique index due_transfer on premiums.due (upper(transfer)) where transfer <> '';
create index due_waits on premiums.due (insurer, id) where state = 'due' and set_off;
grant select, insert, update (transfer, set_off, state, way, line, paid_at, version) on premiums.due to hub_app;

-- Credits of bank statements whose reference nobody knew when they came: an insurer
-- may name its transfer after the money.
create table premiums.credit (
    line     text primary key,
    bank     text not null,
    refs     text[] not null,
    amount   bigint not null check (amount > 0),
    currency text not null,
    suspense text not null,
    due      text not null default '',
    at       timestamptz not null
);
create index credit_refs on premiums.credit using gin (refs) where due = '';
grant select, insert, update (due) on premiums.credit to hub_app;

-- +goose Down
drop schema premiums cascade;
