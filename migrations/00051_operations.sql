-- What the hub asks of partners, written down before it asks: an outcome that
-- is not known is a state here, never a guess.

-- +goose Up
create schema operations;
grant usage on schema operations to hub_app;

create table operations.operation (
    id            text primary key,
    subject       text not null,
    kind          text not null,
    connector     text not null,
    ref           text not null check (ref ~ '^[A-Za-z0-9-]{1,35}$'),
    amount        bigint not null check (amount > 0),
    currency      text not null,
    request       bytea not null,
    file          text not null default '',
    state         text not null check (state in ('intent', 'sending', 'accepted', 'unknown', 'confirmed', 'rejected', 'returned', 'review')),
    sent_at       timestamptz,
    lease_until   timestamptz,
    resend_until  timestamptz not null,
    partner_id    text not null default '',
    inquiries     int not null default 0,
    absences      int not null default 0,
    absent_at     timestamptz,
    why           text not null default '',
    version       bigint not null default 0,
    created_at    timestamptz not null default platform.now(),
    changed_at    timestamptz not null default platform.now(),
    unique (connector, ref)
);
-- A subject has one live or successful operation of a kind.
create unique index operation_live on operations.operation (subject, kind) where state not in ('rejected', 'returned');
create index operation_state on operations.operation (state, id) where state in ('intent', 'sending', 'accepted', 'unknown', 'review');
create index operation_intent on operations.operation (connector, kind, id) where state = 'intent';
create index operation_file on operations.operation (file) where file <> '';
grant select, insert, update on operations.operation to hub_app;

-- What partners said, as they said it; each thing once.
create table operations.evidence (
    seq        bigint generated always as identity primary key,
    operation  text not null,
    connector  text not null,
    source     text not null check (source in ('answer', 'callback', 'inquiry', 'statement', 'person')),
    event_id   text not null,
    outcome    text not null,
    code       text not null default '',
    said       text not null default '',
    raw        bytea not null default '',
    at         timestamptz not null default platform.now(),
    unique (connector, event_id)
);
create index on operations.evidence (operation, seq);
create trigger evidence_append_only before update or delete or truncate on operations.evidence
    for each statement execute function platform.refuse();
grant select, insert on operations.evidence to hub_app;

-- +goose Down
drop schema operations cascade;
