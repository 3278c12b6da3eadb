-- How partners are called, as data that people change while the hub runs, and
-- what became of it: breakers that opened and closed, told by every hub.

-- +goose Up
-- What differs from what is built in, by partner and class of call: 0 is as
-- built in, -1 none.
create table platform.lane_setting (
    partner             text not null check (partner ~ '^[a-z0-9][a-z0-9_.-]{0,59}$'),
    class               text not null check (class in ('pay', 'query', 'file', 'tell')),
    dial_ms             int not null default 0 check (dial_ms between 0 and 40000),
    tls_ms              int not null default 0 check (tls_ms between 0 and 40000),
    header_ms           int not null default 0 check (header_ms between 0 and 40000),
    deadline_ms         int not null default 0 check (deadline_ms between 0 and 40000),
    bulkhead            int not null default 0 check (bulkhead between 0 and 256),
    contract_per_minute int not null default 0 check (contract_per_minute between 0 and 6000000),
    burst               int not null default 0 check (burst between 0 and 100000),
    window_s            int not null default 0 check (window_s between 0 and 3600),
    consecutive         int not null default 0 check (consecutive between 0 and 1000),
    volume              int not null default 0 check (volume between 0 and 100000),
    ratio_percent       int not null default 0 check (ratio_percent between 0 and 100),
    cooldown_s          int not null default 0 check (cooldown_s between 0 and 3600),
    retries             int not null default 0 check (retries between -1 and 5),
    retry_min_ms        int not null default 0 check (retry_min_ms between 0 and 40000),
    retry_max_ms        int not null default 0 check (retry_max_ms between 0 and 40000),
    ping_s              int not null default 0 check (ping_s between -1 and 3600),
    set_by              text not null,
    set_at              timestamptz not null default platform.now(),
    primary key (partner, class),
    constraint lane_setting_asks_again check (retries <= 0 or class = 'query')
);
grant select, insert, update on platform.lane_setting to hub_app;

-- Partners that people have stopped.
create table platform.partner_pause (
    partner text primary key check (partner ~ '^[a-z0-9][a-z0-9_.-]{0,59}$'),
    reason  text not null check (length(reason) between 1 and 500),
    by      text not null,
    at      timestamptz not null default platform.now()
);
grant select, insert, update, delete on platform.partner_pause to hub_app;

-- How each hub finds each partner now: what no hub has told for a while is
-- not true any more.
create table platform.lane_state (
    hub       text not null,
    partner   text not null,
    class     text not null,
    breaker   text not null check (breaker in ('closed', 'half-open', 'open')),
    since     timestamptz not null,
    reason    text not null default '',
    in_flight int not null check (in_flight >= 0),
    p95_us    bigint not null check (p95_us >= 0),
    calls     int not null check (calls >= 0),
    failures  int not null check (failures >= 0),
    errors    jsonb not null default '[]',
    seen_at   timestamptz not null,
    primary key (hub, partner, class)
);
create index lane_state_seen on platform.lane_state (seen_at);
grant select, insert, update, delete on platform.lane_state to hub_app;

-- What moved, for 30 days.
create table platform.lane_change (
    id      bigint generated always as identity primary key,
    at      timestamptz not null,
    hub     text not null,
    partner text not null,
    class   text not null,
    change  text not null check (change in ('opened', 'closed', 'paused', 'resumed', 'tuned')),
    reason  text not null default ''
);
create index lane_change_partner on platform.lane_change (partner, id desc);
create index lane_change_at on platform.lane_change (at);
grant select, insert, delete on platform.lane_change to hub_app;

-- +goose Down
drop table platform.lane_change, platform.lane_state, platform.partner_pause, platform.lane_setting;
