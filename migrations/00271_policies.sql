-- Insurance: insurers' products as an operator let them be shown, quotes, policies
-- with the consent they stand on, claims, and insurers' statements.

-- +goose Up
create schema policies;
grant usage on schema policies to hub_app;

-- One row for each version of a product. Nobody but its insurer and the market's
-- people sees one that is not approved.
create table policies.product (
    id         text primary key,
    insurer    text not null check (insurer <> ''),
    code       text not null check (code ~ '^[A-Za-z0-9._-]{1,40}$'),
    number     int not null check (number >= 1),
    line       text not null check (line in ('parcel', 'stock', 'crop', 'health')),
    doc        jsonb not null,
    digest     bytea not null,
    source     text not null check (source in ('insurer', 'desk')),
    state      text not null default 'offered' check (state in ('offered', 'approved', 'rejected', 'withdrawn')),
    made_by    text not null,
    made_at    timestamptz not null,
    decided_by text not null default '',
    decided_at timestamptz,
    note       text not null default '',
    version    int not null default 1,
    unique (insurer, code, number),
    constraint product_decided check (state = 'offered' or decided_by <> '' and decided_at is not null),
    constraint product_not_by_its_maker check (decided_by <> made_by)
);
-- One version of a product is sold at a time.
create unique index product_sold on policies.product (insurer, code) where state = 'approved';
create index product_state on policies.product (state, id);
grant select, insert, update (state, decided_by, decided_at, note, version) on policies.product to hub_app;

create table policies.quote (
    id          text primary key,
    ref         text not null unique,
    product     text not null references policies.product,
    insurer     text not null,
    member      text not null,
    asked_by    text not null,
    subject     jsonb not null,
    sum_insured bigint not null check (sum_insured > 0),
    currency    text not null,
    starts      timestamptz not null,
    ends        timestamptz not null,
    state       text not null default 'asked' check (state in ('asked', 'open', 'used', 'refused')),
    number      text not null default '',
    premium     bigint not null default 0,
    taxes       bigint not null default 0,
    commission  bigint not null default 0,
    valid_until timestamptz,
    documents   jsonb not null default '[]',
    why         text not null default '',
    asked_at    timestamptz not null,
    version     int not null default 1,
    constraint quote_time check (ends > starts),
    constraint quote_priced check (state not in ('open', 'used') or premium > 0 and number <> '' and valid_until is not null and taxes between 0 and premium and commission between 0 and premium - 1)
);
create index on policies.quote (member, id);
grant select, insert, update (state, number, premium, taxes, commission, valid_until, documents, why, version) on policies.quote to hub_app;

create table policies.policy (
    id           text primary key,
    ref          text not null unique,
    quote        text not null unique references policies.quote,
    product      text not null references policies.product,
    insurer      text not null,
    member       text not null,
    sum_insured  bigint not null,
    premium      bigint not null check (premium > 0),
    commission   bigint not null,
    currency     text not null,
    period       text not null check (period in ('once', 'month', 'season', 'year')),
    first        text not null, -- the first premium
    state        text not null default 'pending' check (state in ('pending', 'active', 'lapsed', 'cancelled', 'expired', 'claimed', 'refused')),
    why          text not null default '',
    partner_id   text not null default '',
    number       text not null default '',
    starts       timestamptz not null,
    ends         timestamptz not null,
    documents    jsonb not null default '[]',
    -- what was agreed to
    consent_lang text not null check (consent_lang in ('fr', 'ar', 'en')),
    consent_text text not null,
    consent_hash text not null check (consent_hash ~ '^[0-9a-f]{64}$'),
    consent_by   text not null check (consent_by <> ''),
    consent_way  text not null check (consent_way in ('session', 'agent', 'key')),
    consent_at   timestamptz not null,
    -- its end before time
    cancel_ref   text not null default '',
    cancel_why   text not null default '',
    cancel_at    timestamptz,
    refund       bigint not null default 0 check (refund >= 0),
    -- premiums of later periods
    next_due     timestamptz,
    periods      int not null default 1,
    reminded     bool not null default false,
    ending_told  bool not null default false,
    asked_at     timestamptz not null,
    version      int not null default 1,
    constraint policy_cancel check ((cancel_ref = '') = (cancel_at is null)),
    constraint policy_holds check (state in ('pending', 'refused') or partner_id <> ''),
    constraint policy_once check (period not in ('once', 'season') or next_due is null)
);
create index on policies.policy (member, id);
create index on policies.policy (insurer, id);
grant select, insert, update (state, why, partner_id, number, starts, ends, documents, cancel_ref, cancel_why, cancel_at, refund, next_due, periods, reminded, ending_told, version)
    on policies.policy to hub_app;

-- The states follow the same table as the code.
-- +goose StatementBegin
create function policies.moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (
        ('pending', 'active'), ('pending', 'refused'),
        ('active', 'lapsed'), ('active', 'cancelled'), ('active', 'expired'), ('active', 'claimed'),
        ('claimed', 'lapsed'), ('claimed', 'cancelled'), ('claimed', 'expired')) then
        raise exception 'policy % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'policy_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger policy_moves before update on policies.policy for each row
    when (old.state is distinct from new.state) execute function policies.moves();

