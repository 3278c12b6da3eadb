-- What the market pays of what is taken off an order's goods: its seller gets it
-- beside what the buyer pays.

-- +goose Up
alter table orders.seller_order
    add column bonus bigint not null default 0,
    add constraint seller_order_bonus check (bonus between 0 and discount);
alter table orders.line
    add column bonus bigint not null default 0,
    add constraint line_bonus check (bonus between 0 and discount);

-- +goose StatementBegin
create or replace function orders.check_discount() returns trigger language plpgsql as $$
begin
    if (select coalesce(sum(l.discount), 0) <> new.discount or coalesce(sum(l.bonus), 0) <> new.bonus from orders.line l where l.order_id = new.id) then
        raise exception 'the discounts of order % do not add up', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function orders.check_discount() returns trigger language plpgsql as $$
begin
    if new.discount is distinct from (select coalesce(sum(l.discount), 0) from orders.line l where l.order_id = new.id) then
        raise exception 'the discounts of order % do not add up', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- +goose StatementEnd
alter table orders.line drop column bonus;
alter table orders.seller_order drop column bonus;
