-- Points that buyers earn with what they bought: books of their own, in which
-- each move adds up to nothing.

-- +goose Up
create schema loyalty;
grant usage on schema loyalty to hub_app;

-- What a person has. owed are points that were taken back when they were spent
-- already: what is earned next pays them first. Only entries change it.
create table loyalty.account (
    person   text primary key check (person <> ''),
    points   bigint not null default 0,
    owed     bigint not null default 0,
    version  bigint not null default 0,
    constraint account_points check (points >= 0),
    constraint account_owed check (owed >= 0)
);
grant select, insert (person), update (version) on loyalty.account to hub_app;

-- ref is what a move is about: none of a kind is made twice for it.
create table loyalty.move (
    id      text primary key,
    person  text not null references loyalty.account,
    kind    text not null check (kind in ('earned', 'taken_back', 'burnt', 'given_back', 'expired', 'adjusted')),
    ref     text not null check (ref <> ''),
    actor   text not null,
    note    text not null default '',
    points  bigint not null,                          -- what it changed, as its entries say
    owed    bigint not null,
    after   bigint not null check (after >= 0),       -- the points that the person then had
    at      timestamptz not null,
    constraint move_once unique (kind, ref),
    constraint move_moves check (points <> 0 or owed <> 0)
);
create index move_person on loyalty.move (person, id);
create index move_adjusted on loyalty.move (actor, at) where kind = 'adjusted';
create trigger move_append_only before update or delete or truncate on loyalty.move
    for each statement execute function platform.refuse();
grant select, insert on loyalty.move to hub_app;

-- points and owed are the person's (owed is below zero when it owes), the others
-- the market's.
create table loyalty.entry (
    move     text not null references loyalty.move,
    account  text not null check (account in ('points', 'owed', 'issued', 'burnt', 'expired')),
    amount   bigint not null check (amount <> 0),
    primary key (move, account)
);
create trigger entry_append_only before update or delete or truncate on loyalty.entry
    for each statement execute function platform.refuse();
grant select, insert on loyalty.entry to hub_app;

-- Points that expire together. They get fewer by draws alone.
create table loyalty.lot (
    move         text primary key references loyalty.move,
    person       text not null references loyalty.account,
    ref          text not null,
    points       bigint not null check (points > 0),
    remains      bigint not null,
    expires_at   timestamptz not null,
    reminded_at  timestamptz,
    constraint lot_remains check (remains between 0 and points)
);
create index lot_open on loyalty.lot (person, expires_at, move) where remains > 0;
grant select, insert, update (reminded_at) on loyalty.lot to hub_app;

create table loyalty.draw (
    move    text not null references loyalty.move,
    lot     text not null references loyalty.lot,
    points  bigint not null check (points > 0),
    primary key (move, lot)
);
create trigger draw_append_only before update or delete or truncate on loyalty.draw
    for each statement execute function platform.refuse();
grant select, insert on loyalty.draw to hub_app;

-- +goose StatementBegin
create function loyalty.applied() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.account in ('points', 'owed') then
        update loyalty.account a
            set points = a.points + case new.account when 'points' then new.amount else 0 end,
                owed = a.owed - case new.account when 'owed' then new.amount else 0 end
            from loyalty.move m where m.id = new.move and a.person = m.person;
    end if;
    return null;
end $$;

create function loyalty.drawn() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update loyalty.lot l set remains = l.remains - new.points
        from loyalty.move m where m.id = new.move and l.move = new.lot and l.person = m.person;
    if not found then
        raise exception 'move % draws on another''s points', new.move using errcode = 'check_violation';
    end if;
    return null;
end $$;

-- At the end of a unit of work each move adds up, and the lots of its person to
-- what the person has.
create function loyalty.adds_up() returns trigger language plpgsql as $$
declare
    m loyalty.move; n int; total bigint; mine bigint; debt bigint;
begin
    select * into m from loyalty.move where id = new.move;
    select count(*), coalesce(sum(amount), 0), coalesce(sum(amount) filter (where account = 'points'), 0), coalesce(-sum(amount) filter (where account = 'owed'), 0)
        into n, total, mine, debt from loyalty.entry where move = m.id;
    if n < 2 or total <> 0 or mine <> m.points or debt <> m.owed then
        raise exception 'move % does not add up', m.id using errcode = 'check_violation';
    end if;
    if (select points > 0 and owed > 0 from loyalty.account where person = m.person) then
        raise exception '% owes points and has some', m.person using errcode = 'check_violation';
    end if;
    if (select points from loyalty.account where person = m.person)
        <> (select coalesce(sum(remains), 0) from loyalty.lot where person = m.person and remains > 0) then
        raise exception 'the lots of % are not its points', m.person using errcode = 'check_violation';
    end if;
    return null;
