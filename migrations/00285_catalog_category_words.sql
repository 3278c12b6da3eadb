-- Sellers call categories what they please; what one says a word means holds for
-- all its files.

-- +goose Up
create table catalog.category_word (
    seller   text not null,
    word     text not null check (length(word) between 1 and 1000),
    category text not null check (category <> ''),
    at       timestamptz not null default platform.now(),
    primary key (seller, word)
);
grant select, insert, update, delete on catalog.category_word to hub_app;

-- +goose Down
drop table catalog.category_word;
