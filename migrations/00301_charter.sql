-- The charter: its versions, which never change, who signed which and how, and what
-- members are told of it.

-- +goose Up
create schema charter;
grant usage on schema charter to hub_app;

-- What is signed: SHA-256 of the number (four bytes, big-endian), the day from which
-- the version holds and the last day to sign it (as 2027-03-31), and for fr, ar, en
-- and zgh, in that order, the title, the text and the SHA-256 of the recording in
-- hexadecimal, each as four bytes of length and UTF-8 ('' when there is none); then
-- the SHA-256 of the rules.
create function charter.digest_of(number int, since date, last_day date, titles jsonb, bodies jsonb, recordings jsonb, rules bytea) returns bytea language sql stable parallel safe
    return sha256(int4send(number) || platform.text_bytes(to_char(since, 'YYYY-MM-DD')) || platform.text_bytes(to_char(last_day, 'YYYY-MM-DD'))
        || platform.text_bytes(coalesce(titles ->> 'fr', '')) || platform.text_bytes(coalesce(bodies ->> 'fr', '')) || platform.text_bytes(coalesce(recordings ->> 'fr', ''))
        || platform.text_bytes(coalesce(titles ->> 'ar', '')) || platform.text_bytes(coalesce(bodies ->> 'ar', '')) || platform.text_bytes(coalesce(recordings ->> 'ar', ''))
        || platform.text_bytes(coalesce(titles ->> 'en', '')) || platform.text_bytes(coalesce(bodies ->> 'en', '')) || platform.text_bytes(coalesce(recordings ->> 'en', ''))
        || platform.text_bytes(coalesce(titles ->> 'zgh', '')) || platform.text_bytes(coalesce(bodies ->> 'zgh', '')) || platform.text_bytes(coalesce(recordings ->> 'zgh', ''))
        || rules);

-- What somebody writes, until two people have published it.
create table charter.draft (
    id          text primary key,
    since       date not null,
    last_day    date not null,
    texts       jsonb not null,
    policy      text not null check (length(policy) <= 50000),
    state       text not null default 'open' check (state in ('open', 'asked', 'published')),
    version     int not null check (version >= 1),
    made_by     text not null check (made_by <> ''),
    made_at     timestamptz not null,
    changed_by  text not null check (changed_by <> ''),
    changed_at  timestamptz not null
);
grant select, insert, update (since, last_day, texts, policy, state, version, changed_by, changed_at) on charter.draft to hub_app;

-- +goose StatementBegin
create function charter.draft_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('open', 'open'), ('open', 'asked'), ('asked', 'open'), ('asked', 'published'))
        or old.state = 'asked' and new.state = 'published' and (new.since, new.last_day, new.texts, new.policy) is distinct from (old.since, old.last_day, old.texts, old.policy) then
        raise exception 'draft % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'draft_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger draft_moves before update on charter.draft for each row execute function charter.draft_moves();

-- A version is never changed. Its rules are a Cedar text with a digest of its own.
create table charter.version (
    number        int primary key check (number between 1 and 10000),
    since         date not null,
    last_day      date not null,
    titles        jsonb not null,
    bodies        jsonb not null,
    sounds        jsonb not null,     -- files, by language
    recordings    jsonb not null,     -- SHA-256 of what is in them, in hexadecimal
    policy        text not null check (length(policy) <= 50000),
    rules         bytea not null,
    digest        bytea not null unique,
    draft         text not null unique references charter.draft,
    asked_by      text not null check (asked_by <> ''),
    published_by  text not null check (published_by <> ''),
    published_at  timestamptz not null,
    constraint version_last_day check (last_day >= since),
    constraint version_two_people check (published_by <> asked_by),
    constraint version_languages check (coalesce(titles ->> 'fr', '') <> '' and coalesce(titles ->> 'ar', '') <> '' and coalesce(bodies ->> 'fr', '') <> '' and coalesce(bodies ->> 'ar', '') <> ''),
    constraint version_rules check (rules = sha256(convert_to(policy, 'UTF8'))),
    constraint version_digest check (digest = charter.digest_of(number, since, last_day, titles, bodies, recordings, rules)),
    unique (number, digest)
);
grant select, insert on charter.version to hub_app;
create trigger version_append_only before update or delete or truncate on charter.version
    for each statement execute function platform.refuse();

