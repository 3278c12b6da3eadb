-- A line of a basket may have a price that was agreed on. Orders say by which
-- rule each of their prices came.

-- +goose Up
alter table orders.basket_line add column agreement text not null default '';
alter table orders.line
    add column price_from text not null default 'public' check (price_from in ('public', 'list', 'agreement')),
    add column agreement  text not null default '',
    add constraint line_agreement check ((price_from = 'agreement') = (agreement <> ''));
alter table orders.seller_order add column agreed bool not null default false;

-- +goose Down
alter table orders.seller_order drop column agreed;
alter table orders.line drop constraint line_agreement, drop column price_from, drop column agreement;
alter table orders.basket_line drop column agreement;
