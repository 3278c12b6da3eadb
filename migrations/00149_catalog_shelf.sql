-- Which categories a seller has something in, without reading all it offers.

-- +goose Up
create index offer_shelf on catalog.offer (seller, category) where state = 'published';

-- +goose Down
drop index catalog.offer_shelf;
