-- A person begins an organisation's application itself; it has three under way at
-- most. An ICE belongs to one member: whoever is admitted has it, and a draft keeps
-- it from nobody.

-- +goose Up
create table members.application (
    organisation  text primary key references members.organisation,
    person        text not null references members.person,
    slot          int not null check (slot between 1 and 3),
    made_at       timestamptz not null,
    ended_at      timestamptz            -- when it was admitted, or withdrawn
);
create unique index application_slot on members.application (person, slot) where ended_at is null;
create index application_person on members.application (person, organisation);
grant select, insert on members.application to hub_app;
grant update (ended_at) on members.application to hub_app;

-- Of members that were admitted under one ICE the oldest keeps it; with the others it
-- stands as disputed, until it is cleared up whose it is.
update members.organisation set legal = (legal - 'ice') || jsonb_build_object('ice_disputed', legal ->> 'ice'), version = version + 1
where id in (select id from (select id, row_number() over (partition by legal ->> 'ice' order by created_at, id) as n
    from members.organisation where state in ('active', 'suspended') and legal ->> 'ice' <> '') o where n > 1);
create unique index organisation_ice on members.organisation ((legal ->> 'ice')) where state in ('active', 'suspended') and legal ->> 'ice' <> '';

-- +goose Down
drop index members.organisation_ice;
drop table members.application;
