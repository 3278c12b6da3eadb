-- The second wall: dossiers are shown by PostgreSQL itself to those alone whom they
-- concern, whatever a statement forgets to ask for.

-- +goose Up
-- Who takes part in a programme sees what was agreed for it; the market's people see
-- that something was, and nothing of what it lets see.
alter table sharing.consent enable row level security, force row level security;
create policy concerned on sharing.consent using (
    platform.role() in ('system', 'operator') or owner = platform.subject() or grantee = platform.subject()
    or programme in (select p.programme from sharing.participant p where p.organisation = platform.subject()));

-- Others ask; what is granted is granted by the owner.
create policy asked on sharing.consent as restrictive for insert with check (platform.role() = 'system' or owner = platform.subject() or state = 'requested');
create policy answered on sharing.consent as restrictive for update using (true) with check (platform.role() = 'system' or owner = platform.subject() or state <> 'granted');

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
create policy of_an_item on sharing.edition for select using (exists (select from sharing.item i where i.id = edition.item));
create policy own on sharing.edition for insert with check (exists (
    select from sharing.item i where i.id = edition.item and (platform.role() = 'system' or i.owner = platform.subject())));

-- Who looked is told to the owner, and to whoever looked.
alter table sharing.consultation enable row level security, force row level security;
create policy concerned on sharing.consultation using (
    platform.role() = 'system' or owner = platform.subject() or organisation = platform.subject());

-- +goose Down
alter table sharing.consultation disable row level security, no force row level security;
drop policy concerned on sharing.consultation;
alter table sharing.edition disable row level security, no force row level security;
drop policy of_an_item on sharing.edition;
drop policy own on sharing.edition;
alter table sharing.item disable row level security, no force row level security;
drop policy own on sharing.item;
drop policy consented on sharing.item;
drop policy broken on sharing.item;
alter table sharing.glass disable row level security, no force row level security;
drop policy concerned on sharing.glass;
alter table sharing.consent disable row level security, no force row level security;
drop policy answered on sharing.consent;
drop policy asked on sharing.consent;
drop policy concerned on sharing.consent;
