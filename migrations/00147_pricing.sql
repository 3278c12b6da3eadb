-- What sellers ask of groups of buyers instead of their public prices. Lists and
-- their prices never change: another takes their place, and they end.

-- +goose Up
create schema pricing;
grant usage on schema pricing to hub_app;

create table pricing.customer_group (
    id        text primary key,
    seller    text not null check (seller <> ''),
    slot      int not null check (slot between 1 and 50),
    name      text not null check (name <> ''),  -- for the seller alone
    size      int not null default 0,
    made_at   timestamptz not null default platform.now(),
    ended_at  timestamptz,
    constraint customer_group_size check (size between 0 and 1000)
);
create unique index customer_group_slot on pricing.customer_group (seller, slot) where ended_at is null;
create index on pricing.customer_group (seller, id);
grant select, insert, update (size, ended_at) on pricing.customer_group to hub_app;

-- member is a person (per_) or an organisation (org_) as it buys.
create table pricing.member (
    grp       text not null references pricing.customer_group,
    member    text not null check (member ~ '^(per|org)_'),
    added_at  timestamptz not null default platform.now(),
    primary key (grp, member)
);
create index on pricing.member (member);
grant select, insert, delete on pricing.member to hub_app;

create table pricing.price_list (
    id        text primary key,
    seller    text not null check (seller <> ''),
    slot      int not null check (slot between 1 and 50),
    grp       text not null references pricing.customer_group,
    name      text not null check (name <> ''),
    since     timestamptz not null,
    until     timestamptz not null check (until > since),
    made_at   timestamptz not null default platform.now(),
    ended_at  timestamptz
);
create unique index price_list_slot on pricing.price_list (seller, slot) where ended_at is null;
create index on pricing.price_list (seller, id);
create index on pricing.price_list (grp) where ended_at is null;
grant select, insert, update (ended_at) on pricing.price_list to hub_app;

-- variant is '' for all goods of the seller; least is from how many on; price is
-- of each, in centimes, or percent is taken off the public one.
create table pricing.price (
    list     text not null references pricing.price_list,
    variant  text not null,
    least    int not null check (least between 1 and 999),
    percent  numeric(5, 2) not null default 0 check (percent >= 0 and percent < 100),
    price    bigint not null default 0 check (price >= 0),
    primary key (list, variant, least),
    constraint price_one check ((percent > 0) <> (price > 0)),
    constraint price_fixed check (variant <> '' or price = 0)
);
grant select, insert on pricing.price to hub_app;

-- +goose StatementBegin
create function pricing.end_once() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null then
        raise exception '% has ended', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger customer_group_ends_once before update on pricing.customer_group for each row execute function pricing.end_once();
create trigger price_list_ends_once before update on pricing.price_list for each row execute function pricing.end_once();

-- +goose Down
drop schema pricing cascade;
