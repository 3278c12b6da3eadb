-- Who sells things of a category, without reading what they offer. What is asked
-- for has no stock.

-- +goose Up
create index offer_category on catalog.offer (category, seller) where state = 'published';
update catalog.variant v set policy = 'unlimited' from catalog.offer o where o.id = v.offer and o.way = 'quote' and v.policy = 'stocked';

-- +goose Down
drop index catalog.offer_category;
