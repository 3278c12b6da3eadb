-- Invoices of sellers and the credit notes that correct them, numbered without
-- holes for each seller and year.

-- +goose Up

-- What an article is, for its rate of VAT.
alter table orders.line add column category text not null default '';

-- The VAT that is in a seller's prices, in basis points, from a moment on; a row
-- of a category goes before that of all (''). Without one nothing is said to be
-- VAT: what an invoice names as VAT is owed.
create table orders.vat_rate (
    seller        text not null,
    category      text not null default '',
    since         timestamptz not null,
    basis_points  int not null check (basis_points in (0, 700, 1000, 1400, 2000)),
    primary key (seller, category, since)
);
grant select, insert on orders.vat_rate to hub_app;

-- The last number of each series; whoever takes the next one locks it.
create table orders.invoice_series (
    seller  text not null,
    kind    text not null check (kind in ('invoice', 'credit_note')),
    year    int not null check (year between 2025 and 2999),
    last    int not null check (last > 0),
    primary key (seller, kind, year)
);
grant select, insert on orders.invoice_series to hub_app;
grant update (last) on orders.invoice_series to hub_app;

create table orders.invoice (
    id         text primary key,
    order_id   text not null references orders.seller_order,
    seller     text not null,
    kind       text not null check (kind in ('invoice', 'credit_note')),
    year       int not null,
    n          int not null check (n > 0),
    of         text references orders.invoice,   -- what a credit note corrects
    cause      text not null,                    -- of a credit note: the refund, or what else it is for
    issued_at  timestamptz not null,
    currency   text not null,
    total      bigint not null check (total > 0),               -- centimes, VAT in it
    vat        bigint not null check (vat between 0 and total),
    body       jsonb not null,                   -- the parties and lines, as they were
    unique (seller, kind, year, n),
    constraint invoice_of check ((kind = 'credit_note') = (of is not null) and (kind = 'credit_note') = (cause <> ''))
);
create unique index invoice_once on orders.invoice (order_id) where kind = 'invoice';
create unique index invoice_cause on orders.invoice (order_id, cause) where kind = 'credit_note';
create index on orders.invoice (of) where of is not null;
create trigger invoice_append_only before update or delete or truncate on orders.invoice
    for each statement execute function platform.refuse();
grant select, insert on orders.invoice to hub_app;

create table orders.invoice_vat (
    invoice       text not null references orders.invoice,
    basis_points  int not null check (basis_points between 0 and 2000),
    total         bigint not null check (total > 0),            -- VAT in it
    vat           bigint not null check (vat between 0 and total),
    primary key (invoice, basis_points),
    check (basis_points > 0 or vat = 0)
);
create trigger invoice_vat_append_only before update or delete or truncate on orders.invoice_vat
    for each statement execute function platform.refuse();
grant select, insert on orders.invoice_vat to hub_app;

-- +goose Down
drop table orders.invoice_vat, orders.invoice, orders.invoice_series, orders.vat_rate;
alter table orders.line drop column category;