create table policies.claim (
    id          text primary key,
    ref         text not null unique,
    policy      text not null references policies.policy,
    insurer     text not null,
    member      text not null,
    event_at    timestamptz not null,
    kind        text not null check (kind <> ''),
    description text not null,
    amount      bigint not null check (amount > 0),
    currency    text not null,
    observation text not null default '', -- what made it due, of a cover by an index
    state       text not null default 'notified' check (state in ('notified', 'review', 'accepted', 'rejected', 'paid')),
    why         text not null default '',
    asks        text[] not null default '{}',
    accepted    bigint check (accepted > 0),
    transfer    text not null default '',
    set_off     bool not null default false,
    partner_id  text not null default '',
    told        int not null default 0,  -- the version that the insurer was told of
    filed       int not null default 1,  -- the version of what is told
    answer_by   timestamptz not null,    -- when the insurer's answer is due
    made_by     text not null,
    made_at     timestamptz not null,
    version     int not null default 1,
    constraint claim_accepted check ((state in ('accepted', 'paid')) <= (accepted is not null)),
    constraint claim_told check (told <= filed)
);
create index on policies.claim (member, id);
create index on policies.claim (insurer, id);
create index on policies.claim (policy, id);
grant select, insert, update (state, why, asks, accepted, transfer, set_off, partner_id, told, filed, version) on policies.claim to hub_app;

-- +goose StatementBegin
create function policies.claim_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (
        ('notified', 'review'), ('notified', 'accepted'), ('notified', 'rejected'), ('review', 'accepted'), ('review', 'rejected'),
        ('rejected', 'review'), ('rejected', 'accepted'), ('accepted', 'paid')) then
        raise exception 'claim % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'claim_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger claim_moves before update on policies.claim for each row
    when (old.state is distinct from new.state) execute function policies.claim_moves();

create table policies.evidence (
    claim   text not null references policies.claim,
    file    text not null,
    kind    text not null check (kind <> ''),
    digest  text not null check (digest ~ '^[0-9a-f]{64}$'),
    added_by text not null,
    added_at timestamptz not null,
    primary key (claim, file)
);
grant select, insert on policies.evidence to hub_app;

-- Whose values of an index are believed: each signs what it says.
create table policies.source (
    name     text primary key check (length(name) between 2 and 120 and name !~ '[|\r\n]'),
    key      bytea not null check (length(key) = 32),
    made_by  text not null,
    made_at  timestamptz not null
);
grant select, insert on policies.source to hub_app;

create table policies.observation (
    id        text primary key,
    ref       text not null unique,
    policy    text not null references policies.policy,
    index     text not null,
    source    text not null references policies.source,
    place     text not null,
    period    text not null,
    value     text not null,
    signature text not null,
    state     text not null default 'entered' check (state in ('entered', 'told', 'refused')),
    why       text not null default '',
    claim     text not null default '',
    made_by   text not null,
    made_at   timestamptz not null,
    unique (policy, index, period)
);
grant select, insert, update (state, why, claim) on policies.observation to hub_app;

-- What insurers say of a month.
create table policies.statement (
    id         text primary key,
    insurer    text not null,
    period     text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    state      text not null default 'asked' check (state in ('asked', 'read', 'refused')),
    doc        jsonb,
    rows       int not null default 0,
    matched    int not null default 0,
    premiums   bigint not null default 0,
    commission bigint not null default 0,
    claims     bigint not null default 0,
    due        bigint not null default 0,
    why        text not null default '',
    asked_by   text not null,
    asked_at   timestamptz not null,
    read_at    timestamptz,
    constraint statement_read check ((state = 'read') = (read_at is not null and doc is not null))
);
create unique index statement_asked on policies.statement (insurer, period) where state = 'asked';
create index on policies.statement (insurer, id);
grant select, insert, update (state, doc, rows, matched, premiums, commission, claims, due, why, read_at) on policies.statement to hub_app;

-- Where an insurer and the market say different things: a person sees to it.
create table policies.gap (
    id          text primary key,
    insurer     text not null,
    statement   text not null default '',
    period      text not null default '',
    kind        text not null check (kind in ('missing_there', 'missing_here', 'amount', 'commission', 'totals', 'product_changed', 'product_invalid', 'quote_sum', 'refund_sum', 'claim_sum', 'policy_contradicted', 'claim_changed')),
    ref         text not null default '',
    subject     text not null default '',
    ours        bigint,
    theirs      bigint,
    detail      text not null,
    suggestion  text not null,
    state       text not null default 'open' check (state in ('open', 'resolved')),
    resolution  text not null default '',
    resolved_by text not null default '',
    resolved_at timestamptz,
    note        text not null default '',
    made_at     timestamptz not null,
    constraint gap_resolved check ((state = 'resolved') = (resolved_by <> '' and resolved_at is not null and resolution <> ''))
);
create unique index gap_once on policies.gap (insurer, statement, kind, ref, subject) where state = 'open';
create index on policies.gap (state, id);
grant select, insert, update (state, resolution, resolved_by, resolved_at, note) on policies.gap to hub_app;

-- +goose Down
drop schema policies cascade;
