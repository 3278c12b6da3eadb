-- A statement that one of the operator's people hands in moves money only once
-- a second person agrees: until then it is kept here as it is.

-- +goose Up
create table recon.handed (
    id      text primary key,
    bank    text not null,
    name    text not null,
    sha256  text not null,
    bytes   bytea not null,
    by      text not null,
    at      timestamptz not null default platform.now(),
    unique (bank, sha256)
);
create trigger handed_append_only before update or delete or truncate on recon.handed
    for each statement execute function platform.refuse();
grant select, insert on recon.handed to hub_app;

-- +goose Down
drop table recon.handed;
