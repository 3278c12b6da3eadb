-- What buyers who had an offer's goods think of them, as far as it is shown.

-- +goose Up
create table catalog.rating (
    offer    text primary key references catalog.offer,
    reviews  int not null check (reviews >= 0),
    stars    bigint not null,
    constraint rating_stars check (stars between reviews and 5 * reviews)
);
grant select, insert on catalog.rating to hub_app;
grant update (reviews, stars) on catalog.rating to hub_app;

-- +goose Down
drop table catalog.rating;
