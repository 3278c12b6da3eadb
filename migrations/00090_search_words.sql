-- Search hears: words are kept by their sound too, what stands in a document's
-- head (its names, kind, seller, labels and places) apart from its texts, and the
-- document itself, so that another engine can be filled from here.

-- +goose Up
alter table search.word add key text not null default '', add bones text not null default '';
grant update (key, bones) on search.word to hub_app;
create index word_key on search.word (key) where key <> '';
create index word_begins on search.word (word collate "C");
create index word_bones on search.word (bones) where bones <> '';

alter table search.document add head tsvector not null default '', add source jsonb not null default '{}',
    add digest text not null default '', add analysis int not null default 0;
-- Lists sort by the head; the words of all texts stay out of their way.
alter table search.document alter words set storage external, alter source set storage external;
alter table search.document set (toast_tuple_target = 512);
create index document_analysis on search.document (analysis, seller);

-- has says whether a document has words. Told that one row is enough, the
-- planner would read the table from the start, and every text of it.
create function search.has(query tsquery) returns bool
    language sql stable set enable_seqscan = off as $$
    select exists (select from search.document where words @@ query)
$$;

-- The operator's synonyms: one row at most. Without one the market's own hold.
create table search.synonyms (
    one      bool primary key default true check (one),
    version  int not null check (version > 0),
    groups   jsonb not null check (jsonb_typeof(groups) = 'array'),
    set_by   text not null,
    set_at   timestamptz not null
);
grant select, insert, update on search.synonyms to hub_app;

-- What was looked for, by day: only words, never who.
create table search.asked (
    day      date not null,
    lang     text not null,
    query    text not null check (length(query) between 1 and 100),
    times    int not null check (times > 0),
    found    int not null check (found >= 0),
    nothing  int not null check (nothing between 0 and times),
    primary key (day, query, lang)
);
create index asked_query on search.asked (query text_pattern_ops);
create index asked_nothing on search.asked (day, nothing desc) where nothing > 0;
grant select, insert, update, delete on search.asked to hub_app;

-- +goose Down
drop table search.asked;
drop table search.synonyms;
drop function search.has;
drop index search.document_analysis;
alter table search.document drop head, drop source, drop digest, drop analysis;
drop index search.word_begins;
revoke update (key, bones) on search.word from hub_app;
alter table search.word drop key, drop bones;
