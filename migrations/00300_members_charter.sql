-- Several reasons may keep an organisation from selling anything new at once, and
-- each is lifted by itself. An organisation is bound by the version of the charter
-- that it signed last.

-- +goose Up
create function members.known_reasons(text[]) returns boolean language sql immutable parallel safe
    return $1 <@ array['papers', 'charter'] and (cardinality($1) < 2 or cardinality($1) = 2 and $1[1] <> $1[2]);

alter table members.organisation alter column restricted drop default;
alter table members.organisation
    alter column restricted type text[] using case when restricted = '' then '{}'::text[] else array[restricted] end,
    alter column restricted set default '{}',
    add constraint organisation_reasons check (members.known_reasons(restricted)),
    add column charter int not null default 0 check (charter between 0 and 10000);    -- 0: it has signed none

-- Who has not signed a version, of a region or of all.
create index organisation_unsigned on members.organisation (charter, id) where state in ('active', 'suspended');
create index organisation_unsigned_region on members.organisation (region, charter, id) where state in ('active', 'suspended');

-- A code, or a passkey, by which a person signs one text and nothing else.
alter table members.code drop constraint code_purpose_check,
    add constraint code_purpose_check check (purpose in ('sign_in', 'step_up', 'agent', 'sign'));
alter table members.ceremony drop constraint ceremony_purpose_check,
    add constraint ceremony_purpose_check check (purpose in ('add', 'sign_in', 'step_up', 'sign'));

-- +goose Down
delete from members.code where purpose = 'sign';
delete from members.ceremony where purpose = 'sign';
alter table members.code drop constraint code_purpose_check,
    add constraint code_purpose_check check (purpose in ('sign_in', 'step_up', 'agent'));
alter table members.ceremony drop constraint ceremony_purpose_check,
    add constraint ceremony_purpose_check check (purpose in ('add', 'sign_in', 'step_up'));
drop index members.organisation_unsigned, members.organisation_unsigned_region;
alter table members.organisation drop constraint organisation_reasons, drop column charter;
alter table members.organisation alter column restricted drop default;
alter table members.organisation
    alter column restricted type text using coalesce(restricted[1], ''),
    alter column restricted set default '';
drop function members.known_reasons(text[]);
