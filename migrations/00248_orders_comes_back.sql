-- The goods of a cash order that was not taken at the door are on the road again:
-- they are on offer once somebody has them in hand.

-- +goose Up
alter table orders.seller_order
    add column comes_back text not null default '' check (comes_back in ('', 'awaited', 'back')),
    add constraint seller_order_comes_back check (comes_back = '' or state = 'refused');
grant update (comes_back) on orders.seller_order to hub_app;

-- +goose Down
alter table orders.seller_order drop constraint seller_order_comes_back, drop column comes_back;
