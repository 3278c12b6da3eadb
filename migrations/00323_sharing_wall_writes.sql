-- Who may see some of a dossier writes nothing into it, and nobody consents for its
-- owner.

-- +goose Up
drop policy of_an_item on sharing.edition;
create policy of_an_item on sharing.edition for select using (exists (select from sharing.item i where i.id = edition.item));
create policy own on sharing.edition for insert with check (exists (
    select from sharing.item i where i.id = edition.item and (platform.role() = 'system' or i.owner = platform.subject())));

-- Others ask; what is granted is granted by the owner.
create policy asked on sharing.consent as restrictive for insert with check (platform.role() = 'system' or owner = platform.subject() or state = 'requested');
create policy answered on sharing.consent as restrictive for update using (true) with check (platform.role() = 'system' or owner = platform.subject() or state <> 'granted');

-- +goose Down
drop policy answered on sharing.consent;
drop policy asked on sharing.consent;
drop policy own on sharing.edition;
drop policy of_an_item on sharing.edition;
create policy of_an_item on sharing.edition using (exists (select from sharing.item i where i.id = edition.item));
