-- How far members have come: questionnaires, which are data in versions that never
-- change, and the times that somebody answered one, which are frozen once finished.

-- +goose Up
create schema diagnosis;
grant usage on schema diagnosis to hub_app;

-- What somebody writes, until two people have published it.
create table diagnosis.draft (
    id             text primary key,
    questionnaire  jsonb not null,
    state          text not null default 'open' check (state in ('open', 'asked', 'published')),
    version        int not null check (version >= 1),
    made_by        text not null check (made_by <> ''),
    made_at        timestamptz not null,
    changed_by     text not null check (changed_by <> ''),
    changed_at     timestamptz not null
);
grant select, insert, update (questionnaire, state, version, changed_by, changed_at) on diagnosis.draft to hub_app;

-- +goose StatementBegin
create function diagnosis.draft_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('open', 'open'), ('open', 'asked'), ('asked', 'open'), ('asked', 'published'))
        or old.state = 'asked' and new.state = 'published' and new.questionnaire is distinct from old.questionnaire
        or new.version <> old.version + 1 then
        raise exception 'draft % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'draft_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger draft_moves before update on diagnosis.draft for each row execute function diagnosis.draft_moves();

-- What a version says never changes. Two people publish it; the first of what comes
-- with the hub is published by the hub.
create table diagnosis.edition (
    code           text not null check (code ~ '^[a-z][a-z_]{1,39}$'),
    version        int not null check (version between 1 and 1000),
    state          text not null default 'published' check (state in ('published', 'replaced')),
    questionnaire  jsonb not null check (questionnaire ->> 'code' = code),
    draft          text unique references diagnosis.draft,
    asked_by       text not null check (asked_by <> ''),
    published_by   text not null check (published_by <> ''),
    published_at   timestamptz not null,
    ended_at       timestamptz,
    primary key (code, version),
    constraint edition_two_people check (published_by <> asked_by or draft is null and version = 1 and published_by = 'hub'),
    constraint edition_ended check ((state = 'published') = (ended_at is null))
);
create unique index edition_published on diagnosis.edition (code) where state = 'published';
grant select, insert, update (state, ended_at) on diagnosis.edition to hub_app;

-- +goose StatementBegin
create function diagnosis.edition_moves() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state <> 'published' or new.state = 'published'
        or (new.code, new.version, new.questionnaire, new.draft, new.asked_by, new.published_by, new.published_at)
            is distinct from (old.code, old.version, old.questionnaire, old.draft, old.asked_by, old.published_by, old.published_at) then
        raise exception 'version % of questionnaire % does not change', old.version, old.code using errcode = 'check_violation', constraint = 'edition_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger edition_moves before update or delete on diagnosis.edition for each row execute function diagnosis.edition_moves();

-- Versions follow each other without a hole, and what two people published is what
-- stood in the draft.
-- +goose StatementBegin
create function diagnosis.edition_follows() returns trigger language plpgsql as $$
begin
    if new.version <> 1 + (select coalesce(max(e.version), 0) from diagnosis.edition e where e.code = new.code)
        or new.draft is not null and not exists (select from diagnosis.draft d where d.id = new.draft and d.state = 'published' and d.questionnaire = new.questionnaire) then
        raise exception 'version % of questionnaire % does not follow', new.version, new.code using errcode = 'check_violation', constraint = 'edition_follows';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger edition_follows before insert on diagnosis.edition for each row execute function diagnosis.edition_follows();

create table diagnosis.run (
    id            text primary key,
    organisation  text not null check (organisation <> ''),
    kind          text not null check (kind in ('beneficiary_coop', 'auto_entrepreneur')),
    region        text not null,
    code          text not null,
    edition       int not null,
    state         text not null default 'open' check (state in ('open', 'finished', 'lapsed')),
    answers       jsonb not null check (jsonb_typeof(answers) = 'object'),
    made_by       text not null check (made_by <> ''),
    on_behalf_of  text not null default '',
    channel       text not null check (channel in ('online', 'counter', 'phone', 'api')),
    made_at       timestamptz not null,
    saved_at      timestamptz not null,
    lapses_at     timestamptz not null,
    finished_at   timestamptz,
    score         int check (score between 0 and 100),
    level         text not null default '',
    dimensions    jsonb,
    advice        text[] not null default '{}',
    version       int not null default 1,
    foreign key (code, edition) references diagnosis.edition (code, version),
    constraint run_finished check ((state = 'finished') = (finished_at is not null) and (state = 'finished') = (score is not null)
        and (state = 'finished') = (level <> '') and (state = 'finished') = (dimensions is not null) and (state = 'finished' or advice = '{}')),
    constraint run_lapses check (lapses_at > saved_at and saved_at >= made_at)
);
create index run_organisation on diagnosis.run (organisation, id);
create unique index run_open on diagnosis.run (organisation, code) where state = 'open';
create index run_finished_last on diagnosis.run (code, organisation, finished_at desc, id desc) where state = 'finished';
grant select, insert, update (state, answers, saved_at, lapses_at, finished_at, score, level, dimensions, advice, version) on diagnosis.run to hub_app;

