-- Stock may lie at several places of its seller. What no place says lies where the
-- seller is: on_hand less placed.

-- +goose Up
create table catalog.place (
    id       text primary key,
    seller   text not null,
    name     text not null check (name <> ''),
    region   text not null,
    commune  text not null,
    lat      float8 not null,
    lng      float8 not null,
    constraint place_name unique (seller, name)
);
grant select, insert, update on catalog.place to hub_app;

alter table catalog.variant
    add placed           int not null default 0,
    add placed_reserved  int not null default 0,
    add constraint variant_stock_placed check (placed_reserved >= 0 and placed >= placed_reserved and placed <= on_hand
        and placed_reserved <= reserved and reserved - placed_reserved <= on_hand - placed);

create table catalog.stock_place (
    variant   text not null references catalog.variant,
    place     text not null references catalog.place,
    on_hand   int not null,
    reserved  int not null default 0,
    primary key (variant, place),
    constraint stock_place_held check (reserved >= 0 and reserved <= on_hand)
);
grant select, insert, update on catalog.stock_place to hub_app;

-- Which place the goods of an order come from.
create table catalog.reservation_place (
    order_id  text not null,
    variant   text not null,
    place     text not null references catalog.place,
    quantity  int not null check (quantity > 0),
    primary key (order_id, variant, place),
    foreign key (order_id, variant) references catalog.reservation
);
grant select, insert on catalog.reservation_place to hub_app;

-- At the end of a unit of work a variant's sums are those of its places.
-- +goose StatementBegin
create function catalog.check_places() returns trigger language plpgsql as $$
begin
    if (select (v.placed, v.placed_reserved) is distinct from
            (select (coalesce(sum(s.on_hand), 0)::int, coalesce(sum(s.reserved), 0)::int) from catalog.stock_place s where s.variant = v.id)
        from catalog.variant v where v.id = new.variant) then
        raise exception 'the places of variant % do not add up', new.variant using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger stock_place_sums after insert or update on catalog.stock_place
    deferrable initially deferred for each row execute function catalog.check_places();

-- +goose Down
drop table catalog.reservation_place;
drop table catalog.stock_place;
drop function catalog.check_places;
alter table catalog.variant drop placed, drop placed_reserved;
drop table catalog.place;
