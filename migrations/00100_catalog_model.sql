-- Offers are goods, services and files; they have attributes by their category, a
-- voice and claims. Variants have a net quantity, prices by number, and may be
-- made when they are ordered. A service that is booked has a variant a date.

-- +goose Up
alter table catalog.offer
    add kind        text not null default 'product' check (kind in ('product', 'service', 'digital')),
    add way         text not null default '',
    add attributes  jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
    add claims      text[] not null default '{}',
    add voice       text not null default '',
    add constraint offer_way check (way in ('', 'quote', 'booking') and (kind = 'service') = (way <> ''));

-- this_week is the Monday of the hub's week in Morocco.
create function catalog.this_week() returns date language sql stable parallel safe
    return date_trunc('week', platform.now() at time zone 'Africa/Casablanca')::date;

-- tiers are prices from a number on: [{"from": 6, "price": 12000}]. net is in
-- net_unit. booked counts what was ordered in the week of booked_week beyond what
-- was there.
alter table catalog.variant
    add net          int not null default 0 check (net >= 0),
    add net_unit     text not null default '' check (net_unit in ('', 'g', 'kg', 'ml', 'cl', 'l', 'cm', 'm', 'cm2', 'm2', 'piece')),
    add tiers        jsonb not null default '[]' check (jsonb_typeof(tiers) = 'array'),
    add policy       text not null default 'stocked' check (policy in ('stocked', 'made_to_order', 'unlimited')),
    add lead_days    int not null default 0 check (lead_days between 0 and 365),
    add weekly       int not null default 0 check (weekly >= 0),
    add booked       int not null default 0 check (booked >= 0),
    add booked_week  date,
    add starts_at    timestamptz,
    add minutes      int not null default 0 check (minutes >= 0),
    add constraint variant_net check ((net > 0) = (net_unit <> '')),
    add constraint variant_weekly check ((policy = 'made_to_order') = (weekly > 0)),
    add constraint variant_capacity check (booked <= weekly);

-- free is how many a buyer can have now: what is there and not promised, and what
-- can still be made this week; nothing of a date that has begun.
create function catalog.free(v catalog.variant) returns int language sql stable parallel safe
    return case when v.starts_at <= platform.now() then 0 else v.on_hand - v.reserved + case v.policy
        when 'stocked' then 0
        when 'unlimited' then 1000000
        else v.weekly - case when v.booked_week = catalog.this_week() then v.booked else 0 end end end;

-- made is the part of quantity that was to be made, and counts in week.
alter table catalog.reservation
    add made int not null default 0,
    add week date,
    add constraint reservation_made check (made between 0 and quantity and (made = 0 or week is not null));
alter table catalog.stock_move drop constraint stock_move_reason_check,
    add constraint stock_move_reason_check check (reason in ('created', 'imported', 'counted', 'moved', 'sold', 'returned', 'ordered', 'unmade'));

-- +goose Down
alter table catalog.stock_move drop constraint stock_move_reason_check,
    add constraint stock_move_reason_check check (reason in ('created', 'imported', 'counted', 'moved', 'sold', 'returned'));
alter table catalog.reservation drop made, drop week;
drop function catalog.free;
alter table catalog.variant drop net, drop net_unit, drop tiers, drop policy, drop lead_days, drop weekly, drop booked, drop booked_week,
    drop starts_at, drop minutes;
drop function catalog.this_week;
alter table catalog.offer drop kind, drop way, drop attributes, drop claims, drop voice;
