-- What another search engine is still to hear: one row a document, with the
-- newest change only. And who tells it, one hub at a time.

-- +goose Up
create sequence search.push_seq;
create table search.push (
    id   text primary key,
    seq  bigint not null default nextval('search.push_seq')
);
create index push_order on search.push (seq);
grant usage on sequence search.push_seq to hub_app;
grant select, insert, update, delete on search.push to hub_app;

create table search.engine (
    name      text primary key check (name <> ''),
    holder    text not null,
    until     timestamptz not null,
    settings  text not null default '',
    checked   timestamptz
);
grant select, insert, update on search.engine to hub_app;

-- +goose Down
drop table search.engine;
drop table search.push;
drop sequence search.push_seq;
