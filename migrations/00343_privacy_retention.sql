-- How much was let go of when its time was over, by day.

-- +goose Up
create table privacy.passed (
    code     text not null check (code <> ''),     -- a period of the register
    day      date not null,
    rows     bigint not null check (rows >= 0),
    last_at  timestamptz not null,
    primary key (code, day)
);
grant select, insert on privacy.passed to hub_app;
grant update (rows, last_at) on privacy.passed to hub_app;

-- +goose Down
drop table privacy.passed;
