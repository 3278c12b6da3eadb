-- A basket that was poured into another is empty and stays so.

-- +goose Up
alter table orders.basket drop constraint basket_state_check,
    add constraint basket_state_check check (state in ('open', 'ordered', 'merged'));

-- +goose Down
update orders.basket set state = 'ordered' where state = 'merged';
alter table orders.basket drop constraint basket_state_check,
    add constraint basket_state_check check (state in ('open', 'ordered'));
