-- What the driver of a bank must not forget: the bank's own name of an order, and
-- up to where an account was read. A bank over files keeps all that itself.

-- +goose Up
create schema files;
grant usage on schema files to hub_app;

create table files.note (
    bank      text not null check (bank <> ''),
    key       text not null check (length(key) between 1 and 200),
    value     text not null check (value <> ''),
    done      bool not null default false,
    noted_at  timestamptz not null default platform.now(),
    primary key (bank, key)
);
create index note_open on files.note (bank, key text_pattern_ops) where not done;
grant select, insert, update (value, done, noted_at), delete on files.note to hub_app;

-- +goose Down
drop schema files cascade;