-- Versions follow each other without a hole, and none holds before the one ahead of it.
-- +goose StatementBegin
create function charter.version_follows() returns trigger language plpgsql as $$
declare
    last record;
begin
    select coalesce(max(v.number), 0) as number, max(v.since) as since into last from charter.version v;
    if new.number <> last.number + 1 or new.since < last.since then
        raise exception 'version % does not follow %', new.number, last.number using errcode = 'check_violation', constraint = 'version_follows';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger version_follows before insert on charter.version for each row execute function charter.version_follows();

-- What was signed on paper, until another of the market's people has compared it.
create table charter.paper (
    id            text primary key,
    organisation  text not null check (organisation <> ''),
    version       int not null,
    digest        bytea not null,
    lang          text not null check (lang in ('fr', 'ar', 'en', 'zgh')),
    signer        text not null check (length(signer) between 2 and 200),
    signed_on     date not null,
    file          text not null check (file <> ''),
    state         text not null default 'waiting' check (state in ('waiting', 'accepted', 'refused')),
    entered_by    text not null check (entered_by <> ''),
    entered_at    timestamptz not null,
    decided_by    text not null default '',
    decided_at    timestamptz,
    note          text not null default '' check (length(note) <= 500),
    foreign key (version, digest) references charter.version (number, digest),
    constraint paper_two_people check (decided_by <> entered_by),
    constraint paper_decided check ((state <> 'waiting') = (decided_by <> '') and (state <> 'waiting') = (decided_at is not null)),
    constraint paper_refused check (state <> 'refused' or note <> '')
);
create unique index paper_waits_once on charter.paper (organisation, version) where state = 'waiting';
create index paper_waiting on charter.paper (id) where state = 'waiting';
grant select, insert, update (state, decided_by, decided_at, note) on charter.paper to hub_app;

-- +goose StatementBegin
create function charter.paper_moves() returns trigger language plpgsql as $$
begin
    if old.state <> 'waiting' or new.state = 'waiting' then
        raise exception 'paper % was decided', old.id using errcode = 'check_violation', constraint = 'paper_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger paper_moves before update on charter.paper for each row execute function charter.paper_moves();

-- Who signed what, in which language, and how. What a row signs is exactly what was
-- published.
create table charter.signature (
    id            text primary key,
    organisation  text not null check (organisation <> ''),
    version       int not null,
    digest        bytea not null,
    lang          text not null check (lang in ('fr', 'ar', 'en', 'zgh')),
    method        text not null check (method in ('code', 'paper', 'agent')),
    proof         text not null default '' check (proof in ('', 'code', 'passkey')),
    person        text not null default '',     -- whose hand it is
    agent         text not null default '',     -- who brought it the charter
    paper         text references charter.paper,
    signer        text not null default '',     -- the name under a paper
    at            timestamptz not null,
    foreign key (version, digest) references charter.version (number, digest),
    constraint signature_once unique (organisation, version),
    constraint signature_paper check ((method = 'paper') = (paper is not null) and (method = 'paper') = (signer <> '') and (method = 'paper') = (person = '') and (method = 'paper') = (proof = '')),
    constraint signature_agent check ((method = 'agent') = (agent <> '') and (method <> 'agent' or proof = 'code') and agent <> person or method = 'paper')
);
grant select, insert on charter.signature to hub_app;
create trigger signature_append_only before update or delete or truncate on charter.signature
    for each statement execute function platform.refuse();

-- A round tells, or stops, those who have not signed a version, page after page.
create table charter.round (
    version   int not null references charter.version,
    step      text not null check (step in ('asked', '30', '7', '1', 'end', 'after')),
    due       timestamptz not null,
    after     text not null default '',      -- the organisation it has come to
    touched   int not null default 0 check (touched >= 0),
    done_at   timestamptz,
    primary key (version, step)
);
grant select, insert, update (after, touched, done_at) on charter.round to hub_app;

-- +goose Down
drop schema charter cascade;
