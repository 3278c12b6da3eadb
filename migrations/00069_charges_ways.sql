-- Two more ways to pay: a bank transfer that names a reference, and cash on
-- delivery, which whoever brings the goods owes until it is remitted.

-- +goose Up
alter table charges.charge drop constraint charge_method_check;
alter table charges.charge add constraint charge_method_check check (method in ('card', 'transfer', 'cash_on_delivery'));

-- What a buyer was asked to transfer, and by whom it came. Of what was captured,
-- what is not for the orders goes back: returned.
create table charges.transfer (
    charge     text primary key references charges.charge,
    reference  text not null unique,
    bank       text not null,
    returned   bigint not null default 0,
    payer      jsonb not null default '{}',
    constraint transfer_returned check (returned >= 0)
);
grant select, insert, update on charges.transfer to hub_app;

-- The cash of one order. The carrier owes what it collected until that is
-- covered: by money at the bank, by fees it may keep, or given up as lost.
create table charges.parcel (
    order_id      text primary key,
    charge        text not null references charges.charge,
    seller        text not null,
    carrier       text not null check (carrier <> ''),
    reference     text not null unique,
    currency      text not null,
    due           bigint not null check (due > 0),
    fee           bigint not null,
    cash          bigint not null default 0,
    covered       bigint not null default 0,
    kept          bigint not null default 0,
    lost          bigint not null default 0,
    state         text not null default 'awaited' check (state in ('awaited', 'collected', 'remitted', 'lost', 'refused')),
    reason        text not null default '',
    listed        text not null default '',  -- in a list of which the money has not come
    version       bigint not null default 0,
    created_at    timestamptz not null,
    collected_at  timestamptz,
    ended_at      timestamptz,
    constraint parcel_fee check (fee between 0 and due),
    constraint parcel_cash check (cash between 0 and due),
    constraint parcel_covered check (covered between 0 and cash and kept between 0 and fee and lost >= 0 and kept + lost <= covered),
    constraint parcel_collected check ((cash > 0) = (state in ('collected', 'remitted', 'lost')) and (cash > 0) = (collected_at is not null)),
    constraint parcel_remitted check ((state in ('remitted', 'lost')) = (cash > 0 and covered = cash) and (lost > 0) = (state = 'lost')),
    constraint parcel_ended check ((ended_at is not null) = (state in ('remitted', 'lost', 'refused'))),
    constraint parcel_listed check (listed = '' or state = 'collected')
);
create index on charges.parcel (charge);
create index parcel_owed on charges.parcel (carrier, collected_at) where state = 'collected';
grant select, insert, update on charges.parcel to hub_app;

-- What a carrier says it remits in one sum: the cash of some orders, less the
-- fees it keeps and what handling costs.
create table charges.remittance (
    id          text primary key,
    carrier     text not null,
    reference   text not null unique,
    theirs      text not null default '',  -- the carrier's own name of it
    currency    text not null,
    net         bigint not null check (net > 0),
    handling    bigint not null check (handling >= 0),
    arrived     bigint not null default 0,
    state       text not null default 'announced' check (state in ('announced', 'arrived', 'short', 'withdrawn')),
    made_by     text not null,
    version     bigint not null default 0,
    created_at  timestamptz not null,
    ended_at    timestamptz,
    constraint remittance_ended check ((state = 'announced') = (ended_at is null)),
    constraint remittance_arrived check (case state when 'arrived' then arrived = net when 'short' then arrived between 1 and net - 1 else arrived = 0 end)
);
create index remittance_open on charges.remittance (carrier, net) where state = 'announced';
grant select, insert, update on charges.remittance to hub_app;

create table charges.remitted (
    remittance  text not null references charges.remittance,
    no          int not null,
    order_id    text not null references charges.parcel,
    cash        bigint not null check (cash > 0),
    kept        bigint not null check (kept between 0 and cash),
    primary key (remittance, no),
    unique (remittance, order_id)
);
create index on charges.remitted (order_id);
create trigger remitted_append_only before update or delete or truncate on charges.remitted
    for each statement execute function platform.refuse();
grant select, insert on charges.remitted to hub_app;

-- Each credit of a statement that was looked at: what it was for, or '' while
-- nobody knows; then it waits in suspense.
create table charges.credit (
    line      text primary key,
    bank      text not null,
    account   text not null,  -- where it waits when nobody knows
    subject   text not null default '',
    amount    bigint not null check (amount > 0),
    currency  text not null,
    payer     jsonb not null default '{}',
    said      text not null default '',
    at        timestamptz not null default platform.now()
);
create index credit_loose on charges.credit (amount, currency) where subject = '';
create index on charges.credit (subject) where subject <> '';
grant select, insert on charges.credit to hub_app;
grant update (subject) on charges.credit to hub_app;

-- +goose Down
drop table charges.credit, charges.remitted, charges.remittance, charges.parcel, charges.transfer;
alter table charges.charge drop constraint charge_method_check;
alter table charges.charge add constraint charge_method_check check (method in ('card'));
