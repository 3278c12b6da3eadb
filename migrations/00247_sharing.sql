-- What members keep in their dossiers, whom they let see it, for what and until
-- when, and who has seen it. Access comes of a consent alone.

-- +goose Up
create schema sharing;
grant usage on schema sharing to hub_app;

create function sharing.known(text[]) returns boolean language sql immutable parallel safe
    return cardinality($1) between 1 and 5 and $1 <@ array['identity', 'financial', 'production', 'social', 'project'];

create table sharing.item (
    id          text primary key,
    owner       text not null check (owner <> ''),
    section     text not null check (sharing.known(array[section])),
    title       text not null check (length(title) between 1 and 120),
    sensitive   bool not null,
    version     int not null check (version between 1 and 1000),
    made_at     timestamptz not null,
    retired_at  timestamptz
);
create index on sharing.item (owner, id);
grant select, insert, update (version, retired_at) on sharing.item to hub_app;

-- Versions are kept: what somebody saw can be shown again.
create table sharing.edition (
    item      text not null references sharing.item,
    version   int not null check (version >= 1),
    file      text not null default '',
    form      jsonb,
    type      text not null,
    size      int not null check (size > 0),
    digest    bytea not null check (octet_length(digest) = 32),
    added_by  text not null check (added_by <> ''),
    added_at  timestamptz not null,
    primary key (item, version),
    constraint edition_one check ((file <> '') = (form is null))
);
grant select, insert on sharing.edition to hub_app;

-- A programme is several organisations that are let in together.
create table sharing.programme (
    id        text primary key,
    names     jsonb not null,
    made_by   text not null check (made_by <> ''),
    made_at   timestamptz not null
);
grant select, insert on sharing.programme to hub_app;

create table sharing.participant (
    programme     text not null references sharing.programme,
    organisation  text not null check (organisation <> ''),
    since         timestamptz not null,
    until         timestamptz,
    primary key (programme, organisation, since),
    check (until >= since)
);
create unique index participant_once on sharing.participant (organisation, programme) where until is null;
grant select, insert, update (until) on sharing.participant to hub_app;

-- Text is what was agreed to, by language; its digest is SHA-256 of the French,
-- Arabic and English, each with its length before it.
create table sharing.consent (
    id           text primary key,
    owner        text not null check (owner <> ''),
    grantee      text not null default '',
    programme    text references sharing.programme,
    purpose      text not null check (purpose in ('credit', 'insurance', 'support', 'label', 'programme', 'audit')),
    sections     text[] not null check (sharing.known(sections)),
    sensitive    bool not null,
    days         int not null check (days between 1 and 730),
    why          text not null default '' check (length(why) <= 500),
    text         jsonb not null,
    digest       bytea not null check (octet_length(digest) = 32),
    state        text not null check (state in ('requested', 'granted', 'refused', 'withdrawn', 'expired')),
    asked_by     text not null check (asked_by <> ''),
    asked_at     timestamptz not null,
    answered_by  text not null default '',
    answered_at  timestamptz,
    evidence     text not null default '' check (evidence in ('', 'passkey', 'code', 'key')),
    since        timestamptz,
    until        timestamptz,
    ended_by     text not null default '',
    ended_at     timestamptz,
    version      int not null default 1,
    constraint consent_one_grantee check ((grantee <> '') = (programme is null)),
    constraint consent_for_others check (grantee <> owner),
    constraint consent_granted check (state not in ('granted', 'withdrawn') or
        since is not null and until > since and evidence <> '' and answered_by <> ''),
    constraint consent_period check ((since is null) = (until is null) and (since is null or until = since + days * interval '24 hours')),
    constraint consent_refused check (state <> 'refused' or since is null and answered_by <> ''),
    constraint consent_ended check ((ended_at is not null) = (state in ('withdrawn', 'expired')))
);
create index on sharing.consent (owner, id);
create index on sharing.consent (grantee, id) where grantee <> '';
create index consent_live on sharing.consent (owner) where state = 'granted';
create unique index consent_asked_once on sharing.consent (owner, grantee, purpose) where state = 'requested';
grant select, insert, update (state, answered_by, answered_at, evidence, since, until, ended_by, ended_at, version) on sharing.consent to hub_app;

-- +goose StatementBegin
create function sharing.consent_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('requested', 'granted'), ('requested', 'refused'), ('requested', 'expired'), ('granted', 'withdrawn'), ('granted', 'expired'))
        or old.since is not null and (new.since, new.until, new.evidence, new.answered_by) is distinct from (old.since, old.until, old.evidence, old.answered_by) then
        raise exception 'consent % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'consent_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger consent_moves before update on sharing.consent for each row execute function sharing.consent_moves();

-- The glass is broken by two people, for a reason, and for a day.
create table sharing.glass (
    id         text primary key,
    owner      text not null check (owner <> ''),
    reason     text not null check (length(reason) between 20 and 500),
    sections   text[] not null check (sharing.known(sections)),
    state      text not null default 'asked' check (state in ('asked', 'open', 'refused')),
    asked_by   text not null check (asked_by <> ''),
    asked_at   timestamptz not null,
    opened_by  text not null default '',
    since      timestamptz,
    until      timestamptz,
    constraint glass_second check (opened_by <> asked_by),
    constraint glass_open check ((state = 'open') = (opened_by <> '') and (state = 'open') = (since is not null) and (since is null) = (until is null)),
    constraint glass_day check (until <= since + interval '24 hours')
);
create index on sharing.glass (owner, id);
grant select, insert, update (state, opened_by, since, until) on sharing.glass to hub_app;

