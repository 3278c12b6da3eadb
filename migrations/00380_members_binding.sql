-- A version of the charter binds who signs it from the day on which it holds, and not
-- before: until then the one that bound it before does.

-- +goose Up
alter table members.organisation
    add column charter_before int not null default 0 check (charter_before between 0 and 10000),
    add column charter_from   timestamptz,
    add constraint organisation_binding check ((charter_from is not null or charter_before = 0) and (charter_from is null or charter_before < charter));

-- +goose StatementBegin
create function members.binding(o members.organisation) returns int language sql stable parallel safe
    return case when o.charter_from > platform.now() then o.charter_before else o.charter end;
-- +goose StatementEnd

-- +goose Down
drop function members.binding(members.organisation);
alter table members.organisation drop constraint organisation_binding, drop column charter_from, drop column charter_before;
