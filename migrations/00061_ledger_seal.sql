-- The seal: transfers are chained into blocks once nothing can come before them
-- any more, so that whoever alters one later is found. Nothing on the way of a
-- posting waits for it.

-- +goose Up

-- The order of the chain.
create index transfer_sealing on ledger.transfer (xid, id);

-- text_bytes is a text in its canonical form: four bytes of length, and UTF-8.
create function ledger.text_bytes(text) returns bytea language sql stable parallel safe
    return int4send(octet_length($1)) || convert_to($1, 'UTF8');

-- What is sealed of a transfer: SHA-256 of its canonical form. Numbers are big-
-- endian, of eight bytes if nothing else is said; a time is its microseconds
-- since 2000-01-01 00:00 UTC; a text is four bytes of length and UTF-8.
--   transfer: id, xid, id of what it reverses (0: nothing), effective_at,
--             recorded_at, the texts key, kind, order_id, actor and note, the 32
--             bytes of the request's hash (after four of their number),
--             how many entries (four bytes)
--   each entry, by leg: leg and shard (two bytes each), amount, effective_at,
--             recorded_at, the texts currency and account code
create view ledger.sealable as
select t.xid, t.id, sha256(
    int8send(t.id) || xid8send(t.xid) || int8send(coalesce(t.reverses, 0)) || timestamptz_send(t.effective_at) || timestamptz_send(t.recorded_at)
    || ledger.text_bytes(t.key) || ledger.text_bytes(t.kind) || ledger.text_bytes(t.order_id) || ledger.text_bytes(t.actor) || ledger.text_bytes(t.note)
    || int4send(octet_length(t.request)) || t.request || coalesce(e.bytes, int4send(0))) as digest
from ledger.transfer t
left join lateral (
    select int4send(count(*)::int) || string_agg(
        int2send(e.leg) || int2send(e.shard) || int8send(e.amount) || timestamptz_send(e.effective_at) || timestamptz_send(e.recorded_at)
        || ledger.text_bytes(e.currency) || coalesce(ledger.text_bytes(a.code), ''), '' order by e.leg) as bytes
    from ledger.entry e left join ledger.account a on a.id = e.account_id where e.transfer_id = t.id) e on true;
grant select on ledger.sealable to hub_app;

-- A block lists what it seals, in the order of (xid, id) and up to upto, and
-- stands on the one before. Its hash is SHA-256 of its seq, the hash before it (nothing for the
-- first), how many rows, and each row's id and digest.
create table ledger.block (
    seq        bigint primary key check (seq > 0),
    upto_xid   xid8 not null,
    upto_id    bigint not null,
    ids        bigint[] not null,
    digests    bytea[] not null,
    prev       bytea unique,
    hash       bytea not null unique check (octet_length(hash) = 32),
    sealed_at  timestamptz not null default platform.now(),
    foreign key (prev) references ledger.block (hash),
    constraint block_first check ((seq = 1) = (prev is null)),
    constraint block_rows check (cardinality(ids) > 0 and cardinality(ids) = cardinality(digests))
);
alter table ledger.block alter column digests set storage external; -- nothing to compress
create trigger block_append_only before update or delete or truncate on ledger.block
    for each statement execute function platform.refuse();
grant select, insert on ledger.block to hub_app;

-- +goose Down
drop table ledger.block;
drop view ledger.sealable;
drop function ledger.text_bytes(text);
drop index ledger.transfer_sealing;
