-- What goes back to buyers, and what their banks take back.

-- +goose Up
alter table charges.charge
    add column captured bigint not null default 0 check (captured >= 0),  -- what came in, whatever became of it
    add column refunded bigint not null default 0 check (refunded >= 0),  -- of it, what goes back or went back
    add constraint charge_refunded check (refunded <= captured);
update charges.charge set captured = amount where state = 'confirmed';

create table charges.refund (
    id           text primary key,
    charge       text not null references charges.charge,
    order_id     text not null default '',  -- '' when its money waited in suspense
    buyer        text not null,
    seller       text not null default '',
    currency     text not null,
    amount       bigint not null check (amount > 0),
    rail         text not null check (rail in ('card', 'transfer')),
    connector    text not null default '',  -- who carries it, once it is asked for
    attempt      int not null default 0 check (attempt >= 0),
    ref          text not null default '',
    before       bigint not null default 0 check (before >= 0),  -- what the acquirer had given back when it was asked
    state        text not null check (state in ('created', 'sent', 'unknown', 'awaiting_rib', 'confirmed', 'returned', 'rejected')),
    rib          text not null default '' check (rib = '' or rib ~ '^[0-9]{24}$'),
    holder       text not null default '',
    reason       text not null,
    asked_by     text not null,
    why          text not null default '',
    waits_since  timestamptz,  -- for an account of the buyer's
    deducted     bool not null default false,  -- the acquirer's settlement has shown it
    version      bigint not null default 0,
    created_at   timestamptz not null,
    changed_at   timestamptz not null,
    constraint refund_waits check ((state in ('awaiting_rib', 'returned')) = (waits_since is not null)),
    constraint refund_account check (rail = 'card' or rib <> '' or state in ('awaiting_rib', 'rejected')),
    constraint refund_asked check ((attempt > 0) = (ref <> '') and (attempt > 0) = (connector <> ''))
);
-- An acquirer tells the sum it gave back, not each refund: one at a time can be
-- told apart.
create unique index refund_at_acquirer on charges.refund (charge)
    where rail = 'card' and attempt > 0 and state in ('created', 'sent', 'unknown');
create index on charges.refund (charge, id);
create index on charges.refund (order_id) where order_id <> '';
create index refund_open on charges.refund (id) where state not in ('confirmed', 'rejected');
grant select, insert, update on charges.refund to hub_app;

create table charges.chargeback (
    id            text primary key,
    acquirer      text not null,
    partner_case  text not null,
    charge        text not null references charges.charge,
    currency      text not null,
    amount        bigint not null check (amount > 0),
    fee           bigint not null check (fee >= 0),
    reason        text not null default '',
    state         text not null default 'open' check (state in ('open', 'won', 'lost')),
    verdict       text not null default '' check (verdict in ('', 'won', 'lost')),  -- told, and perhaps not booked yet
    booked        text not null check (booked in ('escrow', 'suspense')),  -- where its money was
    taken         bigint not null default 0 check (taken between 0 and amount),  -- out of suspense, when it was lost
    deducted      bool not null default false,
    restored      bool not null default false,
    version       bigint not null default 0,
    opened_at     timestamptz not null,
    ended_at      timestamptz,
    unique (acquirer, partner_case),
    constraint chargeback_ended check ((state = 'open') = (ended_at is null) and state in ('open', verdict))
);
create index on charges.chargeback (charge, id);
create index chargeback_open on charges.chargeback (id) where state = 'open';
grant select, insert, update on charges.chargeback to hub_app;

-- What acquirers said of chargebacks, as they said it; each thing once.
create table charges.case_message (
    acquirer    text not null,
    event_id    text not null,
    chargeback  text not null references charges.chargeback,
    state       text not null check (state in ('opened', 'won', 'lost')),
    raw         bytea not null,
    at          timestamptz not null default platform.now(),
    primary key (acquirer, event_id)
);
create index on charges.case_message (chargeback);
create trigger case_message_append_only before update or delete or truncate on charges.case_message
    for each statement execute function platform.refuse();
grant select, insert on charges.case_message to hub_app;

-- +goose Down
drop table charges.case_message, charges.chargeback, charges.refund;
alter table charges.charge drop column captured, drop column refunded;
