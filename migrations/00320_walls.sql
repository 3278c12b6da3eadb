-- The second wall: what members keep to themselves is shown by PostgreSQL itself to
-- those alone whom it concerns, whatever a statement forgets to ask for. Who is at
-- work is what each unit of work says it is (platform.enter); where nobody is,
-- nothing is shown.

-- +goose Up
-- role is what whoever is at work does on the platform: system, operator, seller …
create function platform.role() returns text language sql stable parallel safe
    return split_part(platform.principal(), ' ', 1);

-- subject is the person or organisation that is at work; null when there is none,
-- and null owns nothing.
create function platform.subject() returns text language sql stable parallel safe
    return nullif(split_part(split_part(platform.principal(), ' ', 2), '/', 1), '');

-- What an organisation showed to be admitted: its own, and the market's people's.
alter table enrolment.paper enable row level security, force row level security;
create policy concerned on enrolment.paper using (platform.role() in ('system', 'operator') or organisation = platform.subject());

-- Who takes part in a programme sees what was agreed for it; the market's people see
-- that something was, and nothing of what it lets see.
alter table sharing.consent enable row level security, force row level security;
create policy concerned on sharing.consent using (
    platform.role() in ('system', 'operator') or owner = platform.subject() or grantee = platform.subject()
    or programme in (select p.programme from sharing.participant p where p.organisation = platform.subject()));

-- Glasses are broken by the market's people, before the owner's eyes.
alter table sharing.glass enable row level security, force row level security;
create policy concerned on sharing.glass using (platform.role() in ('system', 'operator') or owner = platform.subject());

-- A dossier is its owner's. Others see of it what a live consent or an open glass
-- covers, and change nothing.
alter table sharing.item enable row level security, force row level security;
create policy own on sharing.item using (platform.role() = 'system' or owner = platform.subject());
create policy consented on sharing.item for select using (exists (
    select from sharing.consent c
    where c.owner = item.owner and c.state = 'granted' and c.since <= platform.now() and c.until > platform.now()
        and item.section = any (c.sections) and (c.sensitive or not item.sensitive)
        and (c.grantee = platform.subject()
            or c.programme in (select p.programme from sharing.participant p where p.organisation = platform.subject() and p.until is null))));
create policy broken on sharing.item for select using (platform.role() = 'operator' and exists (
    select from sharing.glass g
    where g.owner = item.owner and g.state = 'open' and g.since <= platform.now() and g.until > platform.now() and item.section = any (g.sections)));

alter table sharing.edition enable row level security, force row level security;
create policy of_an_item on sharing.edition using (exists (select from sharing.item i where i.id = edition.item));

-- Who looked is told to the owner, and to whoever looked.
alter table sharing.consultation enable row level security, force row level security;
create policy concerned on sharing.consultation using (
    platform.role() = 'system' or owner = platform.subject() or organisation = platform.subject());

-- +goose Down
alter table sharing.consultation disable row level security, no force row level security;
drop policy concerned on sharing.consultation;
alter table sharing.edition disable row level security, no force row level security;
drop policy of_an_item on sharing.edition;
alter table sharing.item disable row level security, no force row level security;
drop policy own on sharing.item;
drop policy consented on sharing.item;
drop policy broken on sharing.item;
alter table sharing.glass disable row level security, no force row level security;
drop policy concerned on sharing.glass;
alter table sharing.consent disable row level security, no force row level security;
drop policy concerned on sharing.consent;
alter table enrolment.paper disable row level security, no force row level security;
drop policy concerned on enrolment.paper;
drop function platform.subject();
drop function platform.role();