end $$;

create function loyalty.has_entries() returns trigger language plpgsql as $$
begin
    if not exists (select from loyalty.entry where move = new.id) then
        raise exception 'move % moves nothing', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$;

-- A lot begins whole.
create function loyalty.whole() returns trigger language plpgsql as $$
begin
    new.remains := new.points;
    return new;
end $$;
-- +goose StatementEnd
create trigger entry_applied after insert on loyalty.entry for each row execute function loyalty.applied();
create trigger draw_drawn after insert on loyalty.draw for each row execute function loyalty.drawn();
create trigger lot_whole before insert on loyalty.lot for each row execute function loyalty.whole();
create constraint trigger entry_adds_up after insert on loyalty.entry deferrable initially deferred for each row execute function loyalty.adds_up();
create constraint trigger lot_adds_up after insert on loyalty.lot deferrable initially deferred for each row execute function loyalty.adds_up();
create constraint trigger draw_adds_up after insert on loyalty.draw deferrable initially deferred for each row execute function loyalty.adds_up();
create constraint trigger move_has_entries after insert on loyalty.move deferrable initially deferred for each row execute function loyalty.has_entries();

-- What an order was worth: earned if its buyer kept all of it, net as long as the
-- buyer has kept this much of what it cost.
create table loyalty.sale (
    order_id      text primary key,
    person        text not null,
    seller        text not null,
    total         bigint not null check (total > 0),      -- centimes
    kept          bigint not null default 0,              -- centimes that did not go back
    earned        bigint not null check (earned >= 0),
    net           bigint not null default 0,
    completed_at  timestamptz not null,
    version       bigint not null default 0,
    constraint sale_kept check (kept between 0 and total),
    constraint sale_net check (net between 0 and earned)
);
create index sale_person on loyalty.sale (person, completed_at);
grant select, insert, update (kept, net, version) on loyalty.sale to hub_app;

-- Points for each dirham of what was bought, of a seller or of all (''), in a
-- category or in all (''), of orders made from a moment on. Another row takes its place.
create table loyalty.rule (
    id          text primary key,
    seller      text not null default '',
    category    text not null default '',
    per_dirham  numeric(5, 2) not null check (per_dirham between 0 and 20),
    since       timestamptz not null,
    until       timestamptz check (until > since),
    made_at     timestamptz not null default platform.now(),
    constraint rule_once unique (seller, category, since)
);
create trigger rule_append_only before update or delete or truncate on loyalty.rule
    for each statement execute function platform.refuse();
grant select, insert on loyalty.rule to hub_app;

-- What a point is worth and how long it holds.
create table loyalty.terms (
    since         timestamptz primary key,
    worth         int not null check (worth between 1 and 1000),         -- centimes
    months        int not null check (months between 1 and 60),
    least         bigint not null check (least between 1 and 1000000),   -- points that can be spent at once
    voucher_days  int not null check (voucher_days between 1 and 366),
    made_at       timestamptz not null default platform.now()
);
create trigger terms_append_only before update or delete or truncate on loyalty.terms
    for each statement execute function platform.refuse();
grant select, insert on loyalty.terms to hub_app;
insert into loyalty.terms (since, worth, months, least, voucher_days) values ('2025-01-01', 1, 12, 500, 30);

-- What those get who bought for so much within twelve months: some percent more
-- points. spend is null where the tier ends.
create table loyalty.tier (
    code   text not null check (code ~ '^[a-z][a-z0-9_]{1,29}$'),
    since  timestamptz not null,
    names  jsonb not null check (names <> '{}'),
    spend  bigint check (spend > 0),
    bonus  int not null check (bonus between 0 and 300),
    made_at timestamptz not null default platform.now(),
    primary key (code, since)
);
create trigger tier_append_only before update or delete or truncate on loyalty.tier
    for each statement execute function platform.refuse();
grant select, insert on loyalty.tier to hub_app;

-- +goose Down
drop schema loyalty cascade;
