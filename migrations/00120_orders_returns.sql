-- Goods that are sent back: what, why, and how it ends.

-- +goose Up

-- Why an article cannot be sent back without a fault, as it was when it was bought.
alter table orders.line add column exempt text not null default '';

-- When the goods were there: the time for sending them back runs from then on.
alter table orders.seller_order add column delivered_at timestamptz;
update orders.seller_order o set delivered_at = (select min(t.at) from orders.timeline t
    where t.order_id = o.id and t.what in ('delivered', 'received', 'collected', 'completed'))
    where o.state in ('delivered', 'completed', 'refunded');
grant update (delivered_at) on orders.seller_order to hub_app;

create table orders.return (
    id            text primary key,
    order_id      text not null references orders.seller_order,
    seller        text not null,
    buyer         text not null,
    currency      text not null,
    reason        text not null check (reason in ('withdrawal', 'damaged', 'wrong_item', 'not_as_described', 'incomplete', 'other')),
    wish          text not null check (wish in ('refund', 'replacement')),
    text          text not null,
    state         text not null check (state in ('requested', 'approved', 'rejected', 'in_transit', 'received', 'refunded', 'replaced', 'closed')),
    goods         bigint not null check (goods >= 0),            -- centimes: what the articles had cost
    extra         bigint not null default 0 check (extra >= 0),  -- delivery and fees, which go back with a whole order
    requested_at  timestamptz not null,
    deadline      timestamptz,                                   -- of whoever is to act next
    approved_at   timestamptz,
    carrier       text not null default '',
    tracking      text not null default '',
    sent_at       timestamptz,
    received_at   timestamptz,
    waits         text not null default '' check (waits in ('', 'operator', 'case', 'cash')),  -- what its money waits for
    why           text not null default '',                      -- why it was rejected or closed
    note          text not null default '',
    refund        text not null default '',
    back          bigint not null default 0 check (back between 0 and goods + extra),
    ended_at      timestamptz,                                   -- the order's case is over
    version       bigint not null default 0,
    constraint return_whose check (reason <> 'withdrawal' or wish = 'refund'),
    constraint return_refund check ((state = 'refunded') = (refund <> '') and (state = 'refunded') = (back > 0)),
    constraint return_why check ((state in ('rejected', 'closed')) = (why <> '')),
    constraint return_ends check (state not in ('refunded', 'closed') or ended_at is not null),
    constraint return_goes_on check (state in ('refunded', 'closed', 'rejected', 'replaced') or ended_at is null),
    constraint return_arrived check (state not in ('received', 'refunded', 'replaced') or received_at is not null)
);
create unique index return_once on orders.return (order_id) where ended_at is null;
create index return_order on orders.return (order_id, id);
create index return_seller on orders.return (seller, id);
create index return_buyer on orders.return (buyer, id);
grant select, insert, update on orders.return to hub_app;

create table orders.return_line (
    ret       text not null references orders.return,
    order_id  text not null,
    variant   text not null,
    quantity  int not null check (quantity > 0),
    total     bigint not null check (total >= 0),
    whole     int not null default 0 check (whole between 0 and quantity),  -- came back as they left, and are sold again
    primary key (ret, variant),
    foreign key (order_id, variant) references orders.line
);
grant select, insert on orders.return_line to hub_app;
grant update (whole) on orders.return_line to hub_app;

-- How many of an article are on their way back or were paid back: never more
-- than were bought.
create table orders.returned (
    order_id  text not null,
    variant   text not null,
    bought    int not null,
    quantity  int not null,
    primary key (order_id, variant),
    foreign key (order_id, variant) references orders.line,
    constraint returned_most check (quantity between 0 and bought)
);
grant select, insert on orders.returned to hub_app;
grant update (quantity) on orders.returned to hub_app;

create table orders.return_photo (
    ret    text not null references orders.return,
    place  int not null check (place between 1 and 6),
    file   text not null,
    primary key (ret, place),
    unique (ret, file)
);
grant select, insert on orders.return_photo to hub_app;

-- +goose Down
drop table orders.return_photo, orders.returned, orders.return_line, orders.return;
alter table orders.seller_order drop column delivered_at;
alter table orders.line drop column exempt;
