-- What the market takes: fees by tariff, and the rates of VAT and reserve. Each
-- row holds from a day on; a later one of the same name takes its place, and no
-- row is changed.

-- +goose Up
create table escrow.tariff (
    code      text not null,
    category  text not null default '',
    base      text not null check (base in ('goods', 'delivery', 'total')),
    percent   numeric(7, 4) not null check (percent between 0 and 100),
    minimum   bigint not null default 0 check (minimum >= 0),
    maximum   bigint check (maximum >= minimum),
    payer     text not null check (payer in ('seller', 'buyer')),
    since     timestamptz not null,
    primary key (code, category, since)
);
create trigger tariff_append_only before update or delete or truncate on escrow.tariff
    for each statement execute function platform.refuse();
grant select, insert on escrow.tariff to hub_app;
insert into escrow.tariff (code, base, percent, payer, since) values ('commission', 'goods', 5, 'seller', '2025-01-01');

create table escrow.rate (
    kind     text not null check (kind in ('vat', 'reserve')),
    percent  numeric(7, 4) not null check (percent between 0 and 100),
    since    timestamptz not null,
    primary key (kind, since)
);
create trigger rate_append_only before update or delete or truncate on escrow.rate
    for each statement execute function platform.refuse();
grant select, insert on escrow.rate to hub_app;
insert into escrow.rate (kind, percent, since) values ('vat', 20, '2025-01-01'), ('reserve', 0, '2025-01-01');

-- +goose Down
drop table escrow.tariff, escrow.rate;
