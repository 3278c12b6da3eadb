-- The directory: what anybody may find of members at work, and what each of them
-- shows besides, to whom.

-- +goose Up
create schema directory;
grant usage on schema directory to hub_app;

-- What is found. It is made anew from the members and the catalogue: at once when
-- either says that something changed, and every hour.
create table directory.entry (
    organisation  text primary key,
    kind          text not null check (kind <> '' and kind <> 'operator'),
    names         jsonb not null,
    sort          text collate "C" not null,     -- its name, folded: the order of lists
    region        text not null,
    commune       text not null,
    lat           double precision not null,
    lng           double precision not null,
    trades        text[] not null,
    labels        text[] not null,
    words         tsvector not null,
    made_at       timestamptz not null
);
create index on directory.entry (sort, organisation);
create index on directory.entry (region, sort, organisation);
create index on directory.entry using gin (trades);
create index on directory.entry using gin (labels);
create index on directory.entry using gin (words);
grant select, insert, update, delete on directory.entry to hub_app;

-- What a member shows besides. Nobody else than those who are named here sees it.
create table directory.field (
    organisation   text not null check (organisation <> ''),
    code           text not null check (code in ('phone', 'email', 'contact', 'capacity', 'certificates', 'website', 'hours')),
    value          text not null check (length(value) between 1 and 400),
    shown          text not null check (shown in ('public', 'some', 'nobody')),
    kinds          text[] not null,     -- of organisations
    organisations  text[] not null,
    changed_by     text not null check (changed_by <> ''),
    changed_at     timestamptz not null,
    primary key (organisation, code),
    constraint field_some check ((shown = 'some') = (cardinality(kinds) + cardinality(organisations) > 0)),
    constraint field_few check (cardinality(kinds) <= 7 and cardinality(organisations) <= 50),
    constraint field_named check (not '' = any (kinds) and not '' = any (organisations))
);
grant select, insert, update, delete on directory.field to hub_app;

-- +goose Down
drop schema directory cascade;
