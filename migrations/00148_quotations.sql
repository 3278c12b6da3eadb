-- Asking for quotations: a request, to named sellers or to all of a category;
-- the offers that sellers make; and what the two say to each other. What was
-- offered never changes: a new offer takes its place.

-- +goose Up
create schema quotations;
grant usage on schema quotations to hub_app;

-- A buyer has at most 10 open requests: each has a slot.
create table quotations.request (
    id        text primary key,
    buyer     text not null check (buyer <> ''),
    slot      int not null check (slot between 1 and 10),
    state     text not null default 'open' check (state in ('open', 'closed', 'awarded', 'done', 'cancelled')),
    to_all    bool not null,   -- of the category and area; else to the sellers named
    category  text not null,
    area      text not null,   -- a region, or '' for all
    text      text not null,
    commune   text not null check (commune <> ''),
    region    text not null check (region <> ''),
    wanted_on date,
    budget    bigint check (budget > 0),
    files     text[] not null default '{}',
    deadline  timestamptz not null,
    sellers   int not null default 0,  -- that were named, or answered
    made_at   timestamptz not null default platform.now(),
    version   int not null default 1,
    constraint request_sellers check (sellers between 0 and 50),
    constraint request_deadline check (deadline > made_at),
    constraint request_area check (to_all and category <> '' or not to_all and area = '')
);
create unique index request_slot on quotations.request (buyer, slot) where state = 'open';
create index on quotations.request (buyer, id);
create index request_for_all on quotations.request (category, area, id) where to_all and state = 'open';
grant select, insert, update (state, sellers, version) on quotations.request to hub_app;

-- What is asked for: an article, or words and a category.
create table quotations.line (
    request   text not null references quotations.request,
    n         int not null check (n between 1 and 50),
    variant   text not null,
    text      text not null,
    category  text not null,
    quantity  int not null check (quantity between 1 and 999),
    unit      text not null,
    primary key (request, n),
    constraint line_says_what check (variant <> '' or text <> '' and category <> '')
);
grant select, insert on quotations.line to hub_app;

-- Sellers who were asked by name, or answered.
create table quotations.asked (
    request  text not null references quotations.request,
    seller   text not null check (seller <> ''),
    named    bool not null,
    reason   text not null default '',  -- why it declines, if it does
    primary key (request, seller)
);
create index on quotations.asked (seller, request);
grant select, insert, update (reason) on quotations.asked to hub_app;

create table quotations.offer (
    id           text primary key,
    request      text not null references quotations.request,
    seller       text not null check (seller <> ''),
    revision     int not null check (revision between 1 and 20),
    state        text not null default 'standing' check (state in ('standing', 'accepted', 'replaced', 'withdrawn', 'declined', 'expired', 'lapsed', 'passed')),
    method       text not null check (method in ('carrier', 'own', 'pickup')),
    delivery     bigint not null check (delivery >= 0),
    lead_days    int not null check (lead_days between 0 and 60),
    total        bigint not null check (total > delivery),
    text         text not null,
    reason       text not null default '',  -- why it was declined
    agreement    text not null default '',
    valid_until  timestamptz not null,
    made_at      timestamptz not null default platform.now(),
    version      int not null default 1,
    constraint offer_agreement check (state <> 'accepted' or agreement <> ''),
    constraint offer_valid check (valid_until > made_at),
    unique (request, seller, revision)
);
create unique index offer_standing on quotations.offer (request, seller) where state = 'standing';
create unique index offer_accepted on quotations.offer (request) where state = 'accepted';
create index on quotations.offer (request, id);
grant select, insert, update (state, reason, agreement, version) on quotations.offer to hub_app;

create table quotations.offer_line (
    offer     text not null references quotations.offer,
    variant   text not null,
    answers   int,  -- the line of the request
    quantity  int not null check (quantity between 1 and 999),
    price     bigint not null check (price between 1 and 100000000),
    primary key (offer, variant)
);
grant select, insert on quotations.offer_line to hub_app;

-- What is over stays so, and what was accepted is never another's.
-- +goose StatementBegin
create function quotations.stay_over() returns trigger language plpgsql as $$
begin
    if old.state not in ('standing', 'accepted') or old.agreement <> '' and new.agreement <> old.agreement then
        raise exception 'offer % is %', old.id, old.state using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger offer_stays_over before update on quotations.offer for each row execute function quotations.stay_over();

-- What the buyer and one seller say to each other about a request.
create table quotations.message (
    id       text primary key,
    request  text not null references quotations.request,
    seller   text not null check (seller <> ''),
    sender   text not null check (sender in ('buyer', 'seller')),
    text     text not null check (text <> ''),
    at       timestamptz not null default platform.now()
);
create index on quotations.message (request, seller, id);
create trigger message_append_only before update or delete or truncate on quotations.message
    for each statement execute function platform.refuse();
grant select, insert on quotations.message to hub_app;

-- +goose Down
drop schema quotations cascade;
