-- Buying together: an article costs less when many of it are bought until a day.
-- What is sold at which price never changes.

-- +goose Up
create schema groupbuys;
grant usage on schema groupbuys to hub_app;

-- Prices by number, each lower than the one before, from above the minimum to the
-- most there is.
-- +goose StatementBegin
create function groupbuys.falling(tiers jsonb, above int, most int, below bigint) returns bool language plpgsql immutable as $$
declare
    tier jsonb;
begin
    for tier in select * from jsonb_array_elements(tiers) loop
        if coalesce((tier ->> 'from')::int, 0) <= above or (tier ->> 'from')::int > most
            or coalesce((tier ->> 'centimes')::bigint, 0) < 1 or (tier ->> 'centimes')::bigint >= below then
            return false;
        end if;
        above := (tier ->> 'from')::int;
        below := (tier ->> 'centimes')::bigint;
    end loop;
    return true;
end $$;
-- +goose StatementEnd

-- An organiser has 50 at most that are not over: each has a slot.
create table groupbuys.group_buy (
    id              text primary key,
    seller          text not null check (seller <> ''),
    offer           text not null,
    variant         text not null,
    names           jsonb not null,
    variant_names   jsonb not null,
    category        text not null,
    region          text not null,
    commune         text not null,
    organiser       text not null check (organiser <> ''),
    organiser_role  text not null check (organiser_role in ('buyer', 'seller', 'operator')),
    slot            int not null check (slot between 1 and 50),
    min_qty         int not null check (min_qty between 2 and 1000000),
    max_qty         int not null check (max_qty between min_qty and 1000000),
    price           bigint not null check (price > 0),  -- centimes of each
    tiers           jsonb not null,
    way             text not null,
    spot            jsonb,
    deadline        timestamptz not null,
    state           text not null check (state in ('asked', 'declined', 'open', 'reached', 'ordered', 'distributed', 'failed', 'refunded')),
    pending         int not null default 0 check (pending >= 0),
    paid            int not null default 0 check (paid >= 0),
    buyers          int not null default 0 check (buyers between 0 and paid),
    undone          int not null default 0 check (undone between 0 and buyers),
    served          int not null default 0 check (served >= 0),
    final           bigint,
    why             text not null default '',
    version         bigint not null default 1,
    made_at         timestamptz not null default platform.now(),
    closed_at       timestamptz,
    constraint group_buy_tiers check (groupbuys.falling(tiers, min_qty, max_qty, price)),
    constraint group_buy_room check (closed_at is not null or paid + pending <= max_qty),
    constraint group_buy_reached check (state <> 'reached' or paid >= min_qty),
    constraint group_buy_open check (state <> 'open' or paid < min_qty),
    constraint group_buy_final check ((final is not null) = (state in ('ordered', 'distributed') or state = 'refunded' and why = '') and (final is null or paid >= min_qty)),
    constraint group_buy_deadline check (deadline > made_at and deadline <= made_at + interval '30 days'),
    constraint group_buy_spot check ((way <> '') = (spot is not null))
);
create unique index group_buy_slot on groupbuys.group_buy (organiser, slot) where state in ('asked', 'open', 'reached');
create index on groupbuys.group_buy (id) where state in ('open', 'reached');
create index on groupbuys.group_buy (seller, id);
create index on groupbuys.group_buy (organiser, id);
grant select, insert, update (state, pending, paid, buyers, undone, served, final, why, version, closed_at) on groupbuys.group_buy to hub_app;

-- What has ended stays so.
-- +goose StatementBegin
create function groupbuys.stay_ended() returns trigger language plpgsql as $$
begin
    if old.state in ('declined', 'distributed', 'refunded') and new.state <> old.state then
        raise exception 'group buy % has ended', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger group_buy_stays_ended before update on groupbuys.group_buy for each row execute function groupbuys.stay_ended();

-- A buyer's place in a group, and the order that takes it.
create table groupbuys.seat (
    id         text primary key,
    grp        text not null references groupbuys.group_buy,
    buyer      text not null check (buyer <> ''),
    quantity   int not null check (quantity between 1 and 999),
    agreement  text not null unique,
    order_id   text not null default '',
    state      text not null default 'offered' check (state in ('offered', 'held', 'paid', 'left', 'late', 'going', 'served', 'back', 'settled')),
    gone_on    timestamptz,
    paid_back  bigint not null default 0 check (paid_back >= 0),
    squared    bool not null default false,
    made_at    timestamptz not null default platform.now(),
    constraint seat_order check (state = 'offered' or order_id <> '')
);
create unique index seat_of_order on groupbuys.seat (order_id) where order_id <> '';
create index on groupbuys.seat (grp, order_id);
grant select, insert, update (order_id, state, gone_on, paid_back, squared) on groupbuys.seat to hub_app;

-- +goose Down
drop schema groupbuys cascade;
