-- The ways in which goods reach their buyers, as sellers and the operator offer
-- them. A way never changes; another takes its place and this one ends.

-- +goose Up
create schema delivery;
grant usage on schema delivery to hub_app;

-- The prices of a way: for each zone steps by weight, the last of them perhaps
-- without a bound.
-- +goose StatementBegin
create function delivery.priced(zones jsonb) returns bool language plpgsql immutable as $$
declare
    zone jsonb; step jsonb; below int; most int;
begin
    for zone in select * from jsonb_array_elements(zones) loop
        if coalesce(jsonb_typeof(zone -> 'steps') <> 'array', true) or jsonb_array_length(zone -> 'steps') = 0 then
            return false;
        end if;
        below := 0;
        for step in select * from jsonb_array_elements(zone -> 'steps') loop
            most := coalesce((step ->> 'up_to_g')::int, 2147483647);
            if below = 2147483647 or most <= below or coalesce((step ->> 'centimes')::bigint, -1) < 0 then
                return false;
            end if;
            below := most;
        end loop;
    end loop;
    return true;
end $$;
-- +goose StatementEnd

-- seller is '' for what the operator offers to all. served is who finds it: the
-- seller, or for a relay point its region and commune. There are at most 50 at
-- once of one served: each has a slot.
create table delivery.way (
    id         text primary key,
    seller     text not null,
    served     text not null check (served <> ''),
    slot       int not null check (slot between 1 and 50),
    kind       text not null check (kind in ('carrier', 'own', 'pickup', 'relay')),
    names      jsonb not null check (names <> '{}'),
    payee      text not null default '',  -- the carrier that a relay point's price goes to
    lead_days  int not null check (lead_days between 0 and 60),
    spot       jsonb,                     -- where it begins, or where goods are fetched
    radius_km  int check (radius_km between 1 and 300),
    free_from  bigint check (free_from > 0),
    zones      jsonb not null check (delivery.priced(zones)),
    made_at    timestamptz not null default platform.now(),
    ended_at   timestamptz,
    constraint way_relay check ((kind = 'relay') = (seller = '') and (kind = 'relay') = (payee <> '')),
    constraint way_spot check (spot is not null or kind = 'carrier' or kind = 'own' and radius_km is null),
    constraint way_radius check (radius_km is null or kind = 'own'),
    constraint way_zones check ((kind = 'pickup') = (zones = '[]'))
);
create unique index way_slot on delivery.way (served, slot) where ended_at is null;
create index on delivery.way (seller, id);
grant select, insert, update (ended_at) on delivery.way to hub_app;

-- +goose StatementBegin
create function delivery.end_once() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null then
        raise exception 'way % has ended', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger way_ends_once before update on delivery.way for each row execute function delivery.end_once();

-- +goose Down
drop schema delivery cascade;
