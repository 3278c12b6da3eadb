-- PostgreSQL's own search for words, to compare the market's with.

create schema bench;
grant usage on schema bench to hub_app;

create function bench.bare(query text) returns setof text language sql stable as $$
    select id from search.document where words @@ query::tsquery order by ts_rank(head, query::tsquery) desc limit 24
$$;

-- any is one offer.
create function bench.any() returns text language sql stable return (select id from search.document order by id limit 1);

-- another is the id of an offer's k-th copy, or of its variant's.
create function bench.another(id text, k int) returns text language sql immutable return substr(id, 1, 4) || lpad(k::text, 2, '0') || substr(id, 7);

-- many makes each offer so many, with its variants and its document as they are.
-- The index of words is made anew at the end, which is quicker than word by word.
create function bench.many(times int) returns void language plpgsql set maintenance_work_mem = '512MB' as $$
declare words text := pg_get_indexdef('search.document_words'::regclass);
begin
    drop index search.document_words;
    create temporary table o as select * from catalog.offer;
    create temporary table v as select * from catalog.variant;
    create temporary table d as select * from search.document;
    for k in 2 .. times loop
        update o set id = bench.another(id, k), ref = ref || '/' || k;
        update v set id = bench.another(id, k), offer = bench.another(offer, k), sku = sku || '/' || k;
        update d set id = bench.another(id, k);
        insert into catalog.offer select * from o;
        insert into catalog.variant select * from v;
        insert into search.document select * from d;
    end loop;
    execute words;
end $$;
