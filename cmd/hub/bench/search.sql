-- PostgreSQL's own search for words, to compare the market's with.

create schema bench;
grant usage on schema bench to hub_app;

create function bench.bare(query text) returns setof text language sql stable as $$
    select id from search.document where words @@ query::tsquery order by ts_rank(head, query::tsquery) desc limit 24
$$;

-- any is one offer.
create function bench.any() returns text language sql stable return (select id from search.document order by id limit 1);
