-- What an organisation may see of others' dossiers is said once, and read at once.

-- +goose Up
-- The items that live consents let the organisation at work see, with the consent
-- of each: an item is there as often as consents cover it. The view reads as whoever
-- owns it, so that what the policies of item, edition and consent ask is asked here
-- and not three times over.
create view sharing.shared with (security_barrier) as
select i.id, i.owner, i.section, i.title, i.sensitive, i.version, i.made_at, i.retired_at,
    e.file, e.form, e.type, e.size, e.digest, e.added_at, c.id as consent, c.purpose, c.sections, c.until
from sharing.consent c
join sharing.item i on i.owner = c.owner and i.section = any (c.sections) and (c.sensitive or not i.sensitive) and i.retired_at is null
join sharing.edition e on e.item = i.id and e.version = i.version
where c.state = 'granted' and c.since <= platform.now() and c.until > platform.now()
    and (c.grantee = platform.subject()
        or c.programme in (select p.programme from sharing.participant p where p.organisation = platform.subject() and p.until is null));
grant select on sharing.shared to hub_app;

-- What a row of the log says is held against the consent itself, not against what
-- whoever looks may see of it.
alter function sharing.allowed() security definer set search_path = pg_catalog;

-- +goose Down
alter function sharing.allowed() security invoker reset search_path;
drop view sharing.shared;
