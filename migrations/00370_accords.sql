-- What people and organisations agreed to, refused or took back: one ledger.

-- +goose Up
create schema accords;
grant usage on schema accords to hub_app;

-- The texts that are agreed to, as they stand in the program: a version is written
-- down by the first who agrees to it, and is never another text afterwards.
create table accords.text (
    subject  text not null check (subject <> ''),
    version  int not null check (version > 0),
    lang     text not null check (lang in ('fr', 'ar', 'en')),
    says     text not null check (says <> ''),
    hash     bytea not null,
    primary key (subject, version, lang),
    unique (subject, version, lang, hash),
    constraint text_hash check (hash = sha256(convert_to(says, 'UTF8')))
);
create trigger text_append_only before update or delete or truncate on accords.text for each statement execute function platform.refuse();
grant select, insert on accords.text to hub_app;

-- What somebody said once. It names nobody: who is a number of the hub's, and words
-- that were made for one person alone stand in the room that made them; of these
-- there is only the hash here. So nothing is taken out of it when somebody is
-- forgotten, and the seals over it hold.
create table accords.accord (
    seq           bigint generated always as identity primary key,
    xid           xid8 not null default pg_current_xact_id(),
    at            timestamptz not null default platform.now(),
    actor         text not null default platform.principal(),
    who           text not null,
    subject       text not null check (subject ~ '^[a-z_]+$'),
    about         text not null default '' check (about ~ '^[0-9A-Za-z_.]*$'),   -- which of them: a consent's id, a channel; '': there is one
    word          text not null check (word in ('given', 'refused', 'withdrawn')),
    text_version  int,                                                          -- null: the words were made for this one
    lang          text not null default '' check (lang in ('', 'fr', 'ar', 'en')),  -- in which they were shown; '': in all
    hash          bytea check (octet_length(hash) = 32),
    until         timestamptz,                                                  -- it ends by itself
    channel       text not null check (channel in ('page', 'api', 'agent', 'paper', 'partner', 'hub')),
    foreign key (subject, text_version, lang, hash) references accords.text (subject, version, lang, hash),
    -- Nobody agrees but to a text, and neither a system outside nor the hub agrees for somebody.
    constraint accord_given check (word <> 'given' or hash is not null and channel in ('page', 'api', 'agent', 'paper')),
    constraint accord_text check (text_version is null or lang <> '' and hash is not null),
    constraint accord_until check (until is null or word = 'given' and until > at)
);
create index accord_newest on accords.accord (who, subject, about, seq desc);
create index accord_of on accords.accord (who, seq);
create index accord_sealing on accords.accord (xid, seq);
grant select, insert on accords.accord to hub_app;
create trigger accord_append_only before update or delete or truncate on accords.accord for each statement execute function platform.refuse();

-- newest is the last word of somebody on something; null: there was none.
-- +goose StatementBegin
create function accords.newest(of_who text, of_subject text, of_about text) returns text language sql stable as $$
    select word from accords.accord where who = of_who and subject = of_subject and about = of_about order by seq desc limit 1
$$;
-- +goose StatementEnd

-- abouts are what somebody said something of, of a subject.
-- +goose StatementBegin
create function accords.abouts(of_who text, of_subject text) returns setof text language sql stable as $$
    select distinct about from accords.accord where who = of_who and subject = of_subject
$$;
-- +goose StatementEnd

-- gave says whether somebody agreed to a text, by its hash.
-- +goose StatementBegin
create function accords.gave(of_who text, of_subject text, of_about text, text_hash text) returns bool language sql stable as $$
    select exists (select from accords.accord where who = of_who and subject = of_subject and about = of_about and word = 'given' and encode(hash, 'hex') = text_hash)
$$;
-- +goose StatementEnd

-- was_said writes down what was said before there was the ledger. It goes when the
-- rooms have told what they had.
-- +goose StatementBegin
create function accords.was_said(at timestamptz, who text, subject text, about text, word text, lang text, hash bytea, until timestamptz, channel text) returns void language sql as $$
    insert into accords.accord (at, who, subject, about, word, lang, hash, until, channel) values (at, who, subject, about, word, lang, hash, until, channel)
$$;
-- +goose StatementEnd
revoke execute on function accords.was_said from public;

-- Only what was given is taken back, and only what was not taken back yet.
-- +goose StatementBegin
create function accords.in_order() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('accord ' || new.who || ' ' || new.subject || ' ' || new.about, 0));
    if new.word = 'withdrawn' and accords.newest(new.who, new.subject, new.about) is distinct from 'given' then
        raise exception '% takes back % %, which was not given', new.who, new.subject, new.about using errcode = 'check_violation', constraint = 'accord_order';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger accord_order before insert on accords.accord for each row execute function accords.in_order();

-- What is sealed of a row: SHA-256 of seq and xid (eight bytes each, big-endian), at
-- and until (eight bytes, microseconds since 2000-01-01 00:00 UTC; none: no bytes),
-- text_version (four bytes; none: 0), the hash (none: no bytes), and the texts actor,
-- who, subject, about, word, lang and channel, each as four bytes of length and UTF-8.
create view accords.sealable as
select xid, seq as id, sha256(int8send(seq) || xid8send(xid) || timestamptz_send(at) || coalesce(timestamptz_send(until), ''::bytea) || int4send(coalesce(text_version, 0)) || coalesce(hash, ''::bytea)
    || platform.text_bytes(actor) || platform.text_bytes(who) || platform.text_bytes(subject) || platform.text_bytes(about) || platform.text_bytes(word)
    || platform.text_bytes(lang) || platform.text_bytes(channel)) as digest
from accords.accord;
grant select on accords.sealable to hub_app;

-- See ledger.block.
create table accords.block (
    seq        bigint primary key check (seq > 0),
    upto_xid   xid8 not null,
    upto_id    bigint not null,
    ids        bigint[] not null,
    digests    bytea[] not null,
    prev       bytea unique,
    hash       bytea not null unique check (octet_length(hash) = 32),
    sealed_at  timestamptz not null default platform.now(),
    foreign key (prev) references accords.block (hash),
    constraint block_first check ((seq = 1) = (prev is null)),
    constraint block_rows check (cardinality(ids) > 0 and cardinality(ids) = cardinality(digests))
);
alter table accords.block alter column digests set storage external;
create trigger block_append_only before update or delete or truncate on accords.block for each statement execute function platform.refuse();
grant select, insert on accords.block to hub_app;

-- +goose Down
drop schema accords cascade;
