-- What buyers search: one row an offer they may see, and the words of all.

-- +goose Up
create schema search;
grant usage on schema search to hub_app;

create table search.document (
    id         text primary key,
    seller     text not null,
    category   text not null,
    region     text not null,
    labels     text[] not null,
    price      bigint not null,
    available  bool not null,
    lat        float8,
    lng        float8,
    published  timestamptz not null,
    words      tsvector not null,
    check ((lat is null) = (lng is null))
);
create index document_words on search.document using gin (words) with (fastupdate = off);
create index document_labels on search.document using gin (labels) with (fastupdate = off);
create index document_newest on search.document (published desc, id desc);
create index document_price on search.document (price, id);
create index document_category on search.document (category, published desc, id desc);
create index document_region on search.document (region, published desc, id desc);
create index document_seller on search.document (seller, published desc, id desc);
create index document_place on search.document (lat, lng);
grant select, insert, update, delete on search.document to hub_app;

-- Every word ever indexed, to find the one that was meant. code is the word in
-- ASCII: trigrams of other letters depend on the server's locale.
create table search.word (
    word  text primary key,
    code  text not null,
    size  int not null
);
create index word_code on search.word using gin (code gin_trgm_ops) with (fastupdate = off);
create index word_size on search.word (size);
grant select, insert on search.word to hub_app;

-- like_word gives the words that might be meant by a mistyped one. Short words
-- share few trigrams with their misspellings, so all of their size come.
create function search.like_word(code text, size int) returns setof text
    language sql stable set pg_trgm.similarity_threshold = 0.18 as $$
    select w.word from search.word w where w.code % $1
    union
    select w.word from search.word w where $2 <= 4 and w.size between $2 - 1 and $2 + 1
$$;

-- km is the way between two points as the crow flies. What is added at the end
-- is nothing, or null: least() would take a missing place for the farthest.
create function search.km(lat1 float8, lng1 float8, lat2 float8, lng2 float8) returns float8
    language sql immutable parallel safe
    return 2 * 6371.0088 * asin(sqrt(least(1, power(sin(radians(lat2 - lat1) / 2), 2)
        + cos(radians(lat1)) * cos(radians(lat2)) * power(sin(radians(lng2 - lng1) / 2), 2)))) + 0 * (lat1 + lng1);

-- +goose Down
drop schema search cascade;