-- Each begins open, without answers, with a questionnaire that is for its kind.
-- +goose StatementBegin
create function diagnosis.run_begins() returns trigger language plpgsql as $$
begin
    if new.state <> 'open' or new.answers <> '{}' or new.version <> 1
        or not exists (select from diagnosis.edition e where e.code = new.code and e.version = new.edition and e.questionnaire -> 'kinds' ? new.kind) then
        raise exception 'a diagnostic does not begin so' using errcode = 'check_violation', constraint = 'run_begins';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger run_begins before insert on diagnosis.run for each row execute function diagnosis.run_begins();

-- A run that is over is frozen: answers, result and the version of the questionnaire.
-- +goose StatementBegin
create function diagnosis.run_moves() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state <> 'open' then
        raise exception 'diagnostic % is %', old.id, old.state using errcode = 'check_violation', constraint = 'run_frozen';
    end if;
    if new.version <> old.version + 1
        or (new.id, new.organisation, new.kind, new.region, new.code, new.edition, new.made_by, new.on_behalf_of, new.channel, new.made_at)
            is distinct from (old.id, old.organisation, old.kind, old.region, old.code, old.edition, old.made_by, old.on_behalf_of, old.channel, old.made_at)
        or new.state = 'lapsed' and new.answers is distinct from old.answers then
        raise exception 'diagnostic % does not change so', old.id using errcode = 'check_violation', constraint = 'run_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger run_moves before update or delete on diagnosis.run for each row execute function diagnosis.run_moves();

-- Which result was put into its owner's dossier, as which version of which item.
create table diagnosis.shared (
    run           text primary key references diagnosis.run,
    organisation  text not null check (organisation <> ''),
    code          text not null,
    finished_at   timestamptz not null,
    item          text not null check (item <> ''),
    version       int not null check (version >= 1),
    shared_by     text not null check (shared_by <> ''),
    shared_at     timestamptz not null,
    unique (item, version)
);
create index shared_last on diagnosis.shared (organisation, code, finished_at desc);
grant select, insert on diagnosis.shared to hub_app;
create trigger shared_append_only before update or delete or truncate on diagnosis.shared
    for each statement execute function platform.refuse();

-- +goose StatementBegin
create function diagnosis.shared_of() returns trigger language plpgsql as $$
begin
    if not exists (select from diagnosis.run r where r.id = new.run and r.state = 'finished' and r.organisation = new.organisation and r.code = new.code and r.finished_at = new.finished_at) then
        raise exception 'diagnostic % is not finished, or another''s', new.run using errcode = 'check_violation', constraint = 'shared_of';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger shared_of before insert on diagnosis.shared for each row execute function diagnosis.shared_of();

-- What somebody answered is its organisation's alone. The market's people read no row;
-- they are given the figures below.
alter table diagnosis.run enable row level security;
create policy own on diagnosis.run using (platform.role() = 'system' or organisation = platform.subject());
alter table diagnosis.shared enable row level security;
create policy own on diagnosis.shared using (platform.role() = 'system' or organisation = platform.subject());

-- figures are the quartiles of the last finished run of each organisation, by kind,
-- region and dimension ('': the whole). Of fewer than five there are none: people would
-- know whose they are. It reads as the tables' owner, and only for the market's people.
create function diagnosis.figures(wanted text)
    returns table (kind text, region text, dimension text, organisations int, low float8, median float8, high float8)
    language sql stable security definer set search_path = pg_catalog as $$
with last as (
    select distinct on (r.organisation) r.kind, r.region, r.score, r.dimensions from diagnosis.run r
    where r.code = wanted and r.state = 'finished' and platform.role() in ('operator', 'system')
    order by r.organisation, r.finished_at desc, r.id desc
), points as (
    select l.kind, l.region, '' as dimension, l.score from last l
    union all
    select l.kind, l.region, d ->> 'code', (d ->> 'score')::int from last l, jsonb_array_elements(l.dimensions) d where d ->> 'score' is not null
)
select p.kind, p.region, p.dimension,
    case when count(*) >= 5 then count(*)::int end,
    case when count(*) >= 5 then percentile_cont(0.25) within group (order by p.score) end,
    case when count(*) >= 5 then percentile_cont(0.5) within group (order by p.score) end,
    case when count(*) >= 5 then percentile_cont(0.75) within group (order by p.score) end
from points p group by p.kind, p.region, p.dimension order by p.kind, p.region, p.dimension
$$;
revoke execute on function diagnosis.figures(text) from public;
grant execute on function diagnosis.figures(text) to hub_app;

-- +goose Down
drop schema diagnosis cascade;
