-- What buyers say of what they bought, and what buyer and seller say to each other.

-- +goose Up
create table orders.review (
    id            text primary key,
    order_id      text not null,
    variant       text not null,
    offer         text not null,
    seller        text not null,
    buyer         text not null,
    stars         int not null check (stars between 1 and 5),
    text          text not null,
    state         text not null default 'shown' check (state in ('shown', 'hidden')),
    reply         text not null default '',
    replied_at    timestamptz,
    reason        text not null default '' check (reason in ('', 'insult', 'personal_data', 'advertising', 'off_topic', 'unlawful', 'other')),
    moderated_by  text not null default '',
    created_at    timestamptz not null,
    version       bigint not null default 0,
    constraint review_once unique (order_id, variant),
    foreign key (order_id, variant) references orders.line,
    constraint review_replied check ((reply = '') = (replied_at is null)),
    constraint review_hidden check ((state = 'hidden') = (reason <> ''))
);
create index on orders.review (offer, id) where state = 'shown';
create index on orders.review (seller, id);
create index on orders.review (buyer, id);
grant select, insert on orders.review to hub_app;
grant update (state, reply, replied_at, reason, moderated_by, version) on orders.review to hub_app;

create table orders.message (
    id        text primary key,
    order_id  text not null references orders.seller_order,
    sender    text not null check (sender in ('buyer', 'seller')),
    text      text not null check (length(text) between 1 and 2000),
    files     text[] not null check (cardinality(files) <= 4),
    at        timestamptz not null
);
create index on orders.message (order_id, id);
create trigger message_append_only before update or delete or truncate on orders.message
    for each statement execute function platform.refuse();
grant select, insert on orders.message to hub_app;

-- +goose Down
drop table orders.message, orders.review;
