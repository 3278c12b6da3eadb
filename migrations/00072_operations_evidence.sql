-- How often an operation may have left us, by which evidence it ended, what
-- contradicts that, and how often people were called; what connectors have
-- proved, and what reviewers say.

-- +goose Up
alter table operations.operation
    add column tries           int not null default 0 check (tries >= 0),
    add column gone            int not null default 0,
    add column first_sent_at   timestamptz,
    add column proof           text not null default '' check (proof in ('', 'answer', 'callback', 'inquiry', 'statement', 'person')),
    add column contradicted_at timestamptz,
    add column paged           int not null default 0 check (paged >= 0);

update operations.operation set tries = 1, gone = 1, first_sent_at = sent_at where sent_at is not null;
update operations.operation o set proof = coalesce(
    (select e.source from operations.evidence e where e.operation = o.id and e.outcome in ('succeeded', 'declined', 'returned') order by e.seq desc limit 1), 'answer')
    where o.state in ('confirmed', 'rejected', 'returned');

alter table operations.operation
    add constraint operation_gone check (gone between 0 and tries),
    -- What is in doubt has been sent; an end has its evidence.
    add constraint operation_left check (state not in ('sending', 'unknown') or tries > 0),
    add constraint operation_proof check (state not in ('confirmed', 'rejected', 'returned') or proof <> ''),
    add constraint operation_lease check (state <> 'sending' or lease_until is not null);

-- Contradictions are few and must be found at once.
create index operation_contradicted on operations.operation (id) where contradicted_at is not null;
create index operation_doubt on operations.operation (first_sent_at) where state in ('sending', 'unknown', 'review');

-- What a connector has proved about the same reference sent twice.
create table operations.certificate (
    connector   text not null,
    kind        text not null,
    proof       text not null check (proof <> ''),
    remembers_s bigint not null check (remembers_s > 0),
    at          timestamptz not null default platform.now(),
    primary key (connector, kind)
);
grant select, insert, update, delete on operations.certificate to hub_app;

-- What one person says came of an operation, for a second one to judge.
create table operations.review (
    hash       bytea primary key,
    operation  text not null references operations.operation (id),
    version    bigint not null,
    decision   text not null check (decision in ('confirmed', 'rejected')),
    evidence   text not null check (evidence <> ''),
    reference  text not null default '',
    sha256     text not null default '' check (sha256 = '' or sha256 ~ '^[0-9a-f]{64}$'),
    by         text not null,
    at         timestamptz not null default platform.now()
);
create index on operations.review (operation);
create trigger review_append_only before update or delete or truncate on operations.review
    for each statement execute function platform.refuse();
grant select, insert on operations.review to hub_app;

-- +goose Down
drop table operations.review;
drop table operations.certificate;
drop index operations.operation_doubt;
drop index operations.operation_contradicted;
alter table operations.operation
    drop constraint operation_lease, drop constraint operation_proof, drop constraint operation_left, drop constraint operation_gone,
    drop column paged, drop column contradicted_at, drop column proof, drop column first_sent_at, drop column gone, drop column tries;
