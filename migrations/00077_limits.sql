-- What one buyer, seller, phone … may do in a while: rules as data, what was
-- used of them, and what was decided.

-- +goose Up
create schema limits;
grant usage on schema limits to hub_app;

-- The rules are one book: it is changed as a whole, by two people.
create table limits.book (
    one         bool primary key default true check (one),
    version     bigint not null default 1,
    changed_at  timestamptz not null default platform.now(),
    changed_by  text not null default 'hub'
);
insert into limits.book default values;
grant select, update on limits.book to hub_app;

create table limits.rule (
    id          text primary key check (id ~ '^[a-z][a-z0-9_]{2,39}$'),
    what        text not null check (what in ('sale', 'payout')),
    per         text not null check (per in ('buyer', 'seller', 'phone', 'address', 'card', 'all')),
    method      text not null default '' check (method in ('', 'card', 'wallet', 'transfer', 'cash_on_delivery')),
    window_s    bigint not null check (window_s = 0 or window_s between 300 and 2678400), -- 0: each single one
    max_amount  bigint check (max_amount > 0), -- centimes
    max_count   bigint check (max_count > 0),
    action      text not null check (action in ('refuse', 'hold', 'review')),
    about       text not null,
    constraint rule_measures check (max_amount is not null or max_count is not null),
    constraint rule_each check (window_s > 0 or max_count is null),
    constraint rule_payout check (what = 'sale' or per in ('seller', 'all') and method = '')
);
grant select, insert, update, delete on limits.rule to hub_app;

-- Generous, for a market that has just opened.
insert into limits.rule (id, what, per, method, window_s, max_amount, max_count, action, about) values
    ('sale_each',          'sale',   'all',     '',                 0,     100000000,   null,   'refuse', 'One basket.'),
    ('sale_cash_each',     'sale',   'all',     'cash_on_delivery', 0,     2000000,     null,   'refuse', 'One basket paid in cash.'),
    ('sale_buyer_day',     'sale',   'buyer',   '',                 86400, 5000000000,  null,   'refuse', 'What one buyer orders in a day.'),
    ('sale_buyer_hour',    'sale',   'buyer',   '',                 3600,  null,        20000,  'refuse', 'How often one buyer orders in an hour.'),
    ('sale_cash_phone',    'sale',   'phone',   'cash_on_delivery', 86400, null,        200,    'review', 'Orders in cash of one phone in a day.'),
    ('sale_phone_hour',    'sale',   'phone',   '',                 3600,  null,        20000,  'review', 'Orders of one phone in an hour.'),
    ('sale_address_hour',  'sale',   'address', '',                 3600,  null,        20000,  'review', 'Orders to one address in an hour.'),
    ('sale_card_hour',     'sale',   'card',    '',                 3600,  null,        20,     'hold',   'Orders of one card in an hour.'),
    ('sale_seller_day',    'sale',   'seller',  '',                 86400, 50000000000, null,   'hold',   'What one cooperative sells in a day.'),
    ('payout_seller_hour', 'payout', 'seller',  '',                 3600,  null,        60,     'hold',   'Payouts of one cooperative in an hour.'),
    ('payout_seller_day',  'payout', 'seller',  '',                 86400, 500000000,   null,   'hold',   'What one cooperative is paid in a day.'),
    ('payout_day',         'payout', 'all',     '',                 86400, 5000000000,  null,   'hold',   'What leaves for all cooperatives in a day.');

-- What a second person is asked to put in force.
create table limits.proposal (
    hash     bytea primary key,
    version  bigint not null, -- of the book it changes
    rules    jsonb not null,
    at       timestamptz not null default platform.now()
);
grant select, insert on limits.proposal to hub_app;

-- What was used, in steps of five minutes. Phones, addresses and cards are
-- hashed. Connections write to rows of their own, so that those who buy of one
-- cooperative at once do not wait for each other.
create table limits.tally (
    what    text not null,
    per     text not null,
    key     text not null,
    at      timestamptz not null,
    method  text not null,
    shard   smallint not null,
    count   bigint not null,
    amount  bigint not null,
    primary key (what, per, key, at, method, shard)
) with (fillfactor = 70);
create index tally_old on limits.tally (at);
grant select, insert, update, delete on limits.tally to hub_app;

-- What was decided of each sale and payout, with the figures it was decided by.
create table limits.decision (
    id          text primary key,
    what        text not null check (what in ('sale', 'payout')),
    ref         text not null,
    outcome     text not null check (outcome in ('pass', 'review', 'hold', 'refuse')),
    rules       text[] not null, -- those that were reached
    figures     jsonb not null,
    seller      text not null default '',
    amount      bigint not null,
    at          timestamptz not null,
    open        bool not null default false, -- it waits for a person
    cleared_by  text not null default '',
    cleared_at  timestamptz,
    note        text not null default '',
    constraint decision_open check (not open or outcome in ('review', 'hold')),
    constraint decision_cleared check ((cleared_by = '') = (cleared_at is null) and not (open and cleared_by <> ''))
);
create index on limits.decision (what, ref);
create index decision_waiting on limits.decision (id) where open;
-- A payout is counted once, however often it is looked at.
create unique index decision_passed on limits.decision (what, ref) where outcome in ('pass', 'refuse') and what = 'payout';
create unique index decision_open_once on limits.decision (what, ref) where open;
grant select, insert, update on limits.decision to hub_app;

-- Orders whose money waits for a person.
create table limits.held (
    order_id  text primary key,
    decision  text not null references limits.decision (id)
);
create index on limits.held (decision);
grant select, insert, delete on limits.held to hub_app;

-- +goose StatementBegin
create function limits.again() returns void language plpgsql as $$
begin
    raise exception 'a limit came near while it was looked at' using errcode = 'serialization_failure';
end $$;
-- +goose StatementEnd

-- +goose Down
drop schema limits cascade;
