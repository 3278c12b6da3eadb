-- The event log as it is read from outside: each event gets a place in an order
-- that has no gaps and in which nothing appears later before what was read, and
-- a telling for each member who hears of it. Webhooks are what is sent of it.

-- +goose Up

-- Numbers are drawn before transactions commit, so an event may appear with a
-- lower number than others that were read. One hub at a time gives places to
-- what has become visible; numbers it misses are looked for again until no
-- transaction can bring them any more.
create table platform.log_state (
    one   bool primary key default true check (one),
    high  bigint not null default 0, -- the highest number seen
    pos   bigint not null default 0  -- the last place given
);
insert into platform.log_state default values;
grant select, update on platform.log_state to hub_app;

create table platform.log_gap (
    seq    bigint primary key,
    after  xid8 not null default pg_snapshot_xmax(pg_current_snapshot()), -- what may bring it began before
    since  timestamptz not null default now()
);
grant select, insert, delete on platform.log_gap to hub_app;

create table platform.log (
    pos  bigint primary key,
    seq  bigint not null unique
);
create trigger log_append_only before update or delete or truncate on platform.log
    for each statement execute function platform.refuse();
grant select, insert on platform.log to hub_app;

-- What a member is told of an event, in a form that has a version.
create table platform.telling (
    member   text not null,
    pos      bigint not null references platform.log (pos),
    version  int not null check (version > 0),
    data     jsonb not null,
    primary key (member, pos)
);
create trigger telling_append_only before update or delete or truncate on platform.telling
    for each statement execute function platform.refuse();
grant select, insert on platform.telling to hub_app;

create table platform.webhook_endpoint (
    id            text primary key,
    owner         text not null check (owner <> ''), -- a member, or * for the operator
    slot          smallint not null check (slot between 1 and 20),
    url           text not null,
    events        text[] not null check (cardinality(events) between 1 and 50),
    state         text not null default 'active' check (state in ('active', 'paused', 'disabled')),
    why           text not null default '',
    failures      int not null default 0 check (failures >= 0), -- in a row
    leased_until  timestamptz not null default '-infinity',
    held_until    timestamptz not null default '-infinity',
    created_at    timestamptz not null,
    changed_at    timestamptz not null,
    constraint webhook_slot unique (owner, slot)
);
grant select, insert, update, delete on platform.webhook_endpoint to hub_app;

create table platform.webhook_secret (
    endpoint  text not null references platform.webhook_endpoint (id) on delete cascade,
    no        int not null,
    secret    bytea not null check (length(secret) between 24 and 64),
    made_at   timestamptz not null,
    ends_at   timestamptz, -- null: the one that signs from now on
    primary key (endpoint, no)
);
create unique index webhook_secret_current on platform.webhook_secret (endpoint) where ends_at is null;
grant select, insert, update, delete on platform.webhook_secret to hub_app;

-- One row for each event an endpoint wants. Within a subject only the first
-- that waits is due; those behind it wait for infinity until it is through.
create table platform.webhook_delivery (
    id          bigint generated always as identity primary key,
    endpoint    text not null references platform.webhook_endpoint (id) on delete cascade,
    event       text not null,
    pos         bigint not null, -- in the log; 0 for a test
    type        text not null,
    subject     text not null,
    state       text not null check (state in ('waiting', 'delivered', 'failed')),
    tries       int not null default 0,
    next_at     timestamptz not null,
    until       timestamptz not null,
    status      int not null default 0,
    answer      text not null default '' check (octet_length(answer) <= 4096),
    error       text not null default '',
    created_at  timestamptz not null default platform.now(),
    tried_at    timestamptz,
    unique (endpoint, event)
);
create index webhook_waiting on platform.webhook_delivery (endpoint, next_at) where state = 'waiting';
create index webhook_order on platform.webhook_delivery (endpoint, subject, pos) where state = 'waiting';
create index webhook_log on platform.webhook_delivery (endpoint, id);
create index webhook_old on platform.webhook_delivery (created_at) where state <> 'waiting';
grant select, insert, update, delete on platform.webhook_delivery to hub_app;

-- +goose Down
drop table platform.webhook_delivery, platform.webhook_secret, platform.webhook_endpoint, platform.telling, platform.log, platform.log_gap, platform.log_state;
