-- What a seller takes off its goods. The lines keep their prices beside it.

-- +goose Up
alter table orders.quote add column codes text[] not null default '{}';
alter table orders.seller_order
    add column discount bigint not null default 0,
    drop constraint seller_order_total,
    add constraint seller_order_total check (total = goods + delivery + fees - discount),
    add constraint seller_order_discount check (discount >= 0 and discount < goods);
alter table orders.line
    add column discount bigint not null default 0 check (discount between 0 and total);

-- At the end of a unit of work the discounts of an order's lines are its own.
-- +goose StatementBegin
create function orders.check_discount() returns trigger language plpgsql as $$
begin
    if new.discount is distinct from (select coalesce(sum(l.discount), 0) from orders.line l where l.order_id = new.id) then
        raise exception 'the discounts of order % do not add up', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger seller_order_discounts after insert on orders.seller_order
    deferrable initially deferred for each row when (new.discount > 0) execute function orders.check_discount();

-- +goose Down
drop trigger seller_order_discounts on orders.seller_order;
drop function orders.check_discount;
alter table orders.line drop column discount;
alter table orders.seller_order drop constraint seller_order_total, drop constraint seller_order_discount, drop column discount,
    add constraint seller_order_total check (total = goods + delivery + fees);
alter table orders.quote drop column codes;
