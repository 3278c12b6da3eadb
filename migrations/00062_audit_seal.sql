-- The audit trail is chained like the books, by the same sealer.

-- +goose Up
alter table platform.audit disable trigger audit_append_only;
alter table platform.audit add column xid xid8 not null default pg_current_xact_id();
alter table platform.audit enable trigger audit_append_only;
create index audit_sealing on platform.audit (xid, seq);

create function platform.text_bytes(text) returns bytea language sql stable parallel safe
    return int4send(octet_length($1)) || convert_to($1, 'UTF8');

-- What is sealed of a row of the trail: SHA-256 of seq and xid (eight bytes
-- each, big-endian), at (eight bytes, microseconds since 2000-01-01 00:00 UTC),
-- and the texts actor, action, subject, policy, request and detail, each as four
-- bytes of length and UTF-8.
create view platform.audit_sealable as
select xid, seq as id, sha256(int8send(seq) || xid8send(xid) || timestamptz_send(at) || platform.text_bytes(actor) || platform.text_bytes(action)
    || platform.text_bytes(subject) || platform.text_bytes(policy) || platform.text_bytes(request) || platform.text_bytes(detail::text)) as digest
from platform.audit;
grant select on platform.audit_sealable to hub_app;

-- See ledger.block.
create table platform.audit_block (
    seq        bigint primary key check (seq > 0),
    upto_xid   xid8 not null,
    upto_id    bigint not null,
    ids        bigint[] not null,
    digests    bytea[] not null,
    prev       bytea unique,
    hash       bytea not null unique check (octet_length(hash) = 32),
    sealed_at  timestamptz not null default platform.now(),
    foreign key (prev) references platform.audit_block (hash),
    constraint audit_block_first check ((seq = 1) = (prev is null)),
    constraint audit_block_rows check (cardinality(ids) > 0 and cardinality(ids) = cardinality(digests))
);
alter table platform.audit_block alter column digests set storage external;
create trigger audit_block_append_only before update or delete or truncate on platform.audit_block
    for each statement execute function platform.refuse();
grant select, insert on platform.audit_block to hub_app;

-- +goose Down
drop table platform.audit_block;
drop view platform.audit_sealable;
drop function platform.text_bytes(text);
alter table platform.audit drop column xid;
