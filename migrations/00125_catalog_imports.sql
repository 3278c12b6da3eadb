-- Imports are taken in batch by batch, each row with its verdict, and go on when
-- whoever began has died. What sellers say of a heading's columns is remembered.

-- +goose Up
alter table catalog.import
    add file         text not null default '',
    add dry_run      bool not null default false,
    add state        text not null default 'done' check (state in ('running', 'done', 'failed')),
    add reason       text not null default '',
    add form         text not null default 'csv' check (form in ('csv', 'xlsx')),
    add encoding     text not null default '',
    add separator    text not null default '',
    add columns      jsonb not null default '[]' check (jsonb_typeof(columns) = 'array'),
    add batch        int not null default 0 check (batch >= 0),
    add tries        int not null default 0 check (tries >= 0),
    add unchanged    int not null default 0 check (unchanged >= 0),
    add finished_at  timestamptz,
    alter created set default 0,
    alter updated set default 0;

-- What became of a row. offer is the offer that has it now.
create table catalog.import_row (
    import   text not null references catalog.import,
    row      int not null check (row > 0),
    verdict  text not null check (verdict in ('created', 'updated', 'unchanged', 'rejected')),
    offer    text not null default '',
    details  jsonb not null default '[]' check (jsonb_typeof(details) = 'array'),
    primary key (import, row),
    check (verdict <> 'rejected' or details <> '[]')
);
create index import_row_rejected on catalog.import_row (import, verdict, row) where verdict <> 'created';
grant select, insert, delete on catalog.import_row to hub_app;

insert into catalog.import_row (import, row, verdict, details)
    select i.id, r.row, 'rejected', jsonb_agg(jsonb_build_object('pointer', r.pointer, 'detail', r.detail))
    from catalog.import i, jsonb_to_recordset(i.rejected) r (row int, pointer text, detail text)
    where r.row > 0 group by i.id, r.row;
alter table catalog.import drop rejected;
alter table catalog.import add rejected int not null default 0;
update catalog.import i set finished_at = i.at, rejected = (select count(*) from catalog.import_row r where r.import = i.id);
-- Rows of files that were taken in before count as they were counted then.
alter table catalog.import add constraint import_counts check (created >= 0 and updated >= 0 and rejected >= 0);
alter table catalog.import add constraint import_end check ((state = 'running') = (finished_at is null));
alter table catalog.import add constraint import_reason check ((state = 'failed') = (reason <> ''));
drop index catalog.import_seller;
create index import_seller on catalog.import (seller, id);
create index offer_seller on catalog.offer (seller, id);
grant update on catalog.import to hub_app;

create table catalog.mapping (
    seller       text not null,
    fingerprint  text not null,
    columns      jsonb not null check (jsonb_typeof(columns) = 'object'),
    at           timestamptz not null default platform.now(),
    primary key (seller, fingerprint)
);
grant select, insert, update on catalog.mapping to hub_app;

-- +goose Down
drop table catalog.mapping;
drop index catalog.offer_seller;
drop index catalog.import_seller;
create index import_seller on catalog.import (seller, at);
delete from catalog.import_row r using catalog.import i where i.id = r.import and (i.dry_run or i.state = 'running');
delete from catalog.import where dry_run or state = 'running';
alter table catalog.import drop rejected;
alter table catalog.import add rejected jsonb not null default '[]';
update catalog.import i set rejected = coalesce((select jsonb_agg(jsonb_build_object('row', r.row, 'pointer', d->>'pointer', 'detail', d->>'detail') order by r.row)
    from catalog.import_row r, jsonb_array_elements(r.details) d where r.import = i.id and r.verdict = 'rejected'), '[]');
drop table catalog.import_row;
alter table catalog.import drop file, drop dry_run, drop state, drop reason, drop form, drop encoding, drop separator, drop columns,
    drop batch, drop tries, drop unchanged, drop finished_at, alter created drop default, alter updated drop default;
revoke update on catalog.import from hub_app;