-- Who saw what. A row is written by the unit of work that lets somebody read, and
-- is refused unless a consent, or a broken glass, lets it.
create table sharing.consultation (
    seq           bigint generated always as identity primary key,
    xid           xid8 not null default pg_current_xact_id(),
    at            timestamptz not null default platform.now(),
    actor         text not null default platform.principal(),
    owner         text not null,
    consent       text,
    glass         text,
    organisation  text not null check (organisation <> ''),
    by            text not null check (by <> ''),       -- the person, or the key
    item          text,
    version       int,
    section       text not null default '',
    sensitive     bool not null default false,
    title         text not null default '',
    purpose       text not null default '',
    action        text not null check (action in ('list', 'view', 'download')),
    bytes         int not null default 0 check (bytes >= 0),
    policy        text not null,
    constraint consultation_ground check ((consent is null) <> (glass is null)),
    constraint consultation_item check ((action = 'list') = (item is null) and (item is null) = (version is null) and (item is null) = (section = ''))
);
create index on sharing.consultation (owner, seq);
create index on sharing.consultation (consent, by);
create index consultation_sealing on sharing.consultation (xid, seq);
grant select, insert on sharing.consultation to hub_app;

-- +goose StatementBegin
create function sharing.allowed() returns trigger language plpgsql as $$
declare
    c sharing.consent;
    g sharing.glass;
begin
    if new.item is not null and not exists (select from sharing.item i where i.id = new.item and i.owner = new.owner and i.section = new.section
            and i.sensitive = new.sensitive and new.version <= i.version and i.retired_at is null) then
        raise exception 'there is no such item' using errcode = 'check_violation', constraint = 'consultation_allowed';
    end if;
    if new.consent is not null then
        select * into c from sharing.consent where id = new.consent for share;
        if not found or c.state <> 'granted' or c.owner <> new.owner or new.at < c.since or new.at >= c.until
            or new.section <> '' and not new.section = any (c.sections) or new.sensitive and not c.sensitive or new.purpose <> c.purpose
            or c.grantee <> new.organisation and (c.programme is null
                or not exists (select from sharing.participant p where p.programme = c.programme and p.organisation = new.organisation and p.until is null)) then
            raise exception 'consent % does not allow this', new.consent using errcode = 'check_violation', constraint = 'consultation_allowed';
        end if;
        return new;
    end if;
    select * into g from sharing.glass where id = new.glass;
    if not found or g.state <> 'open' or g.owner <> new.owner or new.at < g.since or new.at >= g.until or new."by" <> g.asked_by
        or new.section <> '' and not new.section = any (g.sections) then
        raise exception 'nothing allows this' using errcode = 'check_violation', constraint = 'consultation_allowed';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger consultation_allowed before insert on sharing.consultation for each row execute function sharing.allowed();
create trigger consultation_append_only before update or delete or truncate on sharing.consultation
    for each statement execute function platform.refuse();

-- What is sealed of a row: SHA-256 of seq and xid (eight bytes each, big-endian),
-- at (eight bytes, microseconds since 2000-01-01 00:00 UTC), version and bytes
-- (four bytes each), and the texts actor, owner, consent, glass, organisation, by,
-- item, section, sensitive, title, purpose, action and policy, each as four bytes
-- of length and UTF-8; what is null counts as empty.
create view sharing.consultation_sealable as
select xid, seq as id, sha256(int8send(seq) || xid8send(xid) || timestamptz_send(at) || int4send(coalesce(version, 0)) || int4send(bytes)
    || platform.text_bytes(actor) || platform.text_bytes(owner) || platform.text_bytes(coalesce(consent, '')) || platform.text_bytes(coalesce(glass, ''))
    || platform.text_bytes(organisation) || platform.text_bytes(by) || platform.text_bytes(coalesce(item, '')) || platform.text_bytes(section)
    || platform.text_bytes(sensitive::text) || platform.text_bytes(title) || platform.text_bytes(purpose) || platform.text_bytes(action) || platform.text_bytes(policy)) as digest
from sharing.consultation;
grant select on sharing.consultation_sealable to hub_app;

-- See ledger.block.
create table sharing.consultation_block (
    seq        bigint primary key check (seq > 0),
    upto_xid   xid8 not null,
    upto_id    bigint not null,
    ids        bigint[] not null,
    digests    bytea[] not null,
    prev       bytea unique,
    hash       bytea not null unique check (octet_length(hash) = 32),
    sealed_at  timestamptz not null default platform.now(),
    foreign key (prev) references sharing.consultation_block (hash),
    constraint consultation_block_first check ((seq = 1) = (prev is null)),
    constraint consultation_block_rows check (cardinality(ids) > 0 and cardinality(ids) = cardinality(digests))
);
alter table sharing.consultation_block alter column digests set storage external;
create trigger consultation_block_append_only before update or delete or truncate on sharing.consultation_block
    for each statement execute function platform.refuse();
grant select, insert on sharing.consultation_block to hub_app;

-- +goose Down
drop schema sharing cascade;
