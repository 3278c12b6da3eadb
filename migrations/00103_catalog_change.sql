-- What a seller says of where goods come from and how they are made is looked at
-- before buyers read it: one open request an offer at most.

-- +goose Up
create table catalog.change (
    id          text primary key,
    offer       text not null references catalog.offer,
    seller      text not null,
    claims      text[],
    region      text,
    commune     text,
    lat         float8,
    lng         float8,
    state       text not null check (state in ('open', 'approved', 'rejected', 'withdrawn')),
    reason      text not null default '',
    asked_at    timestamptz not null,
    decided_at  timestamptz,
    decided_by  text not null default '',
    check (claims is not null or region is not null),
    check ((region is null) = (commune is null)),
    check ((lat is null) = (lng is null) and (lat is null or region is not null)),
    check ((state = 'open') = (decided_at is null)),
    check (state not in ('approved', 'rejected') or decided_by <> ''),
    check (state <> 'rejected' or reason <> '')
);
create unique index change_open on catalog.change (offer) where state = 'open';
create index change_last on catalog.change (offer, id desc);
create index change_seller on catalog.change (seller, id);
create index change_state on catalog.change (state, id);
grant select, insert, update on catalog.change to hub_app;

-- +goose Down
drop table catalog.change;
