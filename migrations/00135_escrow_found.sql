-- What was released of one order, and what chargebacks have in one order or of
-- one charge, is found by it, however many there are.

-- +goose Up
create index release_order on escrow.release (order_id);
create index contest_charge on escrow.contest (charge, id);
create index contested_order on escrow.contested (order_id) where open;

-- +goose Down
drop index escrow.release_order, escrow.contest_charge, escrow.contested_order;
