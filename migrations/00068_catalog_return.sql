-- Goods that were sold and never left come back into stock.

-- +goose Up
alter table catalog.reservation drop constraint reservation_state_check,
    add constraint reservation_state_check check (state in ('held', 'taken', 'released', 'returned'));
alter table catalog.stock_move drop constraint stock_move_reason_check,
    add constraint stock_move_reason_check check (reason in ('created', 'imported', 'counted', 'moved', 'sold', 'returned'));

-- +goose Down
alter table catalog.reservation drop constraint reservation_state_check,
    add constraint reservation_state_check check (state in ('held', 'taken', 'released'));
alter table catalog.stock_move drop constraint stock_move_reason_check,
    add constraint stock_move_reason_check check (reason in ('created', 'imported', 'counted', 'moved', 'sold'));
