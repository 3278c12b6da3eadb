-- Photographs of offers, in order, with a text for those who do not see them.

-- +goose Up
create table catalog.picture (
    offer   text not null references catalog.offer,
    file    text not null,
    place   int not null check (place between 1 and 12),
    alt     jsonb not null default '{}' check (jsonb_typeof(alt) = 'object'),
    width   int not null check (width > 0),
    height  int not null check (height > 0),
    primary key (offer, file),
    constraint picture_place unique (offer, place) deferrable initially deferred
);
grant select, insert, update, delete on catalog.picture to hub_app;

-- +goose Down
drop table catalog.picture;
