-- Disputes about orders: what the buyer says, what the seller answers, and how
-- what is held was shared.

-- +goose Up
create schema disputes;
grant usage on schema disputes to hub_app;

create table disputes.dispute (
    id           text primary key,
    order_id     text not null,
    seller       text not null,
    buyer        text not null,
    charge       text not null,
    currency     text not null,
    reason       text not null,
    wish         text not null,
    text         text not null,
    state        text not null default 'open' check (state in ('open', 'answered', 'mediation', 'resolved')),
    opened_by    text not null,   -- a role: buyer, or the hub itself
    opened_at    timestamptz not null,
    deadline     timestamptz,     -- of whoever is to speak next
    reply        text not null default '',
    replied_at   timestamptz,
    -- What an agent proposed where two people must rule.
    proposal     jsonb,
    -- How it ended, in centimes: what went back and what was released.
    back         bigint not null default 0 check (back >= 0),
    release      bigint not null default 0 check (release >= 0),
    refund       text not null default '',
    ruling       text not null default '',
    ruled_by     text not null default '',
    resolved_at  timestamptz,
    version      bigint not null default 0,
    constraint dispute_resolved check ((state = 'resolved') = (resolved_at is not null) and (state = 'resolved') = (ruled_by <> '')),
    constraint dispute_shared check (state = 'resolved' and back + release > 0 or back = 0 and release = 0),
    constraint dispute_refund check ((back > 0) = (refund <> ''))
);
create unique index dispute_once on disputes.dispute (order_id) where state <> 'resolved';
create index on disputes.dispute (seller, id);
create index on disputes.dispute (buyer, id);
grant select, insert, update on disputes.dispute to hub_app;

-- +goose Down
drop schema disputes cascade;
